"""The recipes on the local Durable host, with activities that answer by script."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import azure.durable_functions as df
import pytest

from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from local.durable.faults import DurableFaults
from local.durable.instances import InstanceStatus
from local.durable.options import HostJson, HostOptions
from local.durable.timestamps import fast_timestamps
from local.functions.host import FunctionsHost
from orchestrators.deploy_group import deploy_group
from orchestrators.pause_step import pause_step
from orchestrators.recording import write_event
from orchestrators.replace_batch import replace_batch
from orchestrators.restore_group import restore_group
from orchestrators.wait import wait_until_done
from rollout.model.codec import Json, encode
from rollout.model.events import EventResult, IllegalTransition
from rollout.model.order import Progress, Run, done
from rollout.model.status import Status

ACTIVITIES = (
    "take_turn",
    "prepare_deployment",
    "hold_processes",
    "apply_image",
    "check_group",
    "launch_green",
    "judge_batch",
    "read_batch_health",
    "save_evidence",
    "discard_sick",
    "detach_blue",
    "terminate_blue",
    "await_resume",
    "heed_commands",
    "await_approval",
    "bake",
    "raise_epoch",
    "tell_changes",
    "discard_green",
    "keep_green",
    "settle_vms",
    "take_stock",
    "restore_image",
    "check_way_back",
    "plan_roll_back",
    "verify_end",
    "restore_processes",
    "release_group",
    "reclaim",
)

Answer = Progress | Exception


@dataclass
class Stand:
    """What activities answer, in order and the last again and again, and the trace of what they were told.

    ``illegal``: the facts that the deployment's row does not take; ``unwritable``: how often one cannot be written.
    """

    script: dict[str, list[Answer]] = field(default_factory=dict)
    batches: int = 2
    trace: list[str] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    heard: dict[str, list[int]] = field(default_factory=dict)
    actors: list[str] = field(default_factory=list)
    orders: list[tuple[str, Json]] = field(default_factory=list)
    illegal: frozenset[str] = frozenset()
    unwritable: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {name: [done("done")] for name in ACTIVITIES}
        self.answers["prepare_deployment"] = [
            done("planned", batches=self.batches, inherited=False, otherImage=self.batches > 0)
        ]
        for name in ("hold_processes", "restore_processes"):
            self.answers[name] = [replace(done("nothing"), silent=True)]
        self.answers["raise_epoch"] = [done("fenced", epoch=2, sequence=0)]
        self.answers |= {name: list(answers) for name, answers in self.script.items()}
        self.durable: Any = None
        self._interventions: list[tuple[timedelta, Callable[[Any], None]]] = []

    def at(self, after: timedelta, act: Callable[[Any], None]) -> None:
        """Do something to the Durable host so long after the start."""
        self._interventions.append((after, act))

    def answer(self, name: str, order: Json, now: datetime) -> Json:
        """Note the call, and answer it by the script."""
        batch = f"{order['batch']}" + (f" round {order['round']}" if order["round"] > 1 else "")
        epoch = f" in epoch {order['epoch']}" if order["epoch"] > 1 else ""
        self.trace.append(f"{name} {batch}{epoch}" + (" keeping" if order["keep"] else ""))
        self.heard.setdefault(name, []).append(order["heard"])
        self.actors.append(order["acting"])
        self.orders.append((name, order))
        self.times.append(now)
        answers = self.answers[name]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        encoded: Json = encode(answer)
        return encoded

    def note(self, entry: Json) -> Json:
        """Note a fact, which the rows hold from then on."""
        event, checked = entry["event"], entry.get("checked", True)
        if self.unwritable.get(event["type"], 0):
            self.unwritable[event["type"]] -= 1
            raise KeyError("a column")
        self.events.append(event)
        self.trace.append(f"= {event['sequence']} {event['type']}" + ("" if checked else " unchecked"))
        refused = IllegalTransition(Status.QUEUED, Status.BAKING) if checked and event["type"] in self.illegal else None
        answer: Json = encode(EventResult(refused))
        return answer

    def run(self, recipe: str = "deploy_group", order: Any = None, within: timedelta = timedelta(days=2)) -> Any:
        """Run a recipe to its end in virtual time; its final status."""

        async def main() -> InstanceStatus:
            clock = PlatformClock(VIRTUAL_START)
            options = HostOptions(cross_check=True)
            app = _app(self, clock)
            host = FunctionsHost(app, clock, faults=DurableFaults(), host_json=HostJson(), options=options)
            await host.start()
            self.durable = host.durable
            try:
                for after, act in self._interventions:
                    clock.call_at(VIRTUAL_START + after, partial(act, host.durable))
                host.durable.start_instance(recipe, "d", _stored(order or first_run()))
                return await host.durable.wait("d", within)
            finally:
                await host.stop()

        return run_virtual(main())

    def waits(self) -> list[int]:
        """The whole seconds between one call of an activity and the next."""
        return [round((later - earlier).total_seconds()) for earlier, later in pairwise(self.times)]


def first_run(**changes: Any) -> Json:
    """The input of ``deploy_group``, or of a batch of it."""
    run: Json = encode(Run("d", "/scale/set", 1, **changes))
    return run


def _stored(value: Json) -> str:
    """As the SDK's client sends an input: JSON in JSON."""
    return json.dumps(json.dumps(value))


def _app(stand: Stand, clock: PlatformClock) -> df.DFApp:
    blueprint: Any = df.Blueprint()
    for recipe in (deploy_group, replace_batch, pause_step, restore_group, wait_until_done, write_event):
        blueprint.orchestration_trigger(context_name="context")(recipe)
    for name in ACTIVITIES:
        _register(blueprint, stand, clock, name)

    @blueprint.activity_trigger(input_name="entry", activity="record_event")  # type: ignore[untyped-decorator]
    @blueprint.function_name("record_event")  # type: ignore[untyped-decorator]
    def record(entry: Json) -> Json:
        return stand.note(entry)

    app = df.DFApp()
    app.register_functions(blueprint)
    return app


def _register(blueprint: Any, stand: Stand, clock: PlatformClock, name: str) -> None:
    @blueprint.activity_trigger(input_name="order", activity=name)  # type: ignore[untyped-decorator]
    @blueprint.function_name(name)  # type: ignore[untyped-decorator]
    def carry_out(order: Json) -> Json:
        return stand.answer(name, order, clock.now())


@pytest.fixture(autouse=True, scope="module")
def quick_replays() -> Iterator[None]:
    """Without this a third of a story's time is the SDK's reading of timestamps."""
    with fast_timestamps():
        yield


@pytest.fixture
def stand() -> Callable[..., Stand]:
    """A stand with a script: answers by activity."""

    def make(
        batches: int = 2,
        illegal: frozenset[str] = frozenset(),
        unwritable: dict[str, int] | None = None,
        **script: list[Answer],
    ) -> Stand:
        return Stand(script, batches, illegal=illegal, unwritable=dict(unwritable or {}))

    return make


@pytest.fixture(name="first_run")
def first_run_fixture() -> Callable[..., Json]:
    """The input of a recipe."""
    return first_run
