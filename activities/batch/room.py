"""Make room where VMs cannot leave their pools because the set's VMs run as many models as Azure lets them.

A VM of a Uniform set that is taken out of a pool by its own network configuration may count as a model of its own.
Those that are out already are to go anyway: gone, they make room for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from activities.batch.delete import delete_as_due
from activities.batch.pools import PoolView, note, note_gateways
from activities.rows import deployment_of, keep_vms
from rollout.model.azure.vm_writes import VmWrites
from rollout.model.order import Order, Progress, StepState, again, failed
from rollout.model.rows.deployment import Intent, VmRecord
from rollout.model.status import Color
from rollout.model.words import counted
from rollout.ports.errors import MODELS_EXHAUSTED
from rollout.ports.ports import Ports
from rollout.steps.draining import out_alone, set_aside
from rollout.steps.retirement import DELETED

_AT_ONCE = timedelta(seconds=1)

_REMEDY = "None of them could be taken out of traffic: replace, or upgrade, the VMs that run the oldest models first"


async def make_room(
    ports: Ports,
    order: Order,
    scene: PoolView,
    leaving: Sequence[VmRecord],
    inside: Collection[str],
    intents: Sequence[Intent],
    writes: VmWrites,
) -> Progress:
    """One step towards the VMs that are out being gone, each once its connections had their time.

    Then the others are tried again. Where no VM could be taken out, blue ones fail the step.
    """
    out = out_alone(leaving, inside, intents)
    if out:
        return await _delete_first(ports, order, scene, out, intents)
    if scene.written_to({vm_id for intent in intents if not intent.pool for vm_id in intent.vm_ids}):
        return again(order.poll_interval, "waiting for VMs to be out of traffic: their set runs ten models")
    some_went = any(record.reason == DELETED for record in leaving)
    if some_went or not any(record.color is Color.BLUE for record in leaving):
        await note(ports, order, lambda row: replace(row, exhausted=""))
        return again(order.poll_interval, f"taking VMs out of traffic: Azure refused: {writes.exhausted}")
    return failed(MODELS_EXHAUSTED, f"Azure refused: {writes.exhausted} {_REMEDY}")


async def _delete_first(
    ports: Ports, order: Order, scene: PoolView, out: Sequence[VmRecord], intents: Sequence[Intent]
) -> Progress:
    if any(record.detached_at is None for record in out):
        await note_gateways(ports, order, scene, intents)
        out = set_aside(out, order.at)
        await keep_vms(ports, order, out)
    progress = await delete_as_due(ports, order, await deployment_of(ports, order), out)
    if progress.state is StepState.AGAIN:
        return replace(progress, reason=f"{progress.reason} first: their set runs as many models as it may")
    if not progress.done:
        return progress
    await note(ports, order, lambda row: row.with_room(order.at))
    return again(max(progress.after, _AT_ONCE), f"{counted(len(out), 'VM')} deleted first, to make room for models")
