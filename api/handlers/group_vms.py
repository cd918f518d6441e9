"""``GET /groups/{groupId}/vms``: the VMs of a group's scale set now, whether or not a deployment knows them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from api.handlers.lookup import find_group
from api.handlers.rendering import render_vm_now
from api.transport.http import Answer, Request
from api.transport.paging import page_after
from rollout.model.azure.pools import Membership
from rollout.model.azure.scale_set import Vm
from rollout.model.choices import HealthCheckType
from rollout.model.codec import encode_time
from rollout.model.group import Group
from rollout.ports.ports import Ports
from services.pool_members import members_of
from services.readings import GOOD_FOR, Readings


@dataclass(frozen=True)
class SetLook:
    """The VMs as they were ``at`` a time, and the pools that they were in."""

    at: datetime
    vms: tuple[Vm, ...] = ()
    members: Mapping[str, Membership] | None = None


class Looks:
    """The latest look at each set, kept in this process for a minute, and no longer."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self._looks: dict[str, SetLook] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, ports: Ports, group: Group) -> SetLook:
        """The minute's look, or a new one. Raises ``ReadingTooOften`` where a deployment needs what Azure allows."""
        key = group.scale_set_id.lower()
        async with self._turns[key]:
            latest = self._looks.get(key)
            if latest is None or ports.clock.now() - latest.at >= GOOD_FOR:
                latest = self._looks[key] = await _look(self._readings.at_this_pace(ports), group)
            return latest


async def _look(ports: Ports, group: Group) -> SetLook:
    now = ports.clock.now()
    scale_set = await ports.scale_sets.read(group.scale_set_id)
    if scale_set is None:
        return SetLook(now)
    listed = await ports.scale_sets.list_vms(group.scale_set_id)
    if HealthCheckType.APPLICATION_HEALTH in group.health_check_types:
        listed = await ports.scale_sets.with_health(group.scale_set_id, listed, frozenset(listed.by_id()))
    return SetLook(now, listed.vms, await members_of(ports, scale_set, listed.vms))


async def list_group_vms(ports: Ports, request: Request, *, looks: Looks) -> Answer:
    """Each VM of the group's scale set now: its image, zone, status, health, and the pools that it is in."""
    group = await find_group(ports, request)
    look = await looks.get(ports, group)
    vms = sorted(look.vms, key=lambda vm: vm.vm_id)
    page = page_after(request, "groupVms", vms, lambda vm: vm.vm_id)
    members = look.members or {}
    shown = [render_vm_now(vm, group, members.get(vm.vm_id)) for vm in page.items]
    return Answer(200, {"asOf": encode_time(look.at), **page.answer("groupVms", shown)})
