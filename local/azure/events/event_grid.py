"""The system topics of Event Grid: what Resource Manager tells of writes, and whom.

Every write to Resource Manager (PUT, PATCH, POST, DELETE) is told when it has ended, in whatever way: at the end of the
long-running operation that it goes on as, or at once. So the event of a new image version comes when its operation is
over. That is what the documentation says (``ResourceWriteSuccess``: "raised when create or update operation succeeds",
https://learn.microsoft.com/azure/event-grid/event-schema-resource-groups), and that it holds for asynchronous writes
follows from its word that the event of a creation carries no HTTP request. It was not observed.

Nothing is sent here (``local/event_delivery.py`` does): notifications wait in the state, and so survive a snapshot.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from local.azure.arm.messages import ArmRequest, ArmResponse
from local.azure.arm.operations import Operations
from local.azure.arm.resources import CloudState, LongRunningOperation
from local.azure.events.event_shape import subject
from local.azure.events.events import PendingNotification, ResourceEvent, ResourceWrite, WriteOutcome
from local.azure.world import World
from local.azure.world.events import EventSubscriptionSpec

#: How soon an event arrives, and within what time a copy that nobody needs. Both are assumed; that is why events come
#: out of order.
_COMES_AGAIN_WITHIN = timedelta(minutes=1)

_OUTCOMES: dict[str, WriteOutcome] = {"Succeeded": "Success", "Failed": "Failure", "Canceled": "Cancel"}


class Topic:
    """What happens to the resources of a state, and who is still to be told."""

    def __init__(self, world: World, state: CloudState, operations: Operations) -> None:
        self._world = world
        self._state = state
        self.subscriptions = {spec.name: spec for spec in world.event_subscriptions}
        operations.on_end(self._ended)

    @property
    def events(self) -> list[ResourceEvent]:
        """All events so far, oldest first, whether anybody was told or not."""
        return self._state.events

    @property
    def dead_letters(self) -> list[PendingNotification]:
        """What could not be delivered, and is not tried again."""
        return self._state.dead_letters

    def answered(self, write: ResourceWrite, response: ArmResponse, operation: str | None) -> None:
        """A write was answered: tell of it now, or at the end of the operation that it goes on as."""
        if response.status >= 400:
            self.tell(write, "Failure")
        elif operation is None:
            self.tell(write, "Success")
        else:
            self._state.operations[operation].write = write

    def tell(self, write: ResourceWrite, outcome: WriteOutcome) -> None:
        """A write has ended: everyone who subscribed to it is to hear of it."""
        self._state.told = max(self._state.told, len(self._state.events)) + 1
        identifier = self._identifier(f"event/{self._state.told - 1}")
        event = ResourceEvent(identifier, self._state.now, write, outcome)
        self._state.events.append(event)
        for name in self._state.subscribed:
            if concerns(self.subscriptions[name], event, self._world):
                self._notify(self.subscriptions[name], event)

    def _notify(self, spec: EventSubscriptionSpec, event: ResourceEvent) -> None:
        for copy in range(1 + spec.duplicates):
            self._state.notified += 1
            number = self._state.notified
            within = _COMES_AGAIN_WITHIN if copy else spec.arrives_within
            due_at = event.time + within * self.fraction(f"notification/{number}")
            self._state.notifications.append(PendingNotification(number, spec.name, event, due_at))

    def _ended(self, operation: LongRunningOperation) -> None:
        if operation.write is not None:
            self.tell(operation.write, _OUTCOMES[operation.status])

    def begin(self, name: str) -> None:
        """A subscription was validated: from now on it is told."""
        if name not in self._state.subscribed:
            self._state.subscribed.append(name)

    def has_begun(self, name: str) -> bool:
        """Whether a subscription was validated."""
        return name in self._state.subscribed

    def due(self) -> list[PendingNotification]:
        """What is to be delivered now, or is being delivered."""
        return [one for one in self._state.notifications if one.due_at <= self._state.now]

    def next_change(self) -> datetime | None:
        """When something will be due next, or an operation ends of which somebody may have to be told."""
        if not self._state.subscribed:
            return None
        running = (self._state.operations[identifier] for identifier in self._state.held.values())
        times = [one.ends_at for one in running if one.write is not None]
        times += [one.due_at for one in self._state.notifications if one.due_at > self._state.now]
        return min(times, default=None)

    def waiting(self, notifications: Iterable[PendingNotification]) -> list[PendingNotification]:
        """Those among these that are still to be taken."""
        numbers = {one.number for one in self._state.notifications}
        return [one for one in notifications if one.number in numbers]

    def delivered(self, notifications: Iterable[PendingNotification]) -> None:
        """These were taken."""
        numbers = {one.number for one in notifications}
        self._state.notifications = [one for one in self._state.notifications if one.number not in numbers]

    def put_off(self, notification: PendingNotification, delay: timedelta) -> None:
        """This one was not taken, and is tried again later, unless it has been tried often or long enough."""
        spec = self.subscriptions[notification.subscription]
        notification.attempts += 1
        notification.due_at = self._state.now + delay
        expires_at = notification.event.time + timedelta(minutes=spec.event_time_to_live_in_minutes)
        if notification.attempts >= spec.max_delivery_attempts or notification.due_at > expires_at:
            self.give_up(notification)

    def give_up(self, notification: PendingNotification) -> None:
        """This one will never be taken."""
        self.delivered([notification])
        self._state.dead_letters.append(notification)

    def fraction(self, name: str) -> float:
        """A number between 0 and 1, the same every time for the same seed."""
        return uuid.UUID(self._identifier(name)).int / 2**128

    def _identifier(self, name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._state.seed}/{name}"))


def topic_id(spec: EventSubscriptionSpec, world: World) -> str:
    """The scope whose events a subscription gets."""
    if spec.scope.startswith("/"):
        return spec.scope
    group = f"/resourceGroups/{spec.scope}" if spec.scope else ""
    return f"/subscriptions/{world.subscription_id}{group}"


def concerns(spec: EventSubscriptionSpec, event: ResourceEvent, world: World) -> bool:
    """Whether a subscription's topic has the event, and its filters let it pass; no filter tells letter cases apart.

    https://learn.microsoft.com/azure/event-grid/event-filtering
    """
    named = subject(event).lower()
    types = {kind.lower() for kind in spec.included_event_types}
    operations = {name.lower() for name in spec.operation_names}
    return (
        named.startswith(f"{topic_id(spec, world)}/".lower())
        and (not types or event.type.lower() in types)
        and (not operations or event.write.operation.lower() in operations)
        and named.startswith(spec.subject_begins_with.lower())
        and named.endswith(spec.subject_ends_with.lower())
    )


def write_of(operation: str, resource_id: str, request: ArmRequest, response: ArmResponse) -> ResourceWrite:
    """What Resource Manager remembers of a write until it has ended: of a creation not the request itself."""
    correlation = response.headers["x-ms-correlation-request-id"]
    if response.status == 201:
        return ResourceWrite(operation, resource_id, correlation, None)
    client = request.header("x-ms-client-request-id") or correlation
    return ResourceWrite(operation, resource_id, correlation, http_request(client, request.method, request.url))


def http_request(client: str, method: str, url: str) -> dict[str, str]:
    """``data.httpRequest`` of an event."""
    return {"clientRequestId": client, "clientIpAddress": "127.0.0.1", "method": method, "url": url}
