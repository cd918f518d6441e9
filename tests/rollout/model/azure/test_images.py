"""Which image a request means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollout.model.azure.images import at_version, counts_as_latest, image_of, needs_place, parse_image, version_key
from rollout.model.azure.scale_set import ImageReference, PublishedVersion
from rollout.model.findings import Finding

COMPUTE = "/subscriptions/0/resourceGroups/demo/providers/Microsoft.Compute"
IMAGE = f"{COMPUTE}/galleries/apps/images/web"
SHARED = "/SharedGalleries/0-APPS/Images/web"
COMMUNITY = "/CommunityGalleries/apps-1a2b/Images/web"


def ubuntu(version: str) -> ImageReference:
    return ImageReference(publisher="Canonical", offer="ubuntu-24_04-lts", sku="server", version=version)


@pytest.mark.parametrize(
    ("requested", "image", "expected"),
    [
        ("1.1.0", IMAGE, ImageReference(id=f"{IMAGE}/versions/1.1.0")),
        ("1.1.0", f"{IMAGE}/", ImageReference(id=f"{IMAGE}/versions/1.1.0")),
        ("latest", IMAGE, ImageReference(id=IMAGE)),
        (f"{IMAGE}/versions/1.1.0", None, ImageReference(id=f"{IMAGE}/versions/1.1.0")),
        (f"{IMAGE}/versions/latest", None, ImageReference(id=IMAGE)),
        (IMAGE, None, ImageReference(id=IMAGE)),
        (f"{COMPUTE}/images/golden", None, ImageReference(id=f"{COMPUTE}/images/golden")),
        (f"{SHARED}/Versions/1.1.0", None, ImageReference(shared_gallery_image_id=f"{SHARED}/Versions/1.1.0")),
        (f"{SHARED}/Versions/latest", None, ImageReference(shared_gallery_image_id=SHARED)),
        (SHARED, None, ImageReference(shared_gallery_image_id=SHARED)),
        (
            f"{COMMUNITY}/versions/1.1.0",
            IMAGE,
            ImageReference(community_gallery_image_id=f"{COMMUNITY}/versions/1.1.0"),
        ),
        (COMMUNITY, None, ImageReference(community_gallery_image_id=COMMUNITY)),
        ("Canonical:ubuntu-24_04-lts:server:24.04.202605070", None, ubuntu("24.04.202605070")),
        ("Canonical:ubuntu-24_04-lts:server:Latest", IMAGE, ubuntu("latest")),
    ],
)
def test_a_request_names_an_image(requested: str, image: str | None, expected: ImageReference) -> None:
    assert parse_image(requested, image) == expected


@pytest.mark.parametrize(
    ("requested", "image", "code"),
    [
        ("1.1", IMAGE, "imageNotUnderstood"),
        ("", IMAGE, "imageNotUnderstood"),
        ("1.1.0/../2.0.0", IMAGE, "imageNotUnderstood"),
        (f"{IMAGE}/versions/newest", IMAGE, "imageNotUnderstood"),
        (f"{IMAGE}/versions/1.1.0/more", IMAGE, "imageNotUnderstood"),
        ("/SharedGalleries/../Images/web", IMAGE, "imageNotUnderstood"),
        (f"{COMMUNITY}/Versions/x", IMAGE, "imageNotUnderstood"),
        ("Canonical:ubuntu:server", IMAGE, "imageNotUnderstood"),
        ("Canonical:ubuntu:server:..", IMAGE, "imageNotUnderstood"),
        ("Canonical:ubuntu:../x:1.0.0", IMAGE, "imageNotUnderstood"),
        ("1.1.0", None, "groupHasNoImage"),
        ("latest", None, "groupHasNoImage"),
    ],
)
def test_a_request_that_names_none(requested: str, image: str | None, code: str) -> None:
    problem = parse_image(requested, image)
    assert isinstance(problem, Finding)
    assert (problem.code, problem.target) == (code, "image")


@pytest.mark.parametrize(
    ("image", "version"),
    [
        (ImageReference(id=IMAGE), ImageReference(id=f"{IMAGE}/versions/1.1.0")),
        (
            ImageReference(shared_gallery_image_id=SHARED),
            ImageReference(shared_gallery_image_id=f"{SHARED}/versions/1.1.0"),
        ),
        (
            ImageReference(community_gallery_image_id=COMMUNITY),
            ImageReference(community_gallery_image_id=f"{COMMUNITY}/versions/1.1.0"),
        ),
        (ubuntu("latest"), ubuntu("1.1.0")),
    ],
)
def test_an_image_and_its_version(image: ImageReference, version: ImageReference) -> None:
    assert at_version(image, "1.1.0").matches(version)
    assert at_version(version, "1.1.0").matches(version)
    assert image_of(version) == image_of(image) == image
    assert (image.exact, version.exact) == (False, True)
    assert needs_place(version) is needs_place(image) is (version.id is None)
    assert parse_image(version.full_name, None) == version


def version(name: str, state: str = "Succeeded", excluded: bool = False, region: str = "Completed") -> PublishedVersion:
    return PublishedVersion(f"{IMAGE}/versions/{name}", name, state, excluded, {"eastus2": region})


@pytest.mark.parametrize(
    ("published", "counts"),
    [
        (version("1.9.0"), True),
        (replace(version("1.9.0"), regions=None), True),
        (replace(version("1.9.0"), excluded_regions=frozenset({"westus"})), True),
        (version("1.9.0", excluded=True), False),
        (replace(version("1.9.0"), excluded_regions=frozenset({"eastus2"})), False),
        (version("1.9.0", state="Creating"), False),
        (version("1.9.0", region="Replicating"), False),
        (replace(version("1.9.0"), regions={"westus": "Completed"}), False),
    ],
)
def test_which_version_counts_as_latest_in_a_region(published: PublishedVersion, counts: bool) -> None:
    assert counts_as_latest(published, "East US 2") is counts


def test_versions_are_compared_by_their_numbers() -> None:
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
