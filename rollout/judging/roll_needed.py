"""Compare a set's VMs with those it would make now: does it need a roll?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rollout.model.azure.images import image_of, version_key
from rollout.model.azure.ownership import ownership
from rollout.model.azure.roll_needed import RollNeeded, RollReason
from rollout.model.azure.scale_set import ImageReference, PublishedVersion, ScaleSet, Vm
from rollout.model.rows.danger import DangerRecord, names
from rollout.model.rows.deployment import Deployment
from rollout.model.words import counted

#: What a reason is about, where it is no field of ``ScaleSet.model``: the image in the set's model, the group's rule,
#: the model as a whole, a deployment under way, and an image in the model that was judged bad.
IMAGE, IMAGE_RULE, MODEL, DEPLOYMENT = "image", "imageRule", "virtualMachineProfile", "deployment"
BAD_IMAGE = "modelNamesBadImage"

#: VMs that were changed one by one may each differ in a way of their own.
REASONS_MAX = 20


@dataclass(frozen=True)
class _Difference:
    field: str
    wanted: str | None
    found: str | None


def roll_needed(
    as_of: datetime,
    scale_set: ScaleSet,
    vms: Iterable[Vm],
    newest: PublishedVersion | None,
    danger: DangerRecord | None = None,
) -> RollNeeded:
    """What differs between the VMs and what the set would make, or the group's rule wants: its ``newest`` version.

    VMs that are being deleted do not count, and VMs that were attached neither: the model never described them.
    ``danger``: the model names an image that was judged bad. That is named, and no roll to it is asked for.
    """
    counted_vms = [vm for vm in vms if not vm.leaving and ownership(scale_set, vm).own]
    if danger is not None and newest is not None and names(danger, newest.reference):
        newest = None
    found = [tuple(_differences(scale_set, vm, newest, bad=danger is not None)) for vm in counted_vms]
    total = len(counted_vms)
    tally = Counter(difference for differences in found for difference in differences)
    ordered = sorted(tally.items(), key=lambda item: (-item[1], item[0].field, item[0].found or ""))
    reasons = [_reason(difference, number, total) for difference, number in ordered[:REASONS_MAX]]
    if danger is not None:
        reasons = [_of_bad_image(danger, scale_set, counted_vms), *reasons[: REASONS_MAX - 1]]
    return RollNeeded(as_of, sum(1 for differences in found if differences), total, tuple(reasons))


def while_under_way(deployment: Deployment, as_of: datetime) -> RollNeeded | None:
    """What the row of a deployment under way tells without asking Azure: its blue VMs are still to be replaced.

    ``None`` where it has not been planned yet.
    """
    if not deployment.target_size:
        return None
    blue = max(0, deployment.blue_vms)
    back = deployment.rollback_batches > 0
    image = deployment.image.previous if back and deployment.image.previous else deployment.image.pinned
    message = f"Deployment {deployment.id} is under way: {counted(blue, 'VM')} still to be replaced"
    reason = RollReason(DEPLOYMENT, message, image.full_name, None, blue)
    return RollNeeded(as_of, blue, max(blue, deployment.target_size), (reason,) if blue else ())


def _differences(
    scale_set: ScaleSet, vm: Vm, newest: PublishedVersion | None, bad: bool = False
) -> Iterator[_Difference]:
    """Each way in which the VM differs, once. A ``bad`` image of the model is none that it should have."""
    of_model = [*_image(scale_set.image, vm.image), *_fields(scale_set, vm)]
    if vm.latest_model is False and not of_model:
        of_model = [_Difference(MODEL, None, None)]
    yield from (one for one in of_model if not (bad and one.field == IMAGE))
    if newest is not None and _is_older(vm.image, newest):
        yield _Difference(IMAGE_RULE, newest.reference.full_name, vm.image.full_name)


def _image(model: ImageReference | None, image: ImageReference) -> Iterator[_Difference]:
    """A model that leaves the version open is content with any version of its image."""
    if model is None or image == ImageReference():
        return
    same = image.matches(model) if model.exact else image_of(image).matches(image_of(model))
    if not same:
        yield _Difference(IMAGE, model.full_name, image.full_name)


def _fields(scale_set: ScaleSet, vm: Vm) -> Iterator[_Difference]:
    """What both state and state differently: what one of them leaves out Azure may have filled in."""
    for field, wanted in scale_set.model.items():
        found = vm.model.get(field)
        # Azure gives names, sizes and ids back in other letters than they were written in.
        if found is not None and found != wanted and found.casefold() != wanted.casefold():
            yield _Difference(field, wanted, found)


def _of_bad_image(danger: DangerRecord, scale_set: ScaleSet, vms: Sequence[Vm]) -> RollReason:
    """Says so, and wants nothing."""
    found = scale_set.image.full_name if scale_set.image is not None else None
    running = sum(1 for vm in vms if scale_set.image is not None and vm.image.matches(scale_set.image))
    message = f"{danger.reason}. No roll to it is asked for; {running} of {counted(len(vms), 'VM')} run it"
    return RollReason(BAD_IMAGE, message, None, found, running)


def _is_older(image: ImageReference, newest: PublishedVersion) -> bool:
    """Whether the rule would replace it: an older version of the rule's image, or another image."""
    if image == ImageReference():
        return False
    if not image_of(image).matches(image_of(newest.reference)):
        return True
    return image.exact and version_key(_version(image)) < version_key(newest.name)


def _version(image: ImageReference) -> str:
    return image.path.rsplit("/", 1)[-1] or image.version or ""


def _reason(difference: _Difference, number: int, total: int) -> RollReason:
    who = f"{number} of {counted(total, 'VM')}"
    field, wanted, found = difference.field, difference.wanted, difference.found
    if field == MODEL:
        message = (
            f"{who}: Azure says that they run an earlier model of the set, which differs in a field that Azure does "
            "not show, or was changed and changed back"
        )
    elif field == IMAGE:
        message = f"{who}: the image is {_short(found, wanted)}, and {_short(wanted, found)} in the set's model"
    elif field == IMAGE_RULE:
        message = f"{who}: the image is {_short(found, wanted)}, and the group's rule wants {_short(wanted, found)}"
    else:
        message = f"{who}: {field} is {found}, and {wanted} in the set's model"
    return RollReason(field, message, wanted, found, number)


def _short(image: str | None, other: str | None) -> str:
    """The version alone of two of one image, which is what differs; else the whole name."""
    path, slash, version = str(image).rpartition("/")
    return version if slash and path.casefold() == str(other).rpartition("/")[0].casefold() else str(image)
