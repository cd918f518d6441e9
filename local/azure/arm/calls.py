"""One request on its way through the simulated Azure: what it names, what it may touch, what it did."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from local.azure.arm.errors import (
    concurrent_request,
    instance_not_active,
    invalid_content,
    invalid_parameter,
    marked_for_deletion,
    not_of_flexible,
    parent_not_found,
    precondition_failed,
    resource_not_found,
)
from local.azure.arm.messages import ArmRequest, ArmResponse, Json, json_response
from local.azure.arm.operations import Operations
from local.azure.arm.rendering import Rendering
from local.azure.arm.resources import CloudState, LongRunningOperation, ScaleSetResource, VmInstance
from local.azure.compute.fabric import Fabric
from local.azure.world import Fault, World

SCALE_SET_TYPE = "Microsoft.Compute/virtualMachineScaleSets"
INSTANCE_TYPE = f"{SCALE_SET_TYPE}/virtualMachines"
VIRTUAL_MACHINE_TYPE = "Microsoft.Compute/virtualMachines"


@dataclass
class Effect:
    """What a write did, for the audit, and the id of the operation that it goes on as.

    ``outdated``: it said the model's profile as it was.
    """

    created: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    capacity_before: int | None = None
    capacity_after: int | None = None
    outdated: bool = False
    operation: str | None = None


@dataclass
class ArmCall:
    """One request and the parts of the simulated Azure that its handler needs. ``names`` are those in its path."""

    request: ArmRequest
    names: dict[str, str]
    fault: Fault | None
    base_url: str
    world: World
    state: CloudState
    fabric: Fabric
    operations: Operations
    rendering: Rendering
    effect: Effect = field(default_factory=Effect)

    def body(self) -> Json:
        """The request's body, which has to be a JSON object."""
        try:
            body = json.loads(self.request.body)
        except ValueError as error:
            raise invalid_content(
                f"The request content was invalid and could not be deserialized: '{error}'."
            ) from None
        if not isinstance(body, dict):
            raise invalid_content("The request content was invalid: a JSON object is expected.")
        return body

    def group_id(self) -> str:
        """The id of the resource group in the path, in the letter case of the path."""
        return f"/subscriptions/{self.names['subscription']}/resourceGroups/{self.names['group']}"

    def balancer_id(self, kind: str) -> str:
        """The id of the load balancer or gateway in the path."""
        return f"{self.group_id()}/providers/{kind}/{self.names['balancer']}"

    def balancer_list(self, kind: str, ids: Iterable[str], read: Callable[[ArmCall], ArmResponse]) -> ArmResponse:
        """The load balancers or gateways of the resource group in the path, each as ``read`` answers it."""
        prefix = f"{self.group_id()}/providers/{kind}/".lower()
        names = [identifier.removeprefix(prefix) for identifier in ids if identifier.startswith(prefix)]
        calls = [replace(self, names={**self.names, "balancer": name}) for name in names]
        return json_response(HTTPStatus.OK, {"value": [read(call).json() for call in calls]})

    def scale_set_id(self) -> str:
        """The id of the set in the path, in the letter case of the path."""
        return f"{self.group_id()}/providers/{SCALE_SET_TYPE}/{self.names['scale_set']}"

    def scale_set(self, *, as_parent: bool = False) -> ScaleSetResource:
        """The set in the path.

        :raises ArmError: 404; ``as_parent`` words it for a path that goes on below the set.
        """
        found = self.state.scale_sets.get(self.scale_set_id().lower())
        if found is not None:
            return found
        if as_parent:
            raise parent_not_found("virtualMachineScaleSets/virtualMachines", self.scale_set_id())
        raise resource_not_found(SCALE_SET_TYPE, self.names["scale_set"], self.names["group"])

    def uniform(self, operation: str) -> ScaleSetResource:
        """The set in the path, which has to be a Uniform one for what is asked.

        :raises ArmError: 404, or 400 for a Flexible set.
        """
        scale_set = self.scale_set()
        if scale_set.is_flexible:
            raise not_of_flexible(operation, scale_set.name)
        return scale_set

    def virtual_machine(self) -> tuple[ScaleSetResource, VmInstance]:
        """The VM of a Flexible set that the path names as a resource of its own.

        :raises ArmError: 404.
        """
        group = self.group_id().lower()
        for scale_set in self.state.scale_sets.values():
            is_here = scale_set.is_flexible and scale_set.key.startswith(f"{group}/")
            if is_here and (vm := scale_set.instance(self.names["vm"])):
                return scale_set, vm
        raise resource_not_found(VIRTUAL_MACHINE_TYPE, self.names["vm"], self.names["group"])

    def writable(self, *, as_parent: bool = False) -> ScaleSetResource:
        """The set in the path, which the caller may write to now: not being deleted, held by no other operation.

        :raises ArmError: 412 where ``If-Match`` names another version, 409 otherwise.
        """
        scale_set = self.scale_set(as_parent=as_parent)
        if not as_parent:
            self.check_etag(scale_set.quoted_etag)
        if scale_set.is_deleting:
            raise marked_for_deletion(scale_set.name)
        self.operations.check_free(scale_set.key)
        self.effect.capacity_before = scale_set.capacity
        return scale_set

    def check_etag(self, current: str) -> None:
        """Hold ``If-Match`` against the resource's ETag."""
        given = self.request.header("if-match")
        if given is not None and given not in (current, "*"):
            raise precondition_failed(given, current)

    def instance(self, scale_set: ScaleSetResource) -> VmInstance:
        """The VM in the path.

        :raises ArmError: 404 where it is read, 400 where it is written to, as the compute provider does.
        """
        text = self.names["instance"]
        if not scale_set.is_flexible and not text.isdecimal():
            raise invalid_parameter("instanceId", "The value of parameter instanceId must be a number.")
        if scale_set.is_flexible and text.isdecimal():
            raise invalid_parameter("instanceId", "The value of parameter instanceId must be the name of a VM.")
        vm = scale_set.instance(text)
        if vm is None and self.request.method != "GET":
            raise instance_not_active(text)
        if vm is None:
            raise resource_not_found(
                INSTANCE_TYPE, f"{scale_set.name}/virtualMachines/{text}", scale_set.resource_group
            )
        return vm

    def instances(self, scale_set: ScaleSetResource, *, by_default_all: bool) -> list[VmInstance]:
        """The VMs that the body's ``instanceIds`` names.

        :raises ArmError: 400 where one of them is no VM of the set.
        """
        given = self.body() if self.request.body else {}
        numbers = given.get("instanceIds")
        if (numbers is None and by_default_all) or numbers == ["*"]:
            return scale_set.active()
        if not isinstance(numbers, list) or not numbers or not all(isinstance(number, str) for number in numbers):
            raise invalid_parameter("instanceIds", "Required parameter 'instanceIds' is missing (null).")
        chosen = {}
        for number in numbers:
            vm = scale_set.instance(number)
            if vm is None:
                raise instance_not_active(number)
            chosen[vm.number] = vm
        return list(chosen.values())

    def instance_key(self, scale_set: ScaleSetResource, vm: VmInstance) -> str:
        """The key under which a VM is held while it is written to."""
        return f"{scale_set.key}/{vm.vm_id}"

    def check_instance_free(self, scale_set: ScaleSetResource, vm: VmInstance) -> str:
        """The key under which a VM is held while it is written to; it must be neither held nor coming or going."""
        key = self.instance_key(scale_set, vm)
        self.operations.check_free(key)
        if self.operations.one_at_a_time(scale_set) and self.operations.writes_a_vm_of(scale_set.key):
            raise concurrent_request()
        if vm.provisioning_state in ("Creating", "Deleting"):
            raise concurrent_request()
        return key

    def accepted(self, operation: LongRunningOperation) -> ArmResponse:
        """202 for an action or a deletion: both URLs, no body."""
        url = self.operation_url(operation, monitor=True)
        headers = {**self.async_headers(operation), "location": url, **self.operations.retry_after()}
        return ArmResponse(HTTPStatus.ACCEPTED, headers)

    def async_headers(self, operation: LongRunningOperation) -> dict[str, str]:
        """The headers that say that a write goes on; the galleries' part of the provider sends but one."""
        headers = {"azure-asyncoperation": self.operation_url(operation, monitor=False)}
        return headers if operation.image_version else {**headers, "azure-asyncnotification": "Enabled"}

    def operation_url(self, operation: LongRunningOperation, *, monitor: bool) -> str:
        """An operation's absolute URL, as the compute provider writes it (without the signature).

        Who is told it knows that the request goes on as that operation.
        """
        self.effect.operation = operation.id
        version = self.request.query.get("api-version", "")
        path = f"/subscriptions/{self.names['subscription']}/providers/Microsoft.Compute/locations/{operation.location}"
        if operation.image_version:
            query = f"{'monitor=true&' if monitor else ''}api-version={version}"
            return f"{self.base_url}{path}/capsOperations/{operation.id}?{query}"
        if not operation.scale_set:
            kind = "operationResults" if monitor else "operations"
            path = path.replace("Microsoft.Compute", "Microsoft.Network")
            return f"{self.base_url}{path}/{kind}/{operation.id}?api-version={version}"
        query = f"p={operation.id}&{'monitor=true&' if monitor else ''}api-version={version}"
        return f"{self.base_url}{path}/operations/{operation.id}?{query}"
