"""``POST /groups/{groupId}/deployments?dryRun=true``: what a deployment would do, and what speaks against it.

The survey is the one that a start makes. Nothing is written, and no lock is taken.
"""

from __future__ import annotations

from collections.abc import Iterator

from api.handlers.rendering import render_finding, render_reference
from api.transport.http import Answer
from rollout.judging.group_state import GroupLook
from rollout.model.azure.scale_set import Vm
from rollout.model.choices import OnConflict
from rollout.model.codec import Json
from rollout.model.findings import Finding, error, in_order, refuses, warning
from rollout.model.group import Group
from rollout.model.parameters import Parameters
from rollout.model.rows.handover import handed_on
from rollout.planning.batches import BatchPlan, PlannedBatch
from rollout.planning.forecast import Forecast, forecast
from rollout.planning.plan import approvals, approves_every, most_cores, policies, serving_floor
from rollout.ports.ports import Ports
from rollout.preflight.plan import what_is_held
from rollout.preflight.pools import writes_each_vm
from services.beside import findings_beside
from services.forecast import past_batches
from services.group_states import note_look
from services.predecessor import predecessor_of
from services.queue import full_queue, under_way
from services.survey import Survey, survey


async def dry_run(ports: Ports, group: Group, parameters: Parameters) -> Answer:
    """200 with the plan, whether or not it could be carried out: ``canStart`` says."""
    predecessor = await predecessor_of(ports, group.id, group.scale_set_id)
    seen = await survey(ports, group, parameters, handed_on(predecessor), thorough=True)
    if seen.scale_set is not None and seen.listed is not None:
        await note_look(ports, group, GroupLook(ports.clock.now(), seen.scale_set, seen.listed.vms))
    findings = await _with_conflict(ports, group, parameters, seen)
    known = _NOTHING
    if seen.plan is not None:
        known = _planned(seen, seen.plan, parameters, await _forecast(ports, group, parameters, seen, seen.plan))
    return Answer(
        200,
        {
            "canStart": not refuses(findings),
            "image": {
                "requested": parameters.image,
                "pinned": render_reference(seen.reference),
                "previous": render_reference(seen.previous),
            },
            **known,
            "findings": [render_finding(finding) for finding in findings],
        },
    )


#: Of a deployment that cannot be planned: its set or its image is not there.
_NOTHING: Json = {
    "targetSize": None,
    "numberOfBatches": None,
    "batches": [],
    "kept": [],
    "skipped": [],
    "changes": [],
    "duration": None,
    "surge": None,
    "servingFloor": None,
}


async def _with_conflict(ports: Ports, group: Group, parameters: Parameters, seen: Survey) -> tuple[Finding, ...]:
    """What another deployment on the set means for this one."""
    held = await under_way(ports, group.scale_set_id, "")
    if held is None:
        return seen.findings
    if parameters.on_conflict is OnConflict.REJECT:
        remedy = "Wait until it has ended, or start with onConflict: queue or supersede"
        return in_order((error("deploymentInProgress", held.reason, remedy, "onConflict"), *seen.findings))
    if parameters.on_conflict is OnConflict.QUEUE and (full := await full_queue(ports, group.scale_set_id)):
        remedy = "Wait until some have begun, take some back, or start with onConflict: supersede"
        return in_order((error("queueFull", full.reason, remedy, "onConflict"), *seen.findings))
    will = "this one would wait for its end" if parameters.on_conflict is OnConflict.QUEUE else "it would be stopped"
    remedy = "What is planned here is for the set as it is now; it is planned anew when its turn comes"
    found = warning("deploymentInProgress", f"{held.reason}: {will}", remedy, "onConflict")
    return in_order((found, *await findings_beside(ports, seen, parameters, held.holder)))


async def _forecast(ports: Ports, group: Group, parameters: Parameters, seen: Survey, planned: BatchPlan) -> Forecast:
    past = await past_batches(ports, group.id)
    if seen.scale_set is None:
        return forecast(planned, parameters, past)
    by_vm = writes_each_vm(seen.scale_set, seen.surroundings)
    return forecast(planned, parameters, past, pools=bool(seen.scale_set.backend_pools), vm_writes=by_vm)


def _planned(seen: Survey, planned: BatchPlan, parameters: Parameters, expected: Forecast) -> Json:
    size = seen.surroundings.size
    return {
        "targetSize": planned.target_size,
        "numberOfBatches": len(planned.batches),
        "batches": [_batch(batch, parameters, len(planned.batches)) for batch in planned.batches],
        "kept": [vm.name for vm in planned.kept],
        "skipped": [_skipped(vm, parameters) for vm in planned.skipped],
        "changes": list(_changes(seen, planned, parameters)),
        "duration": {"seconds": round(expected.duration.total_seconds()), "basis": expected.basis},
        "surge": {"vms": planned.surge, "cores": most_cores(planned, size.cores) if size else None},
        "servingFloor": serving_floor(planned, parameters, seen.serving),
    }


def _batch(batch: PlannedBatch, parameters: Parameters, batches: int) -> Json:
    asked = approves_every(parameters) or batch.number in approvals(parameters)
    return {
        "number": batch.number,
        "blue": len(batch.blue),
        "green": batch.green,
        "canary": batch.canary,
        "approval": asked and batch.number < batches,
        "vms": [vm.name for vm in batch.blue],
    }


def _skipped(vm: Vm, parameters: Parameters) -> Json:
    return {"name": vm.name, "reason": "; ".join(policies(vm, parameters))}


def _changes(seen: Survey, planned: BatchPlan, parameters: Parameters) -> Iterator[Json]:
    """What of the set, besides its VMs, would be changed."""
    present = seen.scale_set.image if seen.scale_set else None
    pinned = seen.reference
    if pinned is not None and present is not None and not present.matches(pinned):
        message = f"The set's model gets image {pinned.label} in place of {present.label}"
        change = {"from": render_reference(present), "to": render_reference(pinned)}
        yield {"kind": "image", "message": message, **change}
    for sentence in what_is_held(planned, parameters, seen.surroundings.processes):
        yield {"kind": "hold", "message": f"{sentence}, until the deployment ends"}
