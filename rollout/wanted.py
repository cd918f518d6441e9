"""Which of the published versions that a group wants is deployed next, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rollout.images import version_key
from rollout.scale_set import ImageVersion, region_name

#: What a version that is being written is called by its gallery; every other state but Succeeded is an end.
_UNDER_WAY = frozenset({"creating", "updating", "migrating"})


@dataclass(frozen=True)
class Wanted:
    """One row of the wanted table: a version that a group's rule wants, of which one ``notification`` has told.

    ``notification`` is the key of its row, ``since`` when it was received, and ``deadline`` until when the version is
    waited for. ``reason``: what is waited for, as the notification's row says it.
    """

    group_id: str
    image_id: str
    version: str
    notification: str
    since: datetime
    deadline: datetime
    reason: str = ""
    schema_version: int = 1


@dataclass(frozen=True)
class Follower:
    """One row of the followers table: the orchestration that follows a group's wanted versions; empty: none does."""

    group_id: str
    instance_id: str
    since: datetime
    schema_version: int = 1


@dataclass(frozen=True)
class Deployed:
    """A deployment that has moved the group to a version, or tried to; ``standing`` says how far it is, in words."""

    deployment_id: str
    version: str
    at: datetime
    standing: str


class Lot(StrEnum):
    """What becomes of a wanted version at one look. ``start``: it is to be deployed now; ``started``: it was."""

    START = "start"
    STARTED = "started"
    WAITING = "waiting"
    SUPERSEDED = "superseded"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True)
class Decided:
    """A version's lot, and why. ``deployment_id``: the deployment that was started."""

    version: str
    lot: Lot
    reason: str
    deployment_id: str | None = None


def decide(
    wanted: Iterable[Wanted],
    published: Iterable[ImageVersion],
    *,
    region: str,
    running: str | None,
    deployment: str | None,
    now: datetime,
) -> tuple[Decided, ...]:
    """The lot of each wanted version, newest first; one at most starts.

    ``published`` are the gallery's versions as they are now, ``running`` the version that the group runs (``None``: it
    runs another image), ``deployment`` the id of the group's deployment under way. The newest version that can be
    deployed is, once nothing is under way; older ones are superseded, newer ones go on waiting for their region.
    """
    by_name = {version.name: version for version in published}
    deadlines = {one.version: one.deadline for one in wanted}
    chosen: str | None = None
    lots = []
    for name in sorted(deadlines, key=version_key, reverse=True):
        if chosen is not None:
            lots.append(Decided(name, Lot.SUPERSEDED, f"Version {chosen} is newer"))
            continue
        lot = _look(name, by_name.get(name), region, running)
        if lot.lot is Lot.WAITING and now >= deadlines[name]:
            lot = Decided(name, Lot.FAILED, f"{lot.reason} at its deadline, {deadlines[name].isoformat()}")
        if lot.lot is Lot.START:
            chosen = name
            if deployment is not None:
                lot = Decided(name, Lot.WAITING, f"Deployment {deployment} of the group is under way")
        lots.append(lot)
    return tuple(lots)


def _look(name: str, version: ImageVersion | None, region: str, running: str | None) -> Decided:
    """The lot of one version by itself."""
    if version is None:
        return Decided(name, Lot.IGNORED, f"The gallery has no version {name}")
    if running is not None and version_key(name) <= version_key(running):
        return Decided(name, Lot.IGNORED, f"It is not newer than version {running}, which the group runs")
    if version.exclude_from_latest:
        return Decided(name, Lot.IGNORED, "It is excluded from latest")
    state = version.provisioning_state
    if state.casefold() in _UNDER_WAY:
        return Decided(name, Lot.WAITING, f"It is {state}")
    if state.casefold() != "succeeded":
        return Decided(name, Lot.FAILED, f"It is {state}")
    return _look_at_region(name, version, region)


def _look_at_region(name: str, version: ImageVersion, region: str) -> Decided:
    """A region may be added to a version later, so one that is not there is waited for."""
    if version.regions is None:
        return Decided(name, Lot.START, "It can be deployed")
    state = version.regions.get(region_name(region))
    if state == "Completed":
        return Decided(name, Lot.START, f"It is replicated to {region}")
    if state == "Failed":
        return Decided(name, Lot.FAILED, f"Its replication to {region} has failed")
    return Decided(name, Lot.WAITING, f"Its replication to {region} is {state or 'not asked for'}")
