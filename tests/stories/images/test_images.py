"""Images of every kind: each is deployed end to end, and each that does not fit the set is refused before anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.azure.world import World, parse_world
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

PATH = "/api/groups/web/deployments"
HOUR = 3600
UBUNTU = "Canonical:ubuntu-24_04-lts:server"
SHARED = "/SharedGalleries/00000000-0000-0000-0000-000000000000-APPS/Images/web"
COMMUNITY = "/CommunityGalleries/public-apps/Images/web"
PLAN = {"publisher": "Canonical", "product": "ubuntu-24_04-lts", "name": "server"}


def changed(world: World, image: str | None = None, **fields: Any) -> World:
    """The world with its set on another image, its gallery shared in every way, and Ubuntu in the marketplace.

    ``fields`` are those of the set, of its gallery image (``gallery``), of version 1.1.0 (``version``), of the
    marketplace image (``ubuntu``).
    """
    document = world.model_dump(mode="json", by_alias=True)
    gallery = document["galleries"][0] | {"shared": True, "communityName": "public-apps"}
    gallery["images"][0] |= fields.pop("gallery", {})
    for version in gallery["images"][0]["versions"]:
        version["excludeFromLatest"] = version["name"] > "1.1.0"
        if version["name"] == "1.1.0":
            version |= fields.pop("version", {})
    document["galleries"][0] = gallery
    behavior = {"bootTime": 30, "healthyAfter": 60}
    document["marketplace"] = [
        {
            "publisher": "Canonical",
            "offer": "ubuntu-24_04-lts",
            "sku": "server",
            "versions": [
                {"name": "24.4.1", "behavior": behavior},
                {"name": "24.4.10", "behavior": behavior, "publishedBefore": HOUR},
                {"name": "24.4.11", "behavior": behavior, "publishedBefore": HOUR, "deprecatedAfter": 0},
                {"name": "24.4.9", "behavior": {"neverHealthy": True}, "publishedBefore": HOUR},
            ],
            **fields.pop("ubuntu", {}),
        }
    ]
    document["scaleSets"][0] |= fields | ({"image": image} if image else {})
    return parse_world(document)


async def deployed(stage: Any, image: str | None, **asked: Any) -> Any:
    """The overview of a deployment that has finished."""
    parameters = asked if image is None else {"image": image, **asked}
    deployment = await stage.platform.start(batchSizePercentage=50, gracePeriod=300, **parameters)
    row = await stage.platform.ended(deployment)
    assert row.status is Status.FINISHED, row
    return (await stage.platform.get(f"/api/deployments/{deployment}")).body


async def findings(stage: Any, image: str | None) -> dict[str, str]:
    """What the dry run finds in the image, by code; a start is refused exactly where one of them is an error."""
    body = {} if image is None else {"image": image}
    planned = (await stage.platform.post(f"{PATH}?dryRun=true", body)).body
    found = {finding["code"]: finding["severity"] for finding in planned["findings"]}
    errors = {code for code, severity in found.items() if severity == "error"}
    assert planned["canStart"] is not bool(errors)
    if errors:
        reply = await stage.platform.post(PATH, body)
        assert reply.status == 422, reply.body
        assert {detail["code"] for detail in reply.body["error"]["details"]} == errors
        assert stage.platform.cloud.audit == []
    return found


@pytest.mark.parametrize(
    ("running", "asked", "pinned", "newest"),
    [
        (f"{UBUNTU}:24.4.1", f"{UBUNTU}:24.4.10", f"{UBUNTU}:24.4.10", "24.4.10"),
        (f"{UBUNTU}:24.4.1", f"{UBUNTU}:latest", f"{UBUNTU}:24.4.10", "24.4.10"),
        (f"{UBUNTU}:latest", f"{UBUNTU}:latest", f"{UBUNTU}:24.4.10", "24.4.10"),
        (f"{UBUNTU}:latest", None, f"{UBUNTU}:24.4.10", "24.4.10"),
        (f"{SHARED}/Versions/1.0.0", f"{SHARED}/Versions/1.1.0", f"{SHARED}/Versions/1.1.0", "1.1.0"),
        (f"{SHARED}/Versions/1.0.0", SHARED, f"{SHARED}/versions/1.1.0", "1.1.0"),
        (f"{COMMUNITY}/Versions/1.0.0", f"{COMMUNITY}/Versions/1.1.0", f"{COMMUNITY}/Versions/1.1.0", "1.1.0"),
        (f"{COMMUNITY}/Versions/1.0.0", f"{COMMUNITY}/Versions/latest", f"{COMMUNITY}/versions/1.1.0", "1.1.0"),
    ],
)
def test_an_image_of_any_kind_is_deployed(
    play: Play, either_world: SmallWorld, running: str, asked: str | None, pinned: str, newest: str
) -> None:
    async def story(stage: Any) -> None:
        assert newest not in stage.versions()
        shown = await deployed(stage, asked)
        # Where the model left the version open, the one that serves is the one to go back to.
        before = f"{UBUNTU}:24.4.1" if running == f"{UBUNTU}:latest" else running
        assert shown["image"] == {"requested": asked, "pinned": pinned, "previous": before}
        assert shown["parameters"]["image"] == asked
        assert stage.versions() == [newest] * 2
        assert stage.model() == pinned.rpartition("/")[2].removeprefix("Canonical:")

    play(story, changed(either_world(2), running))


@pytest.mark.parametrize("running", [f"{UBUNTU}:24.4.1", f"{UBUNTU}:latest"])
def test_a_marketplace_image_that_fails_leaves_the_one_that_serves_in_the_model(
    play: Play, either_world: SmallWorld, running: str
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image=f"{UBUNTU}:24.4.9", gracePeriod=300)
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FAILED
        assert (stage.model(), stage.versions()) == ("ubuntu-24_04-lts:server:24.4.1", ["24.4.1"] * 2)

    play(story, changed(either_world(2), running))


def test_without_an_image_the_sets_own_is_rolled(play: Play, either_world: SmallWorld) -> None:
    """Somebody put a version into the model that no VM runs yet."""

    async def story(stage: Any) -> None:
        image = {"id": stage.platform.world.groups[0]["imageId"] + "/versions/1.1.0"}
        profile = {"storageProfile": {"imageReference": image}}
        stage.platform.cloud.interfere.patch(stage.scale_set_id, {"properties": {"virtualMachineProfile": profile}})
        await stage.sleep(minutes=1)
        shown = await deployed(stage, None)
        serving = image["id"].replace("1.1.0", "1.0.0")
        assert shown["image"] == {"requested": None, "pinned": image["id"], "previous": serving}
        assert (stage.versions(), stage.model()) == (["1.1.0"] * 2, "1.1.0")
        again = await stage.platform.post(f"{PATH}?dryRun=true", {})
        assert (again.body["batches"], len(again.body["kept"])) == ([], 2)

    play(story, changed(either_world(2)))


def test_without_an_image_vms_of_an_older_model_are_rolled(play: Play, small_world: SmallWorld) -> None:
    """Somebody changed the VM size: the image of the VMs is the model's, their model is not."""

    async def story(stage: Any) -> None:
        sku = {"name": "Standard_D4s_v5", "tier": "Standard", "capacity": 2}
        stage.platform.cloud.interfere.patch(stage.scale_set_id, {"sku": sku})
        await stage.sleep(minutes=1)
        before = {vm.vm_id for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active()}
        await deployed(stage, None)
        after = stage.platform.cloud.scale_set(stage.scale_set_id)
        assert not before & {vm.vm_id for vm in after.active()}
        assert {vm.model for vm in after.active()} == {after.model}
        assert (stage.versions(), stage.model()) == (["1.0.0"] * 2, "1.0.0")

    play(story, changed(small_world(2)))


