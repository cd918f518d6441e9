"""Every timer trigger, as a table: ``api.http_triggers`` makes a function of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from rollout.model.rows.timer_run import TimerRun
from rollout.ports.ports import Ports
from services.authentication import complain
from settings import Settings
from triggers.group_states import look_around
from triggers.purge import purge
from triggers.schedules import ScheduleMemory, start_due
from triggers.watchdog import watch


@dataclass(frozen=True)
class Timer:
    """One function of the app. ``schedule`` is an NCRONTAB expression, with seconds, in UTC.

    ``handler`` may answer what it left for its next run, in words.
    """

    name: str
    schedule: str
    handler: Callable[[Ports], Awaitable[Sequence[str] | None]]


def timers(settings: Settings) -> tuple[Timer, ...]:
    """What Teal does by itself: start what is due, look at sets, put in order what was lost, forget what is old."""
    history, rows = timedelta(days=settings.history_days), timedelta(days=settings.rows_days)
    due = partial(start_due, decided=ScheduleMemory())
    each_minute = partial(_complaining, handler=due, settings=settings)
    table = (
        # A second after the full minute: the host may call a little early, and would then find a time not due yet.
        Timer("schedules", "1 * * * * *", each_minute),
        Timer("groupStates", "31 * * * * *", look_around),
        Timer("watchdog", "0 */5 * * * *", watch),
        Timer("purge", "0 17 3 * * *", partial(purge, history=history, rows=rows)),
    )
    return tuple(replace(timer, handler=partial(_noted, timer=timer)) for timer in table)


async def _complaining(ports: Ports, *, handler: Callable[[Ports], Awaitable[None]], settings: Settings) -> None:
    """Run what runs each minute; and say each minute that nobody can be let in, where that is so."""
    complain(settings)
    await handler(ports)


async def _noted(ports: Ports, *, timer: Timer) -> None:
    """Run the timer; and write down that it ran and what it left, by which others see whether timers do their work."""
    left = await timer.handler(ports)
    await ports.store.timer_runs.put(TimerRun(timer.name, ports.clock.now(), tuple(left or ())))
