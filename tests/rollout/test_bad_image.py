"""What of a set's model is bad, and who may still deploy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.bad_image import MODEL_NAMES_BAD_IMAGE, bad_in_model, doubted, found_bad, names
from rollout.dangers import Danger
from rollout.deployment import Deployment, Image, Parameters
from rollout.findings import Severity
from rollout.preflight_danger import check_bad_image, for_nobody
from rollout.scale_set import ImageReference

IMAGE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/apps/images/web"
OLD, BAD, NEW = (ImageReference(id=f"{IMAGE_ID}/versions/{name}") for name in ("1.0.0", "1.1.0", "1.2.0"))
LATEST = ImageReference(id=IMAGE_ID)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
ROW = Deployment("web-20261201T000000Z-000001", "web", "/Sets/Web", Parameters("1.1.0"), Image("1.1.0", BAD, OLD), NOW)
DANGER = Danger("/sets/web", MODEL_NAMES_BAD_IMAGE, NOW, ROW.id, "bad", "mend it", image=BAD)


@pytest.mark.parametrize(
    ("image", "model", "bad"),
    [
        (Image("1.1.0", BAD, OLD), BAD, True),
        (Image("1.1.0", BAD, OLD), LATEST, True),
        (Image("1.1.0", BAD, OLD), OLD, False),
        (Image("1.1.0", BAD, OLD), NEW, False),
        (Image("1.1.0", BAD, OLD), None, False),
        (Image("1.1.0", BAD, None), BAD, False),
        (Image(None, BAD, BAD), BAD, False),
        (Image("1.1.0", BAD, BAD, "they run several"), BAD, True),
        (Image("1.1.0", BAD, LATEST, "they run several"), LATEST, True),
        (Image("1.1.0", BAD, OLD, "they run several"), OLD, False),
        (Image("1.2.0", NEW, BAD, "it was judged bad", bad=True), BAD, True),
        (Image("1.2.0", NEW, BAD, "it was judged bad", bad=True), NEW, True),
        (Image("1.2.0", NEW, BAD, "it was judged bad", bad=True), OLD, False),
    ],
)
def test_the_model_is_bad_where_it_names_what_was_given_up(image: Image, model: ImageReference, bad: bool) -> None:
    assert bad_in_model(replace(ROW, image=image), model) == (model if bad else None)


def test_the_same_image_is_bad_since_it_was_found_so_first_and_another_since_now() -> None:
    later = NOW + timedelta(days=1)
    again = replace(ROW, id="web-20261202T000000Z-000001")
    first = found_bad(ROW, BAD, None, NOW)
    assert (first.scale_set_id, first.since, first.deployment_id, first.image) == ("/sets/web", NOW, ROW.id, BAD)
    assert first.told
    assert first.remedy
    second = found_bad(again, BAD, first, later)
    assert (second.since, second.deployment_id) == (NOW, again.id)
    assert found_bad(again, NEW, first, later).since == later


def test_a_danger_is_about_one_image() -> None:
    assert [names(DANGER, image) for image in (BAD, OLD, LATEST, None)] == [True, False, False, False]
    assert not names(None, BAD)
    assert not names(replace(DANGER, image=None), BAD)


def test_an_image_before_that_was_judged_bad_is_not_known_to_be_good() -> None:
    assert doubted(OLD, "", DANGER) == doubted(None, "", DANGER) == doubted(BAD, "", None) == ""
    assert doubted(BAD, "they run several", DANGER) == "they run several"
    assert doubted(BAD, "", DANGER) == f"1.1.0, which serves, is what {ROW.id} could not finish with"


@pytest.mark.parametrize(
    ("requested", "pinned", "severity"),
    [
        (None, BAD, Severity.ERROR),
        (None, None, Severity.ERROR),
        ("latest", BAD, Severity.ERROR),
        (IMAGE_ID, BAD, Severity.ERROR),
        ("1.1.0", BAD, Severity.WARNING),
        (BAD.full_name, BAD, Severity.WARNING),
        ("latest", NEW, None),
        ("1.2.0", NEW, None),
        ("1.2.0", None, None),
    ],
)
def test_who_names_the_very_version_is_warned_and_who_would_get_it_otherwise_refused(
    requested: str | None, pinned: ImageReference | None, severity: Severity | None
) -> None:
    found = list(check_bad_image(DANGER, requested, pinned))
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    assert all(finding.code == MODEL_NAMES_BAD_IMAGE and finding.remedy for finding in found)
    assert list(check_bad_image(None, requested, pinned)) == []


def test_a_clock_means_no_version_in_spite_of_a_warning() -> None:
    found = tuple(check_bad_image(DANGER, "1.1.0", BAD))
    assert [finding.severity for finding in for_nobody(found)] == [Severity.ERROR]
    assert for_nobody(()) == ()
