"""What must hold after every story, whatever went wrong in it: one function a promise, each answers in words.

They look at what the simulated Azure did (its audit and its log of VMs), at Teal's rows, and at the Durable host, and
know nothing of how Teal works. No answer: the promise was kept.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from local.azure.errors import OPERATION_PREEMPTED
from local.azure.fabric import image_name
from local.azure.resources import AuditEntry
from local.azure.serving import ServingChecker, cut_off
from local.virtual import VirtualPlatform
from rollout.codec import camel_case, decode, encode
from rollout.commands import CommandKind
from rollout.deployment import Intent, IntentKind, Parameters
from rollout.events import EventType
from rollout.scale_set import ImageReference
from rollout.signals import certain_wait
from rollout.status import Color, Phase, VmStatus

#: A history is replayed whole at every turn, so it stays short whatever the number of VMs, batches and polls.
HISTORY_EVENTS_MAX = 200


@dataclass
class Watched:
    """One scale set, seen since a story began.

    ``good_images`` were judged good before, by their version's name; ``settings`` are what ``self_changing`` said then.
    """

    platform: VirtualPlatform
    scale_set_id: str
    group_id: str
    serving: ServingChecker
    good_images: frozenset[str]
    settings: dict[str, Any]

    @classmethod
    def begin(cls, platform: VirtualPlatform, scale_set_id: str, group_id: str) -> Watched:
        """Watch the set from now on; its model's image is taken to be good."""
        good = frozenset({image_version(platform, scale_set_id)})
        settings = copy.deepcopy(self_changing(platform, scale_set_id))
        return cls(platform, scale_set_id, group_id, platform.serving(scale_set_id), good, settings)

    @property
    def writes(self) -> list[AuditEntry]:
        """The clients' writes to the set and its VMs that Azure carried out."""
        begin = self.scale_set_id.lower()
        return [entry for entry in self.platform.cloud.audit if entry.path.lower().startswith(begin) and _done(entry)]

    async def deployments(self) -> list[str]:
        """The ids of the set's deployments, newest first."""
        rows = await self.platform.store.deployments.newest(self.group_id, 100)
        return [row.id for row in rows]

    async def intents(self) -> list[Intent]:
        """Everything that was ever meant to be done to the set."""
        return [
            intent
            for deployment in await self.deployments()
            for intent in await self.platform.store.intents.list(deployment)
        ]


Checker = Callable[[Watched], Awaitable[list[str]]]


def image_version(platform: VirtualPlatform, scale_set_id: str) -> str:
    """The name of the image version in the set's model, of a marketplace image with what it is a version of."""
    storage = platform.cloud.scale_set(scale_set_id).profile["storageProfile"]
    return decode(ImageReference, storage["imageReference"]).label


async def never_fewer_serving(watched: Watched) -> list[str]:
    """At every moment as many VMs serve as served at the start."""
    return watched.serving.violations()


async def no_vm_cut_off(watched: Watched) -> list[str]:
    """No VM is deleted while a pool sends it connections, or before the shortest draining that was asked for."""
    rows = [await watched.platform.row(deployment) for deployment in await watched.deployments()]
    draining = min((_draining(row.parameters) for row in rows), default=timedelta(0))
    return cut_off(watched.platform.cloud, watched.scale_set_id, draining)


def _draining(parameters: Parameters) -> timedelta:
    """How long a detached VM is certainly left alone."""
    return certain_wait(parameters.draining_timeout, parameters.signals)


async def only_meant_vms_created(watched: Watched) -> list[str]:
    """Every rise of the capacity is one that a launch intent meant: from its nominal capacity to its target."""
    meant = {(i.nominal, i.target) for i in await watched.intents() if i.kind is IntentKind.LAUNCH}
    raises = [entry for entry in watched.writes if entry.created]
    return [
        f"{entry.time}: the capacity went from {entry.capacity_before} to {entry.capacity_after}, meant: {meant}"
        for entry in raises
        if (entry.capacity_before, entry.capacity_after) not in meant
        or len(entry.created) != (entry.capacity_after or 0) - (entry.capacity_before or 0)
    ]


