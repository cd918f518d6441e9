"""Scale sets on the wire: read, create, update, delete.

An update answers 200 (the SDK takes nothing else for PATCH) and shows the new capacity at once; the VMs follow.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from http import HTTPStatus

from local.azure.arm.calls import SCALE_SET_TYPE, ArmCall
from local.azure.arm.errors import (
    capacity_out_of_range,
    image_type_changed,
    invalid_content,
    invalid_parameter,
    models_exhausted,
    not_simulated,
    property_changed,
)
from local.azure.arm.messages import ArmResponse, Json, json_response
from local.azure.arm.operations import Operations
from local.azure.arm.rendering import scale_set_body, scale_set_view
from local.azure.arm.resources import LongRunningOperation, ScaleSetResource, launched_size
from local.azure.compute.fabric import Boot, Fabric
from local.azure.compute.quota import check_quota
from local.azure.compute.scaling import scale_in
from local.azure.world import Fault

#: https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-placement-groups
CAPACITY_LIMIT, CAPACITY_LIMIT_OF_SINGLE_PLACEMENT_GROUP = 1000, 100

#: How many models the VMs of a set may run: kubernetes-sigs/cluster-api-provider-azure#4958.
MODELS_LIMIT = 10

#: What a PATCH may carry (``VirtualMachineScaleSetUpdate``); a PUT carries the whole resource.
_PATCHABLE = frozenset({"sku", "plan", "properties", "identity", "zones", "tags"})

#: What tells a gallery's or managed image from one that is shared, and from the marketplace's.
_IMAGE_KINDS = frozenset({"id", "sharedGalleryImageId", "communityGalleryImageId", "publisher"})

#: What Azure itself wrote, and a PUT leaves as it is, as it does the ETag.
_READ_ONLY = ("uniqueId", "timeCreated", "provisioningState")


def read(call: ArmCall) -> ArmResponse:
    """GET a set."""
    scale_set = call.scale_set()
    return json_response(HTTPStatus.OK, scale_set_body(scale_set), {"etag": scale_set.quoted_etag})


def list_in_group(call: ArmCall) -> ArmResponse:
    """GET the sets of a resource group."""
    return _list(call, group=call.names["group"])


def list_in_subscription(call: ArmCall) -> ArmResponse:
    """GET the sets of a subscription."""
    return _list(call, group=None)


def _list(call: ArmCall, group: str | None) -> ArmResponse:
    subscription = call.names["subscription"].lower()
    value = [
        scale_set_body(scale_set)
        for scale_set in call.state.scale_sets.values()
        if scale_set.subscription.lower() == subscription
        and (group is None or scale_set.resource_group.lower() == group.lower())
    ]
    return json_response(HTTPStatus.OK, {"value": value})


def view(call: ArmCall) -> ArmResponse:
    """GET a set's instance view, which Uniform sets alone have."""
    return json_response(HTTPStatus.OK, scale_set_view(call.uniform("instanceView"), call.state.now))


def patch(call: ArmCall) -> ArmResponse:
    """PATCH a set: what the body names changes, the rest stays."""
    scale_set = call.writable()
    changes = call.body()
    if unknown := sorted(changes.keys() - _PATCHABLE - {"id", "name", "type", "location", "etag"}):
        raise invalid_content(f"Could not find member '{unknown[0]}' on object of type 'VirtualMachineScaleSetUpdate'.")
    _check_shape(changes)
    wanted = merge(scale_set.body, {name: changes[name] for name in _PATCHABLE & changes.keys()})
    if _rebalances(wanted) and not _rebalances(scale_set.body):
        _turn_repairs_on(wanted, changes)
    return update(call, scale_set, wanted, renewed=_names_profile(changes))


def _names_profile(body: Json) -> bool:
    """Whether a write says how VMs are made. Even said as it was, the VMs there are count as outdated.

    azure-sdk-for-java#32223, azure-rest-api-specs#22552.
    """
    return "virtualMachineProfile" in (body.get("properties") or {})


