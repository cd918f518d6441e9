"""What an orchestrator's handle answers: the actions since the start of the generation, and how it stands.

The SDK's ``models/OrchestratorState.py`` and ``models/actions/``. A failed orchestrator does not answer but raises,
with the same JSON after a label in the exception's text (``models/TaskOrchestrationExecutor.py``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

Action = dict[str, Any]

_FAILURE_LABEL = "\n\n$OutOfProcData$:"


class ActionType(IntEnum):
    """The SDK's ``ActionType``."""

    CALL_ACTIVITY = 0
    CALL_ACTIVITY_WITH_RETRY = 1
    CALL_SUB_ORCHESTRATOR = 2
    CALL_SUB_ORCHESTRATOR_WITH_RETRY = 3
    CONTINUE_AS_NEW = 4
    CREATE_TIMER = 5
    WAIT_FOR_EXTERNAL_EVENT = 6
    CALL_ENTITY = 7
    CALL_HTTP = 8
    SIGNAL_ENTITY = 9
    SCHEDULED_SIGNAL_ENTITY = 10
    WHEN_ANY = 11
    WHEN_ALL = 12


@dataclass(frozen=True)
class OrchestratorAnswer:
    """One answer of an orchestrator. ``error`` is set if its code failed; ``custom_status`` is JSON text or None.

    ``is_broken`` says that the handle itself failed, so that there are no actions to believe.
    """

    actions: Sequence[Action]
    is_done: bool
    output: str | None = None
    error: str | None = None
    custom_status: str | None = None
    is_broken: bool = False


def parse_answer(text: str) -> OrchestratorAnswer:
    """The answer that the handle returned."""
    document = json.loads(text)
    (actions,) = document["actions"]
    status = document.get("customStatus")
    return OrchestratorAnswer(
        actions=actions,
        is_done=document["isDone"],
        output=json.dumps(document.get("output")),
        error=document.get("error"),
        custom_status=None if status is None else json.dumps(status),
    )


def parse_failure(error: Exception) -> OrchestratorAnswer:
    """The answer in the exception that the handle raised; without one the handle itself is broken."""
    _, label, document = str(error).partition(_FAILURE_LABEL)
    if not label:
        return OrchestratorAnswer(actions=(), is_done=False, error=str(error) or repr(error), is_broken=True)
    return parse_answer(document)


def extends(earlier: Sequence[Action], later: Sequence[Action]) -> bool:
    """Whether the ``later`` answer of a generation begins with the ``earlier`` one's actions.

    Only a timer's cancellation may come since: the SDK sends the same action again, marked.
    """
    return len(earlier) <= len(later) and all(map(_is_same, earlier, later))


def _is_same(earlier: Any, later: Any) -> bool:
    if earlier == later:
        return True
    if isinstance(earlier, dict) and isinstance(later, dict):
        keys = (earlier.keys() | later.keys()) - {"isCanceled"}
        return all(_is_same(earlier.get(key), later.get(key)) for key in keys)
    if isinstance(earlier, list) and isinstance(later, list):
        return len(earlier) == len(later) and all(map(_is_same, earlier, later))
    return False
