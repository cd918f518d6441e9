"""When a deployment will be over, as its events tell it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

NOTHING = timedelta(0)

#: What nobody has measured: from the plan to the first batch, and from the last step to the end.
BEGINNING = timedelta(seconds=30)
ENDING = timedelta(seconds=30)

#: Assumed of blue VMs: the looks and writes by which they leave their pools, and their deletion.
DETACHING = timedelta(seconds=30)
DELETING = timedelta(seconds=60)


@dataclass(frozen=True)
class Expected:
    """What was ``left`` to do ``at`` an event, and how much of that can not be over before the next: the ``least``.

    ``each`` is what a batch takes: of those that are ``done`` the mean of what they ``took``, before that the plan's
    forecast, with ``draining``. ``began``: when the batch under way did, as if nobody had been waited for. ``bake``
    comes before the end, ``first_bake`` after the canary. ``waiting``: for a person, which counts as no time.
    """

    each: timedelta
    draining: timedelta
    batches: int
    at: datetime
    left: timedelta = NOTHING
    least: timedelta = NOTHING
    first_bake: timedelta = NOTHING
    bake: timedelta = NOTHING
    began: datetime | None = None
    done: int = 0
    took: timedelta = NOTHING
    waiting: bool = False
    schema_version: int = 1

    def end(self, now: datetime) -> datetime:
        """When it will be over, as far as one can tell; never a time that has passed."""
        return now + self._left(now)

    def planned(self, at: datetime) -> Expected:
        """After the plan."""
        return self._with(at, BEGINNING + self._later(0), self._later(0))

    def started(self, number: int, at: datetime) -> Expected:
        """After a batch began."""
        return replace(self._launching(number, at), began=at)

    def relaunched(self, number: int, at: datetime) -> Expected:
        """After its sick VMs went, so that others come."""
        return self._launching(number, at)

    def judged(self, number: int, at: datetime, replaces: bool) -> Expected:
        """After its green VMs were judged; ``replaces``: the sick ones are to be replaced."""
        rest = self.draining + DETACHING + DELETING + self._later(number)
        return (
            self._with(at, DELETING + self._judging + rest, rest)
            if replaces
            else self._with(at, rest, self._later(number))
        )

    def detached(self, number: int, at: datetime, vms: int, gateways: timedelta) -> Expected:
        """After its blue VMs left their pools."""
        wait = max(self.draining, gateways) if vms else NOTHING
        deleting = DELETING + self._later(number) if vms else self._later(number)
        return self._with(at, wait + deleting, self._later(number))

    def terminated(self, number: int, at: datetime) -> Expected:
        """After its blue VMs were gone: what it took counts from now on, in place of what was foreseen."""
        if self.began is None:
            return self._with(at, self._later(number), self._later(number))
        done, took = self.done + 1, self.took + (at - self.began)
        known = replace(self, done=done, took=took, each=took / done, began=None)
        return known._with(at, known._later(number), known._later(number))

    def baking(self, number: int, at: datetime, time: timedelta) -> Expected:
        """After green VMs began to be watched."""
        rest = self._later(number, baked=True)
        return self._with(at, time + rest, rest)

    def baked(self, number: int, at: datetime) -> Expected:
        """After they were."""
        rest = self._later(number, baked=True)
        return self._with(at, rest, rest)

    def waits(self, at: datetime) -> Expected:
        """After somebody was asked, or paused the deployment."""
        return replace(self._with(at, self._left(at), self.least), waiting=True)

    def goes_on(self, at: datetime) -> Expected:
        """After the wait; that is no time that a batch took."""
        if not self.waiting:
            return self
        began = self.began + (at - self.at) if self.began is not None else None
        return replace(self, at=at, began=began, waiting=False)

    def turns_back(self, at: datetime) -> Expected:
        """After the deployment began to go back: what was replaced is replaced again."""
        back = self.done * self.each + DELETING + ENDING
        return replace(self._with(at, back, self.done * self.each + ENDING), began=None)

    def back_planned(self, at: datetime, first: int, batches: int) -> Expected:
        """After it is known in which batches."""
        back = replace(self, batches=first + batches - 1, first_bake=NOTHING, bake=NOTHING, began=None)
        rest = back._later(first - 1) if batches else ENDING
        return back._with(at, rest, rest)

    def ending(self, at: datetime) -> Expected:
        """After it was decided that nothing more is replaced."""
        return replace(self._with(at, DELETING + ENDING, NOTHING), began=None)

    @property
    def _judging(self) -> timedelta:
        """How long a batch's green VMs take, until they are judged."""
        return max(self.each - self.draining - DETACHING - DELETING, NOTHING)

    def _launching(self, number: int, at: datetime) -> Expected:
        rest = self.draining + DETACHING + DELETING + self._later(number)
        return self._with(at, self._judging + rest, rest)

    def _left(self, now: datetime) -> timedelta:
        return self.left if self.waiting else max(self.left - (now - self.at), self.least, NOTHING)

    def _later(self, number: int, baked: bool = False) -> timedelta:
        """What comes after a batch, from its baking on."""
        first = self.first_bake if number < 1 or (number == 1 and not baked) else NOTHING
        last = self.bake if number < self.batches or not baked else NOTHING
        return max(self.batches - number, 0) * self.each + first + last + ENDING

    def _with(self, at: datetime, left: timedelta, least: timedelta) -> Expected:
        return replace(self, at=at, left=left, least=min(least, left), waiting=False)
