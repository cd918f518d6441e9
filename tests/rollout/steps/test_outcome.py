"""What a deployment came to, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image
from rollout.model.status import Status
from rollout.steps.outcome import outcome

NEW, OLD = ImageReference(id="/versions/1.1.0"), ImageReference(id="/versions/1.0.0")
SET = ScaleSet("/set", "web", "eastus2", '"9"', 2, "Succeeded", NEW)
DONE = Deployment(
    "web-1",
    "web",
    "/set",
    Parameters("1.1.0"),
    Image("1.1.0", NEW, OLD),
    datetime(2026, 1, 1, tzinfo=UTC),
    target_size=2,
    green_vms=2,
)


def vm(number: int, image: ImageReference, state: str = "Succeeded") -> Vm:
    return Vm(f"id-{number}", f"web_{number}", str(number), image, state, "running")


def test_all_as_planned() -> None:
    assert outcome(DONE, SET, [vm(1, NEW), vm(2, NEW), vm(3, OLD, "Deleting")]) == ("2 VMs now on 1.1.0",)


def test_blue_vms_that_were_kept_are_not_counted_twice() -> None:
    kept = replace(DONE, green_vms=1, remaining_blue=1)
    assert outcome(kept, SET, [vm(1, NEW), vm(2, OLD)]) == (
        "1 VM now on 1.1.0",
        "1 blue VM kept in service, because green ones were not healthy",
    )


def test_what_others_changed_is_told() -> None:
    changed = replace(SET, image=ImageReference(id="/versions/2.0.0"), capacity=3)
    assert outcome(DONE, changed, [vm(1, NEW), vm(2, NEW), vm(3, OLD)])[1:] == (
        "1 VM that somebody else made still on another image",
        "somebody changed the set's model to 2.0.0",
        "the set has 3 VMs, the target size was 2",
    )
    assert "no image" in outcome(DONE, replace(SET, image=None), [])[1]


def test_skipped_and_adopted_vms_are_told_and_are_nobodys_fault() -> None:
    grown = replace(DONE, target_size=4)
    vms = [vm(1, NEW), vm(2, NEW), vm(3, OLD), vm(4, NEW)]
    assert outcome(grown, SET, vms, skipped=["id-3"], adopted=1) == (
        "3 VMs now on 1.1.0",
        "1 VM skipped",
        "1 of them made by others",
    )


def test_vms_that_were_kept_are_counted_with_those_that_came() -> None:
    vms = [vm(number, NEW) for number in range(10)]
    assert outcome(replace(DONE, green_vms=6, target_size=10), SET, vms) == ("10 VMs now on 1.1.0",)


def test_a_deployment_that_is_rolled_back_ends_on_the_previous_image() -> None:
    back = replace(DONE, status=Status.ROLLING_BACK)
    assert outcome(back, replace(SET, image=OLD), [vm(1, OLD), vm(2, OLD)]) == ("2 VMs now on 1.0.0",)
