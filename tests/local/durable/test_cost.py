"""What a turn costs the host beside the SDK's replay, and the accelerator for tests."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from local.clock import PlatformClock
from local.durable.options import HostOptions
from local.durable.timestamps import fast_timestamps
from local.functions.host import FunctionsHost
from local.state import MemoryState


def test_fast_timestamps_change_no_history(scene: Any) -> None:
    def story(context: Any) -> Any:
        start = context.current_utc_datetime
        yield context.create_timer(start + timedelta(seconds=1.5))
        yield context.task_all([context.call_activity("slow", second) for second in (2, 1)])
        return (context.current_utc_datetime - start).total_seconds()

    async def play(host: FunctionsHost, clock: PlatformClock) -> list[Any]:
        host.durable.start_instance("story", "one")
        await host.durable.wait("one")
        return host.durable.history("one")

    scene.add(story)
    stock = scene.play(play)
    scene.storage = MemoryState()
    with fast_timestamps():
        assert scene.play(play) == stock


def test_a_long_history_costs_the_host_less_than_the_sdk(scene: Any) -> None:
    """The stand-in's own work for a turn is linear in the history, and well below the replay's."""

    def story(context: Any) -> Any:
        for step in range(60):
            yield context.call_activity("work", step)

    scene.options = HostOptions()
    scene.add(story)

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        begun = time.thread_time()
        host.durable.start_instance("story", "one")
        await host.durable.wait("one")
        spent = time.thread_time() - begun
        by_sdk = sum(one.cpu_seconds for one in host.durable.executions)
        assert by_sdk > spent / 2
        assert [one.events for one in host.durable.executions][-1] == 2 + 60 * 4

    scene.play(play)
