"""The routes of the simulated Azure: what can be asked, who answers, and what it is charged to."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

from local.azure.arm import accounts, management_locks, throttling
from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import resource_not_found
from local.azure.arm.messages import ArmResponse, Json, json_response
from local.azure.arm.throttling import Policy
from local.azure.compute import actions, boot_diagnostics, instances, quota, scale_sets, virtual_machines
from local.azure.images import version_requests
from local.azure.images.galleries import SimulatedGalleries
from local.azure.images.images import SimulatedImages
from local.azure.images.publishing import Publisher
from local.azure.images.shared_galleries import SimulatedSharedGalleries
from local.azure.monitor import autoscale
from local.azure.network import gateways, interfaces, load_balancers

Handler = Callable[[ArmCall], ArmResponse]

_SUBSCRIPTION = "/subscriptions/{subscription}"
_COMPUTE = _SUBSCRIPTION + "/providers/Microsoft.Compute"
_GROUP = _SUBSCRIPTION + "/resourceGroups/{group}"
_SCALE_SET = _GROUP + "/providers/Microsoft.Compute/virtualMachineScaleSets/{scale_set}"
_INSTANCE = _SCALE_SET + "/virtualMachines/{instance}"
_VM = _GROUP + "/providers/Microsoft.Compute/virtualMachines/{vm}"
_LOAD_BALANCER = _GROUP + "/providers/Microsoft.Network/loadBalancers/{balancer}"
_GATEWAY = _GROUP + "/providers/Microsoft.Network/applicationGateways/{balancer}"
_INTERFACE = _GROUP + "/providers/Microsoft.Network/networkInterfaces/{interface}"
_AUTOSCALE = "/providers/Microsoft.Insights/autoscaleSettings"
_GALLERY = _GROUP + "/providers/Microsoft.Compute/galleries/{gallery}"
_IMAGE = _GALLERY + "/images/{image}"
_MANAGED_IMAGE = _GROUP + "/providers/Microsoft.Compute/images/{image}"
_MARKETPLACE = (
    _COMPUTE + "/locations/{location}/publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions"
)


@dataclass(frozen=True)
class ArmRoute:
    """A method on a path. ``kind`` is how its requests are counted; paths match ``template`` in any letter case."""

    method: str
    template: str
    kind: str
    policy: Policy
    handler: Handler
    is_write: bool
    needs_version: bool = True

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the path of a request has to match; its groups are the names in it."""
        return _pattern(self.template)

    @cached_property
    def operation(self) -> str:
        """What Azure calls it (https://learn.microsoft.com/azure/role-based-access-control/permissions/compute).

        Such as ``Microsoft.Compute/galleries/images/versions/write``; empty for what only reads.
        """
        provider, *parts = self.template.rpartition("/providers/")[2].split("/")
        kinds = "/".join([provider, *(part for part in parts if not part.startswith("{"))])
        verbs = {"PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}
        return f"{kinds}/{verbs[self.method]}" if self.method in verbs else ""

    def resource_id(self, names: dict[str, str]) -> str:
        """The id of the resource that a request is about, with the names in its path; without the action of a POST."""
        template = self.template.rpartition("/")[0] if self.method == "POST" else self.template
        return template.replace("*}", "}").format(**names)

    def resource(self, names: dict[str, str]) -> str:
        """What the bucket per resource belongs to: the scale set, the VM, or the operation."""
        parts = ("subscription", "group", "scale_set", "instance", "vm", "operation")
        return "/".join(names.get(part, "") for part in parts)


def _route(method: str, template: str, kind: str, policy: Policy, handler: Handler) -> ArmRoute:
    return ArmRoute(method, template, kind, policy, handler, is_write=method != "GET")


def _question(template: str, kind: str, policy: Policy, handler: Handler) -> ArmRoute:
    """A POST that only asks."""
    return ArmRoute("POST", template, kind, policy, handler, is_write=False)


def _pattern(template: str) -> re.Pattern[str]:
    """What a template matches: ``{name}`` one part of a path, ``{name*}`` any number of them."""
    expression = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template.replace(".", r"\."))
    expression = re.sub(r"\{(\w+)\*\}", r"(?P<\1>/.+?)", expression)
    return re.compile(f"{expression}/?", re.IGNORECASE)


#: Operations that end with an answer of their own.
_RESULTS = (
    (_pattern(_GATEWAY + "/backendhealth"), gateways.health_result),
    (_pattern(_LOAD_BALANCER + "/loadBalancingRules/{rule}/health"), load_balancers.health_result),
)


