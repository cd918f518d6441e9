"""Surroundings of a set, possibly in a deployment's way, as seen at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from rollout.model.azure.balancers import StubbornPool
from rollout.model.rows.holds import Process


@dataclass(frozen=True)
class VmSize:
    """A VM size: the quota that it is charged to (``standardDSv5Family``), and how many cores it takes of it.

    ``generations``: the Hyper-V generations that it can be (``V1``, ``V2``); ``architecture``: ``x64`` or ``Arm64``;
    ``disk_controllers``: what its disks can be attached by (``SCSI``, ``NVMe``). Empty where Azure does not tell.
    """

    name: str
    family: str
    cores: int
    generations: tuple[str, ...] = ()
    architecture: str = ""
    disk_controllers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Usage:
    """One of a subscription's limits in a region: ``cores``, ``virtualMachines``, a family of sizes…"""

    name: str
    label: str
    used: int
    limit: int

    @property
    def left(self) -> int:
        """How many more there may be."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True)
class ManagementLock:
    """A lock of Resource Manager on ``scope``, which holds for all below it. ``level``: CanNotDelete or ReadOnly."""

    name: str
    scope: str
    level: str


@dataclass(frozen=True)
class ReadFailure:
    """What could not be read and why not; ``right``: what reading it takes, where a refusal was the reason."""

    what: str
    why: str
    right: str = ""


@dataclass(frozen=True)
class Surroundings:
    """All of it. ``rolling_upgrade``: how Azure's own latest one stands, ``None`` where there was none. ``processes``:
    what changes the set by itself. ``stubborn``: the load balancers' pools in which no VM can be set Down.
    """

    size: VmSize | None = None
    usages: tuple[Usage, ...] = ()
    locks: tuple[ManagementLock, ...] = ()
    rolling_upgrade: str | None = None
    processes: tuple[Process, ...] = ()
    unread: tuple[ReadFailure, ...] = ()
    stubborn: tuple[StubbornPool, ...] = ()

    def misses(self, what: str) -> bool:
        """Whether that could not be read, which is told by itself."""
        return any(one.what == what for one in self.unread)

    def usage(self, name: str) -> Usage | None:
        """The limit of that name; Azure writes families in several cases."""
        return next((usage for usage in self.usages if usage.name.lower() == name.lower()), None)
