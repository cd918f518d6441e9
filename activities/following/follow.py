"""The published versions that a group wants: what becomes of each now, and the start of the one that is deployed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from rollout.automation.follow import FollowOrder, started_id
from rollout.automation.image_rule import Match, match_rule
from rollout.automation.wanted import VersionDecision, VersionFate, VersionSurvey, decide, in_time, started
from rollout.lifecycle.succession import DeploymentStart
from rollout.model.azure.images import version_key
from rollout.model.azure.scale_set import ImageReference, PublishedVersion, ScaleSet
from rollout.model.codec import Json, decode, encode
from rollout.model.findings import first_error
from rollout.model.group import Group
from rollout.model.order import SETBACK, Progress, again, done
from rollout.model.parameters import fill
from rollout.model.rows.danger import DangerRecord, names
from rollout.model.rows.notification import Consequence, NotificationOutcome
from rollout.model.rows.wanted import Follower, WantedVersion
from rollout.ports.errors import AzureError, Busy, Refused
from rollout.ports.ports import Ports
from rollout.preflight.checks import lasting
from services.claim import LockHolder
from services.images.bad_image import seen_afresh
from services.images.tries import tried, tried_before
from services.queue import FullQueue, under_way
from services.scopes import first_objection
from services.start import NeedlessStart, StartedDeployment, StartRefusal, StartResult, begin, obstacle

#: How often a version that is waited for is looked at.
LOOK_EVERY = timedelta(seconds=60)

#: An order that comes later than this after it was given is not obeyed: its time would name a new deployment.
ORDER_LASTS = timedelta(minutes=5)

_AT_ONCE = timedelta(seconds=1)

_GONE = Match(False, "The group is gone")

#: What a preflight says of a version that is there, and not yet where it is needed: that is waited for.
_COMING = frozenset({"imageNotFound", "imageNotReady", "imageNotInRegion", "imageNotReplicated"})

#: Who starts a deployment here.
STARTED_BY = "imagePublished"

FollowActivity = Callable[[Ports, FollowOrder], Awaitable[Progress]]


async def attempt_to_follow(activity: FollowActivity, ports: Ports, order_json: Json) -> Json:
    """Carry out one order: JSON in and out. Where Azure, or Teal's storage, does not answer, it is looked at again."""
    order = decode(FollowOrder, order_json)
    try:
        progress = await activity(ports, order)
    except AzureError as error:
        wait = error.retry_after if isinstance(error, Busy) else None
        progress = replace(again(max(wait or LOOK_EVERY, LOOK_EVERY), str(error)), code=SETBACK)
    answer: Json = encode(progress)
    return answer


async def decide_wanted(ports: Ports, order: FollowOrder) -> Progress:
    """Look at each version that the group wants, and write down what becomes of it. Done: nothing is left to wait for.

    ``start`` of the progress names the version that is to be deployed now, empty where none is.
    """
    follower = await ports.store.followers.get(order.group_id)
    if follower is None or follower.instance_id != order.follower:
        return done("Another orchestration follows the group's versions")
    rows = await ports.store.wanted.list(order.group_id)
    if not rows:
        return await _release(ports, follower)
    group = await ports.store.groups.get(order.group_id)
    wanted = await _still_wanted(ports, order, group, rows)
    if group is None or not wanted:
        return again(_AT_ONCE, "Every version is settled")
    try:
        lots = await _decided(ports, order, group, wanted)
    except Busy as busy:
        await _write(ports, order, wanted, [_while_busy(row, busy) for row in wanted])
        raise
    await _write(ports, order, wanted, [lot for lot in lots if lot.lot is not VersionFate.START])
    waiting = [f"{lot.version}: {lot.reason}" for lot in lots if lot.lot in (VersionFate.WAITING, VersionFate.START)]
    start, blind = _chosen(lots), any(lot.unwatched for lot in lots)
    progress = again(LOOK_EVERY if waiting else _AT_ONCE, "; ".join(waiting))
    return replace(progress, data={"start": start, **({"unwatched": True} if blind else {})})


async def start_wanted(ports: Ports, order: FollowOrder) -> Progress:
    """Start the deployment of the order's version, unless something speaks against it. Run again: the same one."""
    if ports.clock.now() - order.at > ORDER_LASTS:
        return again(_AT_ONCE, "The order is too old")
    group = await ports.store.groups.get(order.group_id)
    wanted = await _still_wanted(ports, order, group, await ports.store.wanted.list(order.group_id))
    if group is None or not any(row.version == order.version for row in wanted):
        return again(_AT_ONCE, "The version is not wanted any more")
    lots = await _started(ports, order, group, wanted)
    await _write(ports, order, wanted, lots)
    return again(LOOK_EVERY, f"{order.version}: {lots[0].reason}")


