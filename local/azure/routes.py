"""The routes of the simulated Azure: what can be asked, who answers, and what it is charged to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from local.azure import accounts, actions, instances, scale_sets, throttling
from local.azure.calls import Call
from local.azure.galleries import Galleries
from local.azure.messages import Response, json_response
from local.azure.throttling import Policy

Handler = Callable[[Call], Response]

_SUBSCRIPTION = "/subscriptions/{subscription}"
_COMPUTE = _SUBSCRIPTION + "/providers/Microsoft.Compute"
_GROUP = _SUBSCRIPTION + "/resourceGroups/{group}"
_SCALE_SET = _GROUP + "/providers/Microsoft.Compute/virtualMachineScaleSets/{scale_set}"
_INSTANCE = _SCALE_SET + "/virtualMachines/{instance}"
_GALLERY = _GROUP + "/providers/Microsoft.Compute/galleries/{gallery}"
_IMAGE = _GALLERY + "/images/{image}"
_VERSION = _IMAGE + "/versions/{version}"


@dataclass(frozen=True)
class Route:
    """A method on a path. ``kind`` is how its requests are counted; ``pattern`` matches paths in any letter case."""

    method: str
    pattern: re.Pattern[str]
    kind: str
    policy: Policy
    handler: Handler

    def resource(self, names: dict[str, str]) -> str:
        """What the bucket per resource belongs to: the scale set, its VM, or the operation."""
        parts = ("subscription", "group", "scale_set", "instance", "operation")
        return "/".join(names.get(part, "") for part in parts)


def _route(method: str, template: str, kind: str, policy: Policy, handler: Handler) -> Route:
    expression = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template.replace(".", r"\."))
    return Route(method, re.compile(f"{expression}/?", re.IGNORECASE), kind, policy, handler)


def scale_set_routes() -> list[Route]:
    """Scale sets and actions on them."""
    get, update, delete = throttling.GET_SCALE_SET, throttling.UPDATE_SCALE_SET, throttling.DELETE_SCALE_SET
    costly = throttling.LIST_SCALE_SETS
    all_sets = _COMPUTE + "/virtualMachineScaleSets"
    group_sets = _GROUP + "/providers/Microsoft.Compute/virtualMachineScaleSets"
    return [
        _route("GET", all_sets, "list scale sets", costly, scale_sets.list_in_subscription),
        _route("GET", group_sets, "list scale sets", costly, scale_sets.list_in_group),
        _route("GET", _SCALE_SET, "get scale set", get, scale_sets.read),
        _route("GET", _SCALE_SET + "/instanceView", "get scale set view", costly, scale_sets.view),
        _route("PATCH", _SCALE_SET, "patch scale set", update, scale_sets.patch),
        _route("PUT", _SCALE_SET, "put scale set", update, scale_sets.put),
        _route("DELETE", _SCALE_SET, "delete scale set", delete, scale_sets.delete),
        _route("POST", _SCALE_SET + "/delete", "delete VMs", delete, actions.delete_instances),
        _route("POST", _SCALE_SET + "/manualupgrade", "upgrade VMs", update, actions.upgrade),
        _route("POST", _SCALE_SET + "/start", "start VMs", update, actions.start),
        _route("POST", _SCALE_SET + "/poweroff", "stop VMs", delete, actions.power_off),
        _route("POST", _SCALE_SET + "/deallocate", "deallocate VMs", delete, actions.deallocate),
    ]


def instance_routes() -> list[Route]:
    """The VMs of scale sets."""
    get, costly = throttling.GET_INSTANCE, throttling.LIST_SCALE_SETS
    return [
        _route("GET", _SCALE_SET + "/virtualMachines", "list VMs", costly, instances.list_instances),
        _route("GET", _INSTANCE, "get VM", get, instances.read),
        _route("GET", _INSTANCE + "/instanceView", "get VM view", get, instances.view),
        _route("PUT", _INSTANCE, "put VM", throttling.UPDATE_INSTANCE, instances.put),
        _route("DELETE", _INSTANCE, "delete VM", throttling.DELETE_INSTANCE, actions.delete_instance),
    ]


def gallery_routes(galleries: Galleries) -> list[Route]:
    """Galleries, image definitions, versions."""
    policy = throttling.GET_GALLERY
    return [
        _route("GET", _GALLERY, "get gallery", policy, lambda call: _ok(galleries.gallery_body(call.request.path))),
        _route("GET", _IMAGE, "get image", policy, lambda call: _ok(galleries.image_body(call.request.path))),
        _route("GET", _IMAGE + "/versions", "list image versions", policy, lambda call: _versions(call, galleries)),
        _route("GET", _VERSION, "get image version", policy, lambda call: _version(call, galleries)),
    ]


def _version(call: Call, galleries: Galleries) -> Response:
    with_replication = call.request.query.get("$expand", "").lower() == "replicationstatus"
    return _ok(galleries.version_body(call.request.path, call.state.now, with_replication=with_replication))


def _versions(call: Call, galleries: Galleries) -> Response:
    image = call.request.path.rstrip("/").rpartition("/")[0]
    galleries.image_body(image)
    ids = [version.id for key, version in galleries.versions.items() if key.startswith(f"{image}/versions/".lower())]
    return _ok({"value": [galleries.version_body(name, call.state.now, with_replication=False) for name in ids]})


def account_routes(of: accounts.Accounts) -> list[Route]:
    """Operations, usages, subscriptions and resource groups."""
    other = throttling.GET_OTHER
    location = _COMPUTE + "/locations/{location}"
    groups = _SUBSCRIPTION + "/resourceGroups"
    return [
        _route("GET", location + "/operations/{operation}", "get operation", throttling.GET_OPERATION, _operation),
        _route("GET", location + "/usages", "list usages", other, accounts.read_usages),
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


def _group_names(call: Call) -> dict[str, str]:
    return {"subscription": call.names["subscription"], "name": call.names["group"]}


def _operation(call: Call) -> Response:
    operation = call.names["operation"]
    if call.request.query.get("monitor", "").lower() == "true":
        return call.operations.result(operation, call.request.url)
    return call.operations.status(operation)


def _ok(body: object) -> Response:
    return json_response(HTTPStatus.OK, body)
