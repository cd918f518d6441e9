"""Images that others share, managed images and the marketplace: as the SDK reads them, and what sets do with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import World, WorldError, demo_world, parse_world
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]
Connect = Callable[[Cloud], ComputeManagementClient]

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
UNIQUE = f"{SUBSCRIPTION}-APPS"
URN = ("Canonical", "ubuntu", "server")
PLAN = {"publisher": "Canonical", "product": "ubuntu", "name": "server"}


def rich_world(image: str | None = None, **fields: Any) -> World:
    """The demo world with its gallery shared in both ways, a marketplace and a managed image."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    gallery = document["galleries"][0]
    gallery |= {"shared": True, "communityName": "public"}
    gallery["images"][0] |= {"securityType": "TrustedLaunchSupported"} | fields.pop("gallery", {})
    versions = gallery["images"][0]["versions"]
    versions[1] |= {"endOfLifeAfter": 60}
    versions[2] |= {"excludeFromLatest": True, "targetRegions": ["West US"]}
    document["marketplace"] = [
        {
            "publisher": "Canonical",
            "offer": "ubuntu",
            "sku": "server",
            "versions": [{"name": "1.9.0"}, {"name": "1.10.0"}, {"name": "1.11.0", "deprecatedAfter": 60}],
            **fields.pop("ubuntu", {}),
        }
    ]
    document["managedImages"] = [{"name": "golden", "resourceGroup": "images", "behavior": {"neverHealthy": True}}]
    document["scaleSets"][0] |= fields | ({"image": image} if image else {})
    return parse_world(document)


@pytest.fixture
def rich(clock: PlatformClock) -> Cloud:
    return Cloud(rich_world(), clock)


async def test_a_shared_gallery_shows_what_is_in_the_region(rich: Cloud, connect: Connect) -> None:
    client = connect(rich)
    image: Any = await client.shared_gallery_images.get("eastus2", UNIQUE, "web")
    assert image["properties"]["osType"] == "Linux"
    assert image["properties"]["features"] == [{"name": "SecurityType", "value": "TrustedLaunchSupported"}]
    assert image["identifier"]["uniqueId"] == f"/SharedGalleries/{UNIQUE}/Images/web"
    listed = client.shared_gallery_image_versions.list("eastus2", UNIQUE, "web")
    assert [version.name async for version in listed] == ["1.0.0", "1.1.0", "1.3.0", "1.4.0"]
    elsewhere = client.shared_gallery_image_versions.list("westus", UNIQUE, "web")
    assert [version.name async for version in elsewhere] == ["1.2.0"]
    version: Any = await client.shared_gallery_image_versions.get("eastus2", UNIQUE, "web", "1.1.0")
    assert version["properties"]["endOfLifeDate"] > version["properties"]["publishedDate"]
    assert version["identifier"]["uniqueId"] == f"/SharedGalleries/{UNIQUE}/Images/web/Versions/1.1.0"


async def test_a_community_gallery_is_read_by_its_public_name(rich: Cloud, connect: Connect) -> None:
    client = connect(rich)
    image: Any = await client.community_gallery_images.get("eastus2", "PUBLIC", "web")
    assert image["properties"]["osState"] == "Generalized"
    listed: Any = client.community_gallery_image_versions.list("westus", "public", "web")
    assert [version["properties"]["excludeFromLatest"] async for version in listed] == [True]
    version: Any = await client.community_gallery_image_versions.get("eastus2", "public", "web", "1.0.0")
    assert version["identifier"]["uniqueId"] == "/CommunityGalleries/public/Images/web/Versions/1.0.0"


@pytest.mark.parametrize(
    "path",
    [
        "eastus2/sharedGalleries/other/images/web",
        f"eastus2/sharedGalleries/{UNIQUE}/images/other",
        f"eastus2/sharedGalleries/{UNIQUE}/images/web/versions/1.2.0",
        f"eastus2/communityGalleries/{UNIQUE}/images/web/versions",
        "westus/publishers/Canonical/artifacttypes/vmimage/offers/ubuntu/skus/server/versions",
        "eastus2/publishers/Canonical/artifacttypes/vmimage/offers/ubuntu/skus/other/versions",
        "eastus2/publishers/Canonical/artifacttypes/vmimage/offers/ubuntu/skus/server/versions/1.0.0",
    ],
)
async def test_what_is_not_offered_is_not_found(ask: Ask, rich: Cloud, path: str) -> None:
    answer = await ask(rich, "GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{path}")
    assert (answer.status, answer.json()["error"]["code"] in ("NotFound", "GalleryImageNotFound")) == (404, True)


