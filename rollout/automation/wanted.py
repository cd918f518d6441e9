"""Which of the published versions that a group wants is deployed next, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rollout.automation.tries import TriedVersion, is_newer
from rollout.model.azure.images import version_key
from rollout.model.azure.scale_set import PublishedVersion, region_name
from rollout.model.codec import encode_time
from rollout.model.rows.danger import DangerRecord, names
from rollout.model.rows.wanted import WantedVersion
from rollout.model.timeline import Standstill, watched

#: What a version that is being written is called by its gallery; every other state but Succeeded is an end.
_UNDER_WAY = frozenset({"creating", "updating", "migrating"})


@dataclass(frozen=True)
class VersionSurvey:
    """What decides, as it is at one look.

    ``deployed``: what was tried of the wanted versions, for good. ``under_way``: which deployment has its scale
    set, or comes first, in words; empty: none has. While there is one nothing else is looked at, because it lives on
    what Azure answers in a minute; else ``published`` are the gallery's versions, ``region`` is the group's, and
    ``running`` the version that it runs (``None``: it runs another image). ``danger``: the set's model names a version
    that was judged bad, and that it does not run.
    """

    deployed: tuple[TriedVersion, ...] = ()
    under_way: str = ""
    published: tuple[PublishedVersion, ...] = ()
    region: str = ""
    running: str | None = None
    danger: DangerRecord | None = None


class VersionFate(StrEnum):
    """What becomes of a wanted version at one look. ``start``: it is to be deployed now; ``started``: it was."""

    START = "start"
    STARTED = "started"
    WAITING = "waiting"
    SUPERSEDED = "superseded"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True)
class VersionDecision:
    """A version's lot, and why. ``deployment_id``: the deployment that was started.

    ``unwatched``: nobody looks at the version now, so that its deadline comes no nearer.
    """

    version: str
    lot: VersionFate
    reason: str
    deployment_id: str | None = None
    unwatched: bool = False


def decide(
    wanted: Iterable[WantedVersion], seen: VersionSurvey, now: datetime, standstills: Sequence[Standstill] = ()
) -> tuple[VersionDecision, ...]:
    """The lot of each wanted version, newest first; one at most starts.

    The newest version that can be deployed is, once nothing is under way. Older ones wait behind it, whatever they
    would wait for else, since it may come to nothing; newer ones go on waiting for what they wait for.
    """
    rows = sorted(wanted, key=lambda row: version_key(row.version), reverse=True)
    by_name = {version.name: version for version in seen.published}
    chosen = ""
    lots: list[VersionDecision] = []
    for name in dict.fromkeys(row.version for row in rows):
        known = [row for row in rows if row.version == name]
        lot = _under_deployment(name, min(row.since for row in known), seen) or _after_deployment(name, seen)
        lot = lot or in_time(_look(name, by_name.get(name), seen), known, now, standstills)
        if chosen and lot.lot in (VersionFate.START, VersionFate.WAITING):
            lot = VersionDecision(name, VersionFate.WAITING, f"Version {chosen} is newer, and goes first")
        elif lot.lot is VersionFate.START:
            chosen = name
        lots.append(lot)
    return tuple(lots)


def in_time(
    decided: VersionDecision, rows: Iterable[WantedVersion], now: datetime, standstills: Sequence[Standstill] = ()
) -> VersionDecision:
    """The same; where it waits and its deadline is over, it has failed. ``rows``: those of the version.

    Time in which nobody looked is not the version's: it gets the same time besides.
    """
    last = max(rows, key=lambda row: row.deadline)
    left = last.deadline - last.since - watched(last.since, now, standstills)
    if decided.lot is not VersionFate.WAITING or left > timedelta(0):
        return decided
    said = f"{decided.reason} at its deadline, {encode_time(last.deadline)}"
    away = f", put off to {encode_time(now)} as nobody looked for a while" if standstills else ""
    return VersionDecision(decided.version, VersionFate.FAILED, said + away)


def started(wanted: Iterable[WantedVersion], version: str, deployment_id: str) -> tuple[VersionDecision, ...]:
    """The lots that are settled by the start of ``version``: its own, and those of older ones."""
    lots = []
    for name in sorted({row.version for row in wanted}, key=version_key, reverse=True):
        if name == version:
            lots.append(
                VersionDecision(name, VersionFate.STARTED, f"Deployment {deployment_id} deploys it", deployment_id)
            )
        elif version_key(name) < version_key(version):
            lots.append(
                VersionDecision(name, VersionFate.SUPERSEDED, f"Version {version} is newer, and was deployed instead")
            )
    return tuple(lots)


def _latest(name: str, seen: VersionSurvey) -> TriedVersion | None:
    return max((one for one in seen.deployed if one.version == name), key=lambda one: one.at, default=None)


def _under_deployment(name: str, since: datetime, seen: VersionSurvey) -> VersionDecision | None:
    """The lot of a version whose deployment was begun after its notification came."""
    found = _latest(name, seen)
    if found is None or found.at < since:
        return None
    return VersionDecision(
        name, VersionFate.STARTED, f"Deployment {found.deployment_id} deploys it", found.deployment_id
    )


def _deployed(version: PublishedVersion, seen: VersionSurvey) -> VersionDecision | None:
    """The lot of a version that the group has been moved to, or that somebody tried to; a version gets one try.

    Any write to a version is notified, a tag's too. What was deployed before must not be deployed again for that:
    somebody may have rolled it back. A version that was deleted, and published again under its name, is a new one.
    """
    found = _latest(version.name, seen)
    if found is None or is_newer(version, found):
        return None
    return VersionDecision(
        version.name, VersionFate.IGNORED, f"It was deployed before: {found.deployment_id} is {found.standing}"
    )


def _after_deployment(name: str, seen: VersionSurvey) -> VersionDecision | None:
    """The lot of a version while a deployment is under way, which is waited for without a deadline."""
    if not seen.under_way:
        return None
    return VersionDecision(name, VersionFate.WAITING, seen.under_way, unwatched=True)


def _look(name: str, version: PublishedVersion | None, seen: VersionSurvey) -> VersionDecision:
    """The lot of one version by itself."""
    if version is None:
        # A gallery may be a while behind what it tells of, and may be out of order.
        return VersionDecision(name, VersionFate.WAITING, f"The gallery has no version {name} yet")
    if deployed := _deployed(version, seen):
        return deployed
    if seen.danger is not None and _is_bad(version, seen.danger):
        reason = f"The set's model names it since {seen.danger.deployment_id} could not finish with it"
        return VersionDecision(name, VersionFate.IGNORED, f"{reason}; only a person may try it again")
    if seen.running is not None and version_key(name) <= version_key(seen.running):
        return VersionDecision(
            name, VersionFate.IGNORED, f"It is not newer than version {seen.running}, which the group runs"
        )
    if version.excluded_in(seen.region):
        where = "" if version.exclude_from_latest else f" in {seen.region}"
        return VersionDecision(name, VersionFate.IGNORED, f"It is excluded from latest{where}")
    state = version.provisioning_state
    if state.casefold() in _UNDER_WAY:
        return VersionDecision(name, VersionFate.WAITING, f"It is {state}")
    if state.casefold() != "succeeded":
        return VersionDecision(name, VersionFate.FAILED, f"It is {state}")
    return _look_at_region(name, version, seen.region)


def _is_bad(version: PublishedVersion, danger: DangerRecord) -> bool:
    """Whether it is the version that was judged bad, and not another one that was published under its name since."""
    later = version.published_at is not None and version.published_at > danger.since
    return names(danger, version.reference) and not later


def _look_at_region(name: str, version: PublishedVersion, region: str) -> VersionDecision:
    """A region may be added to a version later, so one that is not there is waited for."""
    if version.regions is None:
        return VersionDecision(name, VersionFate.START, "It can be deployed")
    state = version.regions.get(region_name(region))
    if state == "Completed":
        return VersionDecision(name, VersionFate.START, f"It is replicated to {region}")
    if state == "Failed":
        return VersionDecision(name, VersionFate.FAILED, f"Its replication to {region} has failed")
    return VersionDecision(name, VersionFate.WAITING, f"Its replication to {region} is {state or 'not asked for'}")
