"""The outcome of a deployment, compared with its plan."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm
from rollout.model.rows.deployment import Deployment
from rollout.model.status import Status
from rollout.model.words import counted

#: How many VMs a sentence names.
NAMES_MAX = 5


def goal(deployment: Deployment) -> ImageReference:
    """The image that the set's VMs are to have in the end."""
    previous = deployment.image.previous
    return previous if deployment.status is Status.ROLLING_BACK and previous is not None else deployment.image.pinned


def outcome(
    deployment: Deployment,
    scale_set: ScaleSet,
    vms: Sequence[Vm],
    skipped: Collection[str] = (),
    adopted: int = 0,
    planned: Collection[str] = (),
) -> tuple[str, ...]:
    """What was done, then a remark for everything that is not as it was planned.

    ``skipped``: the ids of VMs that were left as they are; ``adopted``: how many VMs others made from the image;
    ``planned``: the ids of those that the plan found, which a roll back leaves on their images unless they came since.
    Nothing here fails a deployment: its batches were healthy, and what others changed meanwhile is theirs.
    """
    image = goal(deployment)
    now = sum(1 for vm in vms if not vm.leaving and vm.image.matches(image))
    known = {*skipped, *(planned if deployment.status is Status.ROLLING_BACK else ())}
    done = f"{counted(now, 'VM')} now on {image.label}"
    standing = [vm for vm in vms if not vm.leaving]
    return (
        done,
        *_left_alone(deployment, standing, skipped),
        *_remarks(deployment, scale_set, standing, known, adopted),
    )


def still_on(deployment: Deployment, vms: Sequence[Vm]) -> tuple[str, ...]:
    """The names of the VMs that stay on an image that is rolled back."""
    if deployment.status is not Status.ROLLING_BACK or goal(deployment).matches(deployment.image.pinned):
        return ()
    return tuple(vm.name for vm in vms if not vm.leaving and vm.image.matches(deployment.image.pinned))


def _left_alone(deployment: Deployment, standing: Sequence[Vm], skipped: Collection[str]) -> Iterator[str]:
    if left := [vm for vm in standing if vm.vm_id in skipped]:
        yield f"{counted(len(left), 'VM')} skipped"
    if staying := still_on(deployment, standing):
        more = f" and {len(staying) - NAMES_MAX} more" if len(staying) > NAMES_MAX else ""
        stays = "stays" if len(staying) == 1 else "stay"
        image = deployment.image.pinned.label
        yield f"{counted(len(staying), 'VM')} {stays} on {image}: {', '.join(staying[:NAMES_MAX])}{more}"


def _remarks(
    deployment: Deployment, scale_set: ScaleSet, standing: Sequence[Vm], known: Collection[str], adopted: int
) -> Iterator[str]:
    image = goal(deployment)
    if deployment.remaining_blue:
        yield f"{counted(deployment.remaining_blue, 'blue VM')} kept in service, because green ones were not healthy"
    if adopted:
        yield f"{adopted} of them made by others"
    outdated = sum(1 for vm in standing if vm.vm_id not in known and not vm.image.matches(image))
    if outdated > deployment.remaining_blue:
        count = outdated - deployment.remaining_blue
        yield f"{counted(count, 'VM')} that somebody else made still on another image"
    if scale_set.image is None or not scale_set.image.matches(image):
        yield f"somebody changed the set's model to {scale_set.image.label if scale_set.image else 'no image'}"
    if len(standing) != deployment.target_size:
        yield f"the set has {counted(len(standing), 'VM')}, the target size was {deployment.target_size}"
