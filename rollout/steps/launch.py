"""How the green VMs of a batch come about: by intent, however often and however late this is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from rollout.model.azure.ownership import ownership
from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm
from rollout.model.rows.deployment import Batch, Intent, IntentKind, VmRecord
from rollout.model.status import Color, VmStatus
from rollout.model.words import counted

#: How many images of VMs a sentence names.
_IMAGES_MAX = 3


@dataclass(frozen=True)
class Places:
    """The places of a batch's green VMs: those that are ``open`` to a launch are the batch's ``green``.

    ``known``: the VMs, by ``vm_id``, that a launch has not made.
    """

    open: Batch
    known: frozenset[str]


def places_of(records: Iterable[VmRecord], batch: Batch) -> Places:
    """What a launch is to fill: all places but those of VMs that were judged and are not replaced.

    What an earlier run of the same launch adopted is not judged yet, and counted again: its answer may have been lost.
    """
    own = {one.vm_id: one for one in records if one.color is Color.GREEN and one.batch == batch.number}
    judged = [one for one in own.values() if not one.replaced and (one.is_good or one.status is VmStatus.UNHEALTHY)]
    unjudged = {one.vm_id for one in own.values() if not one.replaced} - {one.vm_id for one in judged}
    known = frozenset(one.vm_id for one in records if one.vm_id not in unjudged)
    return Places(replace(batch, green=max(0, batch.green - len(judged))), known)


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


def strays(
    scale_set: ScaleSet, vms: Iterable[Vm], known: Iterable[str], image: ImageReference, missing: int
) -> tuple[Vm, ...]:
    """The VMs that a launch brought on another image, as standby pools do: newest first, no more than are ``missing``.

    The set must have made them, and no row names them: whatever ran before the launch has one.
    """
    rows = set(known)
    found = [
        vm
        for vm in vms
        if vm.vm_id not in rows and not vm.image.matches(image) and not vm.leaving and ownership(scale_set, vm).own
    ]
    found.sort(key=lambda vm: (vm.created_at or datetime.min.replace(tzinfo=UTC), vm.name, vm.vm_id), reverse=True)
    return tuple(found[: max(0, missing)])


def decide_launch(
    scale_set: ScaleSet,
    new: Sequence[Vm],
    batch: Batch,
    intents: Sequence[Intent],
    at: datetime,
    left: timedelta = timedelta.max,
    since: datetime | None = None,
) -> Launch:
    """Decide on a settled set. ``left``: how much of the allocation timeout is left. ``since``: when this launch began;
    intents from before are those of the VMs that this launch replaces.

    * Some new VMs failed to be made: discard them, and ask again a little later, where others would come in time.
    * As many new VMs as planned: adopt them. VMs that others added beyond those stay for the next batch.
    * The last intent's capacity was reached, yet some are missing: Azure could not make them. Adopt what there is; the
      missing count as unhealthy. Not so where VMs have gone since, because this launch discarded them, or because it
      replaces them: a Flexible set's capacity may stay what it was.
    * No time is left, or would be when Azure may be asked again: what is missing can not come. Adopt what there is.
    * The set is as the last intent read it: the write never arrived. Write the same again, unless Azure refused it.
    * Else: a new intent, from the capacity as it is now. Capacity is only ever raised.

    Ten VMs, batch of two: intent 10 → 12. Run again with the capacity at 12: adopt. A person deleted one VM meanwhile,
    so that capacity is 11 and one new VM is there: intent 11 → 12.
    """
    launches = [intent for intent in intents if intent.kind is IntentKind.LAUNCH and intent.batch == batch.number]
    last = max(launches, key=lambda intent: intent.number, default=None)
    wait = _until_next(last, at, since)
    over = left <= wait
    broken = [vm for vm in new if vm.failed]
    if over or left <= wait + _took(broken, at):
        broken = []
    if broken:
        return Launch(f"Azure could not make {counted(len(broken), 'green VM')}: trying again", discard=tuple(broken))
    missing = batch.green - len(new)
    if missing <= 0:
        return Launch(f"{counted(batch.green, 'green VM')} launched", adopt=tuple(new[: batch.green]))
    if last is not None and scale_set.capacity >= last.target and not _lost_since(last, intents, since):
        return Launch(f"{len(new)} of {batch.green} green VMs launched; Azure made no more", adopt=tuple(new))
    if over:
        return Launch(f"{len(new)} of {batch.green} green VMs launched; no time for more", adopt=tuple(new))
    if last is not None and scale_set.etag == last.etag and not last.refused:
        return Launch("The earlier request never arrived", intent=last)
    if wait:
        return Launch(f"{counted(missing, 'green VM')} missing: asking Azure again later", wait=wait)
    number = last.number + 1 if last is not None else 1
    target = scale_set.capacity + missing
    intent = Intent(
        IntentKind.LAUNCH, batch.number, number, at, etag=scale_set.etag, nominal=scale_set.capacity, target=target
    )
    return Launch(f"launching {counted(missing, 'green VM')}", intent=intent)


def failed_to_be_made(intents: Iterable[Intent], adopted: Iterable[Vm], since: datetime) -> int:
    """How many VMs Azure failed to make in this launch: those that were discarded on the way, and those adopted."""
    discarded = {vm_id for one in intents if one.kind is IntentKind.DELETE and one.at >= since for vm_id in one.vm_ids}
    return len(discarded | {vm.vm_id for vm in adopted if vm.failed})


def launched_words(launched: int, wanted: int, failures: int, why: str, other_images: Sequence[str]) -> str:
    """``1 green VM launched; Azure made 1 fewer; Azure failed to make 3 VMs (AllocationFailed: There is no room)``."""
    said = [f"{counted(launched, 'green VM')} launched"]
    if other_images:
        images = ", ".join(sorted(set(other_images))[:_IMAGES_MAX])
        said.append(f"{len(other_images)} of them on another image ({images})")
    if launched < wanted:
        said.append(f"Azure made {wanted - launched} fewer")
    if failures:
        said.append(f"Azure failed to make {counted(failures, 'VM')}")
    because = f" ({why})" if why and (failures or launched < wanted) else ""
    return "; ".join(said) + because


def _took(broken: Sequence[Vm], at: datetime) -> timedelta:
    """How long it took until the first of these VMs had failed to be made: others would take as long."""
    return min((at - vm.created_at for vm in broken if vm.created_at is not None), default=timedelta(0))


def orphans(
    scale_set: ScaleSet, vms: Sequence[Vm], records: Sequence[VmRecord], batch: Batch, image: ImageReference
) -> tuple[Vm, ...]:
    """The VMs that the batch's launch made, on its image or on another, and that no run of it lived to adopt."""
    known = [record.vm_id for record in records]
    found = newcomers(scale_set, vms, known, image)
    green = sum(1 for one in records if one.color is Color.GREEN and one.batch == batch.number and not one.replaced)
    return (*found, *strays(scale_set, vms, known, image, batch.green - green - len(found)))


def _until_next(last: Intent | None, at: datetime, since: datetime | None) -> timedelta:
    """How long Azure is not to be asked again; at once where this launch has not asked yet."""
    if last is None or (since is not None and last.at < since):
        return timedelta(0)
    return max(last.at + _backoff(last.number) - at, timedelta(0))


def _lost_since(last: Intent, intents: Sequence[Intent], since: datetime | None) -> bool:
    """Whether VMs that the last launch made are meant to be gone."""
    discarded = any(one.kind is IntentKind.DELETE and one.at > last.at for one in intents)
    return discarded or (since is not None and last.at < since)


def _backoff(launches: int) -> timedelta:
    """How long after the n-th launch the next may be asked for: half a minute, doubled each time, up to five."""
    return min(timedelta(seconds=30) * (1 << min(launches - 1, 10)), timedelta(minutes=5))
