"""The engine: messages arrive in inboxes, turns are taken, activities are handed out, timers wait.

Durable state is the ``Hub``; everything here is volatile and is rebuilt from it. A turn takes an instance's whole inbox
and is saved in one step: history, status, the messages it sends, and the deletion of those it took.
"""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from local.clock import PlatformClock
from local.durable.activities import ActivityDispatcher
from local.durable.errors import Complaint, HostError, HostKilled
from local.durable.faults import DurableFaults, TurnLoss
from local.durable.history import Event, HistoryEventType, new_event
from local.durable.instances import OrchestrationInstance, RuntimeStatus, begin_instance
from local.durable.messages import ActivityItem, InstanceMessage, Message
from local.durable.options import HostJson, HostOptions
from local.durable.ports import Worker
from local.durable.storage import Hub, HubChange
from local.durable.turn import Execution, Listener, Turn, TurnTaker

logger = logging.getLogger(__name__)

#: A host that runs for days keeps the newest of its log.
EXECUTIONS_KEPT = 200_000


class Engine:
    """Runs the instances of a hub.

    ``executions`` logs every call of an orchestrator; ``errors`` what must not happen; ``on_saved`` is called after
    every save, ``on_error`` after every complaint.
    """

    def __init__(
        self,
        hub: Hub,
        worker: Worker,
        clock: PlatformClock,
        faults: DurableFaults,
        options: HostOptions,
        host_json: HostJson,
    ) -> None:
        self.hub = hub
        self.clock = clock
        self.executions: deque[Execution] = deque(maxlen=EXECUTIONS_KEPT)
        self.errors: list[HostError] = []
        self.on_saved: Callable[[], None] = lambda: None
        self.on_error: Callable[[], None] = lambda: None
        self._faults = faults
        self._options = options
        self._latencies = random.Random(f"latency:{options.seed}")
        self._inboxes: dict[str, list[InstanceMessage]] = {}
        self._attempts: dict[str, int] = {}
        self._scheduled: set[str] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._is_alive = False
        self._is_killed = False
        self._taker = TurnTaker(worker, self.new_id, host_json.default_version, cross_check=options.cross_check)
        self._activities = ActivityDispatcher(
            worker,
            clock,
            faults,
            self._complete_activity,
            self._report_failure,
            host_json.max_concurrent_activities,
            options.redelivery,
        )
        self.failures = self._activities.failures
        self.waiting: dict[str, tuple[list[int], list[str]]] = {}

    def start(self) -> None:
        """Deliver all that is on its way."""
        self._is_alive = True
        for _, message in sorted(self.hub.messages.items()):
            self._deliver(message)

    async def stop(self) -> None:
        """Take no further turn, and let the activities that run come to their end."""
        self._forget()
        await self._activities.drain()

    def kill(self) -> None:
        """Drop everything volatile at this moment."""
        self._is_killed = True
        self._forget()
        self._activities.kill()

    def new_id(self) -> str:
        """An id that the seed and what happened before decide: 32 hexadecimal digits, as the host's ids."""
        return uuid.uuid5(uuid.NAMESPACE_OID, f"{self._options.seed}:{self.hub.next_number()}").hex

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` of every call of an orchestrator from now on."""
        self._taker.listener = listener

    def report(self, error: HostError) -> None:
        """Record a complaint, and log it."""
        self.errors.append(error)
        logger.error("%s", error)
        self.on_error()

    def send(self, change: HubChange, *messages: Message) -> None:
        """Save ``change`` together with ``messages``, and deliver them."""
        if self._is_killed:
            raise HostKilled("the host was killed")
        numbered = [change.put_message(message) for message in messages]
        self._save(change)
        for message in numbered:
            self._deliver(message)

    def _save(self, change: HubChange) -> None:
        change.save()
        self.on_saved()
        self._activities.recheck()

    def _forget(self) -> None:
        self._is_alive = False
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._inboxes.clear()

    def _report_failure(self, error: BaseException) -> None:
        self.report(HostError(Complaint.HOST_FAILED, f"the host itself failed: {error!r}"))

    def _draw(self, maximum: timedelta) -> timedelta:
        return self._latencies.random() * maximum if maximum else timedelta(0)

    def _call_at(self, when: datetime, callback: Callable[[], None]) -> None:
        def call() -> None:
            self._timers.discard(timer)
            try:
                callback()
            except Exception as error:
                # The event loop would only log it, and the instance would stand still.
                self._report_failure(error)

        timer = self.clock.call_at(when, call)
        self._timers.add(timer)

    def _deliver(self, message: Message) -> None:
        if not self._is_alive:
            return
        now = self.clock.now()
        due = now + self._draw(self._options.delivery_latency_max)
        if isinstance(message, InstanceMessage) and message.due is not None:
            due = max(due, message.due)
        if due > now:
            self._call_at(due, lambda: self._arrive(message))
        else:
            self._arrive(message)

    def _arrive(self, message: Message) -> None:
        if isinstance(message, ActivityItem):
            self._activities.submit(message)
        else:
            self._inboxes.setdefault(message.instance_id, []).append(message)
            self._schedule_turn(message.instance_id)

    def _schedule_turn(self, instance_id: str, delay: timedelta | None = None) -> None:
        if instance_id in self._scheduled:
            return
        self._scheduled.add(instance_id)
        wait = self._draw(self._options.turn_latency_max) if delay is None else delay
        # Even without latency not at once: what else has ended by now belongs to the same turn.
        self._call_at(self.clock.now() + wait, lambda: self._take_turn(instance_id))

    def _take_turn(self, instance_id: str) -> None:
        self._scheduled.discard(instance_id)
        inbox = self._inboxes.pop(instance_id, [])
        instance = self._find_recipient(instance_id, inbox)
        inbox, early = _part(inbox, instance)
        if early:
            self._inboxes[instance_id] = early
        arrived = [message for message in inbox if instance and _is_for(message, instance)]
        change = self.hub.change()
        for message in inbox:
            change.delete_message(message.number)
        if instance is not None and arrived:
            self._run_turn(instance, inbox, arrived, change)
        elif inbox:
            self._save(change)

    def _run_turn(
        self,
        instance: OrchestrationInstance,
        inbox: list[InstanceMessage],
        arrived: list[InstanceMessage],
        change: HubChange,
    ) -> None:
        """Run what has arrived; ``change`` deletes the whole inbox, which a lost turn puts back."""
        attempt = self._attempts[instance.id] = self._attempts.get(instance.id, 0) + 1
        delivery = self._faults.announce("turn", instance.name, instance.id, attempt)
        if not self._is_alive:
            return
        fault = self._faults.find_turn_fault(delivery)
        turn = self._taker.take(instance, [message.event for message in arrived], self.clock.now())
        if fault is not None:
            self._lose(turn, inbox, fault.loss)
            return
        del self._attempts[instance.id]
        self._commit(instance, turn, change)
        if instance.id in self._inboxes:
            self._schedule_turn(instance.id)

    def _find_recipient(self, instance_id: str, inbox: list[InstanceMessage]) -> OrchestrationInstance | None:
        """The instance; a new one if a start is in the inbox and none runs under the id.

        A sub-orchestration's start replaces a running instance too, unless it is that instance's own: only starts by
        clients are protected against duplicates (Azure/durabletask, ``OrchestrationSessionManager.cs``).
        """
        starts = [message.event for message in inbox if _is_start(message)]
        instance = self.hub.instances.get(instance_id)
        if instance is not None and not instance.status.is_ended:
            starts = [event for event in starts if _replaces(event, instance)]
            if not starts:
                return instance
        return begin_instance(starts[-1], self.clock.now()) if starts else None

    def _lose(self, turn: Turn, inbox: list[InstanceMessage], loss: TurnLoss) -> None:
        instance_id = inbox[0].instance_id
        self._inboxes[instance_id] = inbox + self._inboxes.get(instance_id, [])
        self._schedule_turn(instance_id, self._options.redelivery)
        if loss is TurnLoss.AFTER_MESSAGES:
            self.send(self.hub.change(), *turn.messages)

    def _commit(self, instance: OrchestrationInstance, turn: Turn, change: HubChange) -> None:
        replaced = self.hub.instances.get(instance.id)
        if replaced is not None and (replaced is not instance or turn.replaces_history):
            change.delete_turns(replaced)
        _apply(turn, instance, self.clock.now())
        change.append_turn(instance, turn.events)
        change.put_instance(instance)
        self.executions.extend(turn.executions)
        self.waiting[instance.id] = (turn.open_ids, turn.waits)
        messages = [*turn.messages]
        if instance.status.is_ended:
            self.waiting.pop(instance.id)
            if instance.parent is not None:
                messages.append(_tell_parent(instance, self.clock.now()))
        for error in turn.errors:
            self.report(error)
        self.send(change, *messages)

    def _complete_activity(self, item: ActivityItem, event: Event) -> None:
        change = self.hub.change()
        change.delete_message(item.number)
        self.send(change, InstanceMessage(item.instance_id, event, item.execution_id))


def _is_start(message: InstanceMessage) -> bool:
    return bool(message.event["EventType"] == HistoryEventType.EXECUTION_STARTED)


def _replaces(start: Event, instance: OrchestrationInstance) -> bool:
    is_other = start["OrchestrationInstance"]["ExecutionId"] != instance.execution_id
    return is_other and start["ParentInstance"] is not None


def _part(
    inbox: list[InstanceMessage], instance: OrchestrationInstance | None
) -> tuple[list[InstanceMessage], list[InstanceMessage]]:
    """The messages that can be dealt with, the start first, and those that came before what they answer.

    A history begins with its start. And the end of something that the history does not show as begun, because the turn
    that began it was lost after its messages had gone out, waits until it does: as the Azure Storage provider puts such
    messages back.
    """
    if instance is None:
        return inbox, []
    ordered = sorted(inbox, key=lambda message: not _is_start(message))
    if instance.turns == 0 and not _is_start(ordered[0]):
        return [], inbox
    ready: list[InstanceMessage] = []
    early: list[InstanceMessage] = []
    for message in ordered:
        is_early = _is_for(message, instance) and not instance.history.admits(message.event)
        (early if is_early else ready).append(message)
    return ready, early


def _is_for(message: InstanceMessage, instance: OrchestrationInstance) -> bool:
    """Whether the instance still takes the message: for its generation, and not a second start."""
    if message.execution_id is not None and message.execution_id != instance.execution_id:
        return False
    return not _is_start(message) or instance.turns == 0


def _apply(turn: Turn, instance: OrchestrationInstance, now: datetime) -> None:
    if turn.replaces_history:
        instance.history, instance.turns = type(instance.history)(), 0
    instance.history.append(turn.events)
    instance.turns += 1
    instance.execution_id, instance.generation, instance.input = turn.execution_id, turn.generation, turn.input
    instance.status, instance.output, instance.custom_status = turn.status, turn.output, turn.custom_status
    instance.actions, instance.updated = turn.actions, now


def _tell_parent(instance: OrchestrationInstance, now: datetime) -> InstanceMessage:
    """A sub-orchestration's end; a terminated one counts as failed (``TaskOrchestrationDispatcher.cs``)."""
    parent = instance.parent
    assert parent is not None
    if instance.status is RuntimeStatus.COMPLETED:
        kind, fields = HistoryEventType.SUB_ORCHESTRATION_COMPLETED, {"Result": instance.output}
    else:
        kind, fields = HistoryEventType.SUB_ORCHESTRATION_FAILED, {"Reason": instance.output, "Details": None}
    event = new_event(kind, now, TaskScheduledId=parent.task_id, **fields)
    return InstanceMessage(parent.instance_id, event, parent.execution_id)