def _rebalances(body: Json) -> bool:
    policy = (body.get("properties") or {}).get("resiliencyPolicy") or {}
    return bool((policy.get("automaticZoneRebalancingPolicy") or {}).get("enabled"))


def _turn_repairs_on(wanted: Json, changes: Json) -> None:
    """Turning zone rebalancing on turns automatic repairs on too, unless the same write says otherwise.

    https://learn.microsoft.com/azure/virtual-machine-scale-sets/auto-zone-balance-enable
    """
    if "automaticRepairsPolicy" not in changes["properties"]:
        policy = wanted["properties"].get("automaticRepairsPolicy") or {}
        wanted["properties"]["automaticRepairsPolicy"] = {**policy, "enabled": True}


def put(call: ArmCall) -> ArmResponse:
    """PUT a set: create it, or replace what the body names, its properties as a whole.

    What a body does not name stays, as ``az vmss scale`` expects, which puts no more than location and SKU.
    """
    body = call.body()
    _check_shape(body)
    if call.scale_set_id().lower() not in call.state.scale_sets:
        return _create(call, body)
    scale_set = call.writable()
    kept = {name: scale_set.properties[name] for name in _READ_ONLY if name in scale_set.properties}
    identity = {name: scale_set.body[name] for name in ("name", "id", "type", "location")}
    said = {name: value for name, value in (body.get("properties") or {}).items() if name not in _READ_ONLY}
    properties = {**(said or scale_set.properties), **kept}
    wanted = {**scale_set.body, **body, **identity, "properties": properties}
    wanted.pop("etag", None)
    return update(call, scale_set, wanted, renewed=_names_profile(body))


def _check_shape(body: Json) -> None:
    for name in ("sku", "properties"):
        if not isinstance(body.get(name) or {}, dict):
            raise invalid_content(f"Error converting the value of '{name}': a JSON object is expected.")


def _create(call: ArmCall, body: Json) -> ArmResponse:
    if call.request.header("if-match") is not None:
        call.scale_set()
    properties = dict(body.get("properties") or {})
    if str(properties.get("orchestrationMode", "Uniform")).lower() != "uniform":
        raise not_simulated("creating a scale set in Flexible orchestration")
    if "location" not in body:
        raise invalid_parameter("location", "The location property is required for this definition.")
    properties |= {"uniqueId": call.state.identifier(), "timeCreated": call.state.now.isoformat()}
    identifier = call.scale_set_id()
    whole = {
        "name": call.names["scale_set"],
        "id": identifier,
        "type": SCALE_SET_TYPE,
        **body,
        "properties": properties,
    }
    whole["sku"] = {**(body.get("sku") or {}), "capacity": 0}
    scale_set = ScaleSetResource(identifier, whole, {1: properties.get("virtualMachineProfile") or {}}, etag=0)
    call.effect.capacity_before = 0
    wanted = {**copy.deepcopy(whole), "sku": body.get("sku") or {}}
    _check(call, scale_set, wanted)
    call.state.scale_sets[scale_set.key] = scale_set
    response = update(call, scale_set, wanted)
    scale_set.provisioning_state = "Creating"
    return json_response(HTTPStatus.CREATED, scale_set_body(scale_set), response.headers)


def update(call: ArmCall, scale_set: ScaleSetResource, wanted: Json, *, renewed: bool = False) -> ArmResponse:
    """Make the set's body ``wanted``, and start what that means for its VMs.

    ``renewed``: its profile was said anew, and may be what it was.
    """
    _check(call, scale_set, wanted)
    operation = _apply(call, scale_set, wanted, renewed=renewed)
    call.effect.capacity_after = scale_set.capacity
    headers = {**call.async_headers(operation), **call.operations.retry_after(), "etag": scale_set.quoted_etag}
    return json_response(HTTPStatus.OK, scale_set_body(scale_set), headers)