async def _still_wanted(
    ports: Ports, order: FollowOrder, group: Group | None, rows: Sequence[WantedVersion]
) -> tuple[WantedVersion, ...]:
    """The versions that the rule wants as it is now, all of its image; what becomes of the others is written down."""
    wanted = []
    for row in rows:
        match = match_rule(group.image_rule, row.image_id, row.version) if group is not None else _GONE
        if match.wanted:
            wanted.append(row)
        else:
            await _write_one(ports, order, row, VersionDecision(row.version, VersionFate.IGNORED, match.reason))
    return tuple(wanted)


async def _started(
    ports: Ports, order: FollowOrder, group: Group, rows: Sequence[WantedVersion]
) -> tuple[VersionDecision, ...]:
    """The lots that are settled by the start; or that of the order's version alone, which was not started."""
    mine = [row for row in rows if row.version == order.version]
    if refused := _outside(ports, group, mine):
        return refused[:1]
    begun = await _begin(ports, order, group)
    if isinstance(begun, StartedDeployment):
        return started(rows, order.version, begun.deployment.id)
    assert not isinstance(begun, NeedlessStart), "a version is deployed whether or not it is needed"
    found = obstacle(begun)
    passes = found.passes or _is_coming(begun)
    lot = VersionDecision(order.version, VersionFate.WAITING if passes else VersionFate.FAILED, found.reason)
    # Other deployments are waited for without a deadline.
    return (lot if isinstance(begun, LockHolder | FullQueue) else in_time(lot, mine, order.at, order.standstills),)


def _is_coming(begun: StartResult) -> bool:
    """Whether the preflight refuses for nothing but what a version that was just published may lack for a while."""
    if not isinstance(begun, StartRefusal):
        return False
    return first_error([one for one in lasting(begun.findings) if one.code not in _COMING]) is None


def _outside(ports: Ports, group: Group, rows: Sequence[WantedVersion]) -> tuple[VersionDecision, ...]:
    """The lots of versions that may not be deployed, because the operator allows the set or the gallery no more."""
    refusal = first_objection(ports.rules.scopes, (group.scale_set_id, rows[0].image_id))
    reason = f"scopeNotAllowed: {refusal}"
    return tuple(VersionDecision(row.version, VersionFate.FAILED, reason) for row in rows) if refusal else ()


async def _release(ports: Ports, follower: Follower) -> Progress:
    """Leave the group without a follower; or go on, where a notification came that relied on this one.

    The trigger writes its row first and looks for a follower then. This takes its name away first, and looks for
    rows then.
    """
    nobody = replace(follower, instance_id="")
    if not await ports.store.followers.swap(follower, nobody):
        return again(_AT_ONCE, "Another writer changed the follower")
    if not await ports.store.wanted.list(follower.group_id):
        return done("Nothing is waited for")
    if await ports.store.followers.swap(nobody, follower):
        return again(_AT_ONCE, "A notification came in between")
    return done("Another orchestration follows the group's versions")


async def _decided(
    ports: Ports, order: FollowOrder, group: Group, rows: Sequence[WantedVersion]
) -> tuple[VersionDecision, ...]:
    if refused := _outside(ports, group, rows):
        return refused
    try:
        seen = await _see(ports, group, rows)
    except Refused as error:
        return tuple(_unseen(row, rows, error, order) for row in rows)
    if seen is None:
        return tuple(
            VersionDecision(row.version, VersionFate.FAILED, "The scale set does not exist any more") for row in rows
        )
    lots = decide(rows, seen, order.at, order.standstills)
    while start := _chosen(lots):
        before = await tried_before(ports, group, _reference(rows[0], start))
        if before is None or before in seen.deployed:
            break
        seen = replace(seen, deployed=(*seen.deployed, before))
        lots = decide(rows, seen, order.at, order.standstills)
    return lots


def _chosen(lots: Sequence[VersionDecision]) -> str:
    """The version that is to be deployed now; empty: none is."""
    return next((lot.version for lot in lots if lot.lot is VersionFate.START), "")


def _unseen(row: WantedVersion, rows: Sequence[WantedVersion], error: Refused, order: FollowOrder) -> VersionDecision:
    """The lot of a version that cannot be read: a role may be missing, which somebody may give yet."""
    waiting = VersionDecision(row.version, VersionFate.WAITING, f"Azure refused: {error.code}: {error.message}")
    return in_time(waiting, [one for one in rows if one.version == row.version], order.at, order.standstills)


