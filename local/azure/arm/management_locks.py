"""Locks of Resource Manager: they keep what is at their scope and below from being deleted, or from being changed.

https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
"""

from __future__ import annotations

from http import HTTPStatus

from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import scope_locked
from local.azure.arm.messages import ArmRequest, ArmResponse, Json, json_response
from local.azure.arm.resources import CloudState
from local.azure.world import LockSpec, World

_TYPE = "Microsoft.Authorization/locks"


def lock_body(spec: LockSpec, world: World) -> Json:
    """The ARM body of a lock."""
    subscription = f"/subscriptions/{world.subscription_id}"
    scope = spec.scope if spec.scope.startswith("/") else f"{subscription}/resourceGroups/{spec.scope}".rstrip("/")
    scope = subscription if not spec.scope else scope
    identifier = f"{scope}/providers/{_TYPE}/{spec.name}"
    return {"id": identifier, "name": spec.name, "type": _TYPE, "properties": {"level": spec.level}}


def list_in_group(call: ArmCall) -> ArmResponse:
    """GET the locks of a resource group: those at, above and below it."""
    group = f"{call.group_id().lower()}/"
    related = [
        lock
        for lock in call.state.locks
        if group.startswith(f"{_scope(lock)}/") or f"{_scope(lock)}/".startswith(group)
    ]
    return json_response(HTTPStatus.OK, {"value": related})


def check(state: CloudState, request: ArmRequest, *, is_write: bool) -> None:
    """Refuse what a lock forbids.

    That POST …/delete counts as a deletion is what cluster autoscalers report of locked node groups:
    https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/scopelocked-error

    :raises ArmError: 409 ``ScopeLocked``.
    """
    deletes = request.method == "DELETE" or request.path.lower().rstrip("/").endswith("/delete")
    path = f"{request.path.lower()}/"
    for lock in state.locks:
        forbids = deletes or (is_write and lock["properties"]["level"] == "ReadOnly")
        if forbids and path.startswith(f"{_scope(lock)}/"):
            raise scope_locked(request.path, "delete" if deletes else "write", _scope(lock))


def _scope(lock: Json) -> str:
    return str(lock["id"]).partition(f"/providers/{_TYPE}/")[0].lower()
