"""Look at the image before: whether a roll back would find it."""

from __future__ import annotations

from datetime import datetime

from rollout.model.azure.images import needs_place
from rollout.model.azure.scale_set import Place
from rollout.model.rows.deployment import Image
from rollout.planning.way_back import to_look_at, why_gone
from rollout.ports.azure import Images


async def look_back(images: Images, image: Image, place: Place | None, now: datetime | None = None) -> str:
    """Why the image before cannot be gone back to; empty where it can, or where none is known (``why_gone``).

    Without a ``place`` only what every region has in common is looked at. May raise ``AzureError``.
    """
    previous = to_look_at(image)
    if previous is None or (place is None and needs_place(previous)):
        return ""
    return why_gone(previous, await images.read(previous, place), place, now)
