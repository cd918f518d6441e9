"""What is held, what of it is kept, and that every way of holding and restoring ends where it began."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.holds.holds import (
    HoldNeeds,
    conflicts,
    describe_hold,
    held_kinds,
    keep_after,
    keep_time,
    plan_hold,
    unreadable,
)
from rollout.holds.moves import closed, next_writes, refused, to_hold, to_restore
from rollout.model.codec import Json, decode, encode
from rollout.model.rows.deployment import Batch
from rollout.model.rows.holds import Hold, HoldKind, Process, ProcessHold

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
SET = "/subscriptions/0/resourceGroups/demo/providers/Microsoft.Compute/virtualMachineScaleSets/web"
SETTING = "/subscriptions/0/resourceGroups/demo/providers/Microsoft.Insights/autoscaleSettings/web-as"


def bounds(minimum: int, maximum: int, default: int) -> Json:
    return {"minimum": minimum, "maximum": maximum, "default": default}


def autoscale(**profiles: Json) -> Process:
    return Process(HoldKind.AUTOSCALE, SETTING, dict(profiles))


def on_set(kind: HoldKind, **value: Any) -> Process:
    return Process(kind, SET, value)


SCALE_IN = on_set(HoldKind.SCALE_IN_POLICY, rules=["Default"])
SERVICE = on_set(HoldKind.REPAIRS, serviceState="Running")
POLICY = on_set(HoldKind.REPAIRS, enabled=True, gracePeriod="PT30M")
REBALANCE = on_set(HoldKind.ZONE_REBALANCE, automaticZoneRebalancingPolicy={"enabled": True})
MODE = on_set(HoldKind.UPGRADE_MODE, mode="Rolling")
OVERPROVISION = on_set(HoldKind.OVERPROVISION, overprovision=True)


@pytest.mark.parametrize(
    ("given_", "needs", "expected"),
    [
        (bounds(2, 10, 2), HoldNeeds(10, 10, 2), bounds(10, 12, 10)),  # full: room for the surge, no scale-in
        (bounds(2, 30, 5), HoldNeeds(10, 10, 2), bounds(10, 30, 10)),  # roomy: only the minimum
        (bounds(12, 30, 20), HoldNeeds(10, 10, 2), bounds(12, 30, 20)),  # nothing to change
        (bounds(0, 5, 5), HoldNeeds(0, 5, 5), bounds(0, 10, 5)),  # nothing blue: the minimum is left
        (bounds(2, 4, 2), HoldNeeds(3, 8, 2), bounds(3, 10, 3)),  # VMs that are kept count for the maximum
    ],
)
def test_autoscales_bounds_while_held(given_: Json, needs: HoldNeeds, expected: Json) -> None:
    [item] = plan_hold([autoscale(default=given_)], needs)
    assert (item.old, item.new) == ({"default": given_}, {"default": expected})


@pytest.mark.parametrize(
    ("process", "new"),
    [
        (SERVICE, {"serviceState": "Suspended"}),
        (on_set(HoldKind.REPAIRS, serviceState="Suspended"), None),
        (on_set(HoldKind.REPAIRS, serviceState="NotRunning"), None),
        (POLICY, {"enabled": False}),
        (on_set(HoldKind.REPAIRS, enabled=False), None),
        (REBALANCE, {"automaticZoneRebalancingPolicy": {"enabled": False}}),
        (on_set(HoldKind.ZONE_REBALANCE), None),
        (SCALE_IN, {"rules": ["OldestVM"]}),
        (on_set(HoldKind.SCALE_IN_POLICY, rules=["OldestVM"]), None),
        (MODE, None),
        (OVERPROVISION, None),
        (replace(autoscale(default=bounds(1, 2, 1)), active=False), None),
        (replace(SERVICE, value={}, unreadable="AuthorizationFailed: no role"), None),
    ],
)
def test_what_else_is_held_and_what_is_not(process: Process, new: Json | None) -> None:
    items = plan_hold([process], HoldNeeds(10, 10, 2))
    assert [item.new for item in items] == ([] if new is None else [new])


@pytest.mark.parametrize(
    ("process", "new"),
    [
        (MODE, {"mode": "Manual"}),
        (OVERPROVISION, {"overprovision": False}),
        (on_set(HoldKind.UPGRADE_MODE, mode="Manual"), None),
        (on_set(HoldKind.OVERPROVISION, overprovision=False), None),
    ],
)
def test_what_is_adjusted_where_the_request_allows_it(process: Process, new: Json | None) -> None:
    items = plan_hold([process], HoldNeeds(10, 10, 2, adjust=True))
    assert [item.new for item in items] == ([] if new is None else [new])


def test_needs_come_from_the_plan() -> None:
    batches = [Batch(1, 1, 1), Batch(2, 4, 5), Batch(3, 4, 4)]
    assert HoldNeeds.of(batches, 11, True) == HoldNeeds(blue=9, count=11, surge=5, adjust=True)
    assert HoldNeeds.of([], 11, False) == HoldNeeds(0, 11, 0)


EVERYTHING = (autoscale(day=bounds(1, 2, 1)), SERVICE, REBALANCE, SCALE_IN, MODE, OVERPROVISION)


def world_after(world: dict[Any, Process], writes: Any) -> dict[Any, Process]:
    return {**world, **{process.key: process for process in writes}}


def test_patches_go_in_one_write_services_after_them_and_autoscale_by_itself() -> None:
    items = plan_hold(EVERYTHING, HoldNeeds(2, 2, 1, adjust=True))
    move = to_hold(items, EVERYTHING)
    groups = next_writes(move.writes, settled=True)
    assert [[process.kind.value for process in group] for group in groups] == [
        ["autoscale"],
        ["zoneRebalance", "scaleInPolicy", "upgradeMode", "overprovision"],
    ]
    assert [group[0].kind for group in next_writes(move.writes, settled=False)] == [HoldKind.AUTOSCALE]
    world = {process.key: process for process in EVERYTHING}
    for group in groups:
        world = world_after(world, group)
    move = to_hold(items, world.values())
    assert [[process.kind.value for process in group] for group in next_writes(move.writes, True)] == [["repairs"]]
    world = world_after(world, move.writes)
    assert to_hold(items, world.values()).writes == ()


def test_a_write_keeps_the_parts_that_are_not_held() -> None:
    items = plan_hold([POLICY], HoldNeeds(2, 2, 1))
    [write] = to_hold(items, [POLICY]).writes
    assert write.value == {"enabled": False, "gracePeriod": "PT30M"}
    shorter = replace(write, value={**write.value, "gracePeriod": "PT10M"})
    [write] = to_restore(items, [shorter], keep=False).writes
    assert write.value == {"enabled": True, "gracePeriod": "PT10M"}


def test_a_profile_that_somebody_changed_is_left_and_the_others_come_back() -> None:
    before = autoscale(day=bounds(1, 2, 1), night=bounds(1, 3, 1))
    items = plan_hold([before], HoldNeeds(3, 3, 1))
    now = autoscale(day=bounds(3, 9, 3), night=bounds(3, 4, 3), new=bounds(0, 1, 0))
    move = to_restore(items, [now], keep=False)
    assert [write.value for write in move.writes] == [
        {"day": bounds(3, 9, 3), "night": bounds(1, 3, 1), "new": bounds(0, 1, 0)}
    ]
    [words] = conflicts(move.items)
    assert words == (
        "autoscale web-as, profile day was changed to minimum 3, maximum 9, default 3 meanwhile and is left so; "
        "it was minimum 1, maximum 2, default 1"
    )


def test_repairs_that_came_on_with_the_rebalancing_of_zones_are_told() -> None:
    off = {"automaticRepairsPolicy": {"enabled": False}}
    items = plan_hold([replace(REBALANCE, beside=off)], HoldNeeds(2, 2, 1))
    held = replace(REBALANCE, value={"automaticZoneRebalancingPolicy": {"enabled": False}}, beside=off)
    [write] = to_restore(items, [held], keep=False).writes
    assert write == replace(REBALANCE, beside=off)
    assert conflicts(to_restore(items, [write], keep=False).items) == []
    on = replace(write, beside={"automaticRepairsPolicy": {"enabled": True}})
    assert conflicts(to_restore(items, [on], keep=False).items) == [
        "automatic repairs was changed to on meanwhile and is left so; it was off"
    ]


def test_what_is_gone_or_cannot_be_read_any_more_is_told_with_its_old_value() -> None:
    items = plan_hold([autoscale(day=bounds(1, 2, 1))], HoldNeeds(2, 2, 1))
    assert "profile day is gone" in conflicts(to_restore(items, [], keep=False).items)[0]
    hidden = Process(HoldKind.AUTOSCALE, SET, {}, unreadable="AuthorizationFailed: no role")
    move = to_restore(items, [hidden], keep=False)
    assert move.writes == ()
    assert conflicts(move.items) == [
        "autoscale web-as, profile day could not be put back to minimum 1, maximum 2, default 1: "
        "AuthorizationFailed: no role"
    ]
    assert unreadable([hidden]) == ["autoscale: AuthorizationFailed: no role"]


def test_a_profile_that_needed_no_change_is_nobodys_conflict() -> None:
    items = plan_hold([autoscale(day=bounds(5, 20, 5))], HoldNeeds(2, 2, 1))
    assert held_kinds(items) == []
    move = to_restore(items, [autoscale(day=bounds(1, 40, 1))], keep=False)
    assert (move.writes, conflicts(move.items)) == ((), [])


def test_what_azure_refuses_to_restore_is_done_with_and_told() -> None:
    items = plan_hold([SCALE_IN, SERVICE], HoldNeeds(2, 2, 1))
    after = refused(items, [SCALE_IN], "ScopeLocked: a lock")
    assert [item.restored for item in after] == [True, False]
    assert conflicts(after) == ["the scale-in policy could not be put back to Default: ScopeLocked: a lock"]
    held = [replace(SCALE_IN, value={"rules": ["OldestVM"]}), replace(SERVICE, value={"serviceState": "Suspended"})]
    assert [write.kind for write in to_restore(after, held, keep=False).writes] == [HoldKind.REPAIRS]


def test_after_a_stop_the_maximum_is_the_present_count_and_then_what_it_was() -> None:
    before = autoscale(day=bounds(2, 10, 2), night=bounds(20, 40, 20))
    items = plan_hold([before, SCALE_IN], HoldNeeds(10, 10, 2))
    held = [*to_hold(items, [before, SCALE_IN]).writes]
    kept = keep_after(items, 12)
    move = to_restore(kept, held, keep=True)
    [wanted] = [write for write in move.writes if write.kind is HoldKind.AUTOSCALE]
    assert wanted.value == {"day": bounds(2, 12, 2), "night": bounds(12, 12, 12)}
    assert [item.restored for item in closed(move.items, keep=True)] == [False, True]
    assert keep_after(kept, 3) == kept
    move = to_restore(closed(move.items, keep=True), [wanted], keep=False)
    assert [write.value for write in move.writes] == [before.value]


def test_a_later_deployment_knows_what_was_there_before_the_earlier_one() -> None:
    before = autoscale(day=bounds(2, 10, 2))
    kept = keep_after(plan_hold([before], HoldNeeds(10, 10, 2)), 12)
    [now] = to_restore(kept, [before], keep=True).writes
    [item] = plan_hold([now], HoldNeeds(12, 12, 3), kept)
    assert (item.old, item.new, item.before) == (
        {"day": bounds(2, 10, 2)},
        {"day": bounds(12, 15, 12)},
        {"day": bounds(2, 12, 2)},
    )
    assert to_hold([item], [now]).writes[0].value == item.new
    # It failed before it wrote anything: the earlier one's value goes all the same.
    assert to_restore([item], [now], keep=False).writes[0].value == before.value


def test_what_somebody_changed_between_two_deployments_is_the_old_value_of_the_second() -> None:
    kept = plan_hold([autoscale(day=bounds(2, 10, 2))], HoldNeeds(10, 10, 2))
    theirs = autoscale(day=bounds(4, 11, 4))
    [item] = plan_hold([theirs], HoldNeeds(10, 10, 2), kept)
    assert item.old == {"day": bounds(4, 11, 4)}


def test_what_an_earlier_deployment_adjusted_stays_so_without_the_later_one_asking() -> None:
    earlier = plan_hold([MODE], HoldNeeds(10, 10, 2, adjust=True))
    [item] = plan_hold([replace(MODE, value={"mode": "Manual"})], HoldNeeds(10, 10, 2), earlier)
    assert (item.old, item.new) == ({"mode": "Rolling"}, {"mode": "Manual"})


def test_what_cannot_be_read_now_stays_in_the_journal() -> None:
    earlier = plan_hold([autoscale(day=bounds(2, 10, 2))], HoldNeeds(10, 10, 2))
    hidden = Process(HoldKind.AUTOSCALE, SET, {}, unreadable="AuthorizationFailed: no role")
    assert plan_hold([hidden], HoldNeeds(10, 10, 2), earlier) == earlier
    assert plan_hold([hidden], HoldNeeds(10, 10, 2), closed(earlier, keep=False)) == ()


@pytest.mark.parametrize(
    ("until", "keep", "expected"),
    [
        (None, True, NOW + timedelta(hours=24)),
        (NOW + timedelta(hours=3), True, NOW + timedelta(hours=3)),
        (None, False, NOW),
        (NOW - timedelta(hours=3), False, NOW - timedelta(hours=3)),
        (NOW + timedelta(hours=3), False, NOW),
    ],
)
def test_until_when_the_rest_is_kept(until: datetime | None, keep: bool, expected: datetime) -> None:
    assert keep_time(Hold(SET, "web-1", (), NOW, until), keep, NOW, timedelta(hours=24)) == expected


def test_a_journal_is_over_when_all_is_restored_and_nothing_waits_to_be_discarded() -> None:
    items = plan_hold(EVERYTHING, HoldNeeds(2, 2, 1))
    assert not Hold(SET, "web-1", items, NOW).over
    assert Hold(SET, "web-1", closed(items, keep=False), NOW).over
    assert not Hold(SET, "web-1", (), NOW, discard_batch=2).over


def test_a_journal_comes_back_from_its_row_and_rows_of_less_are_read() -> None:
    hold = Hold(SET, "web-1", plan_hold(EVERYTHING, HoldNeeds(2, 2, 1, adjust=True)), NOW, NOW, 3)
    assert decode(Hold, encode(hold)) == hold
    least = {"scaleSetId": SET, "deploymentId": "web-1", "at": "2026-11-23T08:15:00.000Z", "items": []}
    assert decode(Hold, least) == Hold(SET, "web-1", (), NOW)
    item = {"kind": "autoscale", "resourceId": SETTING, "old": {}, "new": {}}
    assert decode(ProcessHold, item) == ProcessHold(HoldKind.AUTOSCALE, SETTING, {}, {})


def test_the_plan_says_in_sentences_what_will_be_held() -> None:
    hidden = Process(HoldKind.REPAIRS, SET, {}, unreadable="AuthorizationFailed: no role")
    found = [
        autoscale(day=bounds(2, 10, 2), night=bounds(20, 40, 20)),
        hidden,
        REBALANCE,
        SCALE_IN,
        MODE,
        OVERPROVISION,
    ]
    assert describe_hold(found, 10, 2, adjust=True) == (
        "autoscale web-as, profile day: minimum 2, maximum 10, default 2 becomes minimum 10, maximum 12, default 10",
        "automatic zone rebalancing: on becomes off",
        "the scale-in policy: Default becomes OldestVM",
        "the upgrade mode: Rolling becomes Manual",
        "overprovisioning: on becomes off",
        "Not held, because it cannot be read: automatic repairs: AuthorizationFailed: no role",
    )
    assert describe_hold([autoscale(day=bounds(8, 10, 8))], 8, 2, False, count=10)[0].endswith("maximum 12, default 8")


NUMBERS = st.integers(0, 40)
BOUNDS = st.tuples(NUMBERS, NUMBERS, NUMBERS).map(sorted).map(lambda three: bounds(three[0], three[2], three[1]))
PROFILES = st.dictionaries(st.sampled_from(["day", "night", "week/end"]), BOUNDS, min_size=1)
NEEDS = st.builds(
    lambda blue, kept, surge, adjust: HoldNeeds(blue, blue + kept, surge, adjust),
    NUMBERS,
    NUMBERS,
    st.integers(0, 20),
    st.booleans(),
)
PROCESSES = st.builds(
    lambda profiles, active, rest: (replace(autoscale(**profiles), active=active), *rest),
    PROFILES,
    st.booleans(),
    st.lists(st.sampled_from([POLICY, REBALANCE, SCALE_IN, MODE, OVERPROVISION]), unique_by=lambda p: p.key),
)


@given(PROCESSES, NEEDS)
def test_bounds_are_in_order_with_room_and_never_narrower(processes: tuple[Process, ...], needs: HoldNeeds) -> None:
    for item in plan_hold(processes, needs):
        if item.kind is HoldKind.AUTOSCALE:
            for profile, new in item.new.items():
                old = item.old[profile]
                assert new["minimum"] <= new["default"] <= new["maximum"]
                assert new["minimum"] >= max(old["minimum"], needs.blue)
                assert new["maximum"] >= max(old["maximum"], needs.count + needs.surge)


@given(PROCESSES, NEEDS, st.integers(0, 8), st.one_of(st.none(), st.integers(0, 60)), NEEDS)
def test_all_comes_back_wherever_holding_was_cut_off(
    processes: tuple[Process, ...], needs: HoldNeeds, held: int, kept: int | None, again: HoldNeeds
) -> None:
    """Held in part, kept or not, then held once more by another deployment in part: restored, it is as it was."""
    begin = {process.key: process for process in processes}
    items = plan_hold(processes, needs)
    world = world_after(begin, to_hold(items, begin.values()).writes[:held])
    if kept is not None:
        items = keep_after(items, kept)
        world = world_after(world, to_restore(items, world.values(), keep=True).writes)
        items = closed(items, keep=True)
    later = plan_hold(world.values(), again, items)
    world = world_after(world, to_hold(later, world.values()).writes[: held // 2])
    move = to_restore(later, world.values(), keep=False)
    assert conflicts(move.items) == []
    world = world_after(world, move.writes)
    assert world == begin
    assert to_restore(later, world.values(), keep=False).writes == ()


@given(PROCESSES, NEEDS, PROFILES)
def test_what_somebody_wrote_is_never_written_over(
    processes: tuple[Process, ...], needs: HoldNeeds, theirs: dict[str, Json]
) -> None:
    items = plan_hold(processes, needs)
    now = [process if process.kind is not HoldKind.AUTOSCALE else autoscale(**theirs) for process in processes]
    known = {item.key: [item.old, item.new] for item in items}
    for move in (to_hold(items, now), to_restore(items, now, keep=False)):
        for write in move.writes:
            if write.kind is HoldKind.AUTOSCALE:
                changed = [profile for profile in theirs if write.value[profile] != theirs[profile]]
                assert all(theirs[profile] in [value.get(profile) for value in known[write.key]] for profile in changed)
                assert write.value.keys() == theirs.keys()
