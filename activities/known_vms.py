"""Whatever looks at the set notes what it says of every VM that the deployment knows, and of those that others made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from activities.rows import deployment_of
from rollout.model.azure.scale_set import VmList
from rollout.model.codec import encode
from rollout.model.order import NEWS, Order, Progress
from rollout.model.rows.deployment import VmRecord
from rollout.ports.azure import ScaleSets
from rollout.ports.ports import Ports
from rollout.steps.known import seen_now, to_tell
from rollout.steps.others import may_be_own, others_now


class _Listening:
    """Scale sets, of which the last list of VMs that was read is kept. It asks Azure for nothing itself."""

    def __init__(self, scale_sets: ScaleSets) -> None:
        self._scale_sets = scale_sets
        self.last: VmList | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scale_sets, name)

    async def list_vms(self, scale_set_id: str, share_min: float = 0.0) -> VmList:
        self.last = await self._scale_sets.list_vms(scale_set_id, share_min)
        return self.last


async def noting(activity: Callable[[Ports, Order], Awaitable[Progress]], ports: Ports, order: Order) -> Progress:
    """Carry the activity out; what a list that it read says of VMs is in their rows then, and in what it answers."""
    listening = _Listening(ports.scale_sets)
    progress = await activity(replace(ports, scale_sets=cast(ScaleSets, listening)), order)
    if listening.last is None:
        return progress
    news = to_tell(await _note(ports, order, listening.last), order.batch)
    return replace(progress, data={**progress.data, NEWS: encode(news)}) if news else progress


async def _note(ports: Ports, order: Order, listed: VmList) -> list[VmRecord]:
    """Only the rows that change are written, each as it is by then: another may have been told of its VM meanwhile."""
    everything = await ports.store.vms.all(order.deployment_id)
    records = [record for record in everything if record.color is not None]
    known = seen_now(records, listed.vms, order.at)
    if known and not await _has_the_set(ports, order):
        return []
    noted = []
    for record in known:
        trouble, since = record.trouble, record.trouble_at
        noted.append(
            await ports.store.vms.change(
                order.deployment_id,
                record,
                lambda row, trouble=trouble, since=since: replace(  # type: ignore[misc]
                    row, trouble=trouble, trouble_at=since, updated_at=since
                ),
            )
        )
    await _note_others(ports, order, listed, everything)
    return noted


async def _has_the_set(ports: Ports, order: Order) -> bool:
    """Whether the deployment still has the lock; a step that is delivered late sees what came of its VMs since."""
    lock = await ports.store.locks.get(order.scale_set_id)
    return lock is not None and lock.owner == order.deployment_id


async def _note_others(ports: Ports, order: Order, listed: VmList, everything: Sequence[VmRecord]) -> None:
    known = {record.vm_id for record in everything}
    came = [vm for vm in listed.vms if vm.vm_id not in known and not vm.leaving]
    if came and await _may_be_own(ports, order, everything):
        came = []
    await ports.store.vms.put(order.deployment_id, others_now(everything, listed.by_id(), came, order.at))


async def _may_be_own(ports: Ports, order: Order, records: Sequence[VmRecord]) -> bool:
    row = await deployment_of(ports, order)
    number = order.batch or row.current_batch
    batch = await ports.store.batches.get(row.id, number)
    intents = await ports.store.intents.list(row.id, number)
    return may_be_own(row, batch, intents, records)
