"""The timer that looks at the groups' scale sets, so that pages need not: a few a minute, the oldest look first."""

from __future__ import annotations

import asyncio
import logging

from rollout.judging.group_state import due, of_all
from rollout.model.group import Group
from rollout.ports.errors import AzureError
from rollout.ports.ports import Ports
from services.group_states import look_at_set, note_look
from services.readable_groups import readable_groups

#: How many sets one run looks at. Each costs a read of the set, a list of its VMs, and mostly three reads of the
#: gallery where the group follows an image: the image, its versions, and the newest of them.
SETS_MAX = 10

_log = logging.getLogger("teal")


async def look_around(ports: Ports) -> None:
    """Look at the sets that nobody has looked at for the longest time, but at none that a deployment has.

    A deployment looks at its set itself, and lives on what Azure allows to be read of it.
    """
    groups = await readable_groups(ports)
    states = of_all(groups, await ports.store.group_states.list())
    by_id = {group.id: group for group in groups}
    ready = due(states.values(), ports.clock.now(), len(states))
    chosen: list[Group] = []
    for state in ready:
        if len(chosen) == SETS_MAX:
            break
        lock = await ports.store.locks.get(state.scale_set_id)
        if lock is None or not lock.owner:
            chosen.append(by_id[state.group_id])
    await asyncio.gather(*(_look(ports, group) for group in chosen))


async def look_again(ports: Ports, scale_set_id: str) -> None:
    """Look at a set that was written, where it is a group's and no deployment has it: that one looks itself."""
    groups = [one for one in await readable_groups(ports) if one.scale_set_id.lower() == scale_set_id.lower()]
    for group in groups:
        lock = await ports.store.locks.get(group.scale_set_id)
        if lock is None or not lock.owner:
            await _look(ports, group)


async def _look(ports: Ports, group: Group) -> None:
    try:
        await note_look(ports, group, await look_at_set(ports, group))
    except AzureError as error:
        _log.warning("The state of group %s could not be kept: %s", group.id, error)