async def only_meant_vms_deleted(watched: Watched) -> list[str]:
    """Every VM that a write deleted is named by a delete intent."""
    meant = {vm for i in await watched.intents() if i.kind is IntentKind.DELETE for vm in i.vm_ids}
    return [
        f"{entry.time}: {entry.method} deleted {vm}, which no intent names"
        for entry in watched.writes
        for vm in entry.deleted
        if vm.lower() not in {one.lower() for one in meant}
    ]


async def no_vm_deleted_twice(watched: Watched) -> list[str]:
    """No VM is asked to go again while it goes: each deletion is one call's."""
    deleted = [vm for entry in watched.writes for vm in entry.deleted]
    return [f"{vm} was deleted {deleted.count(vm)} times" for vm in sorted(set(deleted)) if deleted.count(vm) > 1]


async def only_meant_images_applied(watched: Watched) -> list[str]:
    """Every image that a write put into the model is one that an intent names."""
    meant = {i.image.full_name.lower() for i in await watched.intents() if i.image is not None}
    return [
        f"{entry.time}: the model got image {image}, which no intent names"
        for entry in watched.writes
        if (image := _image_of(entry)) is not None and image.lower() not in meant
    ]


async def capacity_never_lowered(watched: Watched) -> list[str]:
    """No PATCH lowers the capacity: Azure would choose the VMs that go."""
    return [
        f"{entry.time}: a PATCH lowered the capacity from {entry.capacity_before} to {entry.capacity_after}"
        for entry in watched.writes
        if entry.method == "PATCH" and (entry.capacity_after or 0) < (entry.capacity_before or 0)
    ]


async def writes_never_overlap(watched: Watched) -> list[str]:
    """One operation on the set at a time, whether Azure refuses a second one or lets it cancel the first."""
    operations = watched.platform.cloud.snapshot()["state"]["operations"].values()
    ours = [one for one in operations if one["holds"] == watched.scale_set_id.lower()]
    ours.sort(key=lambda one: one["started_at"])
    preempted = [one for one in ours if (one["error"] or {}).get("code") == OPERATION_PREEMPTED["code"]]
    return [f"the operation of {one['started_at']} was canceled by the next one" for one in preempted] + [
        f"an operation began at {later['started_at']} while another went on until {earlier['ends_at']}"
        for earlier, later in pairwise(ours)
        if later["started_at"] < earlier["ends_at"]
    ]


async def host_without_errors(watched: Watched) -> list[str]:
    """No orchestration was non-deterministic, no name unknown, no function of the host itself failed."""
    return [str(error) for error in watched.platform.errors]


async def histories_short(watched: Watched) -> list[str]:
    """No instance ever replayed more than ``HISTORY_EVENTS_MAX`` events."""
    longest: dict[str, int] = {}
    for execution in watched.platform.executions:
        longest[execution.instance_id] = max(longest.get(execution.instance_id, 0), execution.events)
    return [f"{name} replayed {events} events" for name, events in longest.items() if events > HISTORY_EVENTS_MAX]


async def everything_ended(watched: Watched) -> list[str]:
    """Every deployment and every orchestration has ended, and none of the latter has failed."""
    rows = [await watched.platform.row(deployment) for deployment in await watched.deployments()]
    live = [f"deployment {row.id} is {row.status}" for row in rows if not row.status.ended]
    instances = watched.platform.host.durable.instances()
    running = [f"{one.id} is {one.status}" for one in instances if not one.status.is_ended]
    failed = [f"{one.id} failed: {one.output}" for one in instances if one.status == "Failed"]
    return live + running + failed


async def group_free(watched: Watched) -> list[str]:
    """Nobody holds the set's lock."""
    lock = await watched.platform.store.locks.get(watched.scale_set_id)
    return [f"the lock is held by {lock.owner}"] if lock is not None and lock.owner else []


