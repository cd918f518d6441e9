"""How many writes of a batch's VMs may be under way at once, by what Azure took so far.

A write of one VM of a Uniform set is an operation on its set. Azure may take one at a time and answer 409 to the
others (cloud-provider-azure#2275; azure-powershell#23105), so whoever sends all of them at every look sends the square
of their number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

#: One run asks for so many network configurations at most: it stays short, and within Resource Manager's bucket of 200
#: writes (https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling).
MOST_AT_ONCE = 100

#: After so many writes that Azure took, twice as many may be under way.
TAKEN_TO_DOUBLE = 10


@dataclass(frozen=True)
class VmWrites:
    """What a batch's row keeps. ``taken``: writes that Azure took since ``at_once`` last changed.

    ``refused``: Azure has refused one for another one's sake. ``left``: how many VMs were still to be written to at the
    last look; ``moved_at``: when these last became fewer. ``exhausted``: what Azure said when the set's VMs ran as many
    models as they may; empty while there is room.
    """

    at_once: int = MOST_AT_ONCE
    taken: int = 0
    refused: bool = False
    left: int | None = None
    moved_at: datetime | None = None
    exhausted: str = ""

    def room(self, under_way: int) -> int:
        """How many more may be sent while so many are ``under_way``."""
        return max(0, self.at_once - under_way)

    def sent(self, taken: int, *, refused: bool) -> VmWrites:
        """After Azure took so many writes and, where ``refused``, had the next one wait for another.

        100 at once, one refused: 1. 1 at once, ten taken: 2. 8 at once, one refused: 4.
        """
        if refused:
            return replace(self, at_once=max(1, self.at_once // 2) if self.refused else 1, taken=0, refused=True)
        if self.at_once == MOST_AT_ONCE:
            return self
        doubled, rest = divmod(self.taken + taken, TAKEN_TO_DOUBLE)
        return replace(self, at_once=min(MOST_AT_ONCE, self.at_once * 2**doubled), taken=rest)

    def with_room(self, now: datetime) -> VmWrites:
        """After VMs are gone whose models were in use."""
        return replace(self, exhausted="", moved_at=now)

    def looked(self, left: int, now: datetime) -> VmWrites:
        """After a look at which so many VMs were still to be written to."""
        fewer = self.left is not None and left < self.left
        return replace(self, left=left, moved_at=now if fewer else self.moved_at)