async def test_a_gallery_that_is_not_shared_is_not_found(cloud: Cloud, connect: Connect) -> None:
    client = connect(cloud)
    with pytest.raises(ResourceNotFoundError):
        await client.shared_gallery_images.get("eastus2", UNIQUE, "web")


async def test_the_marketplace_lists_names_and_tells_the_rest_of_a_version(
    rich: Cloud, connect: Connect, clock: PlatformClock
) -> None:
    images: Any = connect(rich).virtual_machine_images
    assert [version.name for version in await images.list("eastus2", *URN)] == ["1.9.0", "1.10.0", "1.11.0"]
    version = await images.get("eastus2", *URN, "1.11.0")
    assert version["properties"]["osDiskImage"]["operatingSystem"] == "Linux"
    assert (version["properties"]["hyperVGeneration"], version["properties"]["architecture"]) == ("V2", "x64")
    assert version["properties"]["imageDeprecationStatus"]["imageState"] == "ScheduledForDeprecation"
    await clock.sleep(timedelta(minutes=1))
    version = await images.get("eastus2", *URN, "1.11.0")
    assert version["properties"]["imageDeprecationStatus"]["imageState"] == "Deprecated"
    kept = await images.get("eastus2", *URN, "1.10.0")
    assert kept["properties"]["imageDeprecationStatus"] == {"imageState": "Active"}


async def test_a_managed_image_tells_its_system(rich: Cloud, connect: Connect) -> None:
    images: Any = connect(rich).images
    image = await images.get("images", "golden")
    assert image["properties"]["storageProfile"]["osDisk"]["osState"] == "Generalized"
    with pytest.raises(ResourceNotFoundError):
        await images.get("images", "other")


#: What Azure answers with, besides 400: evidence in ``local/azure/arm/errors.py``.
STATUSES = {
    "": 200,
    "OperationNotAllowed": 409,
    "PropertyChangeNotAllowed": 409,
    "GalleryImageNotFound": 404,
    "PlatformImageNotFound": 404,
}


def model(**reference: str) -> dict[str, Any]:
    return {"properties": {"virtualMachineProfile": {"storageProfile": {"imageReference": reference}}}}


@pytest.mark.parametrize(
    ("image", "exact"),
    [
        ("Canonical:ubuntu:server:1.9.0", "1.9.0"),
        ("Canonical:ubuntu:server:latest", "1.11.0"),
        ("canonical:Ubuntu:server:latest", "1.11.0"),
        ("Canonical:debian:server:latest", "1.0.0"),
        (f"/SharedGalleries/{UNIQUE}/Images/web", "1.4.0"),
        (f"/SharedGalleries/{UNIQUE}/Images/web/Versions/latest", "1.4.0"),
        (f"/SharedGalleries/{UNIQUE}/Images/web/Versions/1.1.0", None),
        ("/CommunityGalleries/public/Images/web/versions/latest", "1.4.0"),
    ],
)
async def test_vms_say_which_version_latest_was(clock: PlatformClock, web: str, image: str, exact: str | None) -> None:
    cloud = Cloud(rich_world(image), clock)
    assert {vm.image.get("exactVersion") for vm in cloud.scale_set(web).active()} == {exact}


async def test_latest_passes_over_what_is_deprecated(ask: Ask, clock: PlatformClock, web: str) -> None:
    cloud = Cloud(rich_world("Canonical:ubuntu:server:latest"), clock)
    await clock.sleep(timedelta(minutes=2))
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    assert [vm.image["exactVersion"] for vm in cloud.scale_set(web).active()] == [*["1.11.0"] * 10, "1.10.0"]


