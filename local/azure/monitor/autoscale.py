"""Autoscale settings of Azure Monitor on the wire, and what they make of the capacity of their scale set.

``Microsoft.Insights/autoscaleSettings``, api-version 2022-10-01. Bounds are text on the wire. There are no ETags. The
rules of a setting are kept and not acted upon; its bounds are, as
https://learn.microsoft.com/azure/azure-monitor/autoscale/autoscale-understanding-settings has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus

from local.azure.arm.calls import SCALE_SET_TYPE, ArmCall
from local.azure.arm.errors import invalid_content, resource_not_found
from local.azure.arm.messages import ArmResponse, Json, json_response
from local.azure.arm.resources import CloudState, Due, ScaleSetResource
from local.azure.compute.fabric import Fabric
from local.azure.compute.scale_sets import counted_vms, scale_in_rule
from local.azure.compute.scaling import scale_in
from local.azure.world import World
from local.azure.world.autoscale import AutoscaleSpec

AUTOSCALE_TYPE = "Microsoft.Insights/autoscaleSettings"

#: What happens each time that a setting looks at its set.
LOOKS = "autoscale looks"


def populate(fabric: Fabric) -> None:
    """Put the world's settings into the fabric's state, and have those look that do so by themselves."""
    for spec in fabric.world.autoscale_settings:
        body = setting_body(spec, fabric.world)
        fabric.state.autoscale[str(body["id"]).lower()] = body
        if spec.every:
            _plan(fabric, str(body["id"]).lower(), spec.every)


def setting_body(spec: AutoscaleSpec, world: World) -> Json:
    """The ARM body of a setting, as GET answers it."""
    prefix = f"/subscriptions/{world.subscription_id}/resourceGroups"
    target = next(one for one in world.scale_sets if one.name == spec.scale_set)
    return {
        "id": f"{prefix}/{spec.resource_group}/providers/{AUTOSCALE_TYPE}/{spec.name}",
        "name": spec.name,
        "type": AUTOSCALE_TYPE,
        "location": world.location,
        "tags": {},
        "properties": {
            "name": spec.name,
            "enabled": spec.enabled,
            "targetResourceUri": f"{prefix}/{target.resource_group}/providers/{SCALE_SET_TYPE}/{target.name}",
            "targetResourceLocation": world.location,
            "profiles": [
                {
                    "name": profile.name,
                    "capacity": {
                        "minimum": str(profile.minimum),
                        "maximum": str(profile.maximum),
                        "default": str(profile.preset),
                    },
                    "rules": [],
                }
                for profile in spec.profiles
            ],
            "notifications": [],
        },
    }


def list_in_subscription(call: ArmCall) -> ArmResponse:
    """GET the settings of a subscription."""
    return _list(call, f"/subscriptions/{call.names['subscription']}/")


def list_in_group(call: ArmCall) -> ArmResponse:
    """GET the settings of a resource group."""
    return _list(call, f"{call.group_id()}/")


def _list(call: ArmCall, prefix: str) -> ArmResponse:
    found = [body for key, body in call.state.autoscale.items() if key.startswith(prefix.lower())]
    return json_response(HTTPStatus.OK, {"value": found})


def read(call: ArmCall) -> ArmResponse:
    """GET a setting."""
    body = call.state.autoscale.get(_id(call).lower())
    if body is None:
        raise resource_not_found(AUTOSCALE_TYPE, call.names["setting"], call.names["group"])
    return json_response(HTTPStatus.OK, body)


def put(call: ArmCall) -> ArmResponse:
    """PUT a setting: create it, or replace it as a whole."""
    given, key = call.body(), _id(call).lower()
    properties = given.get("properties") or {}
    _check(given, properties)
    existed = key in call.state.autoscale
    call.state.autoscale[key] = {
        "id": _id(call),
        "name": call.names["setting"],
        "type": AUTOSCALE_TYPE,
        "location": given["location"],
        "tags": given.get("tags") or {},
        "properties": properties,
    }
    return json_response(HTTPStatus.OK if existed else HTTPStatus.CREATED, call.state.autoscale[key])


def _check(given: Json, properties: Json) -> None:
    """Refuse what cannot be a setting. Code and texts are assumed."""
    if "location" not in given or not properties.get("profiles"):
        raise invalid_content("An autoscale setting needs a location and at least one profile.")
    for profile in properties["profiles"]:
        capacity = profile.get("capacity") or {}
        texts = [capacity.get(name, "") for name in ("minimum", "default", "maximum")]
        if not all(isinstance(text, str) and text.isdecimal() for text in texts):
            raise invalid_content("A profile's minimum, default and maximum are whole numbers, as text.")
        numbers = [int(text) for text in texts]
        if numbers != sorted(numbers):
            raise invalid_content("A profile's default lies between its minimum and its maximum.")


def _id(call: ArmCall) -> str:
    return f"{call.group_id()}/providers/{AUTOSCALE_TYPE}/{call.names['setting']}"


def settings_of(state: CloudState, scale_set: ScaleSetResource) -> Iterator[Json]:
    """The settings that scale this set, as they are now; those that are turned off too."""
    for body in state.autoscale.values():
        if str(body["properties"].get("targetResourceUri")).lower() == scale_set.key:
            yield body


def bounds_of(state: CloudState, scale_set: ScaleSetResource) -> tuple[int, int]:
    """Minimum and maximum in force for a set: 0 to 1000 where no setting is turned on."""
    for body in settings_of(state, scale_set):
        if body["properties"].get("enabled", True):
            capacity = body["properties"]["profiles"][0]["capacity"]
            return int(capacity["minimum"]), int(capacity["maximum"])
    return 0, 1000


def set_capacity(fabric: Fabric, scale_set: ScaleSetResource, capacity: int) -> None:
    """Make VMs, or take them by the set's policy, as for a write that nobody is told of."""
    missing = capacity - counted_vms(scale_set)
    scale_set.capacity = capacity
    scale_set.etag += 1
    if missing > 0:
        fabric.launch(scale_set, missing)
    else:
        fabric.delete(scale_set, scale_in(scale_set.active(), -missing, scale_in_rule(scale_set)))


def _plan(fabric: Fabric, setting: str, every: timedelta) -> None:
    seconds = max(1, round(every.total_seconds()))
    fabric.agenda.plan(fabric.state.now + timedelta(seconds=seconds), LOOKS, "", setting, seconds)


def run_engine(fabric: Fabric) -> None:
    """Let the settings that look by themselves do so: they force the capacity of their set into their bounds.

    While another operation is under way on the set they are refused, and come again.
    """

    def look(due: Due) -> None:
        body = fabric.state.autoscale.get(due.subject)
        if body is None:
            return
        _plan(fabric, due.subject, timedelta(seconds=due.number))
        scale_set = fabric.state.scale_sets.get(str(body["properties"].get("targetResourceUri")).lower())
        if scale_set is None or scale_set.is_deleting or scale_set.key in fabric.state.held:
            return
        minimum, maximum = bounds_of(fabric.state, scale_set)
        capacity = min(max(scale_set.capacity, minimum), maximum)
        if capacity != scale_set.capacity:
            set_capacity(fabric, scale_set, capacity)

    fabric.agenda.on(LOOKS, look)
