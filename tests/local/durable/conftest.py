"""An app of small orchestrators, and a way to run one of them in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from local.durable.faults import DurableFaults
from local.durable.instances import InstanceStatus
from local.durable.options import HostJson, HostOptions
from local.functions.host import FunctionsHost
from local.state import MemoryState, Storage


@dataclass
class Ledger:
    """What the activities did, in order."""

    effects: list[str] = field(default_factory=list)


def build_app(orchestrators: dict[str, Callable[[Any], Any]], ledger: Ledger) -> df.DFApp:
    """An app with the given orchestrators, and the activities ``work``, ``slow``, ``fail`` and ``flaky``."""
    blueprint = df.Blueprint()

    async def work(value: Any) -> Any:
        ledger.effects.append(f"work {value}")
        return {"done": value}

    async def slow(value: float) -> float:
        ledger.effects.append(f"slow {value}")
        await asyncio.sleep(value)
        return value

    def fail(value: Any) -> None:
        ledger.effects.append(f"fail {value}")
        raise ValueError("boom")

    async def flaky(times: int) -> str:
        """Fails as many times as it is told to."""
        ledger.effects.append("flaky")
        if ledger.effects.count("flaky") <= times:
            raise ValueError("not yet")
        return "at last"

    for activity in (work, slow, fail, flaky):
        parameter = "times" if activity is flaky else "value"
        blueprint.activity_trigger(input_name=parameter)(activity)
    for name, generator in orchestrators.items():
        generator.__name__ = name
        blueprint.orchestration_trigger(context_name="context")(generator)
    app = df.DFApp()
    app.register_functions(blueprint)
    return app


class Scene:
    """Runs stories against a host over the given orchestrators."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.storage: Storage = MemoryState()
        self.faults = DurableFaults()
        self.options = HostOptions(cross_check=True)
        self.host_json = HostJson()
        self.orchestrators: dict[str, Callable[[Any], Any]] = {}

    def add(self, *generators: Callable[[Any], Any]) -> None:
        """Make the generators orchestrators by their names."""
        self.orchestrators.update({one.__name__: one for one in generators})

    def open_host(self, clock: PlatformClock) -> FunctionsHost:
        """A host, not yet started."""
        app = build_app(self.orchestrators, self.ledger)
        return FunctionsHost(
            app, clock, storage=self.storage, faults=self.faults, host_json=self.host_json, options=self.options
        )

    def play(self, story: Callable[[FunctionsHost, PlatformClock], Coroutine[Any, Any, Any]]) -> Any:
        """Run ``story`` in virtual time against a started host; return what it returns."""

        async def main() -> Any:
            clock = PlatformClock(VIRTUAL_START)
            host = self.open_host(clock)
            await host.start()
            try:
                return await story(host, clock)
            finally:
                await host.stop()

        return run_virtual(main())

    def run(
        self, generator: Callable[[Any], Any], value: Any = None, *, within: timedelta | None = None
    ) -> InstanceStatus:
        """Run one orchestrator to its end, with ``value`` as the SDK's client would send it."""
        self.add(generator)

        async def story(host: FunctionsHost, clock: PlatformClock) -> InstanceStatus:
            host.durable.start_instance(generator.__name__, "one", json.dumps(json.dumps(value)))
            return await host.durable.wait("one", within)

        status: InstanceStatus = self.play(story)
        return status


@pytest.fixture
def scene() -> Scene:
    """A scene with nothing in it yet."""
    return Scene()
