"""How many VMs serve, by their image, as a deployment's events tell it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Serving:
    """VMs that serve: of the image before (``previous_image``) and of the deployment's own (``new_image``).

    ``idle``: how many VMs that are to go serve nobody; they are the first to go. ``counted``: how many of the batch
    that is under way were judged healthy.
    """

    previous_image: int
    new_image: int
    idle: int = 0
    counted: int = 0

    def began(self) -> Serving:
        """After a batch began."""
        return replace(self, counted=0)

    def judged(self, healthy: int, back: bool) -> Serving:
        """After its VMs were judged; a second verdict, of replacements, counts all of the batch again."""
        more = healthy - self.counted
        return replace(self._with(more, came=not back), counted=healthy)

    def detached(self, number: int, back: bool) -> Serving:
        """After VMs left their pools. Those that served nobody went first."""
        idle = min(self.idle, number)
        return replace(self._with(idle - number, came=back), idle=self.idle - idle)

    def adopted(self, number: int, back: bool) -> Serving:
        """After VMs that others made were taken in."""
        return self._with(number, came=not back)

    def _with(self, more: int, *, came: bool) -> Serving:
        if came:
            return replace(self, new_image=max(0, self.new_image + more))
        return replace(self, previous_image=max(0, self.previous_image + more))


def told(serving: Serving | None) -> dict[str, Any] | None:
    """What people see of it."""
    return None if serving is None else {"previousImage": serving.previous_image, "newImage": serving.new_image}