async def events_numbered(watched: Watched) -> list[str]:
    """Each deployment's events are numbered from 1 without gaps, in the order of their times, and its row has them."""
    found = []
    for deployment in await watched.deployments():
        events, row = await watched.platform.events(deployment), await watched.platform.row(deployment)
        numbers = [event.sequence for event in events]
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(f"{deployment}: events are numbered {numbers}")
        if row.sequence != len(numbers):
            found.append(f"{deployment}: the row holds event {row.sequence} of {len(numbers)}")
        times = [event.at for event in events]
        if times != sorted(times):
            found.append(f"{deployment}: the times of the events are out of order")
    return found


async def good_image(watched: Watched) -> list[str]:
    """The set's model names an image that was good before, or that a deployment has finished with."""
    rows = [await watched.platform.row(deployment) for deployment in await watched.deployments()]
    good = watched.good_images | {row.image.pinned.label for row in rows if row.status == "finished"}
    version = image_version(watched.platform, watched.scale_set_id)
    return [] if version in good else [f"the model names {version}; good are {sorted(good)}"]


async def rows_as_the_set(watched: Watched) -> list[str]:
    """The VM rows of the last deployment that began say of each VM that it is there, or deleted, as it is in truth.

    A VM that somebody attached in the middle has none.
    """
    rows = [await watched.platform.row(deployment) for deployment in await watched.deployments()]
    begun = [row for row in rows if row.started_at is not None]
    if not begun:
        return []
    last = max(begun, key=lambda row: row.started_at or row.created_at)
    records = await watched.platform.store.vms.list(last.id)
    active = watched.platform.cloud.scale_set(watched.scale_set_id).active()
    there = {vm.vm_id for vm in active}
    found = [
        f"{record.name} of batch {record.batch} is {record.status} ({record.reason}); there: {record.vm_id in there}"
        for record in records
        if (record.reason == "Deleted") == (record.vm_id in there) and not record.moved_to
    ]
    expected = {vm.vm_id for vm in active if not vm.is_attached}
    unknown = expected - {record.vm_id for record in records} if records else set()
    return found + [f"no row names {vm}" for vm in sorted(unknown)]


async def rows_agree(watched: Watched) -> list[str]:
    """A finished deployment's rows show nothing unfinished, and count what the batches' rows hold."""
    found = []
    for deployment in await watched.deployments():
        row = await watched.platform.row(deployment)
        if row.status != "finished":
            continue
        batches = await watched.platform.store.batches.list(deployment)
        records = await watched.platform.store.vms.list(deployment)
        found += [f"{deployment}: batch {b.number} is {b.phase}" for b in batches if b.phase is not Phase.TERMINATED]
        found += [f"{deployment}: {r.name} is {r.status}" for r in records if r.status is VmStatus.PENDING]
        standing = [record for record in records if record.reason != "Deleted"]
        # Blue VMs of no batch were skipped.
        blue = sum(1 for record in standing if record.color is Color.BLUE and record.batch)
        green = sum(1 for record in standing if record.color is Color.GREEN and record.batch)
        if (row.blue_vms, row.green_vms) != (blue, green):
            found.append(f"{deployment}: the row counts {row.blue_vms} + {row.green_vms}, the VMs {blue} + {green}")
    return found


async def journal_restored(watched: Watched) -> list[str]:
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


def self_changing(platform: VirtualPlatform, scale_set_id: str) -> dict[str, Any]:
    """What is set of all that changes a scale set by itself, by the names that conflicts are told with."""
    scale_set = platform.cloud.scale_set(scale_set_id)
    properties = scale_set.properties
    rebalancing = (properties.get("resiliencyPolicy") or {}).get("automaticZoneRebalancingPolicy") or {}
    repairs = (properties.get("automaticRepairsPolicy") or {}).get("enabled", False)
    return {
        "automatic repairs": bool(repairs) and not scale_set.repairs_suspended,
        "automatic zone rebalancing": bool(rebalancing.get("enabled")),
        "the scale-in policy": (properties.get("scaleInPolicy") or {}).get("rules", ["Default"]),
        "the upgrade mode": (properties.get("upgradePolicy") or {}).get("mode", "Manual"),
        "overprovisioning": bool(properties.get("overprovision")),
        **{
            f"autoscale {setting['name']}, profile {profile['name']}": profile["capacity"]
            for setting in platform.cloud.autoscale_settings(scale_set_id)
            for profile in setting["properties"]["profiles"]
        },
    }


