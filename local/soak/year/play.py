"""Play the months, week after week, hold them to every promise, and count at some months' ends how much there is."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from adapters.tables.store import store_over
from local.clock import run_virtual
from local.durable.timestamps import fast_timestamps
from local.soak.player import UNDER_WAY
from local.soak.year.growth import Growth, growing, memory, table_lines
from local.soak.year.life import WEEK, Happening, happen, week
from local.soak.year.scene import YearScene
from local.soak.year.tables import CountedTables
from local.soak.year.wall import schedule_problems, wall_times
from local.soak.year.world import RENAMED, RULED, SCHEDULES, year_world
from local.virtual import VirtualPlatform
from local.virtual.checkers import violations
from settings import Settings

Tell = Callable[[str], None]

#: A month, as weeks are counted; and at the end of which months it is counted how much there is.
MONTH = timedelta(days=365) / 12
COUNTED = (1, 3, 6, 12)

#: How long before it is counted the timer runs that looks at sets: a day of that takes as long as five without.
LOOKED_AROUND = timedelta(days=1)

#: Promises that are about the host whole: they are asked once.
OF_THE_HOST = frozenset({"histories_short", "host_without_errors", "no_activity_raises"})

#: Short enough that all of it is reached in the third month.
SETTINGS = Settings(history_days=14, rows_days=45)

#: Whoever waits for a person, or was away for ten days, is done by then.
QUIET_WITHIN = timedelta(days=25)


@dataclass
class YearOutcome:
    """What became of the months: broken promises in words, and the counts."""

    problems: list[str] = field(default_factory=list)
    samples: list[Growth] = field(default_factory=list)
    due: int = 0
    deployments: int = 0


def play_months(months: int, tell: Tell) -> YearOutcome:
    """Play so many months from the first of January on."""
    outcome = YearOutcome()
    gc.set_threshold(100_000, 20)  # there is much that stays
    with fast_timestamps():
        run_virtual(_play(months, outcome, tell))
    return outcome


def summary(outcome: YearOutcome) -> str:
    """The table of growth, and what was held."""
    return "\n".join(
        [
            *table_lines(outcome.samples),
            f"{outcome.due} times of {sum(map(len, SCHEDULES.values()))} schedules, {outcome.deployments} deployments: "
            + ("every promise was kept" if not outcome.problems else f"{len(outcome.problems)} broken"),
        ]
    )


async def _play(months: int, outcome: YearOutcome, tell: Tell) -> None:
    tables = CountedTables()
    platform = VirtualPlatform(year_world(), settings=SETTINGS)
    platform.store = store_over(tables.table)
    begin = platform.clock.now()
    async with platform:
        scene = YearScene(platform, tables)
        await scene.look_around(False)
        await scene.watch()
        number, longest = 0, 0
        for month in range(1, months + 1):
            counted = month in COUNTED or month == months
            while platform.clock.now() < begin + month * MONTH:
                await _one_week(scene, number)
                await _until_quiet(scene, outcome)
                longest = max([longest, *(one.events for one in platform.executions)])
                await _judge(scene, outcome, tell)
                number += 1
                tell(f"week {number}, until {platform.clock.now():%d %b %H:%M}")
            tell(f"month {month}: {len(outcome.problems)} broken")
            await scene.rename(RENAMED, f"{RENAMED}-{month}")
            if counted:
                outcome.samples.append(Growth(month, await _count(scene, longest)))
                longest = 0
                for line in table_lines(outcome.samples):
                    tell(line)
        end = platform.host_clock.now()
    outcome.problems += scene.unexpected + list(_schedules(scene, begin, end, outcome)) + growing(outcome.samples)


async def _one_week(scene: YearScene, number: int) -> None:
    begun = scene.platform.clock.now()

    async def later(happening: Happening) -> None:
        await scene.platform.clock.sleep_until(begun + happening.at)
        await happen(scene, happening)

    await asyncio.gather(*(later(one) for one in week(number, list(SCHEDULES))))
    await scene.platform.clock.sleep_until(begun + WEEK)


async def _until_quiet(scene: YearScene, outcome: YearOutcome) -> None:
    """Wait until nothing is under way, nobody has a lock and nothing is held."""
    deadline = scene.platform.clock.now() + QUIET_WITHIN
    while scene.platform.clock.now() < deadline:
        await scene.sleep(timedelta(minutes=4))
        if not scene.platform.host.durable.select(UNDER_WAY) and not await scene.platform.store.holds.list():
            return
    outcome.problems.append(f"it was never quiet until {deadline}:\n{scene.platform.host.durable.describe()}")


async def _judge(scene: YearScene, outcome: YearOutcome, tell: Tell) -> None:
    """Ask for all promises since the last time, and forget what was logged for them."""
    for group, watched in scene.watched.items():
        spared = OF_THE_HOST if group != RULED else frozenset[str]()
        for problem in await violations(watched, spared):
            outcome.problems.append(f"{scene.platform.clock.now():%d %b} {group}: {problem}")
            tell(outcome.problems[-1])
    scene.platform.forget_log()
    await scene.watch()


async def _count(scene: YearScene, longest: int) -> dict[str, int]:
    """How much there is, and what an hour costs in which nobody does anything."""
    platform, tables = scene.platform, scene.tables
    await scene.look_around(True)
    await scene.sleep(LOOKED_AROUND)
    operations, requests = tables.operations, _requests(platform)
    await scene.sleep(timedelta(hours=1))
    idle = tables.operations - operations, _requests(platform) - requests
    await scene.look_around(False)
    instances = platform.host.durable.instances()
    return {
        "table operations of an idle hour": idle[0],
        "Azure requests of an idle hour": idle[1],
        **{f"rows of {name}": rows for name, rows in tables.rows().items()},
        "instances": len(instances),
        "events of instances": sum(len(platform.host.durable.history(one.id)) for one in instances),
        "events of the longest history": longest,
        "MB of memory": memory(),
    }


def _requests(platform: VirtualPlatform) -> int:
    return sum(count.passed + count.throttled for count in platform.cloud.requests.values())


def _schedules(scene: YearScene, begin: datetime, end: datetime, outcome: YearOutcome) -> Iterator[str]:
    """Each schedule's decided times against the clock on the wall; those of the renamed group up to its first end."""
    runs = sorted(scene.tables.runs, key=lambda run: (run.group_id, run.name))
    decided = {key: list(rows) for key, rows in groupby(runs, key=lambda run: (run.group_id, run.name))}
    outcome.deployments = scene.tables.deployments
    for group, schedules in SCHEDULES.items():
        for number, (cron, zone) in enumerate(schedules):
            mine = decided.get((group, f"at-{number}"), [])
            until = min(end, begin + MONTH) if group == RENAMED else end
            expected = list(wall_times(cron, zone, begin, until))
            outcome.due += len(expected)
            mine = [run for run in mine if run.due <= until]
            yield from schedule_problems(f"{group} {cron} {zone}", expected, mine, scene.gaps)
