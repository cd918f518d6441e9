"""Where a run plays, and what has been done to it so far."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from local.azure.arm.resources import VmInstance
from local.durable.errors import HostKilled
from local.durable.faults import Delivery
from local.soak.worlds import Setting, pool_id
from local.virtual import Reply, VirtualPlatform
from local.virtual.checkers.watched import WatchedSet
from rollout.model.rows.deployment import Deployment

GROUP = "web"


@dataclass
class SoakScene:
    """The platform and its one scale set.

    ``injected`` counts what broke or interfered, by kind; ``azure_rules`` are the kinds of Azure's fault rules, in
    their order; ``undo`` ends what would last for ever; ``unexpected`` are answers that no request may get; ``traits``
    say what was asked for, where that takes a promise back.
    """

    platform: VirtualPlatform
    setting: Setting
    tell: Callable[[str], None]
    injected: Counter[str] = field(default_factory=Counter)
    azure_rules: list[str] = field(default_factory=list)
    undo: list[Callable[[], None]] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    traits: set[str] = field(default_factory=set)
    killed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.scale_set_id = str(self.platform.world.groups[0]["scaleSetId"])
        self.image_id = str(self.platform.world.groups[0]["imageId"])
        self.pool_id = pool_id(self.setting, self.platform.world)
        self.watched = WatchedSet.begin(self.platform, self.scale_set_id, GROUP)

    def vms(self) -> list[VmInstance]:
        """The set's VMs that are not on their way out; none where the set is gone."""
        return self.platform.cloud.scale_set(self.scale_set_id).active() if self.is_there() else []

    def is_there(self) -> bool:
        """Whether the set is there, and nobody is deleting it."""
        try:
            return not self.platform.cloud.scale_set(self.scale_set_id).is_deleting
        except KeyError:
            return False

    def undo_for_set(self, act: Callable[[], None]) -> None:
        """Do this at the end of the run, if the set is still there."""
        self.undo.append(lambda: act() if self.is_there() else None)

    def undo_for_vm(self, vm_id: str, act: Callable[[], None]) -> None:
        """Do this at the end of the run, if the VM is still there."""
        self.undo.append(lambda: act() if any(vm.vm_id == vm_id for vm in self.vms()) else None)

    def some_vm(self, dice: Random) -> str | None:
        """Any VM's id."""
        vms = self.vms()
        return dice.choice(vms).vm_id if vms else None

    async def deployments(self) -> tuple[Deployment, ...]:
        """Those of the group, newest first."""
        return await self.platform.store.deployments.newest(GROUP, 20)

    async def sleep(self, duration: timedelta) -> None:
        """Let time pass."""
        await self.platform.clock.sleep(duration)

    def kill_at(self, deliveries: int) -> None:
        """Have the host die in so many pieces of work from now, in the middle of it."""
        faults = self.platform.faults
        due = faults.deliveries + deliveries

        def strike(delivery: Delivery) -> None:
            if delivery.number == due:
                faults.on_delivery = None
                self.injected["hostKilledAtWork"] += 1
                self.platform.host.durable.kill()
                self.killed.set()

        faults.on_delivery = strike

    async def keep_alive(self) -> None:
        """Start another host whenever one was killed at work."""
        while True:
            await self.killed.wait()
            self.killed.clear()
            await self.platform.restart_host()

    async def ask(self, method: str, path: str, body: Mapping[str, object] | None, *statuses: int) -> Reply | None:
        """A request of a person; ``None`` where the host died over it."""
        try:
            reply = await self.platform.request(method, path, body)
        except (HostKilled, ConnectionError):
            self.tell("  the host died over this request")
            return None
        code = (reply.body or {}).get("error", {}).get("code", "") if reply.status >= 400 else ""
        self.tell(f"  {reply.status} {code}".rstrip())
        if reply.status not in statuses:
            self.unexpected.append(f"{method} {path} {body} was answered {reply.status} {reply.body}")
        return reply
