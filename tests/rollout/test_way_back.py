"""Whether the image before can be gone back to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rollout.batches import plan
from rollout.commands import Action
from rollout.deployment import Image, OnFailure, Parameters
from rollout.findings import Severity
from rollout.preflight_plan import check_way_back
from rollout.scale_set import ImageReference, ImageVersion, Place, Vm
from rollout.way_back import to_look_at, why_gone

OLD, NEW = ImageReference(id="/galleries/a/images/w/versions/1.0.0"), ImageReference(id="/galleries/a/versions/1.1.0")
FLOATING = ImageReference(id="/galleries/a/images/w")
NOW = datetime(2026, 12, 1, tzinfo=UTC)
PLACE = Place("/subscriptions/s", "westeurope")
THERE = ImageVersion(str(OLD.id), "1.0.0", "Succeeded", regions={"westeurope": "Completed"})


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, ""),
        ({"provisioning_state": "Updating"}, ""),
        ({"provisioning_state": "ScheduledForDeprecation"}, ""),
        ({"exclude_from_latest": True}, ""),
        ({"regions": None}, ""),
        ({"end_of_life": datetime(2026, 12, 2, tzinfo=UTC)}, ""),
        ({"provisioning_state": "Deprecated"}, "is Deprecated"),
        ({"provisioning_state": "SoftDeleted"}, "is SoftDeleted"),
        ({"provisioning_state": "Deleting"}, "is Deleting"),
        ({"regions": {"northeurope": "Completed"}}, "is not in westeurope any more"),
        ({"regions": {"westeurope": "Failed"}}, "is Failed in westeurope"),
        ({"end_of_life": NOW}, "reached its end of life on 2026-12-01"),
    ],
)
def test_it_is_read_as_the_new_one_is(change: dict[str, Any], found: str) -> None:
    said = why_gone(OLD, replace(THERE, **change), PLACE, NOW)
    assert said == (found and f"Image 1.0.0, which was there before, {found}")


def test_what_is_not_there_is_gone() -> None:
    assert why_gone(OLD, None, PLACE) == "Image 1.0.0, which was there before, is not there any more"


def test_who_has_to_go_back_goes_back_to_an_image_past_its_end_and_a_door_knows_no_region() -> None:
    assert why_gone(OLD, replace(THERE, end_of_life=NOW), PLACE) == ""
    assert why_gone(OLD, replace(THERE, regions={}), None) == ""


@pytest.mark.parametrize(
    ("image", "looked_at"),
    [
        (Image("1.1.0", NEW, OLD), OLD),
        (Image("1.1.0", NEW, None), None),
        (Image("1.1.0", NEW, OLD, "the VMs run several"), None),
        (Image(None, OLD, OLD), None),
        (Image("1.1.0", NEW, FLOATING), None),
    ],
)
def test_only_an_image_that_could_be_gone_back_to_is_looked_at(image: Image, looked_at: ImageReference | None) -> None:
    assert to_look_at(image) == looked_at


@pytest.mark.parametrize(
    ("change", "severity", "target"),
    [
        ({}, Severity.WARNING, "image"),
        ({"on_failure": OnFailure.KEEP, "action_on_timeout": Action.STOP}, Severity.WARNING, "image"),
        ({"on_failure": OnFailure.ROLL_BACK}, Severity.ERROR, "onFailure"),
        ({"action_on_timeout": Action.ROLL_BACK}, Severity.ERROR, "actionOnTimeout"),
    ],
)
def test_a_closed_way_back_refuses_who_asks_to_go_it(change: dict[str, Any], severity: Severity, target: str) -> None:
    going = plan([Vm("id", "web_0", "0", OLD, "Succeeded")], [], 1, 100)
    asked = replace(Parameters("1.1.0"), **change)
    (finding,) = check_way_back(going, asked, "It is gone")
    assert (finding.code, finding.severity, finding.target) == ("previousImageGone", severity, target)
    assert list(check_way_back(going, asked, "")) == []
    nothing = plan([], [Vm("id", "web_0", "0", NEW, "Succeeded")], 1, 100)
    assert list(check_way_back(nothing, asked, "It is gone")) == []
