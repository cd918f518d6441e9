"""Keep what changes a set by itself from interfering, and bring it back.

Azure scales a set that has autoscale in at once where it is above the maximum
(https://learn.microsoft.com/azure/azure-monitor/autoscale/autoscale-understanding-settings), and a scale-in takes the
newest VMs first (https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-scale-in-policy):
the green ones. So bounds are moved, and the other processes are suspended. The journal remembers what was there.

A process is made of parts, and each part is held, and comes back, by itself: the profiles of an autoscale setting, the
one field of a policy that says whether it acts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from rollout.model.codec import Json
from rollout.model.rows.deployment import Batch
from rollout.model.rows.holds import (
    MANUAL,
    OLDEST_VM,
    RUNNING,
    SERVICE_STATE,
    SUSPENDED,
    ZONE_REBALANCING,
    Hold,
    HoldKind,
    Process,
    ProcessHold,
)


@dataclass(frozen=True)
class HoldNeeds:
    """What a deployment needs: of VMs ``blue`` now to be replaced, ``count`` all of them, ``surge`` more at most.

    ``adjust``: the request allows settings to be changed that would otherwise refuse it.
    """

    blue: int
    count: int
    surge: int
    adjust: bool = False

    @classmethod
    def of(cls, batches: Iterable[Batch], count: int, adjust: bool) -> HoldNeeds:
        """From the plan's batches and the number of VMs that the set has, or is to have."""
        planned = tuple(batches)
        return cls(sum(b.blue for b in planned), count, max((b.green for b in planned), default=0), adjust)


def plan_hold(
    processes: Iterable[Process], needs: HoldNeeds, earlier: Iterable[ProcessHold] = ()
) -> tuple[ProcessHold, ...]:
    """What is to be held of what was read.

    ``earlier``: what the journal of an earlier deployment still holds. Where its value is still there, the old one is
    the one that it remembers; what it holds and cannot be read now stays in the journal.
    """
    before = {item.key: item for item in earlier if not item.restored}
    items = [_held(process, needs, before.pop(process.key, None)) for process in processes if not process.unreadable]
    return (*(item for item in items if item is not None), *before.values())


def _held(process: Process, needs: HoldNeeds, earlier: ProcessHold | None) -> ProcessHold | None:
    now = process.value
    inherited = {part: earlier.old[part] for part in _ours(earlier, now)} if earlier is not None else {}
    original = {**now, **inherited}
    # What an earlier deployment was allowed to adjust is still adjusted: to put it back now would be the harm.
    wanted = _WHILE_HELD[process.kind](original, replace(needs, adjust=needs.adjust or bool(inherited)))
    if not process.active and not inherited:
        return None
    # Autoscale is journalled whole: after a stop more of it may be held than now.
    whole = process.kind is HoldKind.AUTOSCALE
    parts = [part for part in original if whole or wanted[part] != original[part] or now[part] != original[part]]
    if not parts:
        return None
    old, new, there = (_only(parts, value) for value in (original, wanted, now))
    beside = earlier.beside if earlier is not None and inherited else process.beside
    left_by = earlier.left_by if earlier is not None and inherited else ()
    return ProcessHold(process.kind, process.resource_id, old, new, there, beside=beside, left_by=left_by)


def _ours(item: ProcessHold, now: Json) -> list[str]:
    """The parts in which a value of Teal's is still there."""
    return [part for part in item.old if part in now and now[part] in values_of(part, item.new, item.before)]


def _bounds(value: Json, needs: HoldNeeds) -> Json:
    return {profile: _roomy(bounds, needs) for profile, bounds in value.items()}


def _roomy(bounds: Mapping[str, int], needs: HoldNeeds) -> Json:
    """Room for the surge, and no scale-in below the blue VMs.

    >>> _roomy({"minimum": 2, "maximum": 10, "default": 2}, Needs(blue=10, count=10, surge=2))
    {'minimum': 10, 'maximum': 12, 'default': 10}
    """
    return _within(max(bounds["minimum"], needs.blue), max(bounds["maximum"], needs.count + needs.surge), bounds)


def _within(minimum: int, maximum: int, bounds: Mapping[str, int]) -> Json:
    default = min(max(bounds["default"], minimum), maximum)
    return {"minimum": minimum, "maximum": maximum, "default": default}


def _repairs(value: Json, needs: HoldNeeds) -> Json:
    if value.get(SERVICE_STATE) == RUNNING:
        return {**value, SERVICE_STATE: SUSPENDED}
    return {**value, "enabled": False} if value.get("enabled") else value


def _rebalancing(value: Json, needs: HoldNeeds) -> Json:
    policy = value.get(ZONE_REBALANCING) or {}
    return {**value, ZONE_REBALANCING: {**policy, "enabled": False}} if policy.get("enabled") else value


