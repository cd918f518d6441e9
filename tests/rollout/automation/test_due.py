"""What to do about the last time of a schedule."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.automation.due import TRY_LASTS, DueTimes, ScheduleAct, decide, is_try, try_token
from rollout.model.azure.scale_set import ImageReference
from rollout.model.names import deployment_id
from rollout.model.parameters import Parameters
from rollout.model.request import StartRequest
from rollout.model.rows.deployment import Deployment, Image, Problem
from rollout.model.schedule import Schedule, ScheduleOutcome, ScheduleRun, as_put

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: A time of the schedule, the one before, and when somebody made the schedule.
LAST = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
BEFORE = LAST - DAY
MADE = LAST - 10 * DAY

NIGHTLY = Schedule("nightly", "30 2 * * *", max_lateness=HOUR, since=MADE)


def run_of(
    due: datetime, outcome: ScheduleOutcome = ScheduleOutcome.STARTED, reason: str = "", **fields: object
) -> ScheduleRun:
    row = ScheduleRun("web", "nightly", due, due, outcome, reason)
    return replace(row, **fields)  # type: ignore[arg-type]


def waits(due: datetime, reason: str = "Deployment a has the set", **fields: object) -> ScheduleRun:
    return run_of(due, ScheduleOutcome.WAITING, reason, **fields)


@pytest.mark.parametrize(
    ("schedule", "run", "now", "act", "due", "words"),
    [
        # The time comes.
        (replace(NIGHTLY, since=BEFORE + MINUTE), None, LAST, ScheduleAct.TRY, LAST, "Due now"),
        (NIGHTLY, run_of(BEFORE), LAST + HOUR, ScheduleAct.TRY, LAST, "Due 1 h ago"),
        (
            NIGHTLY,
            run_of(BEFORE - DAY),
            LAST,
            ScheduleAct.TRY,
            LAST,
            "Due now. Times before it passed without a run too",
        ),
        # Too late.
        (
            NIGHTLY,
            run_of(BEFORE),
            LAST + HOUR + MINUTE,
            ScheduleAct.MISSED,
            LAST,
            "Nothing ran at that time: found 1 h 1 min late, and 1 h are allowed",
        ),
        (
            NIGHTLY,
            None,
            LAST + 2 * HOUR,
            ScheduleAct.MISSED,
            LAST,
            "Nothing ran at that time: found 2 h late, and 1 h are allowed. Times before it passed without a run too",
        ),
        (
            NIGHTLY,
            waits(LAST),
            LAST + HOUR + MINUTE,
            ScheduleAct.MISSED,
            LAST,
            "Could not start within 1 h. Deployment a has the set",
        ),
        # It waits.
        (NIGHTLY, waits(LAST), LAST + HOUR, ScheduleAct.TRY, LAST, "Due 1 h ago"),
        (
            NIGHTLY,
            waits(BEFORE),
            LAST,
            ScheduleAct.TRY,
            LAST,
            "Due now. The time 2026-11-22T02:30:00.000Z still waited, and is not tried again",
        ),
        # A try is under way, or has died.
        (
            NIGHTLY,
            waits(LAST, trying=True),
            LAST + MINUTE,
            ScheduleAct.LATER,
            LAST,
            "It is being tried since 2026-11-23T02:30:00.000Z",
        ),
        (NIGHTLY, waits(LAST, trying=True), LAST + TRY_LASTS, ScheduleAct.TRY, LAST, "Due 2 min ago"),
        (
            NIGHTLY,
            waits(BEFORE, trying=True, at=LAST - MINUTE),
            LAST,
            ScheduleAct.LATER,
            BEFORE,
            "It is being tried since 2026-11-23T02:29:00.000Z",
        ),
        # Decided already.
        *(
            (
                NIGHTLY,
                run_of(LAST, outcome),
                LAST + MINUTE,
                ScheduleAct.NOTHING,
                None,
                "No time of the schedule is undecided",
            )
            for outcome in ScheduleOutcome
            if outcome is not ScheduleOutcome.WAITING
        ),
        (NIGHTLY, run_of(LAST + DAY), LAST + MINUTE, ScheduleAct.NOTHING, None, "No time of the schedule is undecided"),
        # Made or changed after the time.
        (
            replace(NIGHTLY, since=LAST + MINUTE),
            None,
            LAST + 2 * MINUTE,
            ScheduleAct.NOTHING,
            None,
            "No time of the schedule is undecided",
        ),
        (replace(NIGHTLY, since=LAST), None, LAST, ScheduleAct.TRY, LAST, "Due now"),
        (
            replace(NIGHTLY, since=LAST + MINUTE),
            waits(LAST),
            LAST + 2 * MINUTE,
            ScheduleAct.MISSED,
            LAST,
            "The schedule was changed before this time could start. Deployment a has the set",
        ),
        (replace(NIGHTLY, since=None), None, LAST, ScheduleAct.TRY, LAST, "Due now"),
        # Disabled.
        (
            replace(NIGHTLY, enabled=False),
            None,
            LAST,
            ScheduleAct.NOTHING,
            None,
            "No time of the schedule is undecided",
        ),
        (
            replace(NIGHTLY, enabled=False),
            waits(LAST),
            LAST + MINUTE,
            ScheduleAct.MISSED,
            LAST,
            "The schedule was disabled before this time could start. Deployment a has the set",
        ),
        # Another process's clock is ahead.
        (NIGHTLY, waits(LAST), LAST - MINUTE, ScheduleAct.LATER, LAST, "It is due at 2026-11-23T02:30:00.000Z"),
    ],
)
def test_what_is_decided(
    schedule: Schedule, run: ScheduleRun | None, now: datetime, act: ScheduleAct, due: datetime | None, words: str
) -> None:
    decision = decide(schedule, run, DueTimes(LAST if now >= LAST else BEFORE, BEFORE), now)
    assert (decision.act, decision.due, decision.reason) == (act, due, words)


def test_a_schedule_that_never_came_has_nothing_to_decide() -> None:
    assert decide(NIGHTLY, None, DueTimes(None), LAST).act is ScheduleAct.NOTHING


def test_what_is_put_keeps_since_when_its_times_are_these() -> None:
    (same,) = as_put([replace(NIGHTLY, since=None)], [NIGHTLY], LAST)
    assert same == NIGHTLY
    other = replace(NIGHTLY, since=None, max_lateness=DAY, deployment=StartRequest(batch_size=3))
    assert as_put([other], [NIGHTLY], LAST)[0].since == MADE
    for change in ({"cron": "31 2 * * *"}, {"time_zone": "Europe/Berlin"}, {"enabled": False}, {"name": "other"}):
        assert as_put([replace(NIGHTLY, **change)], [NIGHTLY], LAST)[0].since == LAST
    assert as_put([NIGHTLY], [], LAST)[0].since == LAST


def deployment(at: datetime, token: str, by: str = "schedule nightly", **fields: object) -> Deployment:
    row = Deployment(deployment_id("web", at, token), "web", "s", Parameters(None), Image(None, ImageReference()), at)
    return replace(row, started_by=by, **fields)  # type: ignore[arg-type]


def test_a_deployment_that_a_try_has_made_is_found_by_its_time() -> None:
    token = try_token("web", "nightly", LAST)
    made = deployment(LAST + 3 * MINUTE, token)
    others = [
        deployment(LAST + MINUTE, try_token("web", "nightly", BEFORE)),
        deployment(LAST + MINUTE, try_token("web", "other", LAST), "schedule other"),
        deployment(LAST + MINUTE, token, "function key"),
        deployment(LAST - MINUTE, token),
        deployment(LAST + MINUTE, token, error=Problem("notStarted", "Durable did not")),
    ]
    assert is_try(made, "nightly", LAST)
    assert not any(is_try(other, "nightly", LAST) for other in others)
    failed = replace(made, error=Problem("batchUnhealthy", ""))
    assert is_try(failed, "nightly", LAST)


@dataclass
class Night:
    """A schedule of every ten minutes, looked at whenever a test says; ``started`` is what it led to."""

    now: datetime = LAST
    schedule: Schedule = field(default_factory=lambda: Schedule("n", "*/10 * * * *", max_lateness=HOUR, since=LAST))
    run: ScheduleRun | None = None
    began: list[tuple[datetime, datetime]] = field(default_factory=list)
    dues: list[datetime] = field(default_factory=list)

    def times(self) -> DueTimes:
        step = timedelta(minutes=10)
        last = LAST + (self.now - LAST) // step * step
        return DueTimes(last, last - step) if self.schedule.enabled else DueTimes(None)

    def look(self, answer: str) -> None:
        decision = decide(self.schedule, self.run, self.times(), self.now)
        if decision.act in (ScheduleAct.NOTHING, ScheduleAct.LATER):
            return
        due = decision.due
        assert due is not None
        assert (
            self.run is None
            or due > self.run.due
            or (due == self.run.due and self.run.outcome is ScheduleOutcome.WAITING)
        )
        assert self.schedule.since is not None
        self.dues.append(due)
        if decision.act is ScheduleAct.MISSED:
            self.run = run_of(due, ScheduleOutcome.MISSED, at=self.now)
            return
        assert self.schedule.enabled
        assert self.schedule.since <= due <= self.now <= due + self.schedule.max_lateness
        self.run = waits(due, at=self.now, trying=True)
        if answer == "dies":
            return
        if answer == "starts":
            self.began.append((due, self.now))
            self.run = run_of(due, at=self.now)
        elif answer == "nothing":
            self.run = run_of(due, ScheduleOutcome.NOTHING_TO_DO, at=self.now)
        else:
            self.run = replace(self.run, trying=False)

    def put(self, change: dict[str, object]) -> None:
        put = replace(self.schedule, **change)  # type: ignore[arg-type]
        (self.schedule,) = as_put([put], [self.schedule], self.now)


ANSWERS = st.sampled_from(["starts", "waits", "dies", "nothing"])
CHANGES = st.sampled_from(
    [
        {"enabled": False},
        {"enabled": True},
        {"max_lateness": DAY},
        {"max_lateness": MINUTE},
        {"deployment": StartRequest(force=True)},
    ]
)


@given(st.lists(st.one_of(ANSWERS, CHANGES, st.timedeltas(timedelta(0), timedelta(hours=3))), max_size=60))
def test_whatever_happens_each_time_starts_once_and_neither_early_nor_late(happens: list[object]) -> None:
    night = Night()
    for one in happens:
        if isinstance(one, timedelta):
            night.now += one
        elif isinstance(one, dict):
            night.put(one)
        else:
            night.look(str(one))
    started = [due for due, _ in night.began]
    assert len(started) == len(set(started))
    assert night.dues == sorted(night.dues)


@given(st.integers(1, 200), st.integers(0, 400))
def test_a_run_every_minute_decides_every_time_that_it_is_there_for(minutes: int, asleep: int) -> None:
    """After a sleep only the last time that passed is decided."""
    night = Night()
    awake = [*range(minutes), *range(minutes + asleep, minutes + asleep + 10)]
    for minute in awake:
        night.now = LAST + minute * MINUTE
        night.look("starts")
    expected = {LAST + minute // 10 * 10 * MINUTE for minute in awake}
    assert [due for due, _ in night.began] == sorted(expected)
