"""Launching by intent: whatever happened before, the next run decides right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rollout.deployment import Batch, Intent, IntentKind
from rollout.launch import decide_launch, newcomers
from rollout.scale_set import ImageReference, ScaleSet, Vm

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


def test_after_somebody_scaled_in_a_new_intent_starts_from_the_present_capacity() -> None:
    shrunk = replace(SET, capacity=11, etag='"7"')
    launch = decide_launch(shrunk, [vm(1)], BATCH, [intent(10, 12, '"1"')], NOW)
    assert launch.intent == intent(11, 12, '"7"', number=2)


def test_another_batch_s_intents_do_not_count() -> None:
    assert decide_launch(SET, [], BATCH, [intent(8, 10, '"1"', batch=2)], NOW).intent == intent(10, 12, '"1"')


def test_newcomers_carry_the_image_are_unknown_and_stay() -> None:
    leaving = replace(vm(4), provisioning_state="Deleting")
    shouted = vm(5, ImageReference(id=(NEW.id or "").upper()), minutes=-1)
    found = newcomers([vm(1), vm(2), vm(3, ImageReference(id="old")), leaving, shouted], {"id-1"}, NEW)
    assert [vm.vm_id for vm in found] == ["id-5", "id-2"]
