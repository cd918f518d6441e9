"""Inherit what unfinished deployments left, and believe it only as long as it is so.

Each deployment hands on to the next how many VMs the set is to have, the image before it all, and which VMs it
launched; and it writes down how it left the set (``StockAtEnd``). The next one compares that with the set as it is now.
What somebody else has changed since is no longer Teal's to put back: there counts what is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm
from rollout.model.findings import Finding, info, warning
from rollout.model.rows.deployment import Deployment, StockAtEnd, VmRecord
from rollout.model.rows.handover import Handover
from rollout.model.status import Color, Status, VmStatus
from rollout.model.words import counted
from rollout.planning.image_before import image_before, is_among


@dataclass(frozen=True)
class Chain:
    """VMs of a deployment and of the unfinished ones that it continues: ``launched`` says of each which launched it.

    ``unjudged`` were never judged healthy, so they are nobody's good ones. ``taken_out`` were taken out of their pools.
    """

    launched: Mapping[str, str] = field(default_factory=dict)
    unjudged: frozenset[str] = frozenset()
    taken_out: frozenset[str] = frozenset()


def chain_of(records: Sequence[VmRecord], deployment_id: str) -> Chain:
    """By the rows of one deployment, which hold what those before it launched too."""
    own = [record for record in records if record.color is Color.GREEN and record.batch]
    launched = {record.vm_id: record.launched_by for record in records if record.launched_by}
    unjudged = {record.vm_id for record in records if record.unjudged}
    unjudged |= {record.vm_id for record in own if not record.is_good}
    out = {record.vm_id for record in records if record.taken_out or record.status is VmStatus.DETACHED}
    return Chain({**{one.vm_id: deployment_id for one in own}, **launched}, frozenset(unjudged), frozenset(out))


def left_behind(
    deployment_id: str, records: Sequence[VmRecord], scale_set: ScaleSet, vms: Sequence[Vm], at: datetime
) -> StockAtEnd:
    """How a deployment leaves the set, to be compared with the set by the next one."""
    standing = _standing(vms)
    unjudged = chain_of(records, deployment_id).unjudged & standing.keys()
    return StockAtEnd(len(standing), len(unjudged), scale_set.image, scale_set.unique_id, at)


@dataclass(frozen=True)
class Predecessor:
    """The deployment that the next one continues, and the rows of its VMs."""

    row: Deployment
    records: tuple[VmRecord, ...] = ()

    @property
    def has_finished(self) -> bool:
        """Whether it brought what was asked for, and left nothing but VMs out of traffic that it had skipped."""
        return self.row.settled and self.row.status is Status.FINISHED

    @property
    def given_up(self) -> tuple[ImageReference, ...]:
        """What it and those before it failed with, or were rolled back from; not the image that they were to keep."""
        image, earlier = self.row.image, self.row.image.given_up
        kept = image.previous is not None and image.previous.matches(image.pinned) and not image.unknown
        failed = self.row.status in (Status.FAILED, Status.ROLLED_BACK) and image.previous is not None and not kept
        return (*earlier, image.pinned) if failed and not is_among(image.pinned, earlier) else earlier

    def chain(self, vms: Sequence[Vm]) -> Chain:
        """The VMs that it launched, or those before it.

        One that finished hands on only who is out of traffic still. One that was lost wrote no end, so a launch of its
        may have made VMs that no row names.
        """
        chain = chain_of(self.records, self.row.id)
        if self.has_finished:
            return Chain(taken_out=chain.taken_out)
        if self.row.left is not None or self.row.settled:
            return chain
        named = {record.vm_id for record in self.records}
        images = [self.row.image.pinned, *([self.row.image.previous] if self.row.rollback_batches else [])]
        orphans = {
            vm.vm_id: self.row.id
            for vm in vms
            if vm.vm_id not in named and any(image is not None and vm.image.matches(image) for image in images)
        }
        return Chain({**orphans, **chain.launched}, chain.unjudged | orphans.keys(), chain.taken_out)


@dataclass(frozen=True)
class Inheritance:
    """What counts for a deployment of all that: ``previous`` is the image that a failure puts back.

    ``unknown``: why that is not known to be good (``rollout.planning.image_before``), and ``bad`` that it was judged so
    before; ``given_up``: what the unfinished ones failed with. ``target_size`` 0: as many VMs as there are. ``words``:
    what was handed on, and what of it is not believed, and why. ``out``: the names of the VMs that are skipped and that
    an unfinished deployment took out of traffic.
    """

    settled: bool
    target_size: int
    previous: ImageReference | None
    chain: Chain = field(default_factory=Chain)
    words: tuple[str, ...] = ()
    unknown: str = ""
    bad: bool = False
    given_up: tuple[ImageReference, ...] = ()
    out: tuple[str, ...] = ()


def inherited(
    handed: Handover,
    former: Predecessor | None,
    scale_set: ScaleSet,
    vms: Sequence[Vm],
    skipped: Collection[str] = (),
    pinned: ImageReference | None = None,
) -> Inheritance:
    """Compare what was handed on with the set as it is now.

    ``skipped``: the VMs that the request leaves alone; ``pinned``: the image that it means.
    """
    standing = list(_standing(vms).values())
    again = former is not None and was_made_again(former.row.left, scale_set)
    chain = former.chain(standing) if former is not None and not again else Chain()
    blue = [vm for vm in standing if not vm.foreign and vm.vm_id not in {*skipped, *chain.launched}]
    if former is not None and again:
        words = (f"the set was made again since: nothing that {former.row.id} left counts",)
        before = image_before(None, None, scale_set.image, standing, blue, pinned)
        return Inheritance(True, 0, before.image, words=words, unknown=before.unknown)
    given_up = former.given_up if former is not None and not former.has_finished else ()
    out = tuple(sorted(vm.name for vm in standing if vm.vm_id in chain.taken_out and vm.vm_id in skipped))
    if handed.settled:
        before = image_before(None, None, scale_set.image, standing, blue, pinned, given_up)
        bad = is_among(before.image, given_up)
        return Inheritance(True, 0, before.image, chain, (), before.unknown, bad, given_up, out)
    left = former.row.left if former is not None else None
    removable = sum(1 for vm in standing if vm.vm_id in chain.launched and vm.vm_id not in skipped)
    unjudged = sum(1 for vm in standing if vm.vm_id in chain.unjudged)
    size, of_size = target_size(handed.target_size, left, len(standing), unjudged, removable)
    before = image_before(handed.previous, left, scale_set.image, standing, blue, pinned, given_up)
    bad = is_among(before.image, given_up)
    fate = (f"{counted(unjudged, 'VM')} that nobody judged to be healthy will not stay",) if unjudged else ()
    words = (*of_size, *before.words, *fate)
    return Inheritance(False, size, before.image, chain, words, before.unknown, bad, given_up, out)


def was_made_again(left: StockAtEnd | None, scale_set: ScaleSet) -> bool:
    """Whether this is another set under the name of the one that was left."""
    known = left is not None and left.unique_id and scale_set.unique_id
    return bool(known) and left is not None and left.unique_id.lower() != scale_set.unique_id.lower()


def target_size(
    handed: int, left: StockAtEnd | None, standing: int, unjudged: int, removable: int
) -> tuple[int, tuple[str, ...]]:
    """How many VMs the set is to have, and why.

    ``handed`` is believed while as many stand as were left; that some of the unjudged ones have gone, with ``keepFor``
    or by hand, is no change. ``removable`` were launched by Teal's own unfinished deployments and may go: never more
    than those are too many. Four before, six left of which two unjudged: 6 → 4, 4 → 4, 8 → 8, 3 → 3.
    """
    if not handed:
        return standing, ()
    if left is not None and standing != left.vms - (left.unjudged - unjudged):
        return standing, (f"it left {left.vms} VMs and {standing} stand now: others changed that, so {standing} count",)
    least = standing - removable
    if handed < least:
        return least, (f"{handed} VMs were there before it, but only {removable} of {standing} may go",)
    there = "" if handed == standing else f", and {standing} stand now"
    return handed, (f"the set is to have {counted(handed, 'VM')} as before it{there}",)


def surplus(
    kept: Sequence[Vm], others: int, target: int, chain: Chain, skipped: Collection[str] = ()
) -> frozenset[str]:
    """The ids of those of ``kept`` that are too many beside ``others``: of what the chain launched, so many go."""
    too_many = max(0, len(kept) + others - target)
    removable = [vm.vm_id for vm in kept if vm.vm_id in chain.launched and vm.vm_id not in skipped]
    return frozenset(removable[:too_many])


def check_inherited(continues: str, found: Inheritance) -> Iterator[Finding]:
    """What an earlier deployment left, for whoever starts the next one."""
    if found.words:
        yield info(
            "leftByEarlierDeployment",
            f"Deployment {continues} did not finish; {'; '.join(found.words)}",
            "Where the set is to have another number of VMs, scale it first",
        )
    if found.out:
        yield warning(
            "skippedOutOfTraffic",
            f"{counted(len(found.out), 'VM')} that an unfinished deployment took out of traffic will be skipped, and "
            f"serve no more than now: {', '.join(found.out)}",
            "Let them be replaced too, or put them back into their pools first",
        )


def marked(record: VmRecord, chain: Chain) -> VmRecord:
    """The row with what the deployments before did with the VM, to be handed on."""
    vm_id = record.vm_id
    launched_by, out = chain.launched.get(vm_id, ""), vm_id in chain.taken_out
    return replace(record, launched_by=launched_by, unjudged=vm_id in chain.unjudged, taken_out=out)


def _standing(vms: Sequence[Vm]) -> dict[str, Vm]:
    return {vm.vm_id: vm for vm in vms if not vm.leaving}