def scale_set_routes() -> list[ArmRoute]:
    """Scale sets and actions on them."""
    get, update, delete = throttling.GET_SCALE_SET, throttling.UPDATE_SCALE_SET, throttling.DELETE_SCALE_SET
    costly = throttling.LIST_SCALE_SETS
    all_sets = _COMPUTE + "/virtualMachineScaleSets"
    group_sets = _GROUP + "/providers/Microsoft.Compute/virtualMachineScaleSets"
    return [
        _route("GET", all_sets, "list scale sets", throttling.LIST_SETS, scale_sets.list_in_subscription),
        _route("GET", group_sets, "list scale sets", throttling.LIST_SETS, scale_sets.list_in_group),
        _route("GET", _SCALE_SET, "get scale set", get, scale_sets.read),
        _route("GET", _SCALE_SET + "/instanceView", "get scale set view", costly, scale_sets.view),
        _route("PATCH", _SCALE_SET, "patch scale set", update, scale_sets.patch),
        _route("PUT", _SCALE_SET, "put scale set", update, scale_sets.put),
        _route("DELETE", _SCALE_SET, "delete scale set", delete, scale_sets.delete),
        _route("POST", _SCALE_SET + "/delete", "delete VMs", delete, actions.delete_instances),
        _route("POST", _SCALE_SET + "/manualUpgrade", "upgrade VMs", update, actions.upgrade),
        _route("GET", _SCALE_SET + "/rollingUpgrades/latest", "get upgrade", get, actions.latest_rolling_upgrade),
        _route(
            "POST", _SCALE_SET + "/rollingUpgrades/cancel", "cancel upgrade", update, actions.cancel_rolling_upgrade
        ),
        _route(
            "POST",
            _SCALE_SET + "/setOrchestrationServiceState",
            "set service state",
            update,
            actions.set_orchestration_service_state,
        ),
        _route("POST", _SCALE_SET + "/start", "start VMs", update, actions.start),
        _route("POST", _SCALE_SET + "/powerOff", "stop VMs", delete, actions.power_off),
        _route("POST", _SCALE_SET + "/deallocate", "deallocate VMs", delete, actions.deallocate),
    ]


def instance_routes() -> list[ArmRoute]:
    """The VMs of scale sets."""
    get, costly = throttling.GET_INSTANCE, throttling.LIST_SCALE_SETS
    return [
        _route("GET", _SCALE_SET + "/virtualMachines", "list VMs", costly, instances.list_instances),
        _route("GET", _INSTANCE, "get VM", get, instances.read),
        _route("GET", _INSTANCE + "/instanceView", "get VM view", get, instances.view),
        _route("PUT", _INSTANCE, "put VM", throttling.UPDATE_INSTANCE, instances.put),
        _route("DELETE", _INSTANCE, "delete VM", throttling.DELETE_INSTANCE, actions.delete_instance),
    ]


def virtual_machine_routes() -> list[ArmRoute]:
    """The VMs of Flexible scale sets as resources of their own."""
    get, costly = throttling.GET_VIRTUAL_MACHINE, throttling.LIST_VIRTUAL_MACHINES
    every, of_group = virtual_machines.list_in_subscription, virtual_machines.list_in_group
    stop = virtual_machines.deallocate
    return [
        _route("GET", _COMPUTE + "/virtualMachines", "list virtual machines", costly, every),
        _route("GET", _VM.removesuffix("/{vm}"), "list virtual machines", costly, of_group),
        _route("GET", _VM, "get virtual machine", get, virtual_machines.read),
        _route("GET", _VM + "/instanceView", "get virtual machine view", get, virtual_machines.view),
        _route("POST", _VM + "/deallocate", "deallocate virtual machine", throttling.DELETE_VIRTUAL_MACHINE, stop),
        _route("DELETE", _VM, "delete virtual machine", throttling.DELETE_VIRTUAL_MACHINE, virtual_machines.delete),
    ]


def boot_diagnostics_routes() -> list[ArmRoute]:
    """The serial logs of VMs, and the files that they are in, which only their signed addresses protect."""
    action = "/retrieveBootDiagnosticsData"
    of_instance, of_vm = boot_diagnostics.of_instance, boot_diagnostics.of_virtual_machine
    file, path = boot_diagnostics.read_log, boot_diagnostics.LOG_PATH
    return [
        _question(_INSTANCE + action, "get boot diagnostics", throttling.GET_INSTANCE, of_instance),
        _question(_VM + action, "get boot diagnostics", throttling.GET_VIRTUAL_MACHINE, of_vm),
        ArmRoute("GET", path, "get serial log", throttling.GET_OTHER, file, is_write=False, needs_version=False),
    ]


