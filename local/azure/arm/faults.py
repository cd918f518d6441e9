"""Faults by script: what goes wrong with which request."""

from __future__ import annotations

import re
from http import HTTPStatus

from local.azure.arm.errors import ArmError
from local.azure.arm.messages import ArmRequest, ArmResponse, Json, json_response, readable
from local.azure.arm.resources import CloudState
from local.azure.world import Fault

#: What a rule answers that has requests come again: Resource Manager's own words, of any resource, without
#: ``Retry-After`` (cloudfoundry/bosh-azure-cpi-release#762).
LATER: Json = {
    "status": 409,
    "body": {
        "error": {
            "code": "ConflictingConcurrentWriteNotAllowed",
            "message": "The operation was interrupted by a conflicting concurrent write on the same entity. "
            "Please retry later.",
        }
    },
}


class AzureFaults:
    """The rules in force, in order: of those that match a request the first one acts, and each counts its matches.

    ``struck`` counts the requests with which something went wrong.
    """

    def __init__(self, state: CloudState) -> None:
        self._state = state
        self.struck = 0

    def add(self, rule: Fault) -> None:
        """Put a rule in force, after those that are; its calls count from now."""
        self._state.faults.append(rule)
        self._state.fault_matches.append(0)

    def clear(self) -> None:
        """Have nothing go wrong any more."""
        self._state.faults.clear()
        self._state.fault_matches.clear()

    def matched(self) -> list[tuple[Fault, int]]:
        """The rules in force, and how many requests each was for so far."""
        return list(zip(self._state.faults, self._state.fault_matches, strict=True))

    def match(self, request: ArmRequest) -> Fault | None:
        """What goes wrong with this request."""
        acting = None
        for index, rule in enumerate(self._state.faults):
            if not self._is_for(rule, request):
                continue
            self._state.fault_matches[index] += 1
            if acting is None and (not rule.calls or self._state.fault_matches[index] in rule.calls):
                acting = rule
        self.struck += acting is not None
        return acting

    def _is_for(self, rule: Fault, request: ArmRequest) -> bool:
        return (
            rule.method in ("*", request.method)
            and re.search(rule.path, request.path, re.IGNORECASE) is not None
            and (not rule.raises_capacity or self._raises_capacity(request))
        )

    def _raises_capacity(self, request: ArmRequest) -> bool:
        """Whether a write asks for more VMs than its set is to have: a new set's, for any."""
        body = readable(request.body)
        sku = body.get("sku") if isinstance(body, dict) and request.method in ("PATCH", "PUT") else None
        wanted = sku.get("capacity") if isinstance(sku, dict) else None
        scale_set = self._state.scale_sets.get(request.path.lower())
        return isinstance(wanted, int) and wanted > (scale_set.capacity if scale_set else 0)


def refusal(fault: Fault, status: int) -> ArmResponse:
    """The answer of a rule that refuses requests."""
    if fault.body is not None:
        return json_response(status, fault.body, fault.headers)
    phrase = HTTPStatus(status).phrase
    return ArmError(
        status, phrase.replace(" ", ""), f"{phrase}, by the fault script.", headers=fault.headers
    ).response()
