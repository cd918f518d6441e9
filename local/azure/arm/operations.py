"""Long-running operations: who holds what, how they end, and what their two poll URLs answer.

``Azure-AsyncOperation`` names the operation itself, whose body carries a status; ``Location`` (the same with
``monitor=true``) answers 202 until the end. Unlike Azure, which sends ``Retry-After`` with the first poll only, every
poll of a running operation carries it: without it the SDK waits 30 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from http import HTTPStatus

from local.azure.arm.agenda import Agenda
from local.azure.arm.errors import (
    NETWORK_OPERATION_SUPERSEDED,
    OPERATION_PREEMPTED,
    ArmError,
    concurrent_request,
    entity_not_found,
)
from local.azure.arm.messages import ArmResponse, Json, json_response
from local.azure.arm.resources import CloudState, Due, LongRunningOperation, ScaleSetResource, VersionResource
from local.azure.compute.fabric import Fabric
from local.azure.world import Fault


class Operations:
    """The operations of a state."""

    def __init__(self, state: CloudState, fabric: Fabric, agenda: Agenda) -> None:
        self._state = state
        self._fabric = fabric
        self._platform = fabric.world.platform
        self._agenda = agenda
        self._listeners: list[Callable[[LongRunningOperation], None]] = []
        agenda.on("ended", self._ended)

    def on_end(self, listener: Callable[[LongRunningOperation], None]) -> None:
        """Have ``listener`` hear of every operation that has ended, well or not."""
        self._listeners.append(listener)

    def _tell(self, operation: LongRunningOperation) -> None:
        for listener in self._listeners:
            listener(operation)

    def check_free(self, key: str, error: Callable[[], ArmError] = concurrent_request) -> None:
        """Refuse a write on what another operation holds, unless the world lets the later one win.

        :raises ArmError: ``error``: for a scale set 409.
        """
        if key in self._state.held and self._platform.concurrent_writes == "conflict":
            raise error()

    def one_at_a_time(self, scale_set: ScaleSetResource) -> bool:
        """Whether a write of a VM is one of its set; VMs of a Flexible set are resources by themselves."""
        return self._platform.vm_writes == "oneAtATime" and not scale_set.is_flexible

    def writes_a_vm_of(self, scale_set: str) -> bool:
        """Whether an operation holds one of a set's VMs."""
        return any(key.startswith(f"{scale_set}/") for key in self._state.held)

    def begin(
        self,
        holds: str,
        scale_set: str,
        ends_at: datetime,
        fault: Fault | None = None,
        error: Json | None = None,
        surplus: Iterable[str] = (),
    ) -> LongRunningOperation:
        """Start an operation that holds ``holds`` until ``ends_at``; with an ``error`` it will end `Failed`."""
        location = self._state.scale_sets[scale_set].location
        return self._begin(holds, scale_set, location, ends_at, fault, error, surplus)

    def begin_network(
        self, holds: str, location: str, ends_at: datetime, fault: Fault | None = None, result_of: str = ""
    ) -> LongRunningOperation:
        """Start an operation of the network provider; ``result_of`` is the path whose answer is its result."""
        operation = self._begin(holds, "", location, ends_at, fault, None, ())
        operation.result_of = result_of
        return operation

    def begin_version(
        self, version: VersionResource, ends_at: datetime, fault: Fault | None = None, error: Json | None = None
    ) -> LongRunningOperation:
        """Start an operation on an image version, which holds it; with an ``error`` it will end `Failed`."""
        operation = self._begin(version.key, "", version.location, ends_at, fault, error, ())
        operation.image_version = version.key
        return operation

    def _begin(
        self,
        holds: str,
        scale_set: str,
        location: str,
        ends_at: datetime,
        fault: Fault | None,
        error: Json | None,
        surplus: Iterable[str],
    ) -> LongRunningOperation:
        outcome = "Failed" if error else "Succeeded"
        if fault and fault.operation_status:
            outcome = fault.operation_status
            error = fault.operation_error or {
                "code": "InternalExecutionError",
                "message": "An internal error occurred.",
            }
        self.preempt(holds)
        operation = LongRunningOperation(
            id=self._state.identifier(),
            location=location,
            started_at=self._state.now,
            ends_at=ends_at + (fault.operation_delay if fault else timedelta()),
            outcome=outcome,
            error=error,
            holds=holds,
            scale_set=scale_set,
            surplus=list(surplus),
        )
        self._state.operations[operation.id] = operation
        self._state.held[holds] = operation.id
        self._agenda.plan(operation.ends_at, "ended", scale_set, operation.id)
        return operation

    def preempt(self, key: str) -> None:
        """Cancel the operation that holds ``key``, if one does; the VMs that it had to spare go at once."""
        older = self._state.operations.get(self._state.held.pop(key, ""))
        if older is None:
            return
        older.status, older.ends_at = "Canceled", self._state.now
        older.error = OPERATION_PREEMPTED if older.scale_set else NETWORK_OPERATION_SUPERSEDED
        self._delete_surplus(older)
        self._tell(older)

    def _delete_surplus(self, operation: LongRunningOperation) -> None:
        scale_set = self._state.scale_sets.get(operation.scale_set)
        if scale_set is None:
            return
        surplus = [vm for vm_id in operation.surplus if (vm := scale_set.find(vm_id)) and not vm.is_deleting]
        self._fabric.delete(scale_set, surplus)

    def _ended(self, due: Due) -> None:
        operation = self._state.operations[due.subject]
        if operation.status != "InProgress":
            return
        operation.status = operation.outcome
        del self._state.held[operation.holds]
        self._settle(operation)
        self._tell(operation)

    def _settle(self, operation: LongRunningOperation) -> None:
        """What the end of an operation means for its scale set."""
        scale_set = self._state.scale_sets.get(operation.scale_set)
        if scale_set is None:
            return
        self._delete_surplus(operation)
        if operation.holds != scale_set.key:
            self._settle_vm(scale_set, operation.holds.removeprefix(f"{scale_set.key}/"))
            return
        scale_set.provisioning_state = operation.outcome
        if scale_set.is_deleting and operation.outcome == "Succeeded":
            del self._state.scale_sets[scale_set.key]
        scale_set.is_deleting = False

    def _settle_vm(self, scale_set: ScaleSetResource, vm_id: str) -> None:
        """The end of a write of one VM, however it went (assumed). The set's ETag moves only now.

        Learnt from cloud-provider-azure, `.agents/references/etag-cache.md`.
        """
        vm = scale_set.find(vm_id)
        if vm is not None and vm.provisioning_state == "Updating":
            vm.provisioning_state = "Succeeded"
            vm.revision += 1
        if scale_set.provisioning_state == "Updating" and scale_set.key not in self._state.held:
            scale_set.provisioning_state = "Succeeded"
        scale_set.etag += 1

    def find(self, operation_id: str) -> LongRunningOperation:
        """An operation by its id.

        :raises ArmError: 404.
        """
        operation = self._state.operations.get(operation_id.lower())
        if operation is None:
            raise entity_not_found(f"The operation '{operation_id}' was not found.")
        return operation

    def status(self, operation_id: str) -> ArmResponse:
        """What ``Azure-AsyncOperation`` answers."""
        operation = self.find(operation_id)
        body: Json = {"startTime": operation.started_at.isoformat()}
        if operation.status == "InProgress":
            return json_response(
                HTTPStatus.OK, {**body, "status": "InProgress", "name": operation.id}, self.retry_after()
            )
        body |= {"endTime": operation.ends_at.isoformat(), "status": operation.status}
        if operation.error and operation.status != "Succeeded":
            body["error"] = operation.error
        return json_response(HTTPStatus.OK, {**body, "name": operation.id})

    def result(self, operation_id: str, url: str) -> ArmResponse:
        """What ``Location`` answers: 202 while it runs, then 200 without a body, or the error (status assumed)."""
        operation = self.find(operation_id)
        if operation.status == "InProgress":
            return ArmResponse(HTTPStatus.ACCEPTED, {"location": url, **self.retry_after()})
        if operation.status == "Succeeded" or not operation.error:
            return ArmResponse(HTTPStatus.OK)
        raise ArmError(HTTPStatus.CONFLICT, operation.error["code"], operation.error["message"])

    def retry_after(self) -> dict[str, str]:
        """The header that tells when to ask again, in whole seconds."""
        return {"retry-after": str(max(1, round(self._platform.retry_after.total_seconds())))}
