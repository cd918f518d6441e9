"""Look whether the image before can be gone back to, as at a new one."""

from __future__ import annotations

from datetime import datetime

from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion
from rollout.model.rows.deployment import Image

#: The code of a roll back that could not be.
PREVIOUS_IMAGE_GONE = "previousImageGone"

#: What a version that VMs can be made from is called by its gallery, in lower case, besides ``succeeded``.
_USABLE = frozenset({"succeeded", "updating", "migrating", "scheduledfordeprecation"})


def to_look_at(image: Image) -> ImageReference | None:
    """The image that has to be there to be gone back to; ``None``: none is known, or none but the deployment's own."""
    previous = image.previous
    if previous is None or image.unknown or not previous.exact or previous.matches(image.pinned):
        return None
    return previous


def why_gone(
    previous: ImageReference, version: PublishedVersion | None, place: Place | None, now: datetime | None = None
) -> str:
    """Why the image before cannot be gone back to; empty where it can. ``version``: what was read of it.

    ``place``: without it the region is not looked at. ``now``: without it the end of its life is not. VMs can be made
    from an image after that, but it may go any day: whoever plans to go back to it looks, whoever has to does not.
    """
    found = _state(version, place, now)
    return f"Image {previous.label}, which was there before, {found}" if found else ""


def _state(version: PublishedVersion | None, place: Place | None, now: datetime | None) -> str:
    if version is None:
        return "is not there any more"
    if version.provisioning_state.lower() not in _USABLE:
        return f"is {version.provisioning_state}"
    if place is not None and version.regions is not None:
        state = version.regions.get(place.region)
        if state != "Completed":
            return f"is {state} in {place.region}" if state else f"is not in {place.region} any more"
    if version.end_of_life is not None and now is not None and version.end_of_life <= now:
        return f"reached its end of life on {version.end_of_life:%Y-%m-%d}"
    return ""