def _while_busy(row: WantedVersion, busy: Busy) -> VersionDecision:
    """The lot of a version of which nothing is learnt now, so that its deadline comes no nearer."""
    return VersionDecision(row.version, VersionFate.WAITING, f"Azure is busy: {busy.code}: {busy.message}")


async def _see(ports: Ports, group: Group, rows: Sequence[WantedVersion]) -> VersionSurvey | None:
    """What decides; ``None``: the set is gone. What a version is the gallery tells, whatever a notification says.

    ``rows`` are of one image. While a deployment is under way Azure is not asked.
    """
    references = [_reference(rows[0], name) for name in sorted({row.version for row in rows})]
    tries = await asyncio.gather(*(tried(ports, group.scale_set_id, one) for one in references))
    deployed = tuple(one for one in tries if one is not None)
    if ahead := await under_way(ports, group.scale_set_id, ""):
        return VersionSurvey(deployed, ahead.reason)
    reading = [ports.images.read(one) for one in references]
    scale_set, published = await asyncio.gather(ports.scale_sets.read(group.scale_set_id), asyncio.gather(*reading))
    if scale_set is None:
        return None
    versions: tuple[PublishedVersion, ...] = tuple(version for version in published if version is not None)
    danger = await seen_afresh(ports, scale_set)
    running = await _running(ports, scale_set, danger, rows[0].image_id)
    return VersionSurvey(deployed, "", versions, scale_set.location, running, danger)


def _reference(row: WantedVersion, version: str) -> ImageReference:
    return ImageReference(id=f"{row.image_id.rstrip('/')}/versions/{version}")


async def _running(ports: Ports, scale_set: ScaleSet, danger: DangerRecord | None, image_id: str) -> str | None:
    """The version in the set's model; where that was judged bad the newest other one that a VM runs."""
    if danger is None:
        return _version_of(scale_set.image, image_id)
    listed = await ports.scale_sets.list_vms(scale_set.id)
    run = (_version_of(vm.image, image_id) for vm in listed.vms if not vm.leaving and not names(danger, vm.image))
    return max((version for version in run if version is not None), key=version_key, default=None)


def _version_of(reference: ImageReference | None, image_id: str) -> str | None:
    """The version of the image that a reference names; ``None``: it names another image, or no version."""
    image, _, version = (reference.path if reference is not None else "").lower().partition("/versions/")
    return version if version and image == image_id.rstrip("/").lower() else None


async def _begin(ports: Ports, order: FollowOrder, group: Group) -> StartResult:
    rule = group.image_rule
    assert rule is not None, "a group without a rule wants nothing"
    comment = rule.deployment.comment or f"Version {order.version} was published"
    image = f"{rule.image_id.rstrip('/')}/versions/{order.version}"
    parameters = fill(replace(rule.deployment, image=image, comment=comment), group)
    name = started_id(group.id, order.version, order.at)
    start = DeploymentStart(name, group, parameters, ImageReference(), order.at, STARTED_BY)
    return await begin(ports, start, tried=True)


#: What a lot is to those whose notification told of the version.
_OUTCOMES = {
    VersionFate.STARTED: NotificationOutcome.STARTED,
    VersionFate.WAITING: NotificationOutcome.WAITING,
    VersionFate.SUPERSEDED: NotificationOutcome.SUPERSEDED,
    VersionFate.IGNORED: NotificationOutcome.IGNORED,
    VersionFate.FAILED: NotificationOutcome.FAILED,
}


async def _write(
    ports: Ports, order: FollowOrder, rows: Sequence[WantedVersion], lots: Sequence[VersionDecision]
) -> None:
    """Write what becomes of versions into the notifications that told of them; what is settled is wanted no more.

    In this order: a run that dies in between finds its row, and the same lot, again.
    """
    known = {lot.version: lot for lot in lots}
    for row in rows:
        if row.version in known:
            await _write_one(ports, order, row, known[row.version])


async def _write_one(ports: Ports, order: FollowOrder, row: WantedVersion, lot: VersionDecision) -> None:
    outcome = _OUTCOMES[lot.lot]
    consequence = Consequence(order.group_id, outcome, lot.reason, order.at, lot.deployment_id)
    # A notification may be so old that it was purged; its version is wanted all the same.
    with suppress(KeyError):
        await ports.store.notifications.change(row.notification, lambda record: record.with_consequence(consequence))
    if outcome.final:
        await ports.store.wanted.delete(row)
