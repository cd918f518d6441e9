"""How often HTTP triggers read a scale set: Azure counts each reading against the deployment that has the set.

Dry runs and starts rest on one reading a minute and process, whoever makes it, and so does the ``PUT`` of a group whose
set a deployment has; what ``GET`` shows of groups has a pace of its own (``services.group_state``). While a deployment
has the set there is a new reading only if the last list of its VMs said that half of what Azure allows is left; where
no list was seen yet, one. Under the lock a start is looked at anew, so nothing is done by an old reading.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rollout.model.azure.evidence import Inspection
from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm, VmList
from rollout.ports.azure import ScaleSets
from rollout.ports.errors import Busy
from rollout.ports.ports import Ports
from services.claim import held

#: How long a reading is good for.
GOOD_FOR = timedelta(seconds=60)

#: The share of the bucket of lists that must be left while a deployment has the set.
SHARE_MIN = 0.5


def spare(ports: Ports, scale_set_id: str) -> bool:
    """Whether half of what Azure allows is left, or nothing else is known."""
    left = ports.scale_sets.left(scale_set_id)
    return left is None or left >= SHARE_MIN


class ReadingTooOften(Busy):
    """A deployment needs what Azure allows to be read of the set."""


@dataclass
class _Reading:
    """What was read of a set since ``at``; ``health``: of VMs by their ids; ``busy``: what Azure said instead."""

    at: datetime
    sets: list[ScaleSet | None] = field(default_factory=list)
    listed: list[VmList] = field(default_factory=list)
    health: dict[str, str | None] = field(default_factory=dict)
    busy: Busy | None = None
    share_min: float = 0.0


class Readings:
    """The readings of this process."""

    def __init__(self) -> None:
        self._readings: dict[str, _Reading] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def at_this_pace(self, ports: Ports, *, asker: str = "", anew: bool = False) -> Ports:
        """The ports, whose scale sets are read no more often.

        ``asker``: the deployment that is to be started. ``anew``: where no other has the set, the set itself is read
        again, without its VMs, which is one cheap request.
        """
        return replace(ports, scale_sets=_AtPace(ports, self, asker, anew))

    def turn(self, scale_set_id: str) -> asyncio.Lock:
        """One caller reads a set, the others wait for what it reads."""
        return self._turns[scale_set_id.lower()]

    async def reading(self, ports: Ports, scale_set_id: str, asker: str) -> _Reading:
        """The minute's reading; or a new one. Raises ``ReadingTooOften``. To be called in the set's turn."""
        key, now = scale_set_id.lower(), ports.clock.now()
        latest = self._readings.get(key)
        if latest is not None and now - latest.at < GOOD_FOR:
            if latest.busy is not None:
                raise latest.busy
            return latest
        unknown = ports.scale_sets.left(scale_set_id) is None
        holder = await held(ports, scale_set_id, asker)
        may = latest is None if unknown else spare(ports, scale_set_id)
        if holder is not None and not may:
            raise _too_often()
        # What nobody has heard of may be little: the first page of the list tells.
        self._readings[key] = _Reading(now, share_min=SHARE_MIN if holder is not None else 0.0)
        return self._readings[key]


class _AtPace:
    """Scale sets, of which the same minute's reading is told again."""

    def __init__(self, ports: Ports, readings: Readings, asker: str, anew: bool) -> None:
        self._ports = ports
        self._inner: ScaleSets = ports.scale_sets
        self._readings = readings
        self._asker = asker
        self._anew = anew

    async def read(self, scale_set_id: str) -> ScaleSet | None:
        async with self._readings.turn(scale_set_id):
            reading = await self._readings.reading(self._ports, scale_set_id, self._asker)
            if not reading.sets or (self._anew and await held(self._ports, scale_set_id, self._asker) is None):
                with _noted(reading):
                    reading.sets = [await self._inner.read(scale_set_id)]
            return reading.sets[0]

    async def list_vms(self, scale_set_id: str, share_min: float = 0.0) -> VmList:
        async with self._readings.turn(scale_set_id):
            reading = await self._readings.reading(self._ports, scale_set_id, self._asker)
            if not reading.listed:
                with _noted(reading):
                    reading.listed = [await self._inner.list_vms(scale_set_id, reading.share_min)]
            return reading.listed[0]

    async def with_health(self, scale_set_id: str, listed: VmList, vm_ids: Collection[str]) -> VmList:
        async with self._readings.turn(scale_set_id):
            reading = await self._readings.reading(self._ports, scale_set_id, self._asker)
            unknown = [vm_id for vm_id in vm_ids if vm_id not in reading.health]
            if unknown:
                with _noted(reading):
                    found = await self._inner.with_health(scale_set_id, listed, unknown)
                reading.health |= {vm.vm_id: vm.health for vm in found.vms if vm.vm_id in unknown}
            return replace(listed, vms=tuple(_with(vm, reading.health) for vm in listed.vms))

    async def health_of(self, scale_set_id: str, vm_names: Collection[str]) -> Mapping[str, str | None]:
        return await self._inner.health_of(scale_set_id, vm_names)

    def left(self, scale_set_id: str) -> float | None:
        return self._inner.left(scale_set_id)

    async def read_vm(self, scale_set_id: str, vm_name: str) -> Vm | None:
        return await self._inner.read_vm(scale_set_id, vm_name)

    async def inspect_vm(self, scale_set_id: str, vm_name: str, vm_id: str) -> Inspection | None:
        return await self._inner.inspect_vm(scale_set_id, vm_name, vm_id)

    async def set_image(self, scale_set: ScaleSet, image: ImageReference) -> None:
        await self._inner.set_image(scale_set, image)

    async def raise_capacity(self, scale_set: ScaleSet, capacity: int) -> None:
        await self._inner.raise_capacity(scale_set, capacity)

    async def delete_vms(self, scale_set: ScaleSet, instance_ids: Sequence[str]) -> None:
        await self._inner.delete_vms(scale_set, instance_ids)


def _with(vm: Vm, health: dict[str, str | None]) -> Vm:
    return replace(vm, health=health[vm.vm_id]) if vm.vm_id in health else vm


@contextmanager
def _noted(reading: _Reading) -> Iterator[None]:
    """Who asks for time is not asked again before the next reading, nor while a deployment needs what is left."""
    try:
        yield
    except Busy as busy:
        if reading.share_min:
            reading.busy = _too_often()
            raise reading.busy from busy
        reading.busy = busy if busy.retry_after is not None else None
        raise


def _too_often() -> ReadingTooOften:
    message = (
        "A deployment has the scale set, and needs what Azure allows to be read of it. "
        "Ask again in a minute, or when it has ended"
    )
    return ReadingTooOften("readingTooOften", message, GOOD_FOR)
