"""Which image a request means."""

from __future__ import annotations

import pytest

from rollout.findings import Finding
from rollout.images import choose_latest, version_id_of, version_key
from rollout.scale_set import ImageReference, ImageVersion

IMAGE = "/subscriptions/0/resourceGroups/demo/providers/Microsoft.Compute/galleries/apps/images/web"


@pytest.mark.parametrize(
    ("requested", "image", "expected"),
    [
        ("1.1.0", IMAGE, f"{IMAGE}/versions/1.1.0"),
        ("1.1.0", f"{IMAGE}/", f"{IMAGE}/versions/1.1.0"),
        (f"{IMAGE}/versions/1.1.0", None, f"{IMAGE}/versions/1.1.0"),
        ("latest", IMAGE, None),
    ],
)
def test_a_request_names_a_version(requested: str, image: str | None, expected: str | None) -> None:
    assert version_id_of(requested, image) == expected


@pytest.mark.parametrize(
    ("requested", "image", "code"),
    [
        ("1.1", IMAGE, "imageNotUnderstood"),
        ("", IMAGE, "imageNotUnderstood"),
        (IMAGE, IMAGE, "imageNotUnderstood"),
        ("1.1.0/../2.0.0", IMAGE, "imageNotUnderstood"),
        ("1.1.0", None, "groupHasNoImage"),
        ("latest", None, "groupHasNoImage"),
    ],
)
def test_a_request_that_names_none(requested: str, image: str | None, code: str) -> None:
    problem = version_id_of(requested, image)
    assert isinstance(problem, Finding)
    assert (problem.code, problem.target) == (code, "image")


def version(name: str, state: str = "Succeeded", excluded: bool = False, region: str = "Completed") -> ImageVersion:
    return ImageVersion(f"{IMAGE}/versions/{name}", name, state, excluded, {"eastus2": region})


def test_latest_is_the_highest_that_can_be_used() -> None:
    versions = (
        version("1.9.0"),
        version("1.10.0"),
        version("1.11.0", excluded=True),
        version("1.12.0", state="Creating"),
        version("1.13.0", region="Replicating"),
    )
    chosen = choose_latest(versions, "East US 2")
    assert chosen is not None
    assert chosen.name == "1.10.0"
    assert choose_latest((version("1.0.0"),), "westus") is None
    assert version_key("1.10.0") > version_key("1.9.9")


@pytest.mark.parametrize(
    ("reference", "exact", "label"),
    [
        (ImageReference(id=f"{IMAGE}/versions/1.1.0"), True, "1.1.0"),
        (ImageReference(id=IMAGE), False, "web"),
        (
            ImageReference(id="/subscriptions/0/resourceGroups/r/providers/Microsoft.Compute/images/golden"),
            True,
            "golden",
        ),
        (ImageReference(publisher="p", offer="o", sku="s", version="latest"), False, "o:s:latest"),
        (ImageReference(publisher="p", offer="o", sku="s", version="1.2.3"), True, "o:s:1.2.3"),
        (ImageReference(community_gallery_image_id="/communityGalleries/g/images/i/versions/1.0.0"), True, "1.0.0"),
        (ImageReference(shared_gallery_image_id="/sharedGalleries/g/images/i"), False, "i"),
        (ImageReference(), False, "no image"),
    ],
)
def test_what_a_reference_says(reference: ImageReference, exact: bool, label: str) -> None:
    assert (reference.exact, reference.label) == (exact, label)
