"""Batch planning: worked examples, then what holds for every set."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.planning.batches import across_zones, batch_sizes, number_of_batches, plan


def vm(number: int, zone: str | None = None) -> Vm:
    return Vm(
        f"id-{number:04}", f"web_{number}", str(number), ImageReference(id="old"), "Succeeded", "running", zone=zone
    )


def vms(count: int, zones: int = 3) -> list[Vm]:
    return [vm(number, str(number % zones + 1)) for number in range(count)]


@pytest.mark.parametrize(
    ("count", "percentage", "sizes"),
    [
        (50, 20, (10, 10, 10, 10, 10)),
        (10, 30, (3, 3, 2, 2)),
        (7, 50, (4, 3)),
        (3, 25, (1, 1, 1)),
        (5, 100, (5,)),
        (1, 1, (1,)),
        (1000, 1, (10,) * 100),
        (0, 20, ()),
    ],
)
def test_sizes_of_the_published_examples(count: int, percentage: int, sizes: tuple[int, ...]) -> None:
    assert batch_sizes(count, number_of_batches(count, percentage)) == sizes
    assert plan(vms(count), [], count, percentage).surge == max(sizes, default=0)


@given(count=st.integers(1, 1000), percentage=st.integers(1, 100))
def test_every_vm_is_in_a_batch_and_batches_are_even(count: int, percentage: int) -> None:
    sizes = batch_sizes(count, number_of_batches(count, percentage))
    assert sum(sizes) == count
    assert len(sizes) == min(count, math.ceil(100 / percentage))
    assert max(sizes) - min(sizes) <= 1
    assert list(sizes) == sorted(sizes, reverse=True)
    assert min(sizes) >= 1


def test_zones_are_mixed_in_proportion() -> None:
    mixed = across_zones([vm(n, "1") for n in range(6)] + [vm(n, "2") for n in range(6, 9)])
    assert [vm.zone for vm in mixed] == ["1", "2", "1", "1", "2", "1", "1", "2", "1"]


@given(zones=st.lists(st.integers(1, 60), min_size=1, max_size=3), percentage=st.integers(1, 100))
def test_no_batch_takes_more_of_a_zone_than_its_share(zones: list[int], percentage: int) -> None:
    everything = [vm(100 * zone + n, str(zone)) for zone, size in enumerate(zones) for n in range(size)]
    planned = plan(everything, [], len(everything), percentage)
    for batch in planned.batches:
        for zone, size in enumerate(zones):
            taken = sum(1 for blue in batch.blue if blue.zone == str(zone))
            # Two of rounding: one at each edge of the batch's run of VMs.
            assert abs(taken - len(batch.blue) * size / len(everything)) <= 2


@given(
    blue=st.integers(0, 120),
    kept=st.integers(0, 120),
    target=st.integers(0, 150),
    percentage=st.integers(1, 100),
)
def test_a_plan_retires_every_blue_vm_once_and_ends_at_the_target(
    blue: int, kept: int, target: int, percentage: int
) -> None:
    old, new = vms(blue), [vm(1000 + n) for n in range(kept)]
    planned = plan(old, new, target, percentage)
    assert Counter(vm.vm_id for batch in planned.batches for vm in batch.blue) == Counter(vm.vm_id for vm in old)
    assert planned.green == max(0, target - kept)
    assert [batch.number for batch in planned.batches] == list(range(1, len(planned.batches) + 1))


@given(blue=st.integers(1, 120), kept=st.integers(0, 30), surplus=st.integers(0, 30), percentage=st.integers(1, 100))
def test_no_batch_leaves_fewer_vms_than_the_target(blue: int, kept: int, surplus: int, percentage: int) -> None:
    target = max(kept, blue + kept - surplus)
    planned = plan(vms(blue), [vm(1000 + n) for n in range(kept)], target, percentage)
    serving = blue + kept
    for batch in planned.batches:
        serving += batch.green - len(batch.blue)
        assert serving >= min(target, blue + kept)


def test_a_set_with_surplus_vms_ends_at_its_target_size() -> None:
    planned = plan(vms(10), [vm(1001), vm(1002)], 10, 20)
    assert [(len(batch.blue), batch.green) for batch in planned.batches] == [(2, 2), (2, 2), (2, 2), (2, 1), (2, 1)]


def test_nothing_to_replace_is_no_batch() -> None:
    assert plan([], [vm(1)], 1, 20).batches == ()


@pytest.mark.parametrize(
    ("count", "size", "sizes"), [(10, 4, (4, 3, 3)), (10, 10, (10,)), (3, 50, (3,)), (5, 1, (1,) * 5), (0, 3, ())]
)
def test_a_batch_size_is_the_most_that_a_batch_holds(count: int, size: int, sizes: tuple[int, ...]) -> None:
    planned = plan(vms(count), [], count, 100, batch_size=size)
    assert tuple(batch.green for batch in planned.batches) == sizes


@given(count=st.integers(1, 1000), size=st.integers(1, 1000))
def test_batches_of_a_size_are_as_few_as_can_be(count: int, size: int) -> None:
    sizes = batch_sizes(count, number_of_batches(count, 1, size))
    assert sum(sizes) == count
    assert max(sizes) <= size
    assert (len(sizes) - 1) * size < count


def test_a_canary_goes_alone_and_the_rest_as_if_they_were_all() -> None:
    planned = plan(vms(10), [], 10, 20, canary=1)
    assert [(len(batch.blue), batch.green, batch.canary) for batch in planned.batches] == [
        (1, 1, True),
        *[(2, 2, False)] * 4,
        (1, 1, False),
    ]


def test_what_does_not_serve_is_the_canary() -> None:
    everything = vms(10)
    planned = plan(everything, [], 10, 20, [everything[7]], canary=1)
    assert planned.batches[0].blue == (everything[7],)


@given(
    blue=st.integers(0, 60),
    kept=st.integers(0, 20),
    skipped=st.integers(0, 20),
    surplus=st.integers(-10, 30),
    canary=st.integers(0, 70),
    size=st.integers(1, 70) | st.none(),
)
def test_however_it_is_dealt_out_every_blue_vm_goes_once_and_the_target_is_reached(
    blue: int, kept: int, skipped: int, surplus: int, canary: int, size: int | None
) -> None:
    stay, leave_alone = [vm(1000 + n) for n in range(kept)], [vm(2000 + n) for n in range(skipped)]
    target = max(kept + skipped, blue + kept + skipped - surplus)
    planned = plan(vms(blue), stay, target, 20, batch_size=size, canary=canary, skipped=leave_alone)
    assert sorted(vm.vm_id for batch in planned.batches for vm in batch.blue) == [vm.vm_id for vm in vms(blue)]
    assert planned.green + kept + skipped == target
    assert planned.standing == blue + kept + skipped
    canaries = [batch for batch in planned.batches if batch.canary]
    assert canaries == list(planned.batches[:1] if canary and planned.batches else ())
    assert all(max(len(batch.blue), batch.green) <= canary for batch in canaries)
    if size is not None:
        rest = [batch for batch in planned.batches if not batch.canary]
        assert all(max(len(batch.blue), batch.green) <= size for batch in rest)
    # No batch leaves fewer than there were, or are to be.
    there = blue
    for batch in planned.batches:
        there += batch.green
        assert there - blue <= planned.surge
        there -= len(batch.blue)
        assert there >= min(blue, planned.green)


def test_the_surge_is_what_is_there_at_once() -> None:
    """Two come for one that goes, since the set is to grow: the second batch begins with one more than there was."""
    assert plan(vms(2), [], 4, 50).surge == 3
    assert plan(vms(4), [], 2, 50).surge == 1
