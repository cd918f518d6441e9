"""Whoever has looked at a scale set, or moved a deployment on, notes it in the row of the group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rollout.judging.group_state import GroupLook, looked, of_group, with_latest
from rollout.model.azure.scale_set import ScaleSet, Vm
from rollout.model.group import Group
from rollout.model.rows.deployment import Deployment, Problem
from rollout.model.rows.group_state import GroupState
from rollout.ports.errors import AzureError
from rollout.ports.ports import Ports
from services.roll import PER_REQUEST, look_at_roll


async def note_look(ports: Ports, group: Group, look: GroupLook) -> GroupState:
    """Keep what was seen of the group's set; the row after that."""

    def change(state: GroupState | None) -> GroupState:
        return looked(of_group(state, group.id, group.scale_set_id), look, group.health_check_types)

    return await ports.store.group_states.change(group.id, change)


async def note_deployment(ports: Ports, row: Deployment) -> None:
    """Keep where the deployment stands, if it is the group's newest."""
    now = ports.clock.now()

    def change(state: GroupState | None) -> GroupState:
        return with_latest(of_group(state, row.group_id, row.scale_set_id), row, now)

    await ports.store.group_states.change(row.group_id, change)


async def note_vms(ports: Ports, row: Deployment, scale_set: ScaleSet, vms: Sequence[Vm], at: datetime) -> None:
    """Keep what a deployment has seen of its set; whether that needs a roll is asked when it is over."""
    types = row.parameters.health_check_types
    seen = GroupLook(at, scale_set, vms)

    def change(state: GroupState | None) -> GroupState:
        return looked(of_group(state, row.group_id, row.scale_set_id), seen, types)

    await ports.store.group_states.change(row.group_id, change)


async def look_at_set(ports: Ports, group: Group) -> GroupLook:
    """Read the set and its VMs. Azure's errors are a part of what is seen."""
    try:
        scale_set = await ports.scale_sets.read(group.scale_set_id)
    except AzureError as error:
        problem = Problem(error.code, error.message)
        return GroupLook(ports.clock.now(), None, problem=problem, roll_problem=problem, pause=PER_REQUEST)
    if scale_set is None:
        problem = Problem("scaleSetNotFound", f"There is no scale set {group.scale_set_id}")
        return GroupLook(ports.clock.now(), None, problem=problem, roll_problem=problem, pause=PER_REQUEST)
    return await look_at_vms(ports, group, scale_set)


async def look_at_vms(ports: Ports, group: Group, scale_set: ScaleSet) -> GroupLook:
    """Read the VMs of a set that has just been read, and whether they need a roll."""
    now = ports.clock.now()
    found = await look_at_roll(ports, scale_set, group.image_rule)
    vms = found.listed.vms if found.listed is not None else None
    return GroupLook(now, scale_set, vms, None, found.needed, found.problem, found.pause)
