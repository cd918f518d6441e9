"""Having an orchestration follow the published versions that a group wants (``orchestrators.follow_images``)."""

from __future__ import annotations

import secrets

from rollout.automation.follow import Follow, follower_id
from rollout.model.codec import encode
from rollout.model.rows.wanted import Follower
from rollout.ports.durable import InstanceState
from rollout.ports.errors import AzureError, Busy
from rollout.ports.ports import Ports

#: The recipe.
RECIPE = "follow_images"

#: How often a follower that others came before with is looked for again. Each time one is there, so this ends.
ATTEMPTS_MAX = 10


async def have_followed(ports: Ports, group_id: str) -> None:
    """Start the orchestration, unless one follows the group already.

    To be called after the wanted row was written: a follower that ends takes its name away and looks for rows then
    (``activities.following.follow``), so either it sees the row, or its name is gone here. Two that race meet in the
    swap, and start the same one.
    """
    for _ in range(ATTEMPTS_MAX):
        found = await ports.store.followers.get(group_id)
        if found is not None and found.instance_id:
            state = await ports.instances.state(found.instance_id)
            if state in (InstanceState.RUNNING, InstanceState.SUSPENDED):
                return
            if state is InstanceState.ABSENT:
                # Whoever wrote the row is about to start it, or has died before it did.
                return await _start(ports, found)
        now = ports.clock.now()
        follower = Follower(group_id, follower_id(group_id, now, secrets.token_hex(3)), now)
        if await ports.store.followers.swap(found, follower):
            return await _start(ports, follower)
    raise Busy("TooManyWriters", f"Others always changed the follower of group {group_id} first")


async def _start(ports: Ports, follower: Follower) -> None:
    order = encode(Follow(follower.group_id))
    try:
        await ports.instances.start(RECIPE, follower.instance_id, order)
    except AzureError:
        # The extension refuses to start what runs.
        if await ports.instances.state(follower.instance_id) is InstanceState.ABSENT:
            raise
