"""The handover from one deployment to the next."""

from __future__ import annotations

from dataclasses import dataclass

from rollout.model.azure.scale_set import ImageReference
from rollout.model.rows.deployment import Deployment
from rollout.model.status import Status


@dataclass(frozen=True)
class Handover:
    """What a deployment takes over from the one before it, as that recorded it.

    ``target_size`` 0 and ``previous`` ``None``: what the set shows. ``settled``: the set was left in order.
    ``continues``: the last unfinished deployment that changed the set, or one that left VMs out of traffic; empty where
    none did.
    """

    target_size: int = 0
    previous: ImageReference | None = None
    settled: bool = True
    continues: str = ""


def handed_on(predecessor: Deployment | None) -> Handover:
    """What ``predecessor``, the last deployment that had the lock, hands on.

    One that failed and left the set in order hands on nothing but itself: the VMs that it launched go if the next one
    is rolled back.
    """
    if predecessor is None:
        return Handover()
    over = predecessor.settled and predecessor.status in (Status.FINISHED, Status.ROLLED_BACK)
    over = over and not predecessor.left_out
    began = predecessor.started_at is not None
    continues = "" if over else predecessor.id if began else predecessor.continues
    if predecessor.settled:
        return Handover(continues=continues)
    return Handover(predecessor.target_size, predecessor.image.previous, False, continues)


def former_id(predecessor: Deployment | None) -> str:
    """The last deployment that left VMs which another one may delete; empty where none did.

    It is one that did not finish, or one that has finished and left VMs out of traffic, or kept blue VMs in the places
    of sick green ones.
    """
    if predecessor is None:
        return ""
    if predecessor.started_at is None:
        return predecessor.former
    kept = predecessor.status is Status.FINISHED and predecessor.blue_vms > 0
    return predecessor.id if kept else handed_on(predecessor).continues


def handed_on_to(row: Deployment) -> Handover:
    """What a deployment's own row says that it was handed on."""
    return Handover(row.target_size, row.image.previous, row.settled, row.continues)