def _check(call: ArmCall, scale_set: ScaleSetResource, wanted: Json) -> None:
    sku, properties = wanted.get("sku") or {}, wanted.get("properties") or {}
    capacity = sku.get("capacity")
    if not isinstance(capacity, int) or isinstance(capacity, bool) or "name" not in sku:
        raise invalid_parameter("sku", "Required parameter 'sku.name' or 'sku.capacity' is missing or not valid.")
    check_capacity(capacity, single_placement_group=bool(properties.get("singlePlacementGroup", True)))
    reference = ((properties.get("virtualMachineProfile") or {}).get("storageProfile") or {}).get("imageReference")
    current = (scale_set.profile.get("storageProfile") or {}).get("imageReference")
    if reference and current and _IMAGE_KINDS & reference.keys() != _IMAGE_KINDS & current.keys():
        raise image_type_changed()
    _check_offer(reference or {}, current or {})
    if models_in_use(call, scale_set) >= MODELS_LIMIT and _is_new_model(scale_set, wanted):
        raise models_exhausted(scale_set.name)
    if reference and reference != current:
        call.fabric.images.resolve(reference, scale_set.location, call.state.now)
        call.fabric.images.check_fits(reference, wanted)
    # The surplus of overprovisioning does not count against quota:
    # https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-design-overview
    more = capacity - counted_vms(scale_set)
    check_quota(call.state, call.world.quota, scale_set, launched_size(wanted), more)


def models_in_use(call: ArmCall, scale_set: ScaleSetResource) -> int:
    """How many models the VMs of a set run. Whether a VM's own network configuration is one, the world says."""
    own = {vm.vm_id for vm in scale_set.instances.values() if vm.network is not None}
    if call.world.platform.own_models == "free" or scale_set.is_flexible:
        own = set()
    return len(own) + len({vm.model for vm in scale_set.instances.values() if vm.model and vm.vm_id not in own})


def _check_offer(reference: Json, current: Json) -> None:
    """https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets/update (``ImageReference``)."""
    for name in ("publisher", "offer"):
        if name in current and str(reference.get(name, current[name])).lower() != str(current[name]).lower():
            raise property_changed(f"imageReference.{name}")


def counted_vms(scale_set: ScaleSetResource) -> int:
    """The VMs that a new capacity is held against: a Flexible set creates new minus nominal, whatever exists."""
    return scale_set.capacity - scale_set.falling if scale_set.is_flexible else len(scale_set.active())


def check_capacity(capacity: int, *, single_placement_group: bool) -> None:
    """Refuse a capacity beyond Azure's limits."""
    limit = CAPACITY_LIMIT_OF_SINGLE_PLACEMENT_GROUP if single_placement_group else CAPACITY_LIMIT
    if not 0 <= capacity <= limit:
        raise capacity_out_of_range(capacity, limit)


def _apply(call: ArmCall, scale_set: ScaleSetResource, wanted: Json, *, renewed: bool) -> LongRunningOperation:
    call.operations.preempt(scale_set.key)
    counted = counted_vms(scale_set)
    is_new_model = replace_body(scale_set, wanted)
    if renewed and not is_new_model:
        _add_model(scale_set, wanted)
        call.effect.outdated = True
    boots: list[Boot] = []
    ends = [call.state.now + call.world.platform.update_time]
    mode = str((scale_set.properties.get("upgradePolicy") or {}).get("mode", "Manual")).lower()
    if is_new_model and mode in ("automatic", "rolling"):
        # A rolling upgrade goes in batches on Azure; here both modes take every VM down at once, the worst case.
        boots += call.fabric.reimage(scale_set, scale_set.active())
    missing = scale_set.capacity - scale_set.falling - counted
    surplus: list[str] = []
    if missing > 0:
        launched = launch(call, scale_set, missing)
        boots += launched[:missing]
        surplus = [boot.vm.vm_id for boot in launched[missing:]]
    elif missing < 0:
        leaving = scale_in(scale_set.active(), -missing, scale_in_rule(scale_set))
        call.fabric.delete(scale_set, leaving)
        call.effect.deleted += [vm.vm_id for vm in leaving]
        ends.append(call.state.now + call.world.platform.delete_time)
    scale_set.provisioning_state = "Updating"
    ends += [boot.ends_at for boot in boots]
    return call.operations.begin(scale_set.key, scale_set.key, max(ends), call.fault, first_failure(boots), surplus)


