"""How many VMs served when, and which were cut off, read from the log of VMs: checkers of what must never get worse.

A VM serves while it runs, its application is healthy and it is not being deleted, whatever the application health
extension reports. Where its set has backend pools, it has to be in one of them too, without the admin state ``Down``,
and healthy by the word of that pool's probe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from local.azure.arm.resources import VmChange
from local.azure.cloud import Cloud

#: What is said of a VM's pools, not of the VM.
_OF_POOLS = frozenset({"attached", "detached"})


def serving_counts(cloud: Cloud, scale_set_id: str) -> list[tuple[datetime, int]]:
    """The number of serving VMs of a set from each time at which a VM of it changed; one count per time."""
    return [(time, len(serving)) for time, serving, _ in _history(cloud, scale_set_id)]


class ServingChecker:
    """Holds a set to a floor: the VMs that served when the checker was made, or ``floor``."""

    def __init__(self, cloud: Cloud, scale_set_id: str, floor: int | None = None) -> None:
        self._cloud = cloud
        self._scale_set_id = scale_set_id
        self._since = cloud.clock.now()
        counts = serving_counts(cloud, scale_set_id)
        self.floor = floor if floor is not None else (counts[-1][1] if counts else 0)

    def violations(self) -> list[str]:
        """Every time since then at which fewer served, with what changed at that time, in words."""
        return [
            f"{time.isoformat()}: {len(serving)} VMs served, {self.floor} have to: {_words(changes)}"
            for time, serving, changes in _history(self._cloud, self._scale_set_id)
            if time >= self._since and len(serving) < self.floor
        ]


def cut_off(cloud: Cloud, scale_set_id: str, draining: timedelta = timedelta()) -> list[str]:
    """The VMs whose connections were cut by a client that deleted them, each with the reason, in words.

    That is who was deleted while a pool sent it connections, or within ``draining`` after the last pool had stopped.
    VMs that did not serve then had none. In a set without pools nobody is cut off.
    """
    by_clients = {vm_id for entry in cloud.audit for vm_id in entry.deleted}
    connections = _Connections(draining)
    found = []
    for change in _changes(cloud, scale_set_id):
        if change.state == "deleting" and change.vm_id in by_clients and (reason := connections.reason(change)):
            found.append(f"{change.name} was deleted at {change.time.isoformat()}, {reason}")
        connections.follow(change)
    return found


class _Connections:
    """Which VMs get new connections, and until when those have that got some before."""

    def __init__(self, draining: timedelta) -> None:
        self._draining = draining
        self._serving: set[str] = set()
        self._attached: set[str] = set()
        self._draining_until: dict[str, datetime] = {}

    def reason(self, change: VmChange) -> str | None:
        """Why deleting a VM now cuts connections; ``None``: it has none."""
        if change.vm_id in self._serving & self._attached:
            return "while it got new connections"
        end = self._draining_until.get(change.vm_id)
        return f"draining until {end.isoformat()}" if end and change.time < end else None

    def follow(self, change: VmChange) -> None:
        """Take in what has become of a VM."""
        vm_id = change.vm_id
        if change.state == "attached":
            self._attached.add(vm_id)
            self._draining_until.pop(vm_id, None)
        elif change.state == "detached":
            self._attached.discard(vm_id)
            if vm_id in self._serving:
                self._draining_until[vm_id] = change.time + self._draining
        elif change.state == "serving":
            self._serving.add(vm_id)
        else:
            self._serving.discard(vm_id)


def _changes(cloud: Cloud, scale_set_id: str) -> list[VmChange]:
    return [change for change in cloud.changes if change.scale_set.lower() == scale_set_id.lower()]


def _history(cloud: Cloud, scale_set_id: str) -> Iterator[tuple[datetime, frozenset[str], list[VmChange]]]:
    serving: frozenset[str] = frozenset()
    for time, group in groupby(_changes(cloud, scale_set_id), key=lambda change: change.time):
        at_once = list(group)
        for change in at_once:
            if change.state == "serving":
                serving |= {change.vm_id}
            elif change.state not in _OF_POOLS:
                serving -= {change.vm_id}
        yield time, serving, at_once


def _words(changes: Iterable[VmChange]) -> str:
    return ", ".join(f"{change.name} is {change.state}" for change in changes)
