"""What of a scale set has to be rolled back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rollout.deployment import Deployment, Image
from rollout.health import serves
from rollout.scale_set import Vm


@dataclass(frozen=True)
class GoingBack:
    """The VMs that go, those of them that do not serve (``idle``), those that stay, and how many there are to be."""

    going: tuple[Vm, ...]
    idle: tuple[Vm, ...]
    kept: tuple[Vm, ...]
    target: int


def going_back(vms: Iterable[Vm], aside: Collection[str], deployment: Deployment) -> GoingBack:
    """VMs on the deployment's image go; VMs on any other stay as they were before it."""
    standing = [vm for vm in vms if not vm.leaving]
    sources = deployment.parameters.health_check_types
    serving = {vm.vm_id for vm in standing if vm.vm_id not in aside and serves(vm, sources)}
    going = tuple(vm for vm in standing if vm.image.matches(deployment.image.pinned))
    kept = tuple(vm for vm in standing if vm not in going)
    idle = tuple(vm for vm in going if vm.vm_id not in serving)
    return GoingBack(going, idle, kept, deployment.target_size)


def cannot_roll_back(image: Image) -> str:
    """Why there is no image to go back to; empty where there is one.

    ``image.previous`` is the set's own reference before the deployment. Only the image can be rolled back: a roll of
    the set's present model changes none.
    """
    if image.previous is None:
        return "The deployment has not noted yet what the set's image was before it"
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
