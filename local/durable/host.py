"""The Durable host: what one may ask of it, from tests as from the HTTP API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from local.clock import PlatformClock
from local.durable.engine import Engine
from local.durable.errors import HostError, HostErrors, HostKilled
from local.durable.faults import DurableFaults
from local.durable.history import Event, HistoryEventType, new_event
from local.durable.instances import (
    InstanceStatus,
    OrchestrationInstance,
    RuntimeStatus,
    begin_instance,
    read_status,
    start_event,
)
from local.durable.messages import InstanceMessage
from local.durable.options import HostJson, HostOptions
from local.durable.ports import Worker
from local.durable.queries import InstanceFilter
from local.durable.storage import Hub
from local.durable.turn import Execution, Listener
from local.state import Json, Storage

INSTANCE_ID_LENGTH_MAX = 256


class UnknownFunction(LookupError):
    """No orchestrator has this name."""


class InstanceConflict(Exception):
    """An instance with this id has not ended."""


class UnknownInstance(LookupError):
    """No instance has this id."""


class InstanceEnded(Exception):
    """The instance has ended and takes no more orders."""


class DurableHost:
    """Keeps and runs orchestration instances.

    The messages of its exceptions are those of the extension. Orders (``raise_event``, ``terminate``, ...) are
    messages: they take effect in the instance's next turn.
    """

    def __init__(
        self,
        worker: Worker,
        clock: PlatformClock,
        storage: Storage,
        faults: DurableFaults,
        options: HostOptions,
        host_json: HostJson,
    ) -> None:
        self._worker = worker
        self._clock = clock
        self._host_json = host_json
        self._hub = Hub(storage)
        self._engine = Engine(self._hub, worker, clock, faults, options, host_json)
        self._engine.on_saved = self._engine.on_error = self._wake
        self._waiters: list[asyncio.Future[None]] = []
        self._is_killed = False

    @property
    def executions(self) -> Sequence[Execution]:
        """The calls of orchestrators whose turns were saved, in order; the newest 200,000."""
        return self._engine.executions

    @property
    def errors(self) -> list[HostError]:
        """What must not have happened."""
        return self._engine.errors

    @property
    def failures(self) -> list[str]:
        """What activities raised, in words."""
        return self._engine.failures

    def forget_log(self) -> None:
        """Forget the calls of orchestrators up to now."""
        self._engine.executions.clear()

    def start(self) -> None:
        """Go on with what the storage holds."""
        self._hub.load()
        self._engine.start()

    async def stop(self) -> None:
        """Let running activities end; take no further turn."""
        await self._engine.stop()

    def kill(self) -> None:
        """Drop everything volatile at this moment, as ``kill -9`` would."""
        self._is_killed = True
        self._engine.kill()
        self._wake()

    def start_instance(
        self, name: str, instance_id: str | None = None, text: str | None = None, version: str | None = None
    ) -> str:
        """Start an instance; ``text`` is its input as stored. An ended one of that id is replaced, history and all."""
        registered = self._worker.find_orchestrator(name)
        if registered is None:
            raise UnknownFunction(
                f"The function '{name}' doesn't exist, is disabled, or is not an orchestrator function."
            )
        identity = instance_id or self._engine.new_id()
        check_instance_id(identity)
        earlier = self._hub.instances.get(identity)
        if earlier is not None and not earlier.status.is_ended:
            raise InstanceConflict(f"An Orchestration instance with the status {earlier.status.value} already exists.")
        now, execution_id = self._clock.now(), self._engine.new_id()
        event = start_event(
            registered, version or self._host_json.default_version, text, identity, execution_id, None, now
        )
        change = self._hub.change()
        if earlier is not None:
            change.delete_instance(earlier)
        change.put_instance(begin_instance(event, now))
        self._engine.send(change, InstanceMessage(identity, event, execution_id))
        return identity

    def restart(self, instance_id: str, *, with_new_id: bool = True) -> str:
        """Start another instance with the name and the input of this one."""
        instance = self.find(instance_id)
        return self.start_instance(
            instance.name, None if with_new_id else instance_id, instance.input, instance.version
        )

    def raise_event(self, instance_id: str, name: str, text: str = "null") -> None:
        """Send an external event; ``text`` is its JSON payload as stored."""
        self._order(instance_id, HistoryEventType.EVENT_RAISED, Name=name, Input=text)

    def terminate(self, instance_id: str, reason: str) -> None:
        """End the instance; its sub-orchestrations and running activities go on."""
        self._order(instance_id, HistoryEventType.EXECUTION_TERMINATED, Input=reason)

    def suspend(self, instance_id: str, reason: str) -> None:
        """Hold everything but resume and terminate."""
        self._order(instance_id, HistoryEventType.EXECUTION_SUSPENDED, Reason=reason)

    def resume(self, instance_id: str, reason: str) -> None:
        """Go on, with what came in the meantime."""
        self._order(instance_id, HistoryEventType.EXECUTION_RESUMED, Reason=reason)

    def purge(self, instance_ids: list[str]) -> int:
        """Delete instances and their histories, ended or not; return how many there were."""
        change = self._hub.change()
        known = [self._hub.instances[one] for one in instance_ids if one in self._hub.instances]
        for instance in known:
            change.delete_instance(instance)
        self._engine.send(change)
        return len(known)

    def find(self, instance_id: str) -> OrchestrationInstance:
        """The instance as stored; raise ``UnknownInstance``."""
        instance = self._hub.instances.get(instance_id)
        if instance is None:
            raise UnknownInstance(f"No instance with ID '{instance_id}' was found.")
        return instance

    def select(self, wanted: InstanceFilter) -> list[OrchestrationInstance]:
        """The instances as stored that the filter admits, by id."""
        return [one for _, one in sorted(self._hub.instances.items()) if wanted.admits(one)]

    def instance(self, instance_id: str) -> InstanceStatus | None:
        """The instance as seen from outside, or None."""
        instance = self._hub.instances.get(instance_id)
        return None if instance is None else read_status(instance)

    def instances(self) -> list[InstanceStatus]:
        """All instances as seen from outside, by id."""
        return [read_status(one) for one in self.select(InstanceFilter())]

    def history(self, instance_id: str) -> list[Event]:
        """The events of the instance's current generation."""
        return list(self.find(instance_id).history.events)

    def describe(self) -> str:
        """What has not ended, and what it waits for: sequence numbers of open actions, names of external events."""
        lines = []
        for instance in self.select(InstanceFilter(statuses=frozenset(set(RuntimeStatus) - _ENDED))):
            open_ids, waits = self._engine.waiting.get(instance.id, ([], []))
            lines.append(f"{instance.id} ({instance.name}) {instance.status.value}: open {open_ids}, waits for {waits}")
        return "\n".join(lines) or "every instance has ended"

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` of every call of an orchestrator from now on."""
        self._engine.listen(listener)

    async def wait(self, instance_id: str, within: timedelta | None = None) -> InstanceStatus:
        """The instance's final status; raise the host's errors as soon as there are any.

        ``TimeoutError`` says what is still open when ``within`` has passed on the clock.
        """
        with self._deadline(within) as deadline:
            while True:
                if self._is_killed:
                    raise HostKilled("the host was killed")
                self.raise_errors()
                found = self.instance(instance_id)
                if found is not None and found.status.is_ended:
                    return found
                if deadline.is_set():
                    raise TimeoutError(f"{instance_id} has not ended after {within}:\n{self.describe()}")
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.append(waiter)
                await waiter

    def raise_errors(self) -> None:
        """Raise ``HostErrors`` with all errors, if there are any."""
        if self.errors:
            raise HostErrors(self.errors)

    @contextmanager
    def _deadline(self, within: timedelta | None) -> Iterator[asyncio.Event]:
        passed = asyncio.Event()

        def expire() -> None:
            passed.set()
            self._wake()

        timer = None if within is None else self._clock.call_at(self._clock.now() + within, expire)
        try:
            yield passed
        finally:
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _order(self, instance_id: str, kind: HistoryEventType, **fields: Json) -> None:
        instance = self.find(instance_id)
        if instance.status.is_ended:
            raise InstanceEnded(f"The instance '{instance_id}' has ended: {instance.status.value}.")
        event = new_event(kind, self._clock.now(), **fields)
        self._engine.send(self._hub.change(), InstanceMessage(instance_id, event))


_ENDED = frozenset(status for status in RuntimeStatus if status.is_ended)


def check_instance_id(instance_id: str) -> None:
    """Raise ``ValueError`` if the extension would not take the id."""
    if instance_id.startswith("@"):
        raise ValueError("Instance IDs must not start with '@'.")
    if len(instance_id) > INSTANCE_ID_LENGTH_MAX:
        raise ValueError(f"Instance IDs must not be longer than {INSTANCE_ID_LENGTH_MAX} characters.")
    if any(character in "/\\#?" or not character.isprintable() for character in instance_id):
        raise ValueError("Instance IDs must not contain '/', '\\', '#', '?' or control characters.")
