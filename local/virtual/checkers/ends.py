"""Promises about ends: what a deployment leaves behind."""

from __future__ import annotations

from local.virtual.checkers.watched import WatchedSet, image_version, self_changing
from rollout.model.events import EventType
from rollout.model.status import Status


async def everything_ended(watched: WatchedSet) -> list[str]:
    """Every deployment and every orchestration has ended, and none of the latter has failed."""
    rows = [await watched.platform.row(deployment) for deployment in await watched.deployments()]
    live = [f"deployment {row.id} is {row.status}" for row in rows if not row.status.ended]
    instances = watched.platform.host.durable.instances()
    running = [f"{one.id} is {one.status}" for one in instances if not one.status.is_ended]
    failed = [f"{one.id} failed: {one.output}" for one in instances if one.status == "Failed"]
    return live + running + failed


async def group_free(watched: WatchedSet) -> list[str]:
    """Nobody holds the set's lock."""
    lock = await watched.platform.store.locks.get(watched.scale_set_id)
    return [f"the lock is held by {lock.owner}"] if lock is not None and lock.owner else []


async def good_image(watched: WatchedSet) -> list[str]:
    """The set's model names an image that was good before, or that a deployment has finished with."""
    rows = [await watched.platform.row(deployment) for deployment in await watched.deployments()]
    good = watched.good_images | {row.image.pinned.label for row in rows if row.status == "finished"}
    version = image_version(watched.platform, watched.scale_set_id)
    return [] if version in good else [f"the model names {version}; good are {sorted(good)}"]


async def settled_is_in_order(watched: WatchedSet) -> list[str]:
    """A set that its last deployment calls settled has a good model, nothing held, its VMs in pools, and no surplus."""
    last = await watched.last_begun()
    if last is None or not last.settled or not last.status.ended or not watched.is_there:
        return []
    hold = await watched.platform.store.holds.get(watched.scale_set_id)
    active = watched.vms()
    found = await good_image(watched) if watched.left_alone else []
    if hold is not None:
        found.append(f"{hold.deployment_id} still holds something")
    if watched.left_alone and len(active) > last.target_size:
        found.append(f"there are {len(active)} VMs, the target size is {last.target_size}")
    out = [vm.name for vm in active if watched.platform.cloud.is_out_of_pools(watched.scale_set_id, vm)]
    told = last.reason.partition("out of traffic since an earlier deployment: ")[2].split(", ")
    out = [name for name in out if name not in told]
    found += [f"{name} is in no pool" for name in out if watched.left_alone]
    return [f"{last.id} is {last.status} and settled, but {words}" for words in found]


async def as_many_vms_as_before(watched: WatchedSet) -> list[str]:
    """A deployment that finished, or was rolled back, leaves as many VMs as there were before, unless others act."""
    last = await watched.last_begun()
    good = last is not None and last.status in (Status.FINISHED, Status.ROLLED_BACK)
    now = len(watched.vms())
    if last is None or not good or not watched.left_alone or now == watched.size:
        return []
    return [f"{last.id} is {last.status}, and leaves {now} VMs where there are to be {watched.size}"]


async def settled_was_put_in_order(watched: WatchedSet) -> list[str]:
    """A deployment that applied an image and did not finish is settled only where the image was put back."""
    found = []
    for row in await watched.rows():
        previous = row.image.previous
        if not row.settled or not row.status.ended or row.status is Status.FINISHED or previous is None:
            continue
        types = {event.type for event in await watched.platform.events(row.id)}
        changed = EventType.IMAGE_APPLIED in types and not previous.matches(row.image.pinned)
        if changed and EventType.IMAGE_RESTORED not in types:
            found.append(f"{row.id} is {row.status} and settled, but has not put the image back")
    return found


async def journal_restored(watched: WatchedSet) -> list[str]:
    """What was held is as it was, but for what somebody else changed, and autoscale where it is kept for a while.

    Of a deployment that could not put the image back all stays held: to let go of it would do harm.
    """
    hold = await watched.platform.store.holds.get(watched.scale_set_id)
    events = [event for one in await watched.deployments() for event in await watched.platform.events(one)]
    if hold is not None and hold.keep_until is None:
        unsafe = any(event.type == EventType.IMAGE_NOT_RESTORED for event in events)
        return [] if unsafe else [f"{hold.deployment_id} left a journal without a time at which it is restored"]
    told = "; ".join(str(event.data.get("conflicts", "")) for event in events)
    try:
        now = self_changing(watched.platform, watched.scale_set_id)
    except KeyError:
        return []  # The set is gone, and nothing of it is to be restored.
    return [
        f"{name} was {before} and is {now.get(name)}"
        for name, before in watched.settings.items()
        if now.get(name) != before and name not in told and not (hold is not None and name.startswith("autoscale"))
    ]