def autoscale_routes() -> list[ArmRoute]:
    """Autoscale settings."""
    reads, writes = throttling.GET_OTHER, throttling.WRITE_OTHER
    setting = _GROUP + _AUTOSCALE + "/{setting}"
    every, of_group = autoscale.list_in_subscription, autoscale.list_in_group
    return [
        _route("GET", _SUBSCRIPTION + _AUTOSCALE, "list autoscale settings", reads, every),
        _route("GET", _GROUP + _AUTOSCALE, "list autoscale settings", reads, of_group),
        _route("GET", setting, "get autoscale setting", reads, autoscale.read),
        _route("PUT", setting, "put autoscale setting", writes, autoscale.put),
    ]


def network_routes() -> list[ArmRoute]:
    """Network interfaces, load balancers, application gateways, and the operations on them."""
    reads, writes = throttling.READ_NETWORK, throttling.WRITE_NETWORK
    balancer_list, gateway_list = _LOAD_BALANCER.removesuffix("/{balancer}"), _GATEWAY.removesuffix("/{balancer}")
    pool, rule = "/backendAddressPools/{pool}", "/loadBalancingRules/{rule}/health"
    below_vm = _INSTANCE + "/networkInterfaces"
    location = _SUBSCRIPTION + "/providers/Microsoft.Network/locations/{location}"
    return [
        _route("GET", _SCALE_SET + "/networkInterfaces", "list interfaces", reads, interfaces.list_of_scale_set),
        _route("GET", below_vm, "list VM interfaces", reads, interfaces.list_of_instance),
        _route("GET", below_vm + "/{interface}", "get VM interface", reads, interfaces.read_of_instance),
        _route("GET", _INTERFACE.removesuffix("/{interface}"), "list interfaces", reads, interfaces.list_in_group),
        _route("GET", _INTERFACE, "get interface", reads, interfaces.read),
        _route("PUT", _INTERFACE, "put interface", writes, interfaces.put),
        _route(
            "GET",
            balancer_list,
            "list load balancers",
            reads,
            load_balancers.list_in_group,
        ),
        _route("GET", _LOAD_BALANCER, "get load balancer", reads, load_balancers.read),
        _route("GET", _LOAD_BALANCER + pool, "get backend pool", reads, load_balancers.read_pool),
        _route("PUT", _LOAD_BALANCER, "put load balancer", writes, load_balancers.put),
        _route("PUT", _LOAD_BALANCER + pool, "put backend pool", writes, load_balancers.put_pool),
        _question(_LOAD_BALANCER + rule, "get rule health", writes, load_balancers.health),
        _route("GET", gateway_list, "list gateways", reads, gateways.list_in_group),
        _route("GET", _GATEWAY, "get gateway", reads, gateways.read),
        _question(_GATEWAY + "/backendhealth", "get gateway health", writes, gateways.health),
        _route("GET", location + "/operations/{operation}", "get network operation", reads, _network_status),
        _route("GET", location + "/operationResults/{operation}", "get network result", reads, _network_result),
    ]


def _network_status(call: ArmCall) -> ArmResponse:
    operation = call.operations.find(call.names["operation"])
    body: Json = {"status": operation.status}
    if operation.error and operation.status not in ("InProgress", "Succeeded"):
        body["error"] = operation.error
    is_running = operation.status == "InProgress"
    return json_response(HTTPStatus.OK, body, call.operations.retry_after() if is_running else None)


def _network_result(call: ArmCall) -> ArmResponse:
    operation = call.operations.find(call.names["operation"])
    if operation.status != "Succeeded":
        return call.operations.result(operation.id, call.request.url)
    for pattern, answer in _RESULTS:
        if match := pattern.fullmatch(operation.result_of):
            return answer(dataclasses.replace(call, names=match.groupdict()))
    return ArmResponse(HTTPStatus.OK)


def image_routes(images: SimulatedImages) -> list[ArmRoute]:
    """Galleries, image definitions, versions; those that are shared; managed images; the marketplace."""
    policy, galleries, marketplace = throttling.GET_GALLERY, images.galleries, images.marketplace
    own = [
        _route("GET", _GALLERY, "get gallery", policy, lambda call: _ok(galleries.gallery_body(call.request.path))),
        _route("GET", _IMAGE, "get image", policy, lambda call: _ok(galleries.image_body(call.request.path))),
        _route("GET", _IMAGE + "/versions", "list image versions", policy, lambda call: _versions(call, galleries)),
        _route(
            "GET", _IMAGE + "/versions/{version}", "get image version", policy, lambda call: _version(call, galleries)
        ),
    ]
    other = throttling.GET_OTHER
    return [
        *own,
        *_shared_routes(images.shared, "shared"),
        *_shared_routes(images.shared, "community"),
        _route("GET", _MANAGED_IMAGE, "get managed image", other, lambda call: _managed_image(call, images)),
        _route(
            "GET",
            _MARKETPLACE,
            "list VM images",
            other,
            lambda call: _ok(marketplace.list_bodies(call.names, call.state.now)),
        ),
        _route(
            "GET",
            _MARKETPLACE + "/{version}",
            "get VM image",
            other,
            lambda call: _ok(marketplace.version_body(call.names, call.state.now)),
        ),
    ]


