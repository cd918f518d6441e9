"""Keep the one fact whether a scale set's model names a bad image: whoever reads the set afresh mends it."""

from __future__ import annotations

from datetime import datetime

from rollout.model.azure.scale_set import ImageReference, ScaleSet
from rollout.model.rows.danger import MODEL_NAMES_BAD_IMAGE, DangerRecord, names
from rollout.model.rows.deployment import Deployment
from rollout.planning.bad_image import bad_in_model, found_bad
from rollout.ports.ports import Ports


async def known_bad(ports: Ports, scale_set: ScaleSet) -> DangerRecord | None:
    """What is known of the image that the set's model names; ``None``: nothing bad."""
    danger = await ports.store.dangers.get(scale_set.id, MODEL_NAMES_BAD_IMAGE)
    return danger if names(danger, scale_set.image) else None


async def seen_afresh(ports: Ports, scale_set: ScaleSet) -> DangerRecord | None:
    """The same, of a set that was read just now: where its model names another image, the fact is taken away."""
    danger = await ports.store.dangers.get(scale_set.id, MODEL_NAMES_BAD_IMAGE)
    if danger is None or names(danger, scale_set.image):
        return danger
    await ports.store.dangers.delete(scale_set.id, MODEL_NAMES_BAD_IMAGE)
    return None


async def note_model(ports: Ports, row: Deployment, scale_set: ScaleSet, at: datetime) -> None:
    """Write down what the model names where a deployment goes no further, or that it is good. Run again: the same.

    To be called with the right to write to the set, of which this is a fact.
    """
    standing = await seen_afresh(ports, scale_set)
    bad = bad_in_model(row, scale_set.image)
    if bad is not None:
        found = found_bad(row, bad, standing, at)
        if found != standing:
            await ports.store.dangers.put(found)


async def judged_good(ports: Ports, scale_set_id: str, image: ImageReference) -> None:
    """Take the fact away: the deployment of this very image has come to its end."""
    danger = await ports.store.dangers.get(scale_set_id, MODEL_NAMES_BAD_IMAGE)
    if names(danger, image):
        await ports.store.dangers.delete(scale_set_id, MODEL_NAMES_BAD_IMAGE)
