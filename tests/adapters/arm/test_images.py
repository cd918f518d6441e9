"""What each method of the images port sends, and what it makes of the answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.arm.images import ArmImages
from rollout.model.azure.images import at_version
from rollout.model.azure.scale_set import ImageReference, PublishedVersion, PurchasePlan
from rollout.ports.errors import Busy, Refused

IMAGE_ID = "/subscriptions/5ab3/resourceGroups/demo/providers/Microsoft.Compute/galleries/apps/images/web"
WEB = ImageReference(id=IMAGE_ID)
VERSION = ImageReference(id=f"{IMAGE_ID}/versions/1.1.0")
IMAGE_URL = f"https://management.azure.com{IMAGE_ID}"
IMAGE = {
    "id": IMAGE_ID,
    "name": "web",
    "location": "eastus2",
    "properties": {"osType": "Linux", "osState": "Generalized"},
}
ABSENT = {"error": {"code": "ResourceNotFound", "message": "The Resource was not found."}}


def version_body(name: str, exclude: bool = False, **properties: Any) -> dict[str, Any]:
    """A version as ARM shows it, with these properties besides the usual ones."""
    profile = {
        "targetRegions": [{"name": "East US 2", "regionalReplicaCount": 1}],
        "excludeFromLatest": exclude,
        "publishedDate": "2026-05-07T12:31:13.5954168+08:00",
    }
    return {
        "id": f"{IMAGE_ID}/versions/{name}",
        "name": name,
        "type": "Microsoft.Compute/galleries/images/versions",
        "location": "eastus2",
        "properties": {"publishingProfile": profile, "provisioningState": "Succeeded", **properties},
    }


async def test_read_asks_for_the_image_and_for_the_version_with_its_replication(images: ArmImages, script: Any) -> None:
    script.answer(200, IMAGE)
    script.answer(200, version_body("1.1.0"))
    await images.read(VERSION)
    assert script.lines == [
        f"GET {IMAGE_URL}?api-version=2026-03-03",
        f"GET {IMAGE_URL}/versions/1.1.0?api-version=2026-03-03&$expand=ReplicationStatus",
    ]


async def test_the_image_of_a_version_that_is_read_again_is_remembered(images: ArmImages, script: Any) -> None:
    script.answer(200, IMAGE)
    for _ in range(2):
        script.answer(200, version_body("1.1.0"))
        assert (await images.read(VERSION)) is not None
    assert len(script.lines) == 3


async def test_read_tells_what_azure_shows(images: ArmImages, script: Any) -> None:
    summary = [
        {"region": "East US 2", "state": "Completed", "progress": 100},
        {"region": "westcentralus", "state": "Replicating", "progress": 40},
    ]
    script.answer(200, IMAGE)
    script.answer(200, version_body("1.1.0", replicationStatus={"aggregatedState": "InProgress", "summary": summary}))
    assert await images.read(VERSION) == PublishedVersion(
        id=f"{IMAGE_ID}/versions/1.1.0",
        name="1.1.0",
        provisioning_state="Succeeded",
        exclude_from_latest=False,
        regions={"eastus2": "Completed", "westcentralus": "Replicating"},
        os_type="Linux",
        published_at=datetime(2026, 5, 7, 4, 31, 13, 595416, UTC),
        os_state="Generalized",
        reference=VERSION,
    )


async def test_what_a_set_has_to_fit_is_said_by_the_image(images: ArmImages, script: Any) -> None:
    definition = {
        "osType": "Windows",
        "osState": "Specialized",
        "hyperVGeneration": "V2",
        "architecture": "Arm64",
        "features": [
            {"name": "DiskControllerTypes", "value": "SCSI"},
            {"name": "SecurityType", "value": "TrustedLaunch"},
        ],
        "purchasePlan": {"publisher": "acme", "product": "web", "name": "gold"},
        "endOfLifeDate": "2028-01-01T00:00:00Z",
    }
    sooner = {"targetRegions": [], "endOfLifeDate": "2027-01-01T00:00:00Z"}
    script.answer(200, {**IMAGE, "properties": definition})
    script.answer(200, version_body("1.1.0", publishingProfile=sooner))
    found = await images.read(VERSION)
    assert found is not None
    assert (found.os_type, found.os_state, found.hyper_v_generation) == ("Windows", "Specialized", "V2")
    assert (found.architecture, found.security_type) == ("Arm64", "TrustedLaunch")
    assert found.plan == PurchasePlan("acme", "web", "gold")
    assert found.end_of_life == datetime(2027, 1, 1, tzinfo=UTC)


async def test_a_version_still_being_made_has_no_replication(images: ArmImages, script: Any) -> None:
    script.answer(200, {**IMAGE, "properties": None})
    script.answer(200, version_body("1.1.0", provisioningState="Creating", publishingProfile=None))
    found = await images.read(VERSION)
    assert found is not None
    assert (found.provisioning_state, found.regions, found.os_type) == ("Creating", None, None)


async def test_a_version_excluded_from_latest_is_told_as_such(images: ArmImages, script: Any) -> None:
    script.answer(200, IMAGE)
    script.answer(200, version_body("1.1.0", exclude=True))
    found = await images.read(VERSION)
    assert found is not None
    assert found.exclude_from_latest


async def test_a_version_excluded_in_some_regions_is_told_with_them(images: ArmImages, script: Any) -> None:
    targets = [{"name": "West Europe", "excludeFromLatest": True}, {"name": "East US 2", "regionalReplicaCount": 1}]
    script.answer(200, IMAGE)
    script.answer(200, version_body("1.1.0", publishingProfile={"excludeFromLatest": False, "targetRegions": targets}))
    found = await images.read(VERSION)
    assert found is not None
    assert [found.excluded_in(region) for region in ("westeurope", "West Europe", "eastus2")] == [True, True, False]


async def test_ids_are_understood_in_any_case(images: ArmImages, script: Any) -> None:
    script.answer(200, IMAGE)
    script.answer(200, version_body("1.1.0"))
    found = await images.read(ImageReference(id=f"{IMAGE_ID.upper()}/VERSIONS/1.1.0"))
    assert found is not None
    assert found.name == "1.1.0"
    assert script.lines[0].startswith("GET https://management.azure.com/subscriptions/5ab3/resourceGroups/DEMO/")


async def test_a_version_that_is_not_there_reads_as_none(images: ArmImages, script: Any) -> None:
    script.answer(404, ABSENT)
    assert await images.read(at_version(WEB, "9.9.9")) is None


async def test_a_version_whose_image_has_just_gone_reads_as_none(images: ArmImages, script: Any) -> None:
    script.answer(404, ABSENT)
    script.answer(200, version_body("1.1.0"))
    assert await images.read(VERSION) is None


async def test_versions_are_listed_by_number_the_highest_first(images: ArmImages, script: Any) -> None:
    next_link = f"{IMAGE_URL}/versions?$skiptoken=opaque&api-version=2026-03-03"
    script.answer(200, IMAGE)
    script.answer(200, {"value": [version_body("1.9.0"), version_body("1.10.0")], "nextLink": next_link})
    script.answer(200, {"value": [version_body("1.2.0")]})
    listed = await images.list_versions(WEB)
    assert listed is not None
    assert [version.name for version in listed] == ["1.10.0", "1.9.0", "1.2.0"]
    assert {(version.os_type, version.regions) for version in listed} == {("Linux", None)}
    assert script.lines == [
        f"GET {IMAGE_URL}?api-version=2026-03-03",
        f"GET {IMAGE_URL}/versions?api-version=2026-03-03",
        f"GET {next_link}",
    ]


async def test_an_image_that_is_not_there_lists_as_none(images: ArmImages, script: Any) -> None:
    script.answer(404, ABSENT)
    assert await images.list_versions(WEB) is None


async def test_an_image_without_versions_lists_as_empty(images: ArmImages, script: Any) -> None:
    script.answer(200, IMAGE)
    script.answer(200, {"value": []})
    assert await images.list_versions(WEB) == ()


@pytest.mark.parametrize("given", ["", "1.1.0", IMAGE_ID, f"{IMAGE_ID}/versions/1.1.0/more/x", "/subscriptions/5ab3"])
async def test_an_id_that_is_no_versions_is_refused(images: ArmImages, script: Any, given: str) -> None:
    with pytest.raises(Refused, match="invalidImageId"):
        await images.read(ImageReference(id=given))
    assert script.requests == []


@pytest.mark.parametrize("given", ["", "web", IMAGE_ID.replace("galleries", "images")])
async def test_an_id_that_is_no_images_is_refused(images: ArmImages, script: Any, given: str) -> None:
    with pytest.raises(Refused, match="invalidImageId"):
        await images.list_versions(ImageReference(id=given))
    assert script.requests == []


async def test_a_later_page_that_is_throttled_fails_the_list(images: ArmImages, script: Any) -> None:
    script.answer(200, IMAGE)
    script.answer(200, {"value": [version_body("1.0.0")], "nextLink": f"{IMAGE_URL}/versions?$skiptoken=x"})
    script.answer(429, {"error": {"code": "TooManyRequests", "message": "Too many requests."}}, retry_after="7")
    with pytest.raises(Busy, match="TooManyRequests"):
        await images.list_versions(WEB)
