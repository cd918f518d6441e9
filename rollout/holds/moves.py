"""The next step towards what is to be held, or to what is to come back, from what was read just now.

A value is written only over one that Teal knows: its own, or the one that it journalled. Anything else is somebody's
who came between, and is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rollout.holds.holds import label_of, name_of, values_of, words_of
from rollout.model.codec import Json
from rollout.model.rows.holds import SERVICE_STATE, HoldKind, Process, ProcessHold


@dataclass(frozen=True)
class HoldMove:
    """What to write, and the items with what was found out. Nothing to write: all of it is as it should be."""

    writes: tuple[Process, ...]
    items: tuple[ProcessHold, ...]


@dataclass(frozen=True)
class _Aim:
    """The value of each part that is aimed at, and those that it may be written over."""

    target: Json
    over: tuple[Json, ...]

    def known(self, part: str) -> list[Any]:
        """The values that may be there without anybody having come between."""
        return [self.target[part], *values_of(part, *self.over)]


def to_hold(items: Sequence[ProcessHold], processes: Iterable[Process]) -> HoldMove:
    """What to write so that all is held."""
    return _move(items, processes, _holding, "while it was to be held")


def to_restore(items: Sequence[ProcessHold], processes: Iterable[Process], keep: bool) -> HoldMove:
    """What to write so that all is as it was; with ``keep`` what is kept is held by its new value instead."""
    move = _move(items, processes, lambda item: _holding(item) if keep and item.kept else _restoring(item), "meanwhile")
    return replace(move, items=_with_changed_beside(move.items, processes))


def _with_changed_beside(items: Sequence[ProcessHold], processes: Iterable[Process]) -> tuple[ProcessHold, ...]:
    """The items, saying what Azure, or somebody, switched on with them, where the journal has no item of its own."""
    kinds = {item.kind for item in items}
    present = {process.key: process.beside for process in processes if not process.unreadable}

    def told(item: ProcessHold) -> ProcessHold:
        if item.conflict or HoldKind.REPAIRS in kinds:
            return item
        was = {name: bool(value.get("enabled")) for name, value in item.beside.items()}
        now = {name: bool(value.get("enabled")) for name, value in present.get(item.key, {}).items()}
        changed = [name for name in was if name in now and was[name] != now[name]]
        words = [
            f"{label_of(HoldKind.REPAIRS)} was changed to {words_of(now[name])} meanwhile and is left so; it was "
            f"{words_of(was[name])}"
            for name in changed
        ]
        return replace(item, conflict="; ".join(words))

    return tuple(map(told, items))


def _holding(item: ProcessHold) -> _Aim:
    return _Aim(item.new, (item.old, item.before))


def _restoring(item: ProcessHold) -> _Aim:
    return _Aim(item.old, (item.new, item.before))


def _move(
    items: Sequence[ProcessHold], processes: Iterable[Process], aim_of: Callable[[ProcessHold], _Aim], when: str
) -> HoldMove:
    found = tuple(processes)
    present = {process.key: process for process in found if not process.unreadable}
    hidden = {process.kind: process.unreadable for process in found if process.unreadable}
    writes, looked = list[Process](), list[ProcessHold]()
    for item in items:
        process = present.get(item.key)
        if item.restored:
            looked.append(item)
        elif process is None and item.kind in hidden:
            looked.append(replace(item, conflict="; ".join(_unwritten(item, hidden[item.kind]))))
        else:
            now = process.value if process is not None else {}
            aim = aim_of(item)
            looked.append(replace(item, conflict="; ".join(_theirs(item, aim, now, when))))
            change = _change(aim, now)
            if process is not None and change:
                writes.append(replace(process, value={**now, **change}))
    return HoldMove(tuple(writes), tuple(looked))


def _change(aim: _Aim, now: Json) -> Json:
    return {
        part: target
        for part, target in aim.target.items()
        if part in now and now[part] != target and now[part] in aim.known(part)
    }


def _theirs(item: ProcessHold, aim: _Aim, now: Json, when: str) -> Iterator[str]:
    """What somebody else has changed of the parts that Teal has to do with."""
    for part in aim.target:
        # Most parts of a setting that is held whole may need no change: what becomes of those is nobody's concern.
        touched = any(value != item.old[part] for value in aim.known(part))
        if touched and (part not in now or now[part] not in aim.known(part)):
            words = f"was changed to {words_of(now[part])} {when}" if part in now else "is gone"
            yield f"{name_of(item, part)} {words} and is left so; it was {words_of(item.old[part])}"


def next_writes(writes: Iterable[Process], settled: bool) -> tuple[tuple[Process, ...], ...]:
    """What to write at this look, by request. Of the set itself one at most, and none while it has not settled.

    All that is patched goes in one PATCH: Azure counts how many models of a set are in use.
    """
    pending = tuple(writes)
    elsewhere = [(one,) for one in pending if not is_of_the_set(one)]
    patched = tuple(one for one in pending if is_of_the_set(one) and not is_service(one))
    told = tuple(one for one in pending if is_service(one))
    own = patched or told[:1]
    return (*elsewhere, own) if own and settled else tuple(elsewhere)


def is_of_the_set(process: Process) -> bool:
    """Whether it is changed by a write to the scale set itself."""
    return process.kind is not HoldKind.AUTOSCALE


def is_service(process: Process) -> bool:
    """Whether it is a service of the set that is told to suspend or resume."""
    return is_of_the_set(process) and SERVICE_STATE in process.value


def closed(items: Iterable[ProcessHold], keep: bool) -> tuple[ProcessHold, ...]:
    """The items once there is nothing left to write: what is kept is still to come back."""
    return tuple(item if keep and item.kept else replace(item, restored=True) for item in items)


def refused(items: Iterable[ProcessHold], processes: Iterable[Process], why: str) -> tuple[ProcessHold, ...]:
    """The items where Azure refused these writes: somebody has to do it by hand, and is told what was there."""
    keys = {process.key for process in processes}
    return tuple(
        replace(item, restored=True, conflict="; ".join(_unwritten(item, why))) if item.key in keys else item
        for item in items
    )


def _unwritten(item: ProcessHold, why: str) -> Iterator[str]:
    if not item.old:
        yield f"{label_of(item.kind)}: {why}"
    for part, value in item.old.items():
        yield f"{name_of(item, part)} could not be put back to {words_of(value)}: {why}"
