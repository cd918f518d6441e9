"""How the green VMs of a batch come about: by intent, however often and however late this is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rollout.deployment import Batch, Intent, IntentKind
from rollout.scale_set import ImageReference, ScaleSet, Vm
from rollout.words import counted


@dataclass(frozen=True)
class Launch:
    """Either an ``intent`` to write down and carry out, or the VMs to ``adopt`` as the batch's green, and why."""

    reason: str
    intent: Intent | None = None
    adopt: tuple[Vm, ...] = ()


def newcomers(vms: Iterable[Vm], known: Iterable[str], image: ImageReference) -> tuple[Vm, ...]:
    """The VMs that no row of the deployment names yet and that carry its image, oldest first."""
    rows = set(known)
    found = [vm for vm in vms if vm.vm_id not in rows and vm.image.matches(image) and not vm.leaving]
    return tuple(sorted(found, key=lambda vm: (vm.created_at or datetime.min.replace(tzinfo=UTC), vm.name, vm.vm_id)))


def decide_launch(
    scale_set: ScaleSet, new: Sequence[Vm], batch: Batch, intents: Sequence[Intent], at: datetime
) -> Launch:
    """Decide on a settled set.

    * As many new VMs as planned: adopt them. VMs that others added beyond those stay for the next batch.
    * The last intent's capacity was reached, yet some are missing: Azure could not make them. Adopt what there is; the
      missing count as unhealthy.
    * The set is as the last intent read it: the write never arrived. Write the same again.
    * Else: a new intent, from the capacity as it is now. Capacity is only ever raised.

    Ten VMs, batch of two: intent 10 → 12. Run again with the capacity at 12: adopt. A person deleted one VM meanwhile,
    so that capacity is 11 and one new VM is there: intent 11 → 12.
    """
    missing = batch.green - len(new)
    if missing <= 0:
        return Launch(f"{counted(batch.green, 'green VM')} launched", adopt=tuple(new[: batch.green]))
    launches = [intent for intent in intents if intent.kind is IntentKind.LAUNCH and intent.batch == batch.number]
    last = max(launches, key=lambda intent: intent.number, default=None)
    if last is not None and scale_set.capacity >= last.target:
        return Launch(f"{len(new)} of {batch.green} green VMs launched; Azure made no more", adopt=tuple(new))
    if last is not None and scale_set.etag == last.etag:
        return Launch("The earlier request never arrived", intent=last)
    number = last.number + 1 if last is not None else 1
    target = scale_set.capacity + missing
    intent = Intent(
        IntentKind.LAUNCH, batch.number, number, at, etag=scale_set.etag, nominal=scale_set.capacity, target=target
    )
    return Launch(f"Raising the capacity from {scale_set.capacity} to {target}", intent=intent)