NVME = {"sku": "Standard_D2s_v6"}
TRUSTED = {
    "overrides": {"properties": {"virtualMachineProfile": {"securityProfile": {"securityType": "TrustedLaunch"}}}}
}
BARE = {"overrides": {"properties": {"virtualMachineProfile": {"osProfile": None}}}}


@pytest.mark.parametrize(
    ("image", "fields", "expected"),
    [
        ("1.1.0", {"gallery": {"osType": "Windows"}}, {"imageIncompatible": "error"}),
        ("1.1.0", {"gallery": {"osState": "Specialized"}}, {"imageSpecialized": "error"}),
        ("1.1.0", BARE, {"imageGeneralized": "error"}),
        ("1.1.0", BARE | {"gallery": {"osState": "Specialized"}}, {}),
        ("1.1.0", {"gallery": {"architecture": "Arm64"}}, {"imageIncompatible": "error"}),
        ("1.1.0", {"sku": "Standard_D2ps_v5", "gallery": {"architecture": "Arm64"}}, {}),
        ("1.1.0", {"gallery": {"hyperVGeneration": "V1"}}, {}),
        ("1.1.0", {"sku": "Standard_D2s_v6", "gallery": {"hyperVGeneration": "V1"}}, {"imageIncompatible": "error"}),
        (
            "1.1.0",
            {"sku": "Standard_D2s_v6", "gallery": {"diskControllerTypes": "SCSI"}},
            {"imageIncompatible": "error"},
        ),
        ("1.1.0", {"sku": "Standard_D2s_v6", "gallery": {"diskControllerTypes": "SCSI, NVMe"}}, {}),
        ("1.1.0", {"gallery": {"securityType": "TrustedLaunch"}}, {"imageIncompatible": "error"}),
        ("1.1.0", {"gallery": {"securityType": "TrustedLaunchSupported"}}, {}),
        ("1.1.0", TRUSTED, {"imageIncompatible": "error"}),
        ("1.1.0", TRUSTED | {"gallery": {"securityType": "TrustedLaunchSupported"}}, {}),
        ("1.1.0", TRUSTED | {"gallery": {"securityType": "ConfidentialVmSupported"}}, {"imageIncompatible": "error"}),
        (
            "1.1.0",
            TRUSTED | {"gallery": {"securityType": "TrustedLaunchSupported", "hyperVGeneration": "V1"}},
            {"imageIncompatible": "error"},
        ),
        ("1.1.0", {"gallery": {"purchasePlan": PLAN}}, {"planMismatch": "error"}),
        ("1.1.0", {"gallery": {"purchasePlan": PLAN}, "overrides": {"plan": PLAN}}, {}),
        ("1.1.0", {"overrides": {"plan": PLAN}}, {}),
        ("1.1.0", {"version": {"endOfLifeAfter": 0}}, {"imageEndOfLife": "warning"}),
        ("1.1.0", {"version": {"endOfLifeAfter": 24 * HOUR}}, {"imageEndOfLife": "warning"}),
        ("1.1.0", {"version": {"endOfLifeAfter": 100 * 24 * HOUR}}, {}),
        ("1.1.0", {"version": {"provisioningState": "Creating"}}, {"imageNotReady": "error"}),
        ("1.2.0", {}, {"imageExcluded": "warning"}),
        ("9.9.9", {}, {"imageNotFound": "error"}),
        (f"{UBUNTU}:24.4.10", {}, {"imageKindChange": "error"}),
        (f"{SHARED}/Versions/1.1.0", {}, {"imageKindChange": "error"}),
        ("nothing/like/it", {}, {"imageNotUnderstood": "error"}),
    ],
)
def test_an_image_that_does_not_fit_a_set_from_a_gallery_is_refused(
    play: Play, small_world: SmallWorld, image: str, fields: dict[str, Any], expected: dict[str, str]
) -> None:
    async def story(stage: Any) -> None:
        found = await findings(stage, image)
        about_it = {code: severity for code, severity in found.items() if code.startswith(("image", "plan"))}
        assert about_it == expected

    play(story, changed(small_world(2), **fields))


