"""``GET /health``, also the deep look."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from api.routes import routes
from local.functions.schedules import parse_schedule
from rollout.model.rows.timer_run import EVERY, TimerRun
from rollout.ports.errors import Busy
from settings import Settings
from triggers.timers import timers


async def test_the_app_is_well_while_it_runs(world: Any) -> None:
    assert await world.get("health") == {"status": "healthy"}
    assert world.identity.asked == 0


async def ran(world: Any) -> None:
    for name in EVERY:
        await world.store.timer_runs.put(TimerRun(name, world.clock.now()))


async def test_a_deep_look_says_what_was_looked_at(world: Any) -> None:
    await ran(world)
    found = await world.get("health?deep=true")
    assert found["status"] == "healthy"
    assert [check["name"] for check in found["checks"]] == ["storage", "armToken", *EVERY]
    assert found["checks"][2] == {"name": "schedules", "lastRun": "2026-11-23T08:15:00.000Z", "left": []}


async def test_a_deep_look_says_what_the_purge_has_left(world: Any) -> None:
    await ran(world)
    await world.store.timer_runs.put(TimerRun("purge", world.clock.now(), ("requests: more than a night's work",)))
    found = await world.get("health?deep=true")
    assert found["checks"][-1]["left"] == ["requests: more than a night's work"]


async def unhealthy(world: Any) -> tuple[str, str]:
    answer = await world.send("GET", "health?deep=true")
    assert (answer.status, answer.body["error"]["code"], answer.headers["Retry-After"]) == (503, "unhealthy", "15")
    return answer.body["error"]["target"], answer.body["error"]["message"]


async def test_the_first_that_fails_is_told(world: Any) -> None:
    await ran(world)
    world.identity.error = Busy("NoToken", "of identity 1234")
    target, message = await unhealthy(world)
    assert (target, "NoToken" in message, "1234" in message) == ("armToken", True, False)

    async def fail() -> Any:
        raise Busy("ServerBusy", "of account a")

    world.clock.pass_(timedelta(seconds=11))
    world.store.timer_runs.list = fail
    assert (await unhealthy(world))[0] == "storage"


@pytest.mark.parametrize(("name", "after"), [("schedules", 4), ("watchdog", 12), ("purge", 2 * 1440 + 2)])
async def test_a_timer_that_no_longer_runs_is_told(world: Any, name: str, after: int) -> None:
    await ran(world)
    world.clock.pass_(timedelta(minutes=after))
    for other in set(EVERY) - {name}:
        await world.store.timer_runs.put(TimerRun(other, world.clock.now()))
    target, message = await unhealthy(world)
    assert (target, "it last ran at 2026-11-23T08:15:00.000Z" in message) == (name, True)


async def test_timers_that_never_run_are_told_once_they_should_have(world: Any) -> None:
    assert [check["lastRun"] for check in (await world.get("health?deep=true"))["checks"]] == [None] * 6
    world.clock.pass_(timedelta(minutes=4))
    assert (await unhealthy(world))[0] == "schedules"


async def test_who_asks_often_gets_one_look_in_ten_seconds(world: Any) -> None:
    for _ in range(20):
        await world.get("health?deep=true")
    assert world.identity.asked == 1
    world.clock.pass_(timedelta(seconds=10))
    await world.get("health?deep=true")
    assert world.identity.asked == 2


async def test_who_does_not_answer_is_not_waited_for(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.handlers.app_health.ANSWERS_WITHIN", timedelta(milliseconds=1))

    async def hang() -> Any:
        await asyncio.Event().wait()

    world.store.timer_runs.list = hang
    target, message = await unhealthy(world)
    assert (target, "no answer" in message) == ("storage", True)


async def test_every_timer_notes_that_it_ran_and_how_often_it_should(world: Any) -> None:
    for timer in timers(Settings()):
        schedule = parse_schedule(timer.schedule)
        first = schedule.next_after(world.clock.now())
        assert schedule.next_after(first) - first == EVERY[timer.name]
    assert [timer.name for timer in timers(Settings())] == list(EVERY)
    (schedules, *_) = timers(Settings())
    await schedules.handler(world.ports)
    assert [run.name for run in await world.store.timer_runs.list()] == ["schedules"]
    assert routes(Settings())
