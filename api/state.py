"""What the scale sets look like, and whether they need a roll, at the pace that Azure's budgets allow."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from groundwork.roll import PER_REQUEST, look_at_roll
from rollout.deployment import Lock, Problem
from rollout.errors import AzureError
from rollout.group import Group
from rollout.image_rule import ImageRule
from rollout.ports import Ports
from rollout.roll_needed import RollNeeded, while_under_way
from rollout.scale_set import ScaleSet

#: How long a reading is shown. Pages ask every few seconds, and Azure counts every read of a set against the
#: deployments' own (https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits).
AGE_MAX = timedelta(seconds=60)


@dataclass(frozen=True)
class State:
    """One reading of a scale set; ``problem`` is why there is no ``scale_set`` in it."""

    as_of: datetime
    scale_set: ScaleSet | None
    problem: Problem | None = None


@dataclass(frozen=True)
class Roll:
    """What is known of whether a set needs a roll; ``problem`` is why that is nothing, or not all.

    Of a reading, ``again``: from when on another may be made; ``epoch``: of the set's lock; ``rule``: the group's.
    """

    as_of: datetime
    needed: RollNeeded | None
    problem: Problem | None = None
    again: datetime | None = None
    epoch: int = 0
    rule: ImageRule | None = None

    def serves(self, now: datetime, epoch: int, rule: ImageRule | None) -> bool:
        """Whether it is shown still: no deployment has had the set since, and the question is the same."""
        fresh = self.again is not None and now < self.again
        return fresh and (self.epoch, self.rule) == (epoch, rule)


class States:
    """The latest readings of each scale set, kept in this process: a restart costs one of each, not a table.

    Errors are kept as long as successes, so that a throttled set is not asked at every look. While a deployment has the
    set, neither is read: Azure gives 12 reads of a set a minute, and 10 lists of its VMs, and the deployment lives on
    them. A process that has never read the set reads it once then, without its VMs.
    """

    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self._rolls: dict[str, Roll] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, ports: Ports, group: Group) -> tuple[State, Roll]:
        """The latest readings, or new ones where it is time. One caller reads, the others wait."""
        key = group.scale_set_id.lower()
        async with self._turns[key]:
            lock = await ports.store.locks.get(group.scale_set_id)
            if lock is not None and lock.owner:
                return await self._state(ports, group, held=True), await self._roll_of_deployment(ports, key, lock)
            roll = self._rolls.get(key)
            if roll is None or not roll.serves(ports.clock.now(), _epoch(lock), group.image_rule):
                self._states[key] = await _read(ports, group.scale_set_id)
                roll = await self._look(ports, group, self._states[key], lock)
            return await self._state(ports, group), roll

    async def take(self, ports: Ports, group: Group, scale_set: ScaleSet) -> tuple[State, Roll]:
        """Take in a reading of the set that was made for another reason, and read the rest anew."""
        key = group.scale_set_id.lower()
        async with self._turns[key]:
            state = self._states[key] = State(ports.clock.now(), scale_set)
            lock = await ports.store.locks.get(group.scale_set_id)
            if lock is not None and lock.owner:
                return state, await self._roll_of_deployment(ports, key, lock)
            return state, await self._look(ports, group, state, lock)

    async def _state(self, ports: Ports, group: Group, *, held: bool = False) -> State:
        key = group.scale_set_id.lower()
        latest = self._states.get(key)
        keeps = latest is not None and held and latest.scale_set is not None
        if latest is None or not (keeps or ports.clock.now() - latest.as_of < AGE_MAX):
            latest = self._states[key] = await _read(ports, group.scale_set_id)
        return latest

    async def _look(self, ports: Ports, group: Group, state: State, lock: Lock | None) -> Roll:
        """Read the VMs of a set that has just been read."""
        epoch, rule = _epoch(lock), group.image_rule
        if state.scale_set is None:
            roll = Roll(state.as_of, None, state.problem, state.as_of + PER_REQUEST, epoch, rule)
        else:
            now = ports.clock.now()
            look = await look_at_roll(ports, state.scale_set, rule)
            roll = Roll(now, look.needed, look.problem, now + look.pause, epoch, rule)
        self._rolls[group.scale_set_id.lower()] = roll
        return roll

    async def _roll_of_deployment(self, ports: Ports, key: str, lock: Lock) -> Roll:
        """The last reading, as old as it is; without one, what the deployment's own row tells."""
        roll = self._rolls.get(key)
        if roll is not None and roll.needed is not None:
            return roll
        now = ports.clock.now()
        deployment = await ports.store.deployments.get(lock.owner)
        needed = while_under_way(deployment, now) if deployment is not None else None
        problem = None
        if needed is None:
            message = f"Deployment {lock.owner} has the scale set, and has not read its VMs yet"
            problem = Problem("deploymentInProgress", message)
        return Roll(now, needed, problem)


def _epoch(lock: Lock | None) -> int:
    """It grows with every taking of the lock, and none is ever deleted."""
    return lock.epoch if lock is not None else 0


async def _read(ports: Ports, scale_set_id: str) -> State:
    now = ports.clock.now()
    try:
        scale_set = await ports.scale_sets.read(scale_set_id)
    except AzureError as error:
        return State(now, None, Problem(error.code, error.message))
    problem = None if scale_set else Problem("scaleSetNotFound", f"There is no scale set {scale_set_id}")
    return State(now, scale_set, problem)
