"""Event Grid's delivery: carries what the topic of a simulated Azure has to tell to the Functions host.

First each subscription is validated; then every notification is posted until it is taken, at least once, in no order.
Schedule and status codes: https://learn.microsoft.com/azure/event-grid/delivery-and-retry. Not simulated: that Event
Grid leaves an endpoint alone for a while that fails often.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, TypeVar

from local.azure.arm.messages import encode
from local.azure.cloud import Cloud
from local.azure.events.event_grid import topic_id
from local.azure.events.event_shape import (
    CLOUD_EVENTS,
    CONTENT_TYPE_OF_BATCHES,
    CONTENT_TYPES,
    event_body,
    validation_body,
)
from local.azure.events.events import PendingNotification
from local.azure.world.events import EventSubscriptionSpec
from local.durable.answers import HttpAnswer

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Posts a body with headers to a path of the Functions host; a ``ConnectionError`` is an answer that never came.
Post = Callable[[str, Mapping[str, str], bytes], Awaitable[HttpAnswer]]

#: How long an answer is waited for before the notification is put off, and how long one that comes after that counts.
ANSWER_WITHIN, LATE_ANSWER_WITHIN = timedelta(seconds=30), timedelta(minutes=3)

#: The waits after the first attempts; after later ones the last of these.
RETRY_AFTER = (
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
)

#: The least wait after some answers.
LEAST_WAIT = {401: timedelta(minutes=5), 404: timedelta(minutes=5), 408: timedelta(minutes=2), 503: RETRY_AFTER[1]}

#: "A small randomization to all retry steps": up to this share of a wait more. The number is assumed.
JITTER = 0.1

TAKEN, NEVER_TAKEN = frozenset({200, 201, 202, 203, 204}), frozenset({400, 403, 413})


class EventDelivery:
    """Delivers the events of ``cloud`` from ``start`` to ``stop``; what is under way then comes after the next start.

    Without event subscriptions in the world it does nothing at all.
    """

    def __init__(self, cloud: Cloud, post: Post) -> None:
        self._cloud = cloud
        self._topic = cloud.topic
        self._post = post
        self._woken = asyncio.Event()
        self._flying: set[int] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Validate the subscriptions that were not yet, and begin to deliver.

        One whose function is not there, or gives another answer than was asked for, is left out with a warning.
        """
        for spec in self._topic.subscriptions.values():
            if not self._topic.has_begun(spec.name):
                await self._validate(spec)
        if self._topic.subscriptions:
            self._cloud.on_event = self._woken.set
            self._begin(self._run())

    async def stop(self) -> None:
        """End all that is under way."""
        self._cloud.on_event = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _validate(self, spec: EventSubscriptionSpec) -> None:
        now, schema = self._cloud.clock.now(), spec.event_delivery_schema
        code = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{spec.name}/{now.isoformat()}"))
        identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, code))
        body = validation_body(identifier, code, now, topic_id(spec, self._cloud.world), schema)
        headers = _headers(spec, "SubscriptionValidation", CONTENT_TYPES[schema])
        answer = await self._answer(self._begin(self._send(spec, headers, body)), ANSWER_WITHIN)
        if answer is not None and answer.status == 200 and _validation_response(answer) == code:
            self._topic.begin(spec.name)
            self._cloud.changed()
        else:
            logger.warning(
                "Event subscription %s is not delivered: function %s answered its validation with %s",
                *(spec.name, spec.function, "nothing" if answer is None else answer.status),
            )

    async def _run(self) -> None:
        """Deliver what is due, whenever something is."""
        clock = self._cloud.clock
        while True:
            self._woken.clear()
            self._cloud.advance()
            for batch in self._batches():
                self._flying |= {one.number for one in batch}
                self._begin(self._deliver(batch))
            upcoming = self._topic.next_change()
            timer = clock.call_at(upcoming, self._woken.set) if upcoming else None
            await self._woken.wait()
            if timer:
                timer.cancel()

    def _batches(self) -> Iterator[list[PendingNotification]]:
        """What is due and not being delivered already, as many in one request as each subscription takes."""
        due = [one for one in self._topic.due() if one.number not in self._flying]
        by_subscription = sorted(due, key=lambda one: one.subscription)
        for name, group in groupby(by_subscription, key=lambda one: one.subscription):
            size, members = self._topic.subscriptions[name].max_events_per_batch, list(group)
            yield from (members[start : start + size] for start in range(0, len(members), size))

    async def _deliver(self, batch: Sequence[PendingNotification]) -> None:
        """One attempt. An answer that comes too late still takes the notification back, if it is good."""
        spec = self._topic.subscriptions[batch[0].subscription]
        posting = self._begin(self._send(spec, self._notification_headers(spec, batch), self._body(spec, batch)))
        answer = await self._answer(posting, ANSWER_WITHIN)
        self._cloud.advance()
        self._settle(spec, batch, answer)
        self._flying -= {one.number for one in batch}
        self._cloud.changed()
        if posting.done():
            return
        answer = await self._answer(posting, LATE_ANSWER_WITHIN - ANSWER_WITHIN)
        if answer is not None and answer.status in TAKEN:
            self._topic.delivered(batch)
            self._cloud.changed()

    def _settle(
        self, spec: EventSubscriptionSpec, batch: Sequence[PendingNotification], answer: HttpAnswer | None
    ) -> None:
        status = 0 if answer is None else answer.status
        if status in TAKEN:
            self._topic.delivered(batch)
            return
        logger.warning("Function %s did not take events of %s: %s", spec.function, spec.name, status or "no answer")
        # One that was taken late, after another attempt had begun, is no longer waiting.
        for one in self._topic.waiting(batch):
            if status in NEVER_TAKEN:
                self._topic.give_up(one)
            else:
                self._topic.put_off(one, self._wait(one, status))

    def _wait(self, notification: PendingNotification, status: int) -> timedelta:
        planned = RETRY_AFTER[min(notification.attempts, len(RETRY_AFTER) - 1)]
        longer = self._topic.fraction(f"notification/{notification.number}/{notification.attempts}") * JITTER
        return max(planned, LEAST_WAIT.get(status, planned)) * (1 + longer)

    def _body(self, spec: EventSubscriptionSpec, batch: Sequence[PendingNotification]) -> Any:
        topic, schema = topic_id(spec, self._cloud.world), spec.event_delivery_schema
        events = [event_body(one.event, topic, schema, self._cloud.world) for one in batch]
        return events[0] if schema == CLOUD_EVENTS and spec.max_events_per_batch == 1 else events

    def _notification_headers(
        self, spec: EventSubscriptionSpec, batch: Sequence[PendingNotification]
    ) -> dict[str, str]:
        is_batch = spec.event_delivery_schema == CLOUD_EVENTS and spec.max_events_per_batch > 1
        content_type = CONTENT_TYPE_OF_BATCHES if is_batch else CONTENT_TYPES[spec.event_delivery_schema]
        return {**_headers(spec, "Notification", content_type), "aeg-delivery-count": str(batch[0].attempts)}

    async def _send(self, spec: EventSubscriptionSpec, headers: Mapping[str, str], body: Any) -> HttpAnswer | None:
        """The host's answer; ``None``: the connection broke."""
        path = f"/runtime/webhooks/EventGrid?functionName={spec.function}"
        try:
            return await self._post(path, headers, encode(body))
        except ConnectionError:
            return None

    async def _answer(self, posting: asyncio.Task[HttpAnswer | None], within: timedelta) -> HttpAnswer | None:
        """The answer if it comes in time. The host works on in any case: it does not know that nobody waits."""
        done, _ = await asyncio.wait({posting}, timeout=within.total_seconds() / self._cloud.clock.scale)
        return posting.result() if done else None

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _headers(spec: EventSubscriptionSpec, kind: str, content_type: str) -> dict[str, str]:
    """https://learn.microsoft.com/azure/event-grid/handler-event-hubs#message-headers has them, for another handler."""
    is_cloud = spec.event_delivery_schema == CLOUD_EVENTS
    versions = {"aeg-metadata-version": "1.0"} if is_cloud else {"aeg-metadata-version": "1", "aeg-data-version": "2"}
    return {
        "Content-Type": content_type,
        "aeg-event-type": kind,
        "aeg-subscription-name": spec.name.upper(),
        **versions,
    }


def _validation_response(answer: HttpAnswer) -> object:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body.get("validationResponse") if isinstance(body, dict) else None
