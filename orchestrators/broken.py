"""A fault of Teal's own, and how a recipe hands it up to where its deployment is ended in order."""

from __future__ import annotations

from dataclasses import replace

from rollout.model.order import Progress, Run, failed

#: The code of a deployment that ended because of such a fault.
INTERNAL_ERROR = "internalError"


class Broken(Exception):
    """The recipe cannot go on. ``run``: as far as it came. It follows from recorded values, so replays raise it too."""

    def __init__(self, run: Run, reason: str) -> None:
        super().__init__(reason)
        self.run = run


class IllegalEvent(Broken):
    """The deployment's row does not take what the recipe says happened."""


def first_line(error: Exception) -> str:
    """What went wrong, without the stack that Durable puts behind it."""
    return (str(error).splitlines() or [type(error).__name__])[0].strip()[:300]


def cause_of(run: Run, error: Exception) -> tuple[Run, Progress]:
    """As far as the deployment is known to have come, and the failure that it ends with.

    Of an error that does not tell how far the ``run`` came, it is taken that the set was changed.
    """
    if isinstance(error, Broken):
        return error.run, failed(INTERNAL_ERROR, str(error))
    reason = f"A fault of Teal's own: {type(error).__name__}: {first_line(error)}"
    return replace(run, changed=True), failed(INTERNAL_ERROR, reason)
