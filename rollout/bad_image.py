"""A scale set whose model names an image that nobody judged good: what is known of it, and what follows."""

from __future__ import annotations

from datetime import datetime

from rollout.dangers import Danger
from rollout.deployment import Deployment
from rollout.image_before import may_name
from rollout.scale_set import ImageReference

#: The code of such a set's danger (``rollout.dangers``), and of what is refused because of it.
MODEL_NAMES_BAD_IMAGE = "modelNamesBadImage"

_REMEDY = (
    "Name a good image in the set's model, or deploy another version. To try this very version again, name it in a "
    "start. Until then autoscale and repairs stay as they are held"
)


def bad_in_model(row: Deployment, model: ImageReference | None) -> ImageReference | None:
    """The image that the model names, where it is one that ``row``, which goes no further, gave up; else ``None``.

    It is that which the deployment was to move the set to, unless the image before is known to be that too; or one
    that was judged bad before it, and that it had to put back.
    """
    image = row.image
    if model is None or image.previous is None:
        return None
    if image.previous.matches(model) and not image.unknown:
        return None
    bad = may_name(model, image.pinned) or (image.bad and image.previous.matches(model))
    return model if bad else None


def found_bad(row: Deployment, model: ImageReference, standing: Danger | None, at: datetime) -> Danger:
    """The row that says so, since the first time that it was found of this image."""
    since = standing.since if names(standing, model) and standing is not None else at
    reason = (
        f"The set's model names {model.label}, which {row.id} could not finish with, and no good image could be put "
        "back: new VMs would be made from it"
    )
    return Danger(row.scale_set_id.lower(), MODEL_NAMES_BAD_IMAGE, since, row.id, reason, _REMEDY, image=model)


def names(danger: Danger | None, model: ImageReference | None) -> bool:
    """Whether the danger is about the image that the model names."""
    return danger is not None and danger.image is not None and model is not None and danger.image.matches(model)


def doubted(previous: ImageReference | None, unknown: str, danger: Danger | None) -> str:
    """Why the image before a deployment is not known to be good where it was judged bad itself; empty where it was not.

    ``unknown``: why it is not known anyway.
    """
    if danger is None or previous is None or not names(danger, previous):
        return ""
    return unknown or f"{previous.label}, which serves, is what {danger.deployment_id} could not finish with"
