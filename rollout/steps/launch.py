"""How the green VMs of a batch come about: by intent, however often and however late this is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rollout.model.azure.ownership import ownership
from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm
from rollout.model.rows.deployment import Batch, Intent, IntentKind
from rollout.model.words import counted


@dataclass(frozen=True)
class Launch:
    """What to do, and why: an ``intent`` to write down and carry out; VMs to ``discard``, because Azure could not make
    them; a time to ``wait`` before it is asked again; or the VMs to ``adopt`` as the batch's green.
    """

    reason: str
    intent: Intent | None = None
    discard: tuple[Vm, ...] = ()
    wait: timedelta | None = None
    adopt: tuple[Vm, ...] = ()


def newcomers(scale_set: ScaleSet, vms: Iterable[Vm], known: Iterable[str], image: ImageReference) -> tuple[Vm, ...]:
    """The VMs that no row of the deployment names yet and that carry its image, oldest first.

    The set must have made them: what somebody attaches meanwhile is nobody's replacement.
    """
    rows = set(known)
    found = [
        vm
        for vm in vms
        if vm.vm_id not in rows and vm.image.matches(image) and not vm.leaving and ownership(scale_set, vm).own
    ]
    return tuple(sorted(found, key=lambda vm: (vm.created_at or datetime.min.replace(tzinfo=UTC), vm.name, vm.vm_id)))


def decide_launch(
    scale_set: ScaleSet,
    new: Sequence[Vm],
    batch: Batch,
    intents: Sequence[Intent],
    at: datetime,
    over: bool = False,
    since: datetime | None = None,
) -> Launch:
    """Decide on a settled set. ``over``: the allocation timeout has passed, so that nothing is tried again. ``since``:
    when this launch began; intents from before are those of the VMs that this launch replaces.

    * Some new VMs failed to be made: discard them, and ask again a little later.

    * As many new VMs as planned: adopt them. VMs that others added beyond those stay for the next batch.
    * The last intent's capacity was reached, yet some are missing: Azure could not make them. Adopt what there is; the
      missing count as unhealthy. Not so where VMs have gone since, because this launch discarded them, or because it
      replaces them: a Flexible set's capacity may stay what it was.
    * The set is as the last intent read it: the write never arrived. Write the same again.
    * Else: a new intent, from the capacity as it is now. Capacity is only ever raised.

    Ten VMs, batch of two: intent 10 → 12. Run again with the capacity at 12: adopt. A person deleted one VM meanwhile,
    so that capacity is 11 and one new VM is there: intent 11 → 12.
    """
    broken = [] if over else [vm for vm in new if vm.failed]
    if broken:
        return Launch(f"Azure could not make {counted(len(broken), 'green VM')}: trying again", discard=tuple(broken))
    missing = batch.green - len(new)
    if missing <= 0:
        return Launch(f"{counted(batch.green, 'green VM')} launched", adopt=tuple(new[: batch.green]))
    launches = [intent for intent in intents if intent.kind is IntentKind.LAUNCH and intent.batch == batch.number]
    last = max(launches, key=lambda intent: intent.number, default=None)
    if last is not None and scale_set.capacity >= last.target and not _lost_since(last, intents, since):
        return Launch(f"{len(new)} of {batch.green} green VMs launched; Azure made no more", adopt=tuple(new))
    if last is not None and scale_set.etag == last.etag:
        return Launch("The earlier request never arrived", intent=last)
    if last is not None and (left := last.at + _backoff(last.number) - at) > timedelta(0):
        return Launch(f"{counted(missing, 'green VM')} missing: asking Azure again later", wait=left)
    number = last.number + 1 if last is not None else 1
    target = scale_set.capacity + missing
    intent = Intent(
        IntentKind.LAUNCH, batch.number, number, at, etag=scale_set.etag, nominal=scale_set.capacity, target=target
    )
    return Launch(f"launching {counted(missing, 'green VM')}", intent=intent)


def _lost_since(last: Intent, intents: Sequence[Intent], since: datetime | None) -> bool:
    """Whether VMs that the last launch made are meant to be gone."""
    discarded = any(one.kind is IntentKind.DELETE and one.at > last.at for one in intents)
    return discarded or (since is not None and last.at < since)


def _backoff(launches: int) -> timedelta:
    """How long after the n-th launch the next may be asked for: half a minute, doubled each time, up to five."""
    return min(timedelta(seconds=30) * (1 << min(launches - 1, 10)), timedelta(minutes=5))
