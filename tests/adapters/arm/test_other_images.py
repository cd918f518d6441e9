"""Images that are in none of the own galleries: what is sent for them, and what the answers mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.arm.images import ArmImages
from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion, PurchasePlan
from rollout.ports.errors import Refused

SET_ID = "/subscriptions/5ab3/resourceGroups/demo/providers/Microsoft.Compute/virtualMachineScaleSets/web"
HERE = Place(SET_ID, "eastus2")
COMPUTE = "https://management.azure.com/subscriptions/5ab3/providers/Microsoft.Compute/locations/eastus2"
UBUNTU = ImageReference(publisher="Canonical", offer="ubuntu", sku="server", version="1.2.3")
UBUNTU_URL = f"{COMPUTE}/publishers/Canonical/artifacttypes/vmimage/offers/ubuntu/skus/server/versions"
GOLDEN = SET_ID.replace("virtualMachineScaleSets/web", "images/golden")
DEFINITION = {
    "osType": "Linux",
    "osState": "Generalized",
    "hyperVGeneration": "V2",
    "architecture": "x64",
    "features": [{"name": "SecurityType", "value": "TrustedLaunchSupported"}],
}
#: The reference's field, the path of the SDK's requests, and what both kinds of galleries are called by.
SHARED = ("shared_gallery_image_id", "sharedGalleries/g", "/SharedGalleries/g/Images/web")
COMMUNITY = ("community_gallery_image_id", "communityGalleries/g", "/CommunityGalleries/g/Images/web")


def version_body(name: str, **properties: Any) -> dict[str, Any]:
    """A version of a shared image, as its readers see it."""
    return {"name": name, "location": "eastus2", "properties": {"publishedDate": "2026-05-07T00:00:00Z", **properties}}


@pytest.mark.parametrize(("field", "path", "image"), [SHARED, COMMUNITY])
async def test_a_shared_galleries_version_is_read_in_the_sets_region(
    images: ArmImages, script: Any, field: str, path: str, image: str
) -> None:
    reference = ImageReference(**{field: f"{image}/Versions/1.1.0"})
    script.answer(200, version_body("1.1.0", excludeFromLatest=True, endOfLifeDate="2027-01-01T00:00:00Z"))
    script.answer(200, {"name": "web", "location": "eastus2", "properties": DEFINITION})
    found = await images.read(reference, HERE)
    assert script.lines == [
        f"GET {COMPUTE}/{path}/images/web/versions/1.1.0?api-version=2026-03-03",
        f"GET {COMPUTE}/{path}/images/web?api-version=2026-03-03",
    ]
    assert found is not None
    assert found.reference.matches(reference)
    assert (found.name, found.provisioning_state, found.exclude_from_latest) == ("1.1.0", "Succeeded", True)
    assert found.regions == {"eastus2": "Completed"}
    assert (found.os_type, found.os_state, found.security_type) == ("Linux", "Generalized", "TrustedLaunchSupported")
    assert found.end_of_life == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("field", "path", "image"), [SHARED, COMMUNITY])
async def test_a_shared_galleries_versions_are_listed(
    images: ArmImages, script: Any, field: str, path: str, image: str
) -> None:
    script.answer(200, {"name": "web", "location": "eastus2", "properties": DEFINITION})
    script.answer(200, {"value": [version_body("1.9.0"), version_body("1.10.0")]})
    listed = await images.list_versions(ImageReference(**{field: image}), HERE)
    assert listed is not None
    assert [version.name for version in listed] == ["1.10.0", "1.9.0"]
    assert listed[0].reference.matches(ImageReference(**{field: f"{image}/Versions/1.10.0"}))
    assert script.lines[1] == f"GET {COMPUTE}/{path}/images/web/versions?api-version=2026-03-03"


async def test_a_marketplace_version_is_read_in_the_sets_region(images: ArmImages, script: Any) -> None:
    properties = {
        "osDiskImage": {"operatingSystem": "Windows"},
        "hyperVGeneration": "V2",
        "architecture": "x64",
        "features": [{"name": "SecurityType", "value": "TrustedLaunchSupported"}],
        "plan": {"publisher": "acme", "product": "web", "name": "gold"},
        "imageDeprecationStatus": {
            "imageState": "ScheduledForDeprecation",
            "scheduledDeprecationTime": "2027-01-01T00:00:00Z",
        },
    }
    script.answer(200, {"name": "1.2.3", "location": "eastus2", "properties": properties})
    assert await images.read(UBUNTU, HERE) == PublishedVersion(
        id="Canonical:ubuntu:server:1.2.3",
        name="1.2.3",
        provisioning_state="Succeeded",
        regions={"eastus2": "Completed"},
        os_type="Windows",
        reference=UBUNTU,
        hyper_v_generation="V2",
        architecture="x64",
        security_type="TrustedLaunchSupported",
        os_state="Generalized",
        plan=PurchasePlan("acme", "web", "gold"),
        end_of_life=datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert script.lines == [f"GET {UBUNTU_URL}/1.2.3?api-version=2026-04-01"]


async def test_a_deprecated_marketplace_version_is_told_as_such(images: ArmImages, script: Any) -> None:
    status = {"imageDeprecationStatus": {"imageState": "Deprecated"}}
    script.answer(200, {"name": "1.2.3", "location": "eastus2", "properties": status})
    found = await images.read(UBUNTU, HERE)
    assert found is not None
    assert found.provisioning_state == "Deprecated"


async def test_marketplace_versions_are_a_bare_list(images: ArmImages, script: Any) -> None:
    script.answer(200, [{"name": name, "location": "eastus2", "id": "/x"} for name in ("24.04.9", "24.04.10")])
    listed = await images.list_versions(UBUNTU, HERE)
    assert listed is not None
    assert [version.reference.version for version in listed] == ["24.04.10", "24.04.9"]
    assert script.lines == [f"GET {UBUNTU_URL}?api-version=2026-04-01"]


async def test_a_managed_image_is_read_by_its_id(images: ArmImages, script: Any) -> None:
    disk = {"osType": "Linux", "osState": "Generalized"}
    properties = {
        "provisioningState": "Succeeded",
        "hyperVGeneration": "V1",
        "storageProfile": {"osDisk": disk},
    }
    script.answer(200, {"id": GOLDEN, "name": "golden", "location": "East US 2", "properties": properties})
    found = await images.read(ImageReference(id=GOLDEN))
    assert found is not None
    assert found.reference == ImageReference(id=GOLDEN)
    assert (found.regions, found.hyper_v_generation, found.os_state) == ({"eastus2": "Completed"}, "V1", "Generalized")
    assert script.lines[0].startswith(f"GET https://management.azure.com{GOLDEN}?api-version=")


@pytest.mark.parametrize(
    "reference",
    [
        UBUNTU,
        ImageReference(id=GOLDEN),
        ImageReference(shared_gallery_image_id="/SharedGalleries/g/Images/web/Versions/1.1.0"),
        ImageReference(community_gallery_image_id="/CommunityGalleries/g/Images/web/Versions/1.1.0"),
    ],
)
async def test_what_is_not_there_reads_as_none(images: ArmImages, script: Any, reference: ImageReference) -> None:
    for _ in range(2):
        script.answer(404, {"error": {"code": "NotFound", "message": "Artifact: VMImage was not found."}})
    assert await images.read(reference, HERE) is None
    assert await images.list_versions(reference, HERE) is None


@pytest.mark.parametrize(
    ("reference", "place", "code"),
    [
        (UBUNTU, None, "placeUnknown"),
        (ImageReference(publisher="Canonical", offer="ubuntu"), HERE, "invalidImageId"),
        (ImageReference(shared_gallery_image_id="/SharedGalleries/g/Images/web"), HERE, "invalidImageId"),
        (ImageReference(community_gallery_image_id="/elsewhere"), HERE, "invalidImageId"),
    ],
)
async def test_what_names_no_version_is_not_asked_for(
    images: ArmImages, script: Any, reference: ImageReference, place: Place | None, code: str
) -> None:
    with pytest.raises(Refused, match=code):
        await images.read(reference, place)
    assert script.requests == []