def launch(call: ArmCall, scale_set: ScaleSetResource, count: int) -> list[Boot]:
    """Launch ``count`` VMs, and a fifth more where the set overprovisions; those to keep, the quickest, come first."""
    extra = -(-count // 5) if scale_set.properties.get("overprovision") else 0
    boots = call.fabric.launch(scale_set, count + extra, call.fault.allocation_failures if call.fault else 0)
    call.effect.created += [boot.vm.vm_id for boot in boots]
    # Equally quick VMs are told apart by their random ids, so that instance ids get holes as they do on Azure.
    return sorted(boots, key=lambda boot: (boot.failure is not None, boot.ends_at, boot.vm.vm_id)) if extra else boots


def first_failure(boots: Iterable[Boot]) -> Json | None:
    """What an operation that waits for these VMs fails with; ``None``: it succeeds."""
    return next((boot.failure for boot in boots if boot.failure), None)


def scale_in_rule(scale_set: ScaleSetResource) -> str:
    """The set's rule for scaling in."""
    rules = (scale_set.properties.get("scaleInPolicy") or {}).get("rules") or ["Default"]
    # The numbers of a Flexible set's VMs say nothing of their age: there the default is the newest VM.
    return "NewestVM" if scale_set.is_flexible and rules[0] == "Default" else str(rules[0])


def replace_body(scale_set: ScaleSetResource, wanted: Json) -> bool:
    """Make the set's body ``wanted``, and say whether VMs made from now on differ from those made before.

    A model that returns to what it once was counts as another model: assumed. A write that changes nothing leaves the
    ETag as it is: recorded (azure-sdk-for-go, armcompute).
    """
    is_new_model = _is_new_model(scale_set, wanted)
    scale_set.etag += wanted != scale_set.body
    asked = (wanted.get("sku") or {}).get("capacity")
    scale_set.falling = scale_set.falling if asked == scale_set.capacity else 0
    scale_set.body = wanted
    if is_new_model:
        _add_model(scale_set, wanted)
    return is_new_model


def _add_model(scale_set: ScaleSetResource, wanted: Json) -> None:
    scale_set.model += 1
    scale_set.models[scale_set.model] = _profile(wanted)


def _is_new_model(scale_set: ScaleSetResource, wanted: Json) -> bool:
    size_before, size = (scale_set.body.get("sku") or {}).get("name"), wanted["sku"]["name"]
    return _profile(wanted) != scale_set.profile or size != size_before


def _profile(wanted: Json) -> Json:
    profile: Json = (wanted.get("properties") or {}).get("virtualMachineProfile") or {}
    return profile


def delete(call: ArmCall) -> ArmResponse:
    """DELETE a set with all its VMs."""
    scale_set = call.writable()
    call.effect.deleted += [vm.vm_id for vm in scale_set.active()]
    call.effect.capacity_after = 0
    return call.accepted(begin_deletion(call.fabric, call.operations, scale_set, call.fault))


def begin_deletion(
    fabric: Fabric, operations: Operations, scale_set: ScaleSetResource, fault: Fault | None = None
) -> LongRunningOperation:
    """Start the deletion of a set with all its VMs."""
    scale_set.is_deleting, scale_set.provisioning_state = True, "Deleting"
    scale_set.etag += 1
    fabric.delete(scale_set, scale_set.active())
    ends_at = fabric.state.now + fabric.world.platform.delete_time
    return operations.begin(scale_set.key, scale_set.key, ends_at, fault)


def merge(current: Json, changes: Json) -> Json:
    """A copy of ``current`` with ``changes``: objects are merged, anything else is replaced, null removes."""
    merged = copy.deepcopy(current)
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = merge(merged[name], value)
        else:
            merged[name] = copy.deepcopy(value)
    return merged
