"""Promises about the Durable host, and about steps that nothing keeps from working."""

from __future__ import annotations

from local.virtual.checkers.watched import WatchedSet
from rollout.model.events import EventType

#: A history is replayed whole at every turn, so it stays short whatever the number of VMs, batches and polls.
HISTORY_EVENTS_MAX = 200

#: Ends of steps that only trouble explains.
TROUBLED = frozenset({"stepFailed", "internalError", "waitLost", "batchLost"})


async def host_without_errors(watched: WatchedSet) -> list[str]:
    """No orchestration was non-deterministic, no name unknown, no function of the host itself failed."""
    return [str(error) for error in watched.platform.errors]


async def histories_short(watched: WatchedSet) -> list[str]:
    """No instance ever replayed more than ``HISTORY_EVENTS_MAX`` events."""
    longest: dict[str, int] = {}
    for execution in watched.platform.executions:
        longest[execution.instance_id] = max(longest.get(execution.instance_id, 0), execution.events)
    return [f"{name} replayed {events} events" for name, events in longest.items() if events > HISTORY_EVENTS_MAX]


async def no_activity_raises(watched: WatchedSet) -> list[str]:
    """No activity raised: what is expected is a value."""
    return watched.platform.failures


async def no_step_fails(watched: WatchedSet) -> list[str]:
    """Where nothing broke and nobody interfered, every step works the first time."""
    if not watched.undisturbed:
        return []
    found = []
    for row in await watched.rows():
        retried = [e for e in await watched.platform.events(row.id) if e.type == EventType.STEP_RETRIED]
        found += [f"{row.id}: {event.message}" for event in retried]
        if row.error is not None and row.error.code in TROUBLED:
            found.append(f"{row.id} failed: {row.error.code}: {row.error.message}")
    return found
