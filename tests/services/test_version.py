"""Which exact image a request means, for a set and without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rollout.model.azure.images import image_of
from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion, ScaleSet
from rollout.model.group import Group
from rollout.model.image_rule import ImageRule
from rollout.ports.errors import Refused
from services.images.version import CANDIDATES_MAX, look_up, newest_wanted, resolve

IMAGE = "/subscriptions/0/resourceGroups/demo/providers/Microsoft.Compute/galleries/apps/images/web"
GALLERY, SHARED = ImageReference(id=IMAGE), ImageReference(shared_gallery_image_id="/SharedGalleries/0-A/Images/web")
UBUNTU = ImageReference(publisher="Canonical", offer="ubuntu", sku="server", version="latest")
GROUP = Group("web", "/set", image_id=IMAGE)
SET = ScaleSet("/subscriptions/0/web", "web", "East US 2", '"1"', 1, "Succeeded", UBUNTU)


class Shelf:
    """Versions of some images; a list of them tells no replication. Notes what was asked, and for whom."""

    def __init__(self, *versions: PublishedVersion) -> None:
        self.versions = versions
        self.asked: list[str] = []
        self.places: set[Place | None] = set()

    async def read(self, reference: ImageReference, place: Place | None = None) -> PublishedVersion | None:
        self._note(reference, place)
        return next((version for version in self.versions if version.reference.matches(reference)), None)

    async def list_versions(
        self, reference: ImageReference, place: Place | None = None
    ) -> tuple[PublishedVersion, ...] | None:
        self._note(reference, place)
        found = [version for version in self.versions if image_of(version.reference).matches(reference)]
        return tuple(replace(version, regions=None) for version in found) or None

    def _note(self, reference: ImageReference, place: Place | None) -> None:
        self.asked.append(reference.label)
        self.places.add(place)


def gallery(
    name: str, state: str = "Completed", *, excluded: bool = False, excluded_here: bool = False
) -> PublishedVersion:
    regions, here = {"eastus2": state}, frozenset({"eastus2"} if excluded_here else ())
    return PublishedVersion(
        f"{IMAGE}/versions/{name}", name, "Succeeded", excluded, regions=regions, excluded_regions=here
    )


def ubuntu(name: str, state: str = "Succeeded") -> PublishedVersion:
    reference = replace(UBUNTU, version=name)
    return PublishedVersion(reference.full_name, name, state, regions={"eastus2": "Completed"}, reference=reference)


@pytest.mark.parametrize(
    ("requested", "versions", "expected"),
    [
        ("1.9.0", [gallery("1.9.0"), gallery("1.10.0")], gallery("1.9.0").reference),
        ("latest", [gallery("1.9.0"), gallery("1.10.0")], gallery("1.10.0").reference),
        (IMAGE, [gallery("1.9.0"), gallery("1.10.0", "Replicating")], gallery("1.9.0").reference),
        ("latest", [gallery(f"1.{n}.0", excluded=n >= 5) for n in range(10)], gallery("1.4.0").reference),
        ("latest", [gallery("1.9.0"), gallery("1.10.0", excluded_here=True)], gallery("1.9.0").reference),
        ("Canonical:ubuntu:server:2.0.0", [ubuntu("2.0.0")], ubuntu("2.0.0").reference),
        ("Canonical:ubuntu:server:latest", [ubuntu("2.0.0"), ubuntu("10.0.0")], ubuntu("10.0.0").reference),
        (None, [ubuntu("2.0.0"), ubuntu("3.0.0", "Deprecated")], ubuntu("2.0.0").reference),
    ],
)
async def test_what_is_asked_is_pinned_to_one_version(
    requested: str | None, versions: Sequence[PublishedVersion], expected: ImageReference
) -> None:
    shelf = Shelf(*versions)
    found = await resolve(shelf, requested, GROUP, SET)
    assert found.reference == expected
    assert found.version is not None
    assert found.version.reference == expected
    assert (found.version_id, found.problem) == (expected.full_name, None)
    assert shelf.places == {Place(SET.id, "eastus2")}


async def test_no_more_versions_than_needed_are_read() -> None:
    shelf = Shelf(*(gallery(f"1.{minor}.0") for minor in range(20)))
    found = await resolve(shelf, "latest", GROUP, SET)
    assert found.reference == gallery("1.19.0").reference
    assert len(shelf.asked) == 2


@pytest.mark.parametrize("requested", ["latest", None])
async def test_an_image_without_a_version_that_can_be_used(requested: str | None) -> None:
    found = await resolve(Shelf(), requested, GROUP, SET)
    assert found.problem is not None
    assert (found.problem.code, found.version, found.reference) == ("noLatestImage", None, None)


async def test_a_request_that_names_no_image_reads_nothing() -> None:
    shelf = Shelf()
    found = await resolve(shelf, "newest", GROUP, SET)
    assert found.problem is not None
    assert (found.problem.code, shelf.asked) == ("imageNotUnderstood", [])


async def test_a_version_that_is_not_there_is_named() -> None:
    found = await resolve(Shelf(), "1.1.0", GROUP, SET)
    assert (found.version_id, found.version, found.problem) == (f"{IMAGE}/versions/1.1.0", None, None)


async def test_the_sets_own_exact_image_is_what_no_image_means() -> None:
    exact = ubuntu("2.0.0")
    found = await resolve(Shelf(exact, ubuntu("3.0.0")), None, GROUP, replace(SET, image=exact.reference))
    assert (found.reference, found.version) == (exact.reference, exact)


@pytest.mark.parametrize(
    "requested", [None, "latest", "Canonical:ubuntu:server:2.0.0", f"{SHARED.path}/Versions/1.0.0"]
)
async def test_without_a_set_nothing_is_looked_for_that_needs_its_region(requested: str | None) -> None:
    shelf = Shelf(ubuntu("2.0.0"), gallery("1.0.0"))
    found = await resolve(shelf, requested, GROUP, None)
    assert (found.version_id, found.version, found.problem, shelf.asked) == ("", None, None, [])


async def test_a_set_without_an_image_has_none_to_roll() -> None:
    found = await resolve(Shelf(), None, GROUP, replace(SET, image=None))
    assert (found.version_id, found.reference, found.problem) == ("", None, None)


async def test_a_gallery_is_read_without_a_set_too() -> None:
    found = await look_up(Shelf(gallery("1.1.0")), gallery("1.1.0").reference, None)
    assert found.version == gallery("1.1.0")


@pytest.mark.parametrize(
    ("versions", "published", "expected", "reads"),
    [
        ("*", [gallery("1.9.0"), gallery("1.10.0")], "1.10.0", 1),
        ("1.9", [gallery("1.9.0"), gallery("1.10.0")], "1.9.0", 1),
        ("2.x", [gallery("1.9.0")], None, 0),
        ("1.x", [gallery("1.9.0"), gallery("1.10.0", "Replicating")], "1.9.0", 2),
        ("1.x", [gallery("1.9.0"), gallery("1.10.0", excluded=True)], "1.9.0", 1),
        ("1.x", [gallery("1.9.0"), gallery("1.10.0", excluded_here=True)], "1.9.0", 1),
        ("1.x", [gallery("1.9.0"), replace(gallery("1.10.0"), provisioning_state="Creating")], "1.9.0", 1),
        ("*", [gallery(f"1.{n}.0", "Replicating") for n in range(9)], None, CANDIDATES_MAX),
    ],
)
async def test_the_newest_version_that_a_rule_wants_and_the_region_has(
    versions: str, published: Sequence[PublishedVersion], expected: str | None, reads: int
) -> None:
    shelf = Shelf(*published)
    newest = await newest_wanted(shelf, ImageRule(IMAGE, versions), SET.place)
    assert (newest.name if newest else None) == expected
    assert len(shelf.asked) == 1 + reads


async def test_a_rule_whose_image_is_gone_is_refused() -> None:
    with pytest.raises(Refused, match="imageNotFound"):
        await newest_wanted(Shelf(), ImageRule(IMAGE), SET.place)
