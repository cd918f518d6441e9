"""What a deployment came to, compared with what was planned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollout.deployment import Deployment
from rollout.scale_set import ScaleSet, Vm
from rollout.words import counted


def outcome(deployment: Deployment, scale_set: ScaleSet, vms: Sequence[Vm]) -> tuple[str, ...]:
    """What was done, then a remark for everything that is not as it was planned.

    Nothing here fails a deployment: its batches were healthy, and what others changed meanwhile is theirs.
    """
    pinned = deployment.image.pinned
    return (f"{counted(deployment.green_vms, 'VM')} now on {pinned.label}", *_remarks(deployment, scale_set, vms))


def _remarks(deployment: Deployment, scale_set: ScaleSet, vms: Sequence[Vm]) -> Iterator[str]:
    pinned = deployment.image.pinned
    if deployment.remaining_blue:
        yield f"{counted(deployment.remaining_blue, 'blue VM')} kept in service, because green ones were not healthy"
    outdated = sum(1 for vm in vms if not vm.leaving and not vm.image.matches(pinned)) - deployment.remaining_blue
    if outdated > 0:
        yield f"{counted(outdated, 'VM')} that somebody else made still on another image"
    if scale_set.image is None or not scale_set.image.matches(pinned):
        yield f"somebody changed the set's model to {scale_set.image.label if scale_set.image else 'no image'}"
    standing = sum(1 for vm in vms if not vm.leaving)
    if standing != deployment.target_size:
        yield f"the set has {counted(standing, 'VM')}, the target size was {deployment.target_size}"
