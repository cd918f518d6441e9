"""Which of the published versions that a group wants is deployed next, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rollout.bad_image import names
from rollout.codec import encode_time
from rollout.dangers import Danger
from rollout.images import version_key
from rollout.scale_set import ImageVersion, region_name
from rollout.tries import Deployed, is_newer

#: What a version that is being written is called by its gallery; every other state but Succeeded is an end.
_UNDER_WAY = frozenset({"creating", "updating", "migrating"})


@dataclass(frozen=True)
class Wanted:
    """One row of the wanted table: a version that a group's rule wants, of which one ``notification`` has told.

    ``notification`` is the key of its row, ``since`` when it was received, and ``deadline`` until when the version is
    waited for.
    """

    group_id: str
    image_id: str
    version: str
    notification: str
    since: datetime
    deadline: datetime
    schema_version: int = 1


@dataclass(frozen=True)
class Follower:
    """One row of the followers table: the orchestration that follows a group's wanted versions; empty: none does."""

    group_id: str
    instance_id: str
    since: datetime
    schema_version: int = 1


@dataclass(frozen=True)
class Seen:
    """What decides, as it is at one look.

    ``deployed``: what was tried of the wanted versions, for good. ``under_way``: which deployment has its scale
    set, or comes first, in words; empty: none has. While there is one nothing else is looked at, because it lives on
    what Azure answers in a minute; else ``published`` are the gallery's versions, ``region`` is the group's, and
    ``running`` the version that it runs (``None``: it runs another image). ``danger``: the set's model names a version
    that was judged bad, and that it does not run.
    """

    deployed: tuple[Deployed, ...] = ()
    under_way: str = ""
    published: tuple[ImageVersion, ...] = ()
    region: str = ""
    running: str | None = None
    danger: Danger | None = None


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


def decide(wanted: Iterable[Wanted], seen: Seen, now: datetime) -> tuple[Decided, ...]:
    """The lot of each wanted version, newest first; one at most starts.

    The newest version that can be deployed is, once nothing is under way. Older ones wait behind it, whatever they
    would wait for else, since it may come to nothing; newer ones go on waiting for what they wait for.
    """
    rows = sorted(wanted, key=lambda row: version_key(row.version), reverse=True)
    by_name = {version.name: version for version in seen.published}
    chosen = ""
    lots: list[Decided] = []
    for name in dict.fromkeys(row.version for row in rows):
        known = [row for row in rows if row.version == name]
        lot = _under_deployment(name, min(row.since for row in known), seen) or _after_deployment(name, seen)
        lot = lot or in_time(_look(name, by_name.get(name), seen), max(row.deadline for row in known), now)
        if chosen and lot.lot in (Lot.START, Lot.WAITING):
            lot = Decided(name, Lot.WAITING, f"Version {chosen} is newer, and goes first")
        elif lot.lot is Lot.START:
            chosen = name
        lots.append(lot)
    return tuple(lots)


def in_time(decided: Decided, deadline: datetime, now: datetime) -> Decided:
    """The same; where it waits and its deadline is over, it has failed."""
    if decided.lot is not Lot.WAITING or now < deadline:
        return decided
    return Decided(decided.version, Lot.FAILED, f"{decided.reason} at its deadline, {encode_time(deadline)}")


def started(wanted: Iterable[Wanted], version: str, deployment_id: str) -> tuple[Decided, ...]:
    """The lots that are settled by the start of ``version``: its own, and those of older ones."""
    lots = []
    for name in sorted({row.version for row in wanted}, key=version_key, reverse=True):
        if name == version:
            lots.append(Decided(name, Lot.STARTED, f"Deployment {deployment_id} deploys it", deployment_id))
        elif version_key(name) < version_key(version):
            lots.append(Decided(name, Lot.SUPERSEDED, f"Version {version} is newer, and was deployed instead"))
    return tuple(lots)


def _latest(name: str, seen: Seen) -> Deployed | None:
    return max((one for one in seen.deployed if one.version == name), key=lambda one: one.at, default=None)


def _under_deployment(name: str, since: datetime, seen: Seen) -> Decided | None:
    """The lot of a version whose deployment was begun after its notification came."""
    found = _latest(name, seen)
    if found is None or found.at < since:
        return None
    return Decided(name, Lot.STARTED, f"Deployment {found.deployment_id} deploys it", found.deployment_id)


def _deployed(version: ImageVersion, seen: Seen) -> Decided | None:
    """The lot of a version that the group has been moved to, or that somebody tried to; a version gets one try.

    Any write to a version is notified, a tag's too. What was deployed before must not be deployed again for that:
    somebody may have rolled it back. A version that was deleted, and published again under its name, is a new one.
    """
    found = _latest(version.name, seen)
    if found is None or is_newer(version, found):
        return None
    return Decided(version.name, Lot.IGNORED, f"It was deployed before: {found.deployment_id} is {found.standing}")


def _after_deployment(name: str, seen: Seen) -> Decided | None:
    """The lot of a version while a deployment is under way, which is waited for without a deadline."""
    if not seen.under_way:
        return None
    return Decided(name, Lot.WAITING, seen.under_way)


def _look(name: str, version: ImageVersion | None, seen: Seen) -> Decided:
    """The lot of one version by itself."""
    if version is None:
        return Decided(name, Lot.IGNORED, f"The gallery has no version {name}")
    if deployed := _deployed(version, seen):
        return deployed
    if seen.danger is not None and _is_bad(version, seen.danger):
        reason = f"The set's model names it since {seen.danger.deployment_id} could not finish with it"
        return Decided(name, Lot.IGNORED, f"{reason}; only a person may try it again")
    if seen.running is not None and version_key(name) <= version_key(seen.running):
        return Decided(name, Lot.IGNORED, f"It is not newer than version {seen.running}, which the group runs")
    if version.exclude_from_latest:
        return Decided(name, Lot.IGNORED, "It is excluded from latest")
    state = version.provisioning_state
    if state.casefold() in _UNDER_WAY:
        return Decided(name, Lot.WAITING, f"It is {state}")
    if state.casefold() != "succeeded":
        return Decided(name, Lot.FAILED, f"It is {state}")
    return _look_at_region(name, version, seen.region)


def _is_bad(version: ImageVersion, danger: Danger) -> bool:
    """Whether it is the version that was judged bad, and not another one that was published under its name since."""
    later = version.published_at is not None and version.published_at > danger.since
    return names(danger, version.reference) and not later


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