def publishing_routes(publisher: Publisher) -> list[ArmRoute]:
    """Writes of image versions."""
    version = _IMAGE + "/versions/{version}"
    write, delete = throttling.WRITE_VERSION, throttling.DELETE_VERSION
    put, patch, remove = version_requests.put, version_requests.patch, version_requests.delete
    return [
        _route("PUT", version, "put image version", write, lambda call: put(call, publisher)),
        _route("PATCH", version, "patch image version", write, lambda call: patch(call, publisher)),
        _route("DELETE", version, "delete image version", delete, lambda call: remove(call, publisher)),
    ]


def _shared_routes(shared: SimulatedSharedGalleries, kind: str) -> list[ArmRoute]:
    policy = throttling.GET_GALLERY
    image = _COMPUTE + f"/locations/{{location}}/{kind}Galleries/{{gallery}}/images/{{image}}"
    return [
        _route("GET", image, f"get {kind} image", policy, lambda call: _ok(shared.image_body(call.names, kind))),
        _route(
            "GET",
            image + "/versions",
            f"list {kind} image versions",
            policy,
            lambda call: _ok({"value": shared.version_bodies(call.names, kind, call.state.now)}),
        ),
        _route(
            "GET",
            image + "/versions/{version}",
            f"get {kind} image version",
            policy,
            lambda call: _ok(shared.version_body(call.names, kind, call.state.now)),
        ),
    ]


def _managed_image(call: ArmCall, images: SimulatedImages) -> ArmResponse:
    body = images.managed_image_body(call.request.path.rstrip("/"))
    if body is None:
        raise resource_not_found("Microsoft.Compute/images", call.names["image"], call.names["group"])
    return _ok(body)


def _version(call: ArmCall, galleries: SimulatedGalleries) -> ArmResponse:
    with_replication = call.request.query.get("$expand", "").lower() == "replicationstatus"
    return _ok(galleries.version_body(call.request.path, call.state.now, with_replication=with_replication))


def _versions(call: ArmCall, galleries: SimulatedGalleries) -> ArmResponse:
    image = call.request.path.rstrip("/").rpartition("/")[0]
    return _ok({"value": galleries.version_bodies(image, call.state.now)})


def account_routes(of: accounts.Accounts) -> list[ArmRoute]:
    """Operations, usages, subscriptions and resource groups."""
    other = throttling.GET_OTHER
    location = _COMPUTE + "/locations/{location}"
    groups = _SUBSCRIPTION + "/resourceGroups"
    return [
        _route("GET", location + "/operations/{operation}", "get operation", throttling.GET_OPERATION, _operation),
        _route("GET", location + "/capsOperations/{operation}", "get operation", throttling.GET_OPERATION, _operation),
        _route("GET", location + "/usages", "list usages", other, accounts.read_usages),
        _route("GET", _COMPUTE + "/skus", "list SKUs", other, lambda call: _ok(quota.skus(call.state, call.request))),
        _route(
            "GET",
            _GROUP + "/providers/Microsoft.Authorization/locks",
            "list locks",
            other,
            management_locks.list_in_group,
        ),
        _route("GET", "/tenants", "list tenants", other, lambda call: _ok(of.tenants())),
        _route("GET", "/subscriptions", "list subscriptions", other, lambda call: _ok(of.subscriptions())),
        _route(
            "GET",
            _SUBSCRIPTION,
            "get subscription",
            other,
            lambda call: _ok(of.subscription(call.names["subscription"])),
        ),
        _route("GET", groups, "list resource groups", other, lambda call: _ok(of.groups(call.names["subscription"]))),
        _route("GET", _GROUP, "get resource group", other, lambda call: _ok(of.group(**_group_names(call)))),
    ]


def _group_names(call: ArmCall) -> dict[str, str]:
    return {"subscription": call.names["subscription"], "name": call.names["group"]}


def _operation(call: ArmCall) -> ArmResponse:
    operation = call.names["operation"]
    if call.request.query.get("monitor", "").lower() == "true":
        return call.operations.result(operation, call.request.url)
    return call.operations.status(operation)


def _ok(body: object) -> ArmResponse:
    return json_response(HTTPStatus.OK, body)