@pytest.mark.parametrize(
    ("image", "fields", "reference", "code"),
    [
        ("Canonical:ubuntu:server:1.9.0", {}, {"version": "1.10.0"}, None),
        ("Canonical:ubuntu:server:1.9.0", {}, {"version": "9.9.9"}, "PlatformImageNotFound"),
        ("Canonical:ubuntu:server:1.9.0", {}, {"offer": "other"}, "PropertyChangeNotAllowed"),
        (
            "Canonical:ubuntu:server:1.9.0",
            {"ubuntu": {"plan": PLAN}},
            {"version": "1.10.0"},
            "VMMarketplaceInvalidInput",
        ),
        (
            "Canonical:ubuntu:server:1.9.0",
            {"ubuntu": {"plan": PLAN}, "overrides": {"plan": PLAN}},
            {"version": "1.10.0"},
            None,
        ),
        (
            "Canonical:ubuntu:server:1.9.0",
            {"overrides": {"plan": PLAN}},
            {"version": "1.10.0"},
            "VMMarketplaceInvalidInput",
        ),
        ("apps/web/1.0.0", {"gallery": {"purchasePlan": PLAN}}, {"id": "1.1.0"}, "VMMarketplaceInvalidInput"),
        ("apps/web/1.0.0", {"gallery": {"osState": "Specialized"}}, {"id": "1.1.0"}, "OperationNotAllowed"),
        ("apps/web/1.0.0", {"gallery": {"securityType": "ConfidentialVM"}}, {"id": "1.1.0"}, "BadRequest"),
        ("apps/web/1.0.0", {}, {"id": "1.2.0"}, "GalleryImageNotFound"),
        (
            f"/SharedGalleries/{UNIQUE}/Images/web/Versions/1.0.0",
            {},
            {"sharedGalleryImageId": f"/SharedGalleries/{UNIQUE}/Images/web/Versions/1.2.0"},
            "GalleryImageNotFound",
        ),
        (
            f"/SharedGalleries/{UNIQUE}/Images/web/Versions/1.0.0",
            {},
            {"sharedGalleryImageId": f"/SharedGalleries/{UNIQUE}/Images/web/Versions/1.1.0"},
            None,
        ),
    ],
)
async def test_a_set_takes_the_images_that_fit_it(
    ask: Ask,
    clock: PlatformClock,
    web: str,
    image: str,
    fields: dict[str, Any],
    reference: dict[str, str],
    code: str | None,
) -> None:
    cloud = Cloud(rich_world(image, **fields), clock)
    group = web.partition("/virtualMachineScaleSets/")[0]
    if "id" in reference:
        reference = {"id": f"{group}/galleries/apps/images/web/versions/{reference['id']}"}
    answer = await ask(cloud, "PATCH", web, model(**reference))
    assert (answer.json().get("error") or {}).get("code") == code
    assert answer.status == STATUSES.get(code or "", 400)


async def test_a_set_with_a_security_type_takes_no_image_of_generation_one(
    ask: Ask, clock: PlatformClock, web: str
) -> None:
    trusted = {"properties": {"virtualMachineProfile": {"securityProfile": {"securityType": "TrustedLaunch"}}}}
    image = f"{web.partition('/virtualMachineScaleSets/')[0]}/galleries/apps/images/web/versions/1.1.0"
    for generation, status in (("V2", 200), ("V1", 400)):
        cloud = Cloud(rich_world(overrides=trusted, gallery={"hyperVGeneration": generation}), clock)
        assert (await ask(cloud, "PATCH", web, model(id=image))).status == status


@pytest.mark.parametrize(
    ("overrides", "gallery", "status", "words"),
    [
        ({}, {"osState": "Specialized"}, 409, "current OS state of the Virtual Machine Scale Set is Generalized"),
        (
            {"osProfile": None},
            {"osState": "Generalized"},
            409,
            "is Specialized, which is different from the OS state of the image: Generalized",
        ),
        (
            {"securityProfile": {"securityType": "TrustedLaunch"}},
            {"securityType": "ConfidentialVM"},
            400,
            "Use of TrustedLaunch setting is not supported for the provided image.",
        ),
    ],
)
async def test_an_image_of_another_kind_is_refused_in_azure_s_words(
    ask: Ask,
    clock: PlatformClock,
    web: str,
    overrides: dict[str, Any],
    gallery: dict[str, Any],
    status: int,
    words: str,
) -> None:
    profile = {"properties": {"virtualMachineProfile": overrides}}
    image = f"{web.partition('/virtualMachineScaleSets/')[0]}/galleries/apps/images/web/versions/1.1.0"
    cloud = Cloud(rich_world(overrides=profile, gallery=gallery), clock)
    refused = await ask(cloud, "PATCH", web, model(id=image))
    assert refused.status == status
    assert words in refused.json()["error"]["message"]


async def test_a_managed_image_behaves_as_the_world_says(clock: PlatformClock, web: str) -> None:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images"
    cloud = Cloud(rich_world(f"{group}/providers/Microsoft.Compute/images/golden"), clock)
    assert not any(vm.serving for vm in cloud.scale_set(web).active())


def test_a_world_refuses_an_image_written_in_no_way_that_there_is() -> None:
    with pytest.raises(WorldError, match=r"scaleSets\[0\]\.image: no version Canonical:ubuntu"):
        rich_world("Canonical:ubuntu")
