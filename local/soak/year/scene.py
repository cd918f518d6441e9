"""The year's platform, and what can be done to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from local.azure.compute.serving import ServingChecker
from local.azure.world.images import Behavior
from local.durable.errors import HostKilled
from local.durable.options import HostOptions
from local.soak.worlds import Setting
from local.soak.year.tables import CountedTables
from local.soak.year.wall import Gap
from local.soak.year.world import BALANCED, FLEXIBLE, SCHEDULES, definition, vms_of
from local.virtual import Reply, VirtualPlatform
from local.virtual.checkers.watched import WatchedSet, image_version


@dataclass
class YearScene:
    """The platform with its tables; ``names`` says what each group is called now, ``gaps`` when the app was not itself.

    ``unexpected`` are answers that no request may get. While the app is away nobody does anything else.
    """

    platform: VirtualPlatform
    tables: CountedTables
    names: dict[str, str] = field(default_factory=lambda: {name: name for name in SCHEDULES})
    gaps: list[Gap] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    watched: dict[str, WatchedSet] = field(default_factory=dict)
    published: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in SCHEDULES})
    numbers: int = 0
    looks: bool = True
    is_up: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.is_up.set()
        subscription = self.platform.world.subscription_id
        self.base = f"/subscriptions/{subscription}/resourceGroups/demo/providers/Microsoft.Compute"

    def named(self, group: str) -> str:
        """What the group is called now."""
        return self.names[group]

    def set_id(self, group: str) -> str:
        """The id of the group's scale set."""
        return f"{self.base}/virtualMachineScaleSets/{group}"

    def setting(self, group: str) -> Setting:
        """The group's set as requests are chosen for it."""
        kinds = {"loadBalancers": "loadBalancer", "applicationGateways": "applicationGateway"}
        mode = "Flexible" if group in FLEXIBLE else "Uniform"
        return Setting(mode, vms_of(group), kinds[BALANCED[group]] if group in BALANCED else "")

    async def sleep(self, duration: timedelta) -> None:
        """Let time pass."""
        await self.platform.clock.sleep(duration)

    async def watch(self) -> None:
        """Hold each set, from now on, to what it is; nothing is under way.

        What an unfinished deployment left over need not serve and is not to stay, for nobody changes a set's size. The
        next deployment may be of a group with another name.
        """
        for group in SCHEDULES:
            watched = WatchedSet.begin(self.platform, self.set_id(group), self.named(group))
            size, older = vms_of(group), frozenset(await watched.deployments())
            serving = ServingChecker(self.platform.cloud, self.set_id(group), min(watched.serving.floor, size))
            self.watched[group] = replace(watched, serving=serving, size=size, older=older)

    async def rename(self, group: str, name: str) -> None:
        """Delete the group and make it anew under another name, as branches come and go."""
        await self.ask("DELETE", f"/api/groups/{self.named(group)}", None, 204)
        await self.ask("PUT", f"/api/groups/{name}", definition(group, self.base), 200, 201)
        self.names[group] = name
        await self.watch()

    def publish(self, group: str, behavior: Behavior, kept: int) -> None:
        """Publish the next version of the group's image, and delete the oldest beyond so many that nobody uses."""
        cloud, image = self.platform.cloud, f"{self.base}/galleries/apps/images/{group}"
        self.numbers += 1
        cloud.interfere.publish(image, f"1.{self.numbers}.0", behavior=behavior)
        versions = self.published[group]
        versions.append(f"1.{self.numbers}.0")
        used = {image_version(self.platform, self.set_id(group))}
        used |= {str(vm.image.get("id")).rpartition("/")[2] for vm in cloud.scale_set(self.set_id(group)).active()}
        for version in [one for one in versions[:-kept] if one not in used]:
            cloud.interfere.delete_version(f"{image}/versions/{version}")
            versions.remove(version)
        for watched in self.watched.values():
            watched.acts = cloud.interfere.acts  # whoever publishes does nothing to a set

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        *statuses: int,
        keyed: Mapping[str, str] | None = None,
    ) -> Reply | None:
        """A request of a person; ``None`` where the app is away."""
        await self.is_up.wait()
        try:
            headers = {**self.platform.access.own_headers, **keyed} if keyed else None
            reply = await self.platform.request(method, path, body, headers)
        except (HostKilled, ConnectionError):
            return None
        if reply.status not in statuses:
            self.unexpected.append(f"{method} {path} {body} was answered {reply.status} {reply.body}")
        return reply

    async def next_start(self, group: str, within: timedelta) -> str:
        """The id of the group's next deployment, once it is there; empty: none began in time."""
        begun = self.platform.clock.now()
        while self.platform.clock.now() < begun + within:
            rows = await self.platform.store.deployments.newest(self.named(group), 1)
            if rows and rows[0].created_at >= begun:
                return rows[0].id
            await self.sleep(timedelta(minutes=5))
        return ""

    async def be_away(self, duration: timedelta) -> None:
        """The app is stopped for so long."""
        await self.is_up.wait()
        self.is_up.clear()
        begin = self.platform.host_clock.now()
        await self.platform.sleep(duration)
        self.gaps.append(Gap(begin, self.platform.host_clock.now()))
        self.is_up.set()

    async def look_around(self, on: bool) -> None:
        """Start the app anew with the timer that looks at sets, or without it: it costs most of the time."""
        if on != self.looks:
            self.looks = on
            self.platform.options = HostOptions(disabled=frozenset() if on else frozenset({"groupStates"}))
            await self.platform.restart_host()

    def step(self, by: timedelta) -> None:
        """The app's clock, not Azure's, is set ahead or back."""
        now = self.platform.host_clock.now()
        self.platform.host_clock.step(by)
        self.gaps.append(Gap(min(now, now + by), max(now, now + by)))
