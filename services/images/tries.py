"""Keeping what was tried, for good: a row that outlives the deployment's, and goes with the version."""

from __future__ import annotations

from dataclasses import replace

from rollout.automation.tries import TriedVersion, counts, is_newer, outcome, try_of, version_id
from rollout.model.azure.scale_set import ImageReference
from rollout.model.group import Group
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.tries import Try
from rollout.ports.errors import AzureError, Busy
from rollout.ports.ports import Ports
from services.deployment_rows import rows_of

#: How often a row that was changed meanwhile is looked at again. Each time somebody else's came first, so this ends.
ATTEMPTS_MAX = 5


async def note_try(ports: Ports, row: Deployment) -> None:
    """Write down what the deployment tries, unless that version was tried before. Run again: the same.

    To be called between the deployment's row and its start, and again when its turn has come. Whoever dies before the
    start leaves a try that names a deployment which never ran, and that counts for nothing; of two that race, one has
    the lock later, and finds what became of the other.
    """
    mine = try_of(row)
    if mine is None:
        return
    for _ in range(ATTEMPTS_MAX):
        found = await ports.store.tries.get(mine.scale_set_id, mine.version_id)
        if found is not None and (found.deployment_id == row.id or await _stands(ports, found, row)):
            return
        if await ports.store.tries.swap(found, mine):
            return
    raise Busy("TooManyWriters", f"Others always changed the try of {mine.version_id} first")


async def remember_try(ports: Ports, row: Deployment) -> None:
    """Keep what became of the deployment with what it tried: its own row is about to be forgotten."""
    if not counts(row):
        return
    await note_try(ports, row)
    mine = try_of(row)
    found = await ports.store.tries.get(mine.scale_set_id, mine.version_id) if mine is not None else None
    if found is not None and found.deployment_id == row.id:
        await ports.store.tries.swap(found, replace(found, standing=str(row.status)))


async def tried(ports: Ports, scale_set_id: str, reference: ImageReference) -> TriedVersion | None:
    """The deployment that was the version's try; ``None``: it had none."""
    found = await ports.store.tries.get(scale_set_id, version_id(reference))
    return await _outcome(ports, found) if found is not None else None


async def tried_before(ports: Ports, group: Group, reference: ImageReference) -> TriedVersion | None:
    """The same, where it was before tries were kept: found among all of the group's rows, and kept from now on."""
    named = version_id(reference)
    async for row in rows_of(ports, group.id):
        mine = try_of(row)
        if counts(row) and mine is not None and (mine.scale_set_id, mine.version_id) == (_folded(group), named):
            await note_try(ports, row)
            return outcome(mine, row)
    return None


async def _stands(ports: Ports, found: Try, row: Deployment) -> bool:
    """Whether an earlier deployment was the version's try; a version that was published since is another one."""
    earlier = await _outcome(ports, found)
    if earlier is None:
        return False
    try:
        version = await ports.images.read(row.image.pinned)
    except AzureError:
        # A start does not fail for this; it has read the version a moment ago.
        return True
    return version is None or not is_newer(version, earlier)


async def _outcome(ports: Ports, found: Try) -> TriedVersion | None:
    return outcome(found, await ports.store.deployments.get(found.deployment_id))


def _folded(group: Group) -> str:
    return group.scale_set_id.lower()