@pytest.mark.parametrize(
    ("image", "fields", "expected"),
    [
        (f"{UBUNTU}:24.4.10", {}, None),
        (f"{UBUNTU}:24.4.99", {}, "imageNotFound"),
        (f"{UBUNTU}:24.4.11", {}, "imageNotReady"),
        ("Canonical:ubuntu-24_04-lts:minimal:latest", {}, "noLatestImage"),
        (f"{UBUNTU}:24.4.10", {"ubuntu": {"plan": PLAN}}, "planMismatch"),
        (f"{UBUNTU}:24.4.10", {"ubuntu": {"plan": PLAN}, "overrides": {"plan": PLAN}}, None),
        (f"{UBUNTU}:24.4.10", {"overrides": {"plan": PLAN}}, "planMismatch"),
        (f"{UBUNTU}:24.4.10", {"ubuntu": {"osType": "Windows"}}, "imageIncompatible"),
        (f"{UBUNTU}:24.4.10", {"ubuntu": {"architecture": "Arm64"}}, "imageIncompatible"),
        (f"{UBUNTU}:24.4.10", {"ubuntu": {"securityType": "ConfidentialVmSupported"}, **TRUSTED}, "imageIncompatible"),
        ("Canonical:other:server:24.4.10", {"ubuntu": {"offer": "other"}}, "imageOfferChange"),
        ("1.1.0", {}, "imageKindChange"),
    ],
)
def test_an_image_that_does_not_fit_a_set_from_the_marketplace_is_refused(
    play: Play, small_world: SmallWorld, image: str, fields: dict[str, Any], expected: str | None
) -> None:
    async def story(stage: Any) -> None:
        found = await findings(stage, image)
        errors = [code for code, severity in found.items() if severity == "error"]
        assert errors == ([expected] if expected else [])

    play(story, changed(small_world(2), f"{UBUNTU}:24.4.1", **fields))
