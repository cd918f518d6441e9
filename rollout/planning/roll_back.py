"""Find the VMs that a roll back takes away: those that came since, no others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rollout.model.azure.health import serves
from rollout.model.azure.scale_set import Vm
from rollout.model.rows.deployment import Deployment, Image, VmRecord
from rollout.model.status import Color
from rollout.model.words import by_image
from rollout.planning.inheritance import chain_of, surplus


@dataclass(frozen=True)
class RollBackScope:
    """The VMs that go, those of them that do not serve (``idle``), those that stay, and how many there are to be."""

    going: tuple[Vm, ...]
    idle: tuple[Vm, ...]
    kept: tuple[Vm, ...]
    target: int


def named(words: str, image: Image) -> str:
    """The words about a batch that goes back, with images for colours."""
    coming = image.previous.label if image.previous is not None else "the image before"
    return by_image(words, coming, image.pinned.label)


def planned_rows(deployment: Deployment, records: Iterable[VmRecord]) -> tuple[VmRecord, ...]:
    """The rows from before a roll back: those of its own batches come after them."""
    last = deployment.number_of_batches - deployment.rollback_batches
    return tuple(record for record in records if record.batch <= last)


def going_back(
    vms: Iterable[Vm], aside: Collection[str], deployment: Deployment, records: Sequence[VmRecord]
) -> RollBackScope:
    """Decide by the rows of the plan, ``records``, which VMs came since.

    Those go that the deployment launched, or an unfinished one that it continues, and those on its image that others
    made after the plan. Of them those stay that run the previous image already and were judged healthy, as many as are
    not too many. VMs that the plan skipped stay, and so do all that ran their images before, but for those that this
    deployment, or one that it continues, took out of their pools and that are still out: nobody gets an answer from
    them, so others come in their places. For a VM that others made another comes: they wanted that many.
    """
    standing = [vm for vm in vms if not vm.leaving]
    previous = deployment.image.previous or deployment.image.pinned
    chain = chain_of(records, deployment.id)
    named = {record.vm_id for record in records}
    skipped = {record.vm_id for record in records if record.batch == 0 and record.color is Color.BLUE}
    others = {
        vm.vm_id
        for vm in standing
        if vm.vm_id not in named and not vm.foreign and vm.image.matches(deployment.image.pinned)
    }
    came = (chain.launched.keys() | others) - skipped
    back = {vm.vm_id for vm in standing if vm.image.matches(previous)} - chain.unjudged
    target = deployment.target_size + len(others - back)
    out = (chain.taken_out & set(aside)) - skipped
    kept = [vm for vm in standing if (vm.vm_id not in came or vm.vm_id in back) and vm.vm_id not in out]
    too_many = surplus(kept, 0, target, chain, skipped)
    kept = [vm for vm in kept if vm.vm_id not in too_many]
    stays = {vm.vm_id for vm in kept}
    going = tuple(vm for vm in standing if vm.vm_id not in stays)
    sources = deployment.parameters.health_check_types
    idle = tuple(vm for vm in going if vm.vm_id in aside or not serves(vm, sources))
    return RollBackScope(going, idle, tuple(kept), target)


def cannot_roll_back(image: Image) -> str:
    """Why there is no image to go back to; empty where there is one.

    Only the image can be rolled back: a roll of the set's present model changes none.
    """
    if image.previous is None:
        return "The deployment has not noted yet what the set's image was before it"
    if image.unknown:
        return f"Which image to go back to is not known: {image.unknown}"
    if image.previous.matches(image.pinned):
        return "The deployment does not change the set's image, so there is none to go back to"
    if not image.previous.exact:
        return f"The set's image was {image.previous.label}, which may name another version now"
    return ""


def not_to_be_rolled_back(deployment: Deployment) -> str:
    """Why a deployment that is under way has nothing to go back to; empty where it has."""
    if deployment.image.requested is None:
        return "No image was named, and only an image can be rolled back"
    return cannot_roll_back(deployment.image)