def _scale_in(value: Json, needs: HoldNeeds) -> Json:
    return {**value, "rules": [OLDEST_VM]}


def _upgrade_mode(value: Json, needs: HoldNeeds) -> Json:
    return {**value, "mode": MANUAL} if needs.adjust else value


def _overprovision(value: Json, needs: HoldNeeds) -> Json:
    return {**value, "overprovision": False} if needs.adjust else value


_WHILE_HELD: Mapping[HoldKind, Callable[[Json, HoldNeeds], Json]] = {
    HoldKind.AUTOSCALE: _bounds,
    HoldKind.REPAIRS: _repairs,
    HoldKind.ZONE_REBALANCE: _rebalancing,
    HoldKind.SCALE_IN_POLICY: _scale_in,
    HoldKind.UPGRADE_MODE: _upgrade_mode,
    HoldKind.OVERPROVISION: _overprovision,
}


def keep_after(items: Iterable[ProcessHold], count: int) -> tuple[ProcessHold, ...]:
    """What stays held after a stop: autoscale's maximum is the present ``count`` of VMs, and its minimum not above it.

    Where somebody has changed autoscale meanwhile, nothing is kept of it.
    """
    return tuple(_kept(item, count) if item.kind is HoldKind.AUTOSCALE and not item.kept else item for item in items)


def _kept(item: ProcessHold, count: int) -> ProcessHold:
    new = {profile: _within(min(bounds["minimum"], count), count, bounds) for profile, bounds in item.old.items()}
    return replace(item, before=item.new, new=new, kept=True)


def held_kinds(items: Iterable[ProcessHold]) -> list[str]:
    """What is changed by holding these items, or by bringing them back: their kinds, each once, in their order."""
    changed = [item for item in items if item.kept or not item.old == item.new == item.before]
    return list(dict.fromkeys(str(item.kind) for item in changed))


def conflicts(items: Iterable[ProcessHold]) -> list[str]:
    """What of the items is somebody else's."""
    return [item.conflict for item in items if item.conflict]


def unreadable(processes: Iterable[Process]) -> list[str]:
    """What could not be read, so that nothing of it is held."""
    return [f"{label_of(one.kind)}: {one.unreadable}" for one in processes if one.unreadable]


def describe_hold(processes: Iterable[Process], blue: int, surge: int, adjust: bool, count: int = 0) -> tuple[str, ...]:
    """A sentence for each thing that a deployment will hold. ``count``: all VMs, where some are not to be replaced."""
    found = tuple(processes)
    items = plan_hold(found, HoldNeeds(blue, max(blue, count), surge, adjust))
    will = [
        f"{name_of(item, part)}: {words_of(item.old[part])} becomes {words_of(item.new[part])}"
        for item in items
        for part in item.new
        if item.new[part] != item.old[part]
    ]
    return (*will, *(f"Not held, because it cannot be read: {words}" for words in unreadable(found)))


def keep_time(hold: Hold, keep: bool, now: datetime, keep_for: timedelta) -> datetime:
    """Until when what is left in the journal stays held.

    It is written before anything is brought back: where a deployment does not come to the end of that, somebody else
    does it then.
    """
    if hold.keep_until is not None and (keep or hold.keep_until <= now):
        return hold.keep_until
    return now + keep_for if keep else now


_LABELS: Mapping[HoldKind, str] = {
    HoldKind.AUTOSCALE: "autoscale",
    HoldKind.REPAIRS: "automatic repairs",
    HoldKind.ZONE_REBALANCE: "automatic zone rebalancing",
    HoldKind.SCALE_IN_POLICY: "the scale-in policy",
    HoldKind.UPGRADE_MODE: "the upgrade mode",
    HoldKind.OVERPROVISION: "overprovisioning",
}


def label_of(kind: HoldKind) -> str:
    """What people call it."""
    return _LABELS[kind]


def name_of(item: ProcessHold, part: str) -> str:
    """What people call a part of it."""
    if item.kind is HoldKind.AUTOSCALE:
        return f"{label_of(item.kind)} {item.resource_id.rsplit('/', 1)[-1]}, profile {part}"
    return label_of(item.kind)


def words_of(value: Any) -> str:
    """A part's value for people.

    >>> words_of({"minimum": 2, "maximum": 10, "default": 2}), words_of(["OldestVM"]), words_of({"enabled": True})
    ('minimum 2, maximum 10, default 2', 'OldestVM', 'on')
    """
    if isinstance(value, dict):
        return words_of(value["enabled"]) if "enabled" in value else ", ".join(f"{k} {v}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _only(parts: Iterable[str], value: Json) -> Json:
    return {part: value[part] for part in parts}


def values_of(part: str, *values: Json) -> list[Any]:
    """What these values say of a part, those that say anything."""
    return [value[part] for value in values if part in value]
