"""Whether what was asked for can be done with the VMs that there are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.choices import AFTER_CANARY, EVERY_BATCH, Canary, OnFailure
from rollout.model.findings import Severity
from rollout.model.parameters import Parameters
from rollout.model.rows.commands import Action
from rollout.model.rows.deployment import Image
from rollout.model.rows.holds import HoldKind, Process
from rollout.planning.batches import BatchPlan, plan
from rollout.preflight.plan import check_holds, check_plan

OLD, NEW = ImageReference(id="/galleries/a/versions/1.0.0"), ImageReference(id="/galleries/a/versions/1.1.0")
FLOATING = ImageReference(id="/galleries/a/images/web")
PARAMETERS = Parameters("1.1.0")
IMAGE = Image("1.1.0", NEW, OLD)


def planned(count: int = 4, canary: int = 0) -> BatchPlan:
    vms = [Vm(f"id-{n}", f"web_{n}", str(n), OLD, "Succeeded", "running") for n in range(count)]
    return plan(vms, [], count, 50, canary=canary)


def codes(change: dict[str, Any], what: BatchPlan | None = None, image: Image = IMAGE) -> dict[str, Severity]:
    found = list(check_plan(what or planned(), replace(PARAMETERS, **change), image, OLD))
    assert all(finding.message and finding.remedy for finding in found)
    return {finding.code: finding.severity for finding in found}


def test_nothing_to_do_is_told_and_nothing_else() -> None:
    nothing = plan([], [Vm("id", "web_0", "0", NEW, "Succeeded")], 1, 20)
    impossible = {"on_failure": OnFailure.ROLL_BACK, "approvals": "batches", "approval_batches": (9,)}
    assert codes(impossible, nothing, Image("1.1.0", NEW, NEW)) == {"nothingToDo": Severity.INFO}


@pytest.mark.parametrize(("size", "refused"), [(1, False), (3, False), (4, True), (9, True)])
def test_a_canary_is_smaller_than_the_set(size: int, refused: bool) -> None:
    found = codes({"canary": Canary(size)}, planned(canary=size))
    assert found == ({"canaryTooLarge": Severity.ERROR} if refused else {})


@pytest.mark.parametrize(("numbers", "refused"), [((1,), False), ((2,), True), ((1, 7), True)])
def test_an_approval_is_of_a_batch_that_has_another_after_it(numbers: tuple[int, ...], refused: bool) -> None:
    found = codes({"approvals": "batches", "approval_batches": numbers})
    assert found == ({"approvalBatchUnknown": Severity.ERROR} if refused else {})


@pytest.mark.parametrize(("approvals", "told"), [(AFTER_CANARY, True), (EVERY_BATCH, False)])
def test_one_batch_leaves_nothing_to_approve(approvals: str, told: bool) -> None:
    one = plan([Vm("id", "web_0", "0", OLD, "Succeeded")], [], 1, 100)
    assert ("nothingToApprove" in codes({"approvals": approvals}, one)) is told


def test_nothing_to_do_says_whether_the_model_changes() -> None:
    nothing = plan([], [Vm("id", "web_0", "0", NEW, "Succeeded")], 1, 20)
    for model, told in ((OLD, "only the set's model gets it"), (NEW, "the deployment finishes at once")):
        (found,) = check_plan(nothing, PARAMETERS, Image("1.1.0", NEW, NEW), model)
        assert found.message.endswith(told)


def test_an_image_before_that_is_not_known_is_told_and_refuses_a_roll_back() -> None:
    unknown = Image("1.1.0", NEW, NEW, "the VMs run 1.0.0 and 0.9.0")
    assert codes({}, image=unknown) == {"previousImageUnknown": Severity.WARNING}
    told = {"previousImageUnknown": Severity.WARNING, "previousModelUnknown": Severity.ERROR}
    assert all(codes(change, image=unknown) == told for change in ROLLING)


ROLLING: list[dict[str, Any]] = [{"on_failure": OnFailure.ROLL_BACK}, {"action_on_timeout": Action.ROLL_BACK}]


@pytest.mark.parametrize("change", ROLLING)
@pytest.mark.parametrize(
    ("asked", "image", "refused"),
    [
        ("1.1.0", IMAGE, False),
        (None, Image(None, OLD, OLD), True),
        (None, IMAGE, True),
        ("1.0.0", Image("1.0.0", OLD, OLD), True),
        ("1.1.0", Image("1.1.0", NEW, FLOATING), True),
    ],
)
def test_only_an_exact_other_image_can_be_gone_back_to(
    change: dict[str, Any], asked: str | None, image: Image, refused: bool
) -> None:
    found = codes({**change, "image": asked}, image=image)
    assert found == ({"previousModelUnknown": Severity.ERROR} if refused else {})


def test_who_does_not_roll_back_may_do_without() -> None:
    assert codes({"image": None}, image=Image(None, OLD, OLD)) == {}


def test_what_is_held_is_told() -> None:
    autoscale = Process(HoldKind.AUTOSCALE, "/autoscale", {"day": {"minimum": 1, "maximum": 4, "default": 2}})
    (finding,) = check_holds(planned(), PARAMETERS, [autoscale])
    assert (finding.code, finding.severity) == ("willBeHeld", Severity.INFO)
    unknown = replace(autoscale, value={}, unreadable="AuthorizationFailed")
    assert list(check_holds(planned(), PARAMETERS, [unknown])) == []
    assert list(check_holds(plan([], [], 0, 20), PARAMETERS, [autoscale])) == []
