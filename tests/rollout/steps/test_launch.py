"""Launching by intent: whatever happened before, the next run decides right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, ScaleSet, Vm
from rollout.model.rows.deployment import Batch, Intent, IntentKind, VmRecord
from rollout.model.status import Color, VmStatus
from rollout.steps.launch import decide_launch, failed_to_be_made, launched_words, newcomers, places_of, strays

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NEW = ImageReference(id="/Images/web/versions/1.1.0")
SET = ScaleSet("/set", "web", "eastus2", '"1"', 10, "Succeeded", NEW)
BATCH = Batch(number=1, blue=2, green=2)


def vm(number: int, image: ImageReference = NEW, minutes: int = 0) -> Vm:
    return Vm(
        f"id-{number}", f"web_{number}", str(number), image, "Succeeded", created_at=NOW + timedelta(minutes=minutes)
    )


def intent(nominal: int, target: int, etag: str, number: int = 1, batch: int = 1) -> Intent:
    return Intent(IntentKind.LAUNCH, batch, number, NOW, etag=etag, nominal=nominal, target=target)


def test_the_first_run_means_to_raise_the_capacity_by_what_is_missing() -> None:
    assert decide_launch(SET, [], BATCH, [], NOW).intent == intent(10, 12, '"1"')


def test_a_vm_that_came_from_elsewhere_is_counted() -> None:
    assert decide_launch(replace(SET, capacity=11), [vm(1)], BATCH, [], NOW).intent == intent(11, 12, '"1"')


def test_the_new_vms_are_adopted() -> None:
    grown = replace(SET, capacity=12, etag='"3"')
    launch = decide_launch(grown, [vm(1), vm(2)], BATCH, [intent(10, 12, '"1"')], NOW)
    assert (launch.intent, launch.adopt) == (None, (vm(1), vm(2)))


def test_no_more_than_the_batch_needs_are_adopted() -> None:
    grown = replace(SET, capacity=13, etag='"5"')
    assert len(decide_launch(grown, [vm(1), vm(2), vm(3)], BATCH, [intent(10, 12, '"1"')], NOW).adopt) == 2


def test_a_write_that_never_arrived_is_made_again_with_the_same_intent() -> None:
    assert decide_launch(SET, [], BATCH, [intent(10, 12, '"1"')], NOW).intent == intent(10, 12, '"1"')


def test_what_azure_could_not_make_is_not_asked_for_again() -> None:
    grown = replace(SET, capacity=12, etag='"3"')
    launch = decide_launch(grown, [vm(1)], BATCH, [intent(10, 12, '"1"')], NOW)
    assert (launch.intent, launch.adopt) == (None, (vm(1),))
    assert "Azure made no more" in launch.reason


def test_what_was_discarded_is_asked_for_again_even_if_the_capacity_did_not_fall() -> None:
    grown, later = replace(SET, capacity=12, etag='"3"'), NOW + timedelta(minutes=1)
    discarded = Intent(IntentKind.DELETE, 1, 1, NOW + timedelta(seconds=15), vm_ids=("id-2",))
    launch = decide_launch(grown, [vm(1)], BATCH, [intent(10, 12, '"1"'), discarded], later)
    assert launch.intent == replace(intent(12, 13, '"3"', number=2), at=later)


def test_what_this_launch_replaces_is_asked_for_even_if_the_capacity_did_not_fall() -> None:
    grown, later = replace(SET, capacity=12, etag='"3"'), NOW + timedelta(minutes=10)
    launch = decide_launch(grown, [vm(1)], BATCH, [intent(10, 12, '"1"')], later, since=later)
    assert launch.intent == replace(intent(12, 13, '"3"', number=2), at=later)
    asked = [intent(10, 12, '"1"'), replace(intent(12, 13, '"3"', number=2), at=later)]
    over = decide_launch(replace(grown, capacity=13, etag='"5"'), [vm(1)], BATCH, asked, later, since=later)
    assert (over.intent, over.adopt) == (None, (vm(1),))


def test_after_somebody_scaled_in_a_new_intent_starts_from_the_present_capacity() -> None:
    shrunk = replace(SET, capacity=11, etag='"7"')
    launch = decide_launch(shrunk, [vm(1)], BATCH, [intent(10, 12, '"1"')], NOW + timedelta(minutes=1))
    assert launch.intent == replace(intent(11, 12, '"7"', number=2), at=NOW + timedelta(minutes=1))


def test_another_batch_s_intents_do_not_count() -> None:
    assert decide_launch(SET, [], BATCH, [intent(8, 10, '"1"', batch=2)], NOW).intent == intent(10, 12, '"1"')


def test_newcomers_carry_the_image_are_unknown_and_stay() -> None:
    leaving = replace(vm(4), provisioning_state="Deleting")
    shouted = vm(5, ImageReference(id=(NEW.id or "").upper()), minutes=-1)
    found = newcomers(SET, [vm(1), vm(2), vm(3, ImageReference(id="old")), leaving, shouted], {"id-1"}, NEW)
    assert [vm.vm_id for vm in found] == ["id-5", "id-2"]


def test_vm_that_somebody_attaches_meanwhile_is_no_newcomer() -> None:
    flexible = replace(SET, mode=OrchestrationMode.FLEXIBLE)
    own = replace(vm(1), name="web_0a1b2c3d")
    named_alike = replace(vm(2), name="web_1a1b2c3d", computer_name="db01")
    named_otherwise = replace(vm(3), name="db01")
    seen = [own, named_alike, named_otherwise]
    assert newcomers(replace(flexible, computer_name_prefix="web"), seen, (), NEW) == (own,)


def failed_vm(number: int) -> Vm:
    return replace(vm(number), provisioning_state="Failed")


def test_vms_that_azure_could_not_make_are_discarded_while_there_is_time() -> None:
    grown = replace(SET, capacity=12, etag='"3"')
    launch = decide_launch(grown, [vm(1), failed_vm(2)], BATCH, [intent(10, 12, '"1"')], NOW)
    assert (launch.discard, launch.intent, launch.adopt) == ((failed_vm(2),), None, ())


def test_when_the_time_is_over_they_are_adopted_and_will_count_as_unhealthy() -> None:
    grown = replace(SET, capacity=12, etag='"3"')
    launch = decide_launch(grown, [vm(1), failed_vm(2)], BATCH, [intent(10, 12, '"1"')], NOW, timedelta(0))
    assert launch.adopt == (vm(1), failed_vm(2))


@pytest.mark.parametrize(("number", "seconds"), [(1, 30), (2, 60), (3, 120), (5, 300), (50, 300)])
def test_azure_is_asked_again_later_and_later(number: int, seconds: int) -> None:
    shrunk, last = replace(SET, capacity=11, etag='"7"'), intent(10, 12, '"1"', number=number)
    early = decide_launch(shrunk, [vm(1)], BATCH, [last], NOW + timedelta(seconds=seconds - 1))
    late = decide_launch(shrunk, [vm(1)], BATCH, [last], NOW + timedelta(seconds=seconds))
    assert (early.wait, early.intent) == (timedelta(seconds=1), None)
    assert late.intent is not None
    assert (late.intent.nominal, late.intent.target, late.intent.number) == (11, 12, number + 1)


def test_what_azure_refused_is_asked_for_later_and_not_at_once_again() -> None:
    refused = replace(intent(10, 12, '"1"'), refused="AllocationFailed: There is no room.")
    early = decide_launch(SET, [], BATCH, [refused], NOW + timedelta(seconds=29))
    late = decide_launch(SET, [], BATCH, [refused], NOW + timedelta(seconds=30))
    assert (early.wait, early.intent) == (timedelta(seconds=1), None)
    assert late.intent == replace(intent(10, 12, '"1"', number=2), at=NOW + timedelta(seconds=30))


@pytest.mark.parametrize(("left", "asks"), [(0, False), (29, False), (30, False), (31, True)])
def test_no_new_intent_is_made_once_the_time_is_over_or_would_be(left: int, asks: bool) -> None:
    shrunk, at = replace(SET, capacity=11, etag='"7"'), NOW + timedelta(seconds=1)
    launch = decide_launch(shrunk, [vm(1)], BATCH, [intent(10, 12, '"1"')], at, timedelta(seconds=left - 1))
    assert (launch.wait is not None, launch.adopt) == ((True, ()) if asks else (False, (vm(1),)))
    assert launch.intent is None


@pytest.mark.parametrize(("left", "discards"), [(99, False), (101, True)])
def test_vms_that_failed_are_kept_where_others_would_not_come_in_time(left: int, discards: bool) -> None:
    grown, at = replace(SET, capacity=12, etag='"3"'), NOW + timedelta(seconds=100)
    launch = decide_launch(
        grown, [vm(1), failed_vm(2)], BATCH, [intent(10, 12, '"1"')], at, timedelta(seconds=left), NOW
    )
    assert bool(launch.discard) is discards
    assert bool(launch.adopt) is not discards


def test_places_of_judged_vms_are_not_open_and_those_of_an_earlier_run_are() -> None:
    def row(number: int, status: VmStatus, replaced: bool = False) -> VmRecord:
        return VmRecord(f"id-{number}", f"web_{number}", Color.GREEN, 1, status, replaced=replaced)

    rows = [
        row(1, VmStatus.HEALTHY),
        row(2, VmStatus.UNHEALTHY),
        row(3, VmStatus.UNHEALTHY, replaced=True),
        row(4, VmStatus.PENDING),
    ]
    places = places_of(rows, replace(BATCH, green=4))
    assert (places.open.green, places.known) == (2, frozenset({"id-1", "id-2", "id-3"}))


def test_vms_of_another_image_are_strays_as_far_as_places_are_missing() -> None:
    old = ImageReference(id="old")
    seen = [vm(1, old), vm(2), vm(3, old, minutes=5), vm(4, old, minutes=9)]
    assert strays(SET, seen, {"id-1"}, NEW, 1) == (seen[3],)
    assert strays(SET, seen, {"id-1"}, NEW, 3) == (seen[3], seen[2])
    assert strays(SET, seen, {"id-1"}, NEW, -1) == ()


def test_failures_are_counted_once_each() -> None:
    gone = Intent(IntentKind.DELETE, 1, 1, NOW, vm_ids=("id-2", "id-3"))
    before = replace(gone, number=2, at=NOW - timedelta(minutes=9), vm_ids=("id-9",))
    assert failed_to_be_made([gone, before], [vm(1), failed_vm(3), failed_vm(4)], NOW) == 3


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((2, 2, 0, "", []), "2 green VMs launched"),
        ((1, 2, 0, "", []), "1 green VM launched; Azure made 1 fewer"),
        ((1, 2, 3, "No room", []), "1 green VM launched; Azure made 1 fewer; Azure failed to make 3 VMs (No room)"),
        ((2, 2, 1, "No room", []), "2 green VMs launched; Azure failed to make 1 VM (No room)"),
        ((2, 2, 0, "No room", ["1.0.0"] * 2), "2 green VMs launched; 2 of them on another image (1.0.0)"),
    ],
)
def test_launch_is_told_in_words(told: tuple[int, int, int, str, list[str]], words: str) -> None:
    assert launched_words(*told) == words
