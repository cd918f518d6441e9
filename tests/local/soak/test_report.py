"""What the soak prints, and what its exit code says."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from local.soak.forecasts import AT_THE_PLAN, LATER, ForecastError, told
from local.soak.player import RunOutcome
from local.soak.report import MANY, Tally, broken_line, progress_line, summary
from local.soak.script import TROUBLE, Seed


def tally_of(*outcomes: RunOutcome, wanted: int) -> Tally:
    tally = Tally(wanted)
    for outcome in outcomes:
        tally.add(outcome)
    return tally


def good(number: int, faulty: bool = False, *trouble: str) -> RunOutcome:
    return RunOutcome(Seed(number, faulty), [], Counter(trouble), Counter(["group_free"]), Counter(["finished"] * 2))


BAD = RunOutcome(Seed(17, True), ["one", "two", "three", "four", "five"])


def test_a_broken_seed_is_named_with_the_command_that_plays_it_again() -> None:
    assert broken_line(BAD).splitlines() == [
        "BROKEN  python -m local.soak --seed 17 --faulty",
        "    one",
        "    two",
        "    three",
        "    and 2 more",
    ]


def test_progress_says_how_far_how_fast_and_how_well() -> None:
    assert progress_line(tally_of(good(1), wanted=4), 2.0) == "1 of 4 seeds, 0.5 a second, none broken"
    assert progress_line(tally_of(good(1), BAD, wanted=4), 2.0) == "2 of 4 seeds, 1.0 a second, 1 broken"


def test_the_summary_counts_everything() -> None:
    tally = tally_of(good(1), good(1, True, "lock", "lock"), wanted=2)
    assert summary(tally, 4000, "abc123").splitlines() == [
        "1 clean and 1 faulty seeds in 1:06:40, 0.0 a second at commit abc123: none broken",
        "deployments: finished 4",
        "checks: group_free 2",
        "expected end: none",
        "trouble: lock 2",
    ]


def test_a_run_that_was_stopped_says_how_far_it_came_and_is_not_well() -> None:
    tally = tally_of(good(1), wanted=3)
    assert not tally.is_well
    assert summary(tally, 1, "").splitlines()[-1] == "stopped before the other 2 seeds of 3"


def test_a_broken_promise_is_not_well() -> None:
    assert tally_of(good(1), wanted=1).is_well
    assert not tally_of(good(1), BAD, wanted=2).is_well


def test_a_large_run_that_never_had_some_trouble_is_not_well() -> None:
    one, *others = TROUBLE
    few = tally_of(*[good(number, True, *others) for number in range(3)], wanted=3)
    assert (few.never_injected, few.is_well) == ([], True)
    many = tally_of(*[good(number, True, *others) for number in range(MANY)], wanted=MANY)
    assert (many.never_injected, many.is_well) == ([one], False)
    assert summary(many, 1, "").splitlines()[-1] == f"never injected: {one}"


def test_the_summary_says_how_far_expected_ends_were_from_the_ends() -> None:
    minute = timedelta(minutes=1)
    errors = [ForecastError(AT_THE_PLAN, said * minute, 10 * minute) for said in (9, 10, 13)]
    assert told(errors[:1]) == "at the plan 1, off by 10 % (nine in ten by less than 10 %)"
    assert told([*errors, ForecastError(LATER, minute, minute)]).startswith("at the plan 3, off by 10 % (nine in ten")
