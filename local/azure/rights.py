"""What an identity may do: each request needs the actions of its rows in ``infra/actions.json``, and else is refused.

https://learn.microsoft.com/azure/role-based-access-control/troubleshooting: ``AuthorizationFailed`` where the action
itself is missing, ``LinkedAuthorizationFailed`` where it is the right on something that a write names. It is not
known of every write whether Azure looks at what is named in it or at all that the set has: here it is both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

from local.azure.calls import Call
from local.azure.errors import ArmError, front

TABLE = Path(__file__).parents[2] / "infra" / "actions.json"

#: Where a long-running operation stands may be asked by whoever began it, whatever else it may do: rights on a
#: resource group alone are enough for that everywhere in Azure.
_FOLLOWS = re.compile(r".*/locations/[^/]+/(operations|operationResults|capsOperations)/[^/]+", re.IGNORECASE)

_ID = re.compile(r'"(/subscriptions/[^"]+)"')
_OBJECT = "99999999-9999-9999-9999-999999999999"


@dataclass(frozen=True)
class Row:
    """An action, the requests that need it, and what writes have to name for that (``target``; empty: nothing)."""

    action: str
    requests: tuple[str, ...]
    target: str = ""

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """What method and path of a request have to match."""
        return tuple(re.compile(_expression(request), re.IGNORECASE) for request in self.requests)

    def concerns(self, call: Call) -> bool:
        """Whether the request of a call is one of the row's."""
        asked = f"{call.request.method} {call.request.path.rstrip('/')}"
        return any(pattern.fullmatch(asked) for pattern in self.patterns)

    def named(self, ids: Iterable[str]) -> str:
        """The first of the ids that the row is about, at or below its target."""
        pattern = re.compile(f"{_expression(self.target)}(/.*)?", re.IGNORECASE)
        return next((one for one in ids if pattern.fullmatch(one)), "")


def read_rows(path: Path = TABLE) -> tuple[Row, ...]:
    """The rows of the table."""
    rows: list[Mapping[str, Any]] = json.loads(path.read_text())["actions"]
    return tuple(Row(row["action"], tuple(row["requests"]), row.get("target", "")) for row in rows)


@dataclass
class Rights:
    """An identity that has these actions, everywhere, and no other. ``used``: those that it needed so far."""

    actions: Collection[str]
    rows: tuple[Row, ...] = field(default_factory=read_rows)
    used: set[str] = field(default_factory=set)

    def check(self, call: Call) -> None:
        """Refuse a request for which an action is missing.

        :raises ArmError: 403.
        """
        if _FOLLOWS.fullmatch(call.request.path) or not call.request.path.startswith("/subscriptions/"):
            return
        rows = [row for row in self.rows if row.concerns(call)]
        reads = call.request.method == "GET"
        own = [row for row in rows if reads or not row.target]
        if not own:
            raise _refused(f"{call.request.method} {call.request.path}", call.request.path)
        for row in own:
            if row.action not in self.actions:
                raise _refused(row.action, call.request.path)
            self.used.add(row.action)
        ids = _ids(call)
        for row in rows:
            if row not in own and (target := row.named(ids)):
                if row.action not in self.actions:
                    raise _linked(own[0].action, call.request.path, row.action, target)
                self.used.add(row.action)


def _expression(pattern: str) -> str:
    group = "/subscriptions/[^/]+/resourceGroups/[^/]+"
    text = re.escape(pattern).replace(r"\*", "[^/]+")
    return text.replace(r"\{group\}", group).replace(r"\{subscription\}", "/subscriptions/[^/]+")


def _ids(call: Call) -> list[str]:
    """What the request names, and what the scale set has that it is about."""
    if call.request.method == "GET":
        return []
    found = _ID.findall(call.request.body.decode(errors="replace"))
    scale_set = call.state.scale_sets.get(call.scale_set_id().lower()) if "scale_set" in call.names else None
    if scale_set is not None:
        found += _ID.findall(json.dumps(scale_set.body))
        if scale_set.is_flexible:
            found += [f"{call.group_id()}/providers/Microsoft.Compute/virtualMachines/any"]
    return found


def _refused(action: str, scope: str) -> ArmError:
    text = (
        f"The client '{_OBJECT}' with object id '{_OBJECT}' does not have authorization to perform action '{action}' "
        f"over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials."
    )
    return front(HTTPStatus.FORBIDDEN, "AuthorizationFailed", text)


def _linked(action: str, scope: str, linked: str, target: str) -> ArmError:
    text = (
        f"The client '{_OBJECT}' with object id '{_OBJECT}' has permission to perform action '{action}' on scope "
        f"'{scope}'; however, it does not have permission to perform action(s) '{linked}' on the linked scope(s) "
        f"'{target}' (respectively) or the linked scope(s) are invalid."
    )
    return front(HTTPStatus.FORBIDDEN, "LinkedAuthorizationFailed", text)
