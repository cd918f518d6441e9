"""Refusals of a deployment that is to wait for another one, or to replace it.

Findings are of two kinds. Some the deployment that is under way may itself cause: the set is busy with its writes, its
green VMs fill quotas, or are stopped. They are looked at again at the turn. All others are there without it too, and
refuse before anybody waits, or is stopped, for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from rollout.model.azure.scale_set import ScaleSet, Vm
from rollout.model.azure.surroundings import Surroundings, Usage
from rollout.model.findings import Finding, Severity
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Image
from rollout.planning.batches import BatchPlan
from rollout.planning.plan import make_plan
from rollout.preflight.limits import check_quota, check_size
from rollout.preflight.plan import check_plan
from rollout.preflight.vms import check_vms

#: What the deployment that has the set may cause. docs/api.md says so of each.
CAUSED = frozenset(
    (
        "scaleSetBusy",
        "capacityMismatch",
        "stoppedVms",
        "surgeOverLimit",
        "quotaExceeded",
        "modelsExhausted",
        "approvalBatchUnknown",
        "previousModelUnknown",
        "previousImageGone",
    )
)


@dataclass(frozen=True)
class SetUnderWay:
    """A set with a deployment under way, as another one sees it. ``planned``: what that one would do now.

    ``going``: the ids of VMs that the first one will have deleted by its end; ``surge``: of green VMs that it made.
    """

    scale_set: ScaleSet
    vms: Sequence[Vm]
    planned: BatchPlan
    parameters: Parameters
    image: Image
    surroundings: Surroundings
    going: Collection[str] = frozenset()
    surge: Collection[str] = frozenset()


def refusing_beside(findings: Sequence[Finding], scene: SetUnderWay | None) -> tuple[Finding, ...]:
    """The findings without the refusals that the deployment under way may cause. ``None``: nothing could be planned."""
    anyway = {found.code for found in _without_it(scene)} if scene is not None else frozenset()
    return tuple(found for found in findings if not _passes(found, anyway))


def _passes(found: Finding, anyway: Collection[str]) -> bool:
    return found.severity is Severity.ERROR and found.code in CAUSED and found.code not in anyway


def _without_it(scene: SetUnderWay) -> Iterator[Finding]:
    """What would be in the way without the VMs that are the other deployment's doing."""
    parameters, target = scene.parameters, scene.planned.target_size
    own = [*scene.going, *scene.surge]
    others = [vm for vm in scene.vms if vm.vm_id not in own]
    kinds = check_vms(scene.scale_set, others, parameters, None)
    yield from (found for found in kinds if found.code == "stoppedVms")
    # Every VM may have to go by then: there are no more batches than that takes.
    fullest = make_plan(replace(parameters, force=True), scene.image.pinned, scene.vms, (), target)
    # Which image there is to go back to is known at the turn; that none was named will be so then too.
    stays = ("approvalBatchUnknown", *(("previousModelUnknown",) if parameters.image is None else ()))
    yield from (found for found in check_plan(fullest, parameters, scene.image, None) if found.code in stays)
    before = [vm for vm in scene.vms if vm.vm_id not in scene.surge]
    planned = make_plan(parameters, scene.image.pinned, before, ())
    smaller = replace(scene.scale_set, capacity=min(scene.scale_set.capacity, len(before)))
    yield from check_size(smaller, planned, parameters)
    yield from check_quota(smaller, planned, parameters, _less(scene.surroundings, len(scene.vms) - len(before)))


def _less(surroundings: Surroundings, vms: int) -> Surroundings:
    """What is around the set when so many VMs of it are gone."""
    cores = surroundings.size.cores if surroundings.size is not None else 1

    def freed(usage: Usage) -> Usage:
        return replace(usage, used=max(0, usage.used - vms * (1 if usage.name == "virtualMachines" else cores)))

    return replace(surroundings, usages=tuple(map(freed, surroundings.usages)))
