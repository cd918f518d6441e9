"""Health of one VM, made of what the sources say of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.choices import HealthCheckType
from rollout.model.group import Source


class VmHealth(StrEnum):
    """What a source says of a VM at a moment. The worst of several counts, in this order."""

    HEALTHY = "healthy"
    WAITING = "waiting"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class Observation:
    """One source's word on one VM, with the words to show for it."""

    source: Source
    health: VmHealth
    detail: str


def observe(vm: Vm | None, sources: Iterable[HealthCheckType]) -> tuple[Observation, ...]:
    """What each source says of a VM that was planned; ``None``: it does not exist.

    The VM's state is always looked at: a VM that does not exist, is not provisioned or not running serves nobody,
    whatever else is checked.
    """
    asked = set(sources)
    observations = [_vm_state(vm)]
    if HealthCheckType.APPLICATION_HEALTH in asked:
        observations.append(_application_health(vm))
    return tuple(observations)


def on_image(vm: Vm | None, image: ImageReference, observations: Iterable[Observation]) -> tuple[Observation, ...]:
    """What was observed of a VM that is to run an image: one that runs another is not what was asked for."""
    first, *others = observations
    if vm is not None and not vm.image.matches(image):
        words = f"runs {vm.image.label} instead of {image.label}"
        first = Observation(HealthCheckType.VM_STATE, VmHealth.UNHEALTHY, words)
    return (first, *others)


def worst(observations: Iterable[Observation]) -> Observation:
    """The observation that decides."""
    return max(observations, key=lambda observation: list(VmHealth).index(observation.health))


def serves(vm: Vm, sources: Iterable[HealthCheckType]) -> bool:
    """Whether every source calls the VM healthy."""
    return worst(observe(vm, sources)).health is VmHealth.HEALTHY


def _vm_state(vm: Vm | None) -> Observation:
    source = HealthCheckType.VM_STATE
    if vm is None:
        return Observation(source, VmHealth.UNHEALTHY, "does not exist")
    provisioning = vm.provisioning_state.lower()
    if provisioning in ("failed", "canceled", "deleting"):
        why = f" ({vm.failure})" if vm.failure else ""
        return Observation(source, VmHealth.UNHEALTHY, f"provisioning state {vm.provisioning_state}{why}")
    if provisioning == "creating" or vm.power_state in (None, "starting"):
        return Observation(source, VmHealth.WAITING, "is being created")
    if vm.power_state != "running":
        return Observation(source, VmHealth.UNHEALTHY, f"power state {vm.power_state}")
    return Observation(source, VmHealth.HEALTHY, "running")


#: https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-health-extension: binary
#: health knows healthy and unhealthy, rich health also initializing and unknown. A VM that has just booted is unhealthy
#: or unknown until its application answers, so neither is a verdict before the grace period is over.
_APPLICATION_HEALTH = {
    "healthy": (VmHealth.HEALTHY, "healthy"),
    "initializing": (VmHealth.WAITING, "initializing"),
    "unhealthy": (VmHealth.UNHEALTHY, "unhealthy"),
    "unknown": (VmHealth.UNHEALTHY, "unknown"),
    None: (VmHealth.WAITING, "not reporting"),
}


def _application_health(vm: Vm | None) -> Observation:
    source = HealthCheckType.APPLICATION_HEALTH
    if vm is None:
        return Observation(source, VmHealth.UNHEALTHY, "does not exist")
    health, detail = _APPLICATION_HEALTH.get(vm.health, (VmHealth.UNHEALTHY, str(vm.health)))
    return Observation(source, health, detail)
