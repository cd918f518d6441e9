"""Check that the VMs that there are allow what was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rollout.holds.holds import describe_hold
from rollout.model.azure.scale_set import ImageReference
from rollout.model.choices import OnFailure
from rollout.model.findings import Finding, error, info, warning
from rollout.model.parameters import Parameters
from rollout.model.rows.commands import Action
from rollout.model.rows.deployment import Image
from rollout.model.rows.holds import Process
from rollout.model.words import counted
from rollout.planning.batches import BatchPlan
from rollout.planning.plan import approvals
from rollout.planning.roll_back import cannot_roll_back


def check_plan(
    planned: BatchPlan, parameters: Parameters, image: Image, model: ImageReference | None
) -> Iterator[Finding]:
    """``image.previous``: what a roll back would go back to; ``model``: what the set's model names now."""
    if not planned.batches:
        changes = model is not None and not model.matches(image.pinned)
        every = f"Every VM but {counted(len(planned.skipped), 'skipped one')}" if planned.skipped else "Every VM"
        rest = "only the set's model gets it" if changes else "the deployment finishes at once"
        yield info(
            "nothingToDo",
            f"{every} runs {image.pinned.label} already: {rest}",
            "To replace them all the same start with force: true",
            "force",
        )
        return
    yield from _canary(planned, parameters)
    yield from _approvals(planned, parameters)
    yield from _image_before(image)
    yield from _roll_back(parameters, image)


def check_way_back(planned: BatchPlan, parameters: Parameters, gone: str) -> Iterator[Finding]:
    """``gone``: why the image before cannot be gone back to, empty where it can (``rollout.planning.way_back``)."""
    if not gone or not planned.batches:
        return
    fields = _rolls_back(parameters)
    if fields:
        remedy = f"Bring that image back, or choose another {' and '.join(fields)} than rollBack"
        yield error("previousImageGone", f"{gone}: there is no way back to it", remedy, fields[0])
    else:
        remedy = "Bring that image back before you start, if you may have to go back"
        yield warning(
            "previousImageGone", f"{gone}: a failure may not be able to put it back into the model", remedy, "image"
        )


def what_is_held(planned: BatchPlan, parameters: Parameters, processes: Iterable[Process]) -> tuple[str, ...]:
    """A sentence for each thing that the deployment holds."""
    known = [one for one in processes if not one.unreadable]
    if not planned.batches:
        return ()
    return describe_hold(known, planned.blue, planned.surge, parameters.adjust, planned.standing)


def check_holds(planned: BatchPlan, parameters: Parameters, processes: Iterable[Process]) -> Iterator[Finding]:
    """What changes the set by itself, and is kept from it."""
    for sentence in what_is_held(planned, parameters, processes):
        yield info("willBeHeld", sentence, "It is put back when the deployment ends")


def _canary(planned: BatchPlan, parameters: Parameters) -> Iterator[Finding]:
    canary = parameters.canary
    if canary is not None and canary.size >= planned.target_size:
        yield error(
            "canaryTooLarge",
            f"A canary of {canary.size} is the whole set of {planned.target_size}, so nothing would come after it",
            "Choose a canary that is smaller than the set, or leave it out",
            "canary.size",
        )


def _approvals(planned: BatchPlan, parameters: Parameters) -> Iterator[Finding]:
    last = len(planned.batches)
    unknown = [number for number in parameters.approval_batches if number >= last]
    if unknown:
        after = f"only batches 1 to {last - 1} have another after them" if last > 1 else "there is one batch only"
        yield error(
            "approvalBatchUnknown",
            f"Nothing comes after batch {', '.join(map(str, unknown))} that could be approved: {after}",
            "Name other batches, or everyBatch",
            "approvals",
        )
    elif approvals(parameters) and last == 1:
        yield info(
            "nothingToApprove",
            "All VMs are replaced in one batch, so nobody is asked to approve another",
            "Choose smaller batches to be asked",
            "approvals",
        )


def _image_before(image: Image) -> Iterator[Finding]:
    if image.unknown:
        yield warning(
            "previousImageUnknown",
            f"No image is known to go back to: {image.unknown}. A failure leaves the model as it is now",
            "Name the image that serves in the set's model before you start, or bring the VMs to one version",
            "image",
        )


def _rolls_back(parameters: Parameters) -> list[str]:
    """The fields that ask for a roll back."""
    asked = {
        "onFailure": parameters.on_failure is OnFailure.ROLL_BACK,
        "actionOnTimeout": parameters.action_on_timeout is Action.ROLL_BACK,
    }
    return [field for field, rolls_back in asked.items() if rolls_back]


def _roll_back(parameters: Parameters, image: Image) -> Iterator[Finding]:
    fields = _rolls_back(parameters)
    reason = cannot_roll_back(image) if fields else ""
    if reason or (fields and parameters.image is None):
        yield error(
            "previousModelUnknown",
            f"{' and '.join(fields)} cannot be rollBack: "
            f"{reason or 'no image is named, and only an image can be rolled back'}",
            "Name an image other than the one that the VMs run, which must be one exact version; or do not roll back",
            fields[0],
        )
