"""Actions on a scale set and its VMs: delete, upgrade, stop, start, suspend repairs."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import entity_not_found, invalid_parameter, no_upgrade_to_cancel
from local.azure.arm.messages import ArmResponse, json_response
from local.azure.arm.resources import ScaleSetResource, VmInstance
from local.azure.compute.fabric import Boot
from local.azure.compute.scale_sets import first_failure


def delete_instances(call: ArmCall) -> ArmResponse:
    """POST …/delete: the VMs go, and the capacity with them."""
    scale_set = call.writable(as_parent=True)
    return remove(call, scale_set, call.instances(scale_set, by_default_all=False))


def delete_instance(call: ArmCall) -> ArmResponse:
    """DELETE one VM. It holds the set as POST …/delete does: both lower its capacity."""
    scale_set = call.writable(as_parent=True)
    return remove(call, scale_set, [call.instance(scale_set)])


def remove(call: ArmCall, scale_set: ScaleSetResource, chosen: Iterable[VmInstance]) -> ArmResponse:
    """Delete VMs; those that are on their way out already are left to it.

    The capacity may follow late (kubernetes/autoscaler#3510).
    """
    vms = [vm for vm in chosen if not vm.is_deleting]
    late = call.world.platform.capacity_falls == "late"
    if late:
        scale_set.falling += len(vms)
    else:
        scale_set.capacity = max(0, scale_set.capacity - len(vms))
    scale_set.etag += 1
    scale_set.provisioning_state = "Updating"
    call.fabric.delete(scale_set, vms, counted=late)
    call.effect.deleted += [vm.vm_id for vm in vms]
    call.effect.capacity_after = max(0, scale_set.capacity - scale_set.falling)
    ends_at = call.state.now + call.world.platform.delete_time
    return call.accepted(call.operations.begin(scale_set.key, scale_set.key, ends_at, call.fault))


def upgrade(call: ArmCall) -> ArmResponse:
    """POST …/manualupgrade: bring VMs to the latest model in place."""
    scale_set = call.writable(as_parent=True)
    vms = call.instances(scale_set, by_default_all=False)
    return _begin(call, scale_set, call.fabric.reimage(scale_set, vms))


def start(call: ArmCall) -> ArmResponse:
    """POST …/start."""
    scale_set = call.writable(as_parent=True)
    return _begin(call, scale_set, call.fabric.start(scale_set, call.instances(scale_set, by_default_all=True)))


def power_off(call: ArmCall) -> ArmResponse:
    """POST …/poweroff: stopped, but still paid for."""
    return _stop(call, deallocate=False)


def deallocate(call: ArmCall) -> ArmResponse:
    """POST …/deallocate."""
    return _stop(call, deallocate=True)


def _stop(call: ArmCall, *, deallocate: bool) -> ArmResponse:
    scale_set = call.writable(as_parent=True)
    vms = call.instances(scale_set, by_default_all=True)
    call.fabric.stop(scale_set, vms, deallocate=deallocate)
    scale_set.provisioning_state = "Updating"
    ends_at = call.state.now + call.world.platform.stop_time
    return call.accepted(call.operations.begin(scale_set.key, scale_set.key, ends_at, call.fault))


def set_orchestration_service_state(call: ArmCall) -> ArmResponse:
    """POST …/setOrchestrationServiceState: suspend automatic repairs, or have them go on."""
    scale_set = call.writable(as_parent=True)
    body = call.body()
    if body.get("serviceName") != "AutomaticRepairs" or body.get("action") not in ("Suspend", "Resume"):
        raise invalid_parameter("serviceName", "AutomaticRepairs can be told to Suspend or Resume, nothing else.")
    scale_set.repairs_suspended = body["action"] == "Suspend"
    return _begin(call, scale_set, [])


def latest_rolling_upgrade(call: ArmCall) -> ArmResponse:
    """GET …/rollingUpgrades/latest. There never was one: 404, as Azure says it (code and text are assumed)."""
    scale_set = call.scale_set(as_parent=True)
    if scale_set.rolling_upgrade is not None:
        properties = {
            "policy": {"maxBatchInstancePercent": 20, "pauseTimeBetweenBatches": "PT0S"},
            "runningStatus": {"code": scale_set.rolling_upgrade, "startTime": call.state.now.isoformat()},
        }
        return json_response(HTTPStatus.OK, {"location": scale_set.location, "properties": properties})
    raise entity_not_found(f"No rolling upgrade was found for the Virtual Machine Scale Set '{scale_set.name}'.")


def cancel_rolling_upgrade(call: ArmCall) -> ArmResponse:
    """POST …/rollingUpgrades/cancel: the one that is under way ends."""
    scale_set = call.scale_set(as_parent=True)
    if scale_set.rolling_upgrade != "RollingForward":
        raise no_upgrade_to_cancel()
    call.writable(as_parent=True)
    scale_set.rolling_upgrade = "Cancelled"
    return _begin(call, scale_set, [])


def _begin(call: ArmCall, scale_set: ScaleSetResource, boots: list[Boot]) -> ArmResponse:
    scale_set.provisioning_state = "Updating"
    ends_at = max((boot.ends_at for boot in boots), default=call.state.now + call.world.platform.update_time)
    operation = call.operations.begin(scale_set.key, scale_set.key, ends_at, call.fault, first_failure(boots))
    return call.accepted(operation)
