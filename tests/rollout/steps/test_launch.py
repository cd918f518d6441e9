"""Launching by intent: whatever happened before, the next run decides right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, ScaleSet, Vm
from rollout.model.rows.deployment import Batch, Intent, IntentKind
from rollout.steps.launch import decide_launch, newcomers

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
    launch = decide_launch(grown, [vm(1), failed_vm(2)], BATCH, [intent(10, 12, '"1"')], NOW, over=True)
    assert launch.adopt == (vm(1), failed_vm(2))


@pytest.mark.parametrize(("number", "seconds"), [(1, 30), (2, 60), (3, 120), (5, 300), (50, 300)])
def test_azure_is_asked_again_later_and_later(number: int, seconds: int) -> None:
    shrunk, last = replace(SET, capacity=11, etag='"7"'), intent(10, 12, '"1"', number=number)
    early = decide_launch(shrunk, [vm(1)], BATCH, [last], NOW + timedelta(seconds=seconds - 1))
    late = decide_launch(shrunk, [vm(1)], BATCH, [last], NOW + timedelta(seconds=seconds))
    assert (early.wait, early.intent) == (timedelta(seconds=1), None)
    assert late.intent is not None
    assert (late.intent.nominal, late.intent.target, late.intent.number) == (11, 12, number + 1)
