"""What was said to deployments: no command is lost."""

from __future__ import annotations

from local.virtual.checkers.watched import WatchedSet
from rollout.model.events import EventType
from rollout.model.rows.commands import CommandKind

#: The event by which a deployment acts on a command.
_HEEDED_BY = {
    CommandKind.PAUSE: EventType.PAUSED,
    CommandKind.RESUME: EventType.RESUMED,
    CommandKind.APPROVE: EventType.APPROVED,
    CommandKind.STOP: EventType.STOPPING,
    CommandKind.ROLL_BACK: EventType.ROLLING_BACK,
}


async def commands_heeded(watched: WatchedSet) -> list[str]:
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