async def commands_heeded(watched: Watched) -> list[str]:
    """Each command of a deployment that has ended says how it ended; one that is done has its event in the history."""
    found = []
    for deployment in await watched.deployments():
        if not (await watched.platform.row(deployment)).status.ended:
            continue
        acted = {(event.type, event.data.get("heard")) for event in await watched.platform.events(deployment)}
        for command in await watched.platform.store.commands.list(deployment):
            done = command.heeded is not None and not command.overtaken
            if command.heeded is None or done is not ((_HEEDED_BY[command.kind], command.number) in acted):
                found.append(f"{deployment}: {command.kind}, number {command.number}, is {command.heeded}; {acted}")
    return found


#: The event by which a deployment acts on a command.
_HEEDED_BY = {
    CommandKind.PAUSE: EventType.PAUSED,
    CommandKind.RESUME: EventType.RESUMED,
    CommandKind.APPROVE: EventType.APPROVED,
    CommandKind.STOP: EventType.STOPPING,
    CommandKind.ROLL_BACK: EventType.ROLLING_BACK,
}


#: Every promise. A story names those that it breaks on purpose.
CHECKERS: tuple[Checker, ...] = (
    never_fewer_serving,
    no_vm_cut_off,
    only_meant_vms_created,
    only_meant_vms_deleted,
    no_vm_deleted_twice,
    only_meant_images_applied,
    capacity_never_lowered,
    writes_never_overlap,
    host_without_errors,
    histories_short,
    everything_ended,
    group_free,
    events_numbered,
    good_image,
    rows_as_the_set,
    rows_agree,
    journal_restored,
    commands_heeded,
)


async def violations(watched: Watched, exempt: frozenset[str] = frozenset()) -> list[str]:
    """What every checker finds but those named in ``exempt``."""
    unknown = exempt - {checker_name(checker) for checker in CHECKERS}
    if unknown:
        raise ValueError(f"there is no checker {', '.join(sorted(unknown))}")
    found = []
    for checker in CHECKERS:
        if (name := checker_name(checker)) not in exempt:
            found += [f"{name}: {words}" for words in await checker(watched)]
    return found


def checker_name(checker: Checker) -> str:
    """The promise's name."""
    return str(getattr(checker, "__name__"))  # noqa: B009  a Callable has no name to the type checker


async def end_state(platform: VirtualPlatform, deployment_id: str) -> dict[str, Any]:
    """What a deployment leaves behind, but for ids, times and what had to be tried again: always the same."""
    row = await platform.row(deployment_id)
    scale_set = platform.cloud.scale_set(row.scale_set_id)
    lock = await platform.store.locks.get(row.scale_set_id)
    store = platform.store
    return {
        "deployment": _timeless(encode(row)),
        "batches": [_timeless(encode(batch)) for batch in await store.batches.list(deployment_id)],
        "vms": sorted(map(str, (_timeless(encode(vm)) for vm in await store.vms.list(deployment_id)))),
        "events": [
            _timeless(encode(event))
            for event in await store.events.list(deployment_id)
            if event.type != EventType.STEP_RETRIED
        ],
        "set": sorted((vm.name, image_name(vm.image), vm.serving) for vm in scale_set.active()),
        "model": image_version(platform, row.scale_set_id),
        "capacity": scale_set.capacity,
        "lock": None if lock is None else lock.owner,
    }


_TIMES = frozenset(
    map(camel_case, ("id", "at", "created_at", "started_at", "launched_at", "healthy_at", "detached_at"))
)
_TIMELESS = _TIMES | {"endedAt", "updatedAt", "vmId", "sequence"}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in _TIMELESS}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def _done(entry: AuditEntry) -> bool:
    return entry.status < 300


def _image_of(entry: AuditEntry) -> str | None:
    for reference in _references(entry.body):
        return decode(ImageReference, reference).full_name
    return None


def _references(body: Any) -> Iterator[dict[str, Any]]:
    if isinstance(body, dict):
        for key, value in body.items():
            if key == "imageReference" and isinstance(value, dict):
                yield value
            else:
                yield from _references(value)
