"""What was tried of image versions, and what came of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rollout.automation.tries import TriedVersion, counts, images_of, outcome, try_of, version_id, without_version
from rollout.model.azure.scale_set import ImageReference
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image
from rollout.model.rows.tries import Try
from rollout.model.status import Status

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
IMAGE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/Apps/images/Web"
VERSION = f"{IMAGE}/versions/1.1.0"
ROW = Deployment("web-1", "web", "/Set", Parameters("1.1.0"), Image("1.1.0", ImageReference(id=VERSION)), NOW)
TRY = Try("/set", VERSION.lower(), "web-1", NOW)


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        (ImageReference(id=VERSION), VERSION.lower()),
        (ImageReference(id=IMAGE), ""),
        (ImageReference(id=f"{IMAGE}/versions/latest"), ""),
        (ImageReference(id="/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/web"), ""),
        (ImageReference(shared_gallery_image_id="/SharedGalleries/g/Images/web/Versions/1.1.0"), ""),
        (ImageReference(publisher="p", offer="o", sku="s", version="1.1.0"), ""),
        (ImageReference(), ""),
    ],
)
def test_only_an_exact_version_of_a_gallery_is_tried(reference: ImageReference, named: str) -> None:
    assert version_id(reference) == named
    row = replace(ROW, image=Image(None, reference))
    assert try_of(row) == (TRY if named else None)


CASES = [
    ("under way", TRY, ROW, "pending"),
    ("ended", TRY, replace(ROW, status=Status.ROLLED_BACK, sequence=9), "rolledBack"),
    ("forgotten", replace(TRY, standing="finished"), None, "finished"),
    ("died before its row", TRY, None, None),
    ("never started", TRY, replace(ROW, status=Status.FAILED), None),
    ("another image by its turn", TRY, replace(ROW, image=Image(None, ImageReference(id=f"{IMAGE}/versions/2"))), None),
]


@pytest.mark.parametrize(("one", "row", "standing"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_came_of_a_try_its_row_says_and_the_try_itself_once_that_is_forgotten(
    one: Try, row: Deployment | None, standing: str | None
) -> None:
    expected = TriedVersion("web-1", "1.1.0", NOW, standing) if standing else None
    assert outcome(one, row) == expected


def test_one_that_could_not_be_started_was_no_try() -> None:
    assert counts(ROW)
    assert counts(replace(ROW, status=Status.FAILED, sequence=1))
    assert not counts(replace(ROW, status=Status.FAILED))


def test_tries_go_with_their_versions() -> None:
    other = replace(TRY, version_id=f"{IMAGE}-2/versions/1.1.0".lower())
    next_one = replace(TRY, version_id=f"{IMAGE}/versions/1.2.0".lower())
    tries = (TRY, next_one, other)
    assert images_of(tries) == (IMAGE.lower(), f"{IMAGE}-2".lower())
    assert without_version(tries, IMAGE.lower(), ["1.1.0", "1.3.0"]) == (next_one,)
    assert without_version(tries, IMAGE.lower(), ["1.1.0", "1.2.0"]) == ()
