"""Which image the set's model names: the deployment's while it runs, the previous one if it fails."""

from __future__ import annotations

from datetime import timedelta

from activities.intents import write_down
from activities.rights import obstacle
from activities.rows import deployment_of
from rollout.model.azure.scale_set import ImageReference, ScaleSet
from rollout.model.order import Order, Progress, StepState, again, done, failed
from rollout.model.rows.deployment import Deployment, IntentKind
from rollout.planning.image_before import not_good
from rollout.ports.errors import AzureError, Refused
from rollout.ports.ports import Ports
from services.images.bad_image import note_model, seen_afresh

#: How long another operation on the set may take before the image cannot be changed.
WAIT_LIMIT = timedelta(minutes=30)

#: After so many setbacks in a row it is noted what the model names meanwhile: there may be no later look.
NOTED_AFTER = 3


async def apply_image(ports: Ports, order: Order) -> Progress:
    """Make the set's model name the pinned image; VMs that exist stay as they are (the upgrade mode is Manual)."""
    deployment = await deployment_of(ports, order)
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if scale_set is not None:
        await seen_afresh(ports, scale_set)
    return await _ensure_image(ports, order, scale_set, deployment.image.pinned, "applied")


async def restore_image(ports: Ports, order: Order) -> Progress:
    """Put the previous image back into the model. Where that may be the one that failed, it is not restored.

    What the model then names is noted; where it cannot be changed, as soon as that is known.
    """
    deployment = await deployment_of(ports, order)
    image = deployment.image
    if image.previous is None:
        return done("The image was never changed")
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    try:
        put = await _ensure_image(ports, order, scale_set, image.previous, "restored")
    except AzureError as error:
        if isinstance(error, Refused) or order.setbacks >= NOTED_AFTER:
            await _note(ports, order, deployment, scale_set)
        raise
    if put.done or put.state is StepState.FAILED:
        await _note(ports, order, deployment, scale_set)
    if put.done and (why := not_good(image)):
        return failed("previousImageUnknown", why)
    if put.done and image.previous.matches(image.pinned):
        return done(f"The model names {image.previous.label} as before")
    return put


async def _note(ports: Ports, order: Order, deployment: Deployment, scale_set: ScaleSet | None) -> None:
    if scale_set is not None and await obstacle(ports, order) is None:
        await note_model(ports, deployment, scale_set, order.at)


async def _ensure_image(
    ports: Ports, order: Order, scale_set: ScaleSet | None, image: ImageReference, verb: str
) -> Progress:
    if scale_set is None or scale_set.image is None:
        return failed("scaleSetGone", "The scale set does not exist any more")
    if not scale_set.settled and order.waited < WAIT_LIMIT:
        return again(order.poll_interval, f"Waiting for a change of {scale_set.name} to end")
    if scale_set.image.matches(image):
        return done(f"Image {image.label} {verb}")
    if not scale_set.settled:
        return failed("scaleSetBusy", f"{scale_set.name} was being changed for {WAIT_LIMIT}")
    if refusal := await obstacle(ports, order):
        return refusal
    await write_down(ports, order, IntentKind.IMAGE, scale_set, image=image)
    await ports.scale_sets.set_image(scale_set, image)
    return again(order.poll_interval, f"Waiting for {scale_set.name} to take image {image.label}")
