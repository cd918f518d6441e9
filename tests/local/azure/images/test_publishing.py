"""Versions of gallery images that come, change and go, at the wire and by interference."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import Fault, World, parse_world
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]

#: As long as Azure was recorded to take.
REPLICATION = timedelta(seconds=495)


def body(*regions: str, source: str = "", **properties: Any) -> dict[str, Any]:
    """What a pipeline sends."""
    where = source or "/subscriptions/0/resourceGroups/build/providers/Microsoft.Compute/images/web"
    profile = {"targetRegions": [{"name": region} for region in regions]} if regions else {}
    return {
        "location": "eastus2",
        "properties": {"publishingProfile": profile, "storageProfile": {"source": {"id": where}}, **properties},
    }


@pytest.fixture
def two_regions(clock: PlatformClock, patched_demo: Callable[..., World]) -> Cloud:
    """A world whose later versions get to West US 2 an hour after they are published, and whose VMs boot in 77 s."""
    document = patched_demo().model_dump(mode="json", by_alias=True)
    published = {"behavior": {"bootTime": 77}, "replicationTime": 60, "replicatedAfter": {"West US 2": 3600}}
    document["galleries"][0]["images"][0]["published"] = published
    return Cloud(parse_world(document), clock)


async def look(ask: Ask, cloud: Cloud, url: str) -> tuple[str, list[tuple[str, str, int]]]:
    """A version's provisioning state, and each region's state and progress."""
    properties = (await ask(cloud, "GET", f"{url}?$expand=ReplicationStatus")).json()["properties"]
    summary = properties["replicationStatus"]["summary"]
    return properties["provisioningState"], [(one["region"], one["state"], one["progress"]) for one in summary]


async def test_a_version_is_created_as_it_was_recorded(
    ask: Ask, cloud: Cloud, clock: PlatformClock, image: str
) -> None:
    url = f"{image}/versions/2.0.0"
    answer = await ask(cloud, "PUT", url, body("eastus2", "westcentralus"))
    assert answer.status == 201
    properties = answer.json()["properties"]
    assert properties["provisioningState"] == "Creating"
    assert properties["publishingProfile"] == {
        "targetRegions": [
            {"name": "East US 2", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"},
            {"name": "West Central US", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"},
        ],
        "replicaCount": 1,
        "excludeFromLatest": False,
        "publishedDate": "2026-01-01T00:00:00+00:00",
        "storageAccountType": "Standard_LRS",
    }
    assert "osDiskImage" not in properties["storageProfile"]
    assert "azure-asyncnotification" not in answer.headers
    operation = answer.headers["azure-asyncoperation"]
    assert "/providers/Microsoft.Compute/locations/eastus2/capsOperations/" in operation
    await clock.sleep(REPLICATION / 3)
    assert (await ask(cloud, "GET", operation)).json()["status"] == "InProgress"
    expected = [("eastus2", "Replicating", 33), ("westcentralus", "Replicating", 33)]
    assert await look(ask, cloud, url) == ("Creating", expected)
    await clock.sleep(REPLICATION * 2 / 3)
    ended = (await ask(cloud, "GET", operation)).json()
    assert (ended["status"], ended["endTime"]) == ("Succeeded", "2026-01-01T00:08:15+00:00")
    expected = [("eastus2", "Completed", 100), ("westcentralus", "Completed", 100)]
    assert await look(ask, cloud, url) == ("Succeeded", expected)
    storage = (await ask(cloud, "GET", url)).json()["properties"]["storageProfile"]
    assert storage["osDiskImage"] == {"sizeInGB": 30, "hostCaching": "ReadWrite", "source": {}}


async def test_a_version_is_in_the_list_and_the_audit_and_is_what_latest_means(
    ask: Ask, cloud: Cloud, clock: PlatformClock, image: str, web: str
) -> None:
    await ask(cloud, "PUT", f"{image}/versions/2.0.0", body())
    listed = (await ask(cloud, "GET", f"{image}/versions")).json()["value"]
    assert [one["name"] for one in listed][-1] == "2.0.0"
    [entry] = cloud.audit
    assert (entry.method, entry.status, entry.body) == ("PUT", 201, body())
    latest = {"virtualMachineProfile": {"storageProfile": {"imageReference": {"id": image}}}}
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}, "properties": latest})
    await clock.sleep(REPLICATION)
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})
    exact = [vm.image.get("exactVersion") for vm in cloud.scale_set(web).active()[-2:]]
    assert exact == ["1.4.0", "2.0.0"]


async def test_vms_behave_as_the_world_says_of_later_versions(
    ask: Ask, two_regions: Cloud, clock: PlatformClock, image: str, web: str
) -> None:
    await ask(two_regions, "PUT", f"{image}/versions/2.0.0", body())
    await clock.sleep(timedelta(seconds=60))
    reference = {"storageProfile": {"imageReference": {"id": f"{image}/versions/2.0.0"}}}
    changes = {"sku": {"capacity": 11}, "properties": {"virtualMachineProfile": reference}}
    operation = (await ask(two_regions, "PATCH", web, changes)).headers["azure-asyncoperation"]
    await clock.sleep(timedelta(seconds=76))
    assert (await ask(two_regions, "GET", operation)).json()["status"] == "InProgress"
    await clock.sleep(timedelta(seconds=1))
    assert (await ask(two_regions, "GET", operation)).json()["status"] == "Succeeded"


async def test_a_write_does_not_wait_for_a_region_with_a_time_of_its_own(
    ask: Ask, two_regions: Cloud, clock: PlatformClock, image: str
) -> None:
    url = f"{image}/versions/2.0.0"
    await ask(two_regions, "PUT", url, body("East US 2", "West US 2"))
    await clock.sleep(timedelta(seconds=60))
    expected = [("eastus2", "Completed", 100), ("westus2", "Replicating", 1)]
    assert await look(ask, two_regions, url) == ("Succeeded", expected)
    await clock.sleep(timedelta(hours=1))
    assert (await look(ask, two_regions, url))[1][1] == ("westus2", "Completed", 100)


async def test_an_update_changes_what_it_names(ask: Ask, cloud: Cloud, clock: PlatformClock, image: str) -> None:
    url = f"{image}/versions/1.1.0"
    profile = {"excludeFromLatest": True, "endOfLifeDate": "2027-01-01T00:00:00Z"}
    answer = await ask(cloud, "PATCH", url, {"tags": {"a": "b"}, "properties": {"publishingProfile": profile}})
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (200, "Updating")
    await clock.sleep(timedelta(seconds=5))
    changed = (await ask(cloud, "GET", url)).json()
    assert (changed["tags"], changed["properties"]["provisioningState"]) == ({"a": "b"}, "Succeeded")
    assert changed["properties"]["publishingProfile"] | profile == changed["properties"]["publishingProfile"]
    # What was read can be written back, as `az sig image-version update` does.
    changed["properties"]["publishingProfile"]["excludeFromLatest"] = False
    assert (await ask(cloud, "PUT", url, changed)).status == 200
    await clock.sleep(timedelta(seconds=5))
    assert (await ask(cloud, "GET", url)).json() == changed


async def test_a_region_that_is_added_takes_its_time_and_the_others_stay(
    ask: Ask, cloud: Cloud, clock: PlatformClock, image: str
) -> None:
    url = f"{image}/versions/1.1.0"
    regions = {"targetRegions": [{"name": "eastus2"}, {"name": "West US 2", "regionalReplicaCount": 3}]}
    answer = await ask(cloud, "PATCH", url, {"properties": {"publishingProfile": regions}})
    assert answer.json()["properties"]["publishingProfile"]["targetRegions"][1]["regionalReplicaCount"] == 3
    await clock.sleep(timedelta(seconds=99))
    assert await look(ask, cloud, url) == ("Updating", [("eastus2", "Completed", 100), ("westus2", "Replicating", 20)])
    await clock.sleep(REPLICATION)
    assert (await look(ask, cloud, url))[0] == "Succeeded"
    await ask(cloud, "PATCH", url, {"properties": {"publishingProfile": {"targetRegions": [{"name": "eastus2"}]}}})
    assert (await look(ask, cloud, url))[1] == [("eastus2", "Completed", 100)]


async def test_a_version_is_deleted_and_its_vms_stay(
    ask: Ask, cloud: Cloud, clock: PlatformClock, image: str, web: str
) -> None:
    url = f"{image}/versions/1.0.0"
    answer = await ask(cloud, "DELETE", url)
    assert (answer.status, answer.body) == (202, b"")
    assert "monitor=true" in answer.headers["location"]
    assert (await look(ask, cloud, url))[0] == "Deleting"
    assert (await ask(cloud, "GET", answer.headers["location"])).status == 202
    await clock.sleep(timedelta(seconds=30))
    assert (await ask(cloud, "GET", answer.headers["location"])).status == 200
    assert (await ask(cloud, "GET", url)).status == 404
    assert (await ask(cloud, "DELETE", url)).status == 204
    assert (await ask(cloud, "GET", f"{image}/versions")).json()["value"][0]["name"] == "1.1.0"
    assert all(vm.serving for vm in cloud.scale_set(web).active())


async def test_a_second_write_is_refused_while_the_first_goes_on(ask: Ask, cloud: Cloud, image: str) -> None:
    await ask(cloud, "PUT", f"{image}/versions/2.0.0", body())
    for method, said in (("PUT", body()), ("PATCH", {"tags": {}}), ("DELETE", None)):
        refused = await ask(cloud, method, f"{image}/versions/2.0.0", said)
        assert (refused.status, "concurrent request" in refused.json()["error"]["message"]) == (409, True)


async def test_an_operation_that_fails_leaves_a_failed_version(
    ask: Ask, cloud: Cloud, clock: PlatformClock, image: str
) -> None:
    cloud.faults.add(Fault(method="PUT", operation_status="Failed"))
    answer = await ask(cloud, "PUT", f"{image}/versions/2.0.0", body())
    await clock.sleep(REPLICATION)
    assert (await ask(cloud, "GET", answer.headers["azure-asyncoperation"])).json()["status"] == "Failed"
    assert (await look(ask, cloud, f"{image}/versions/2.0.0"))[0] == "Failed"


@pytest.mark.parametrize(
    ("version", "said", "status", "code", "words"),
    [
        ("1.2", body(), 400, "InvalidParameter", "Major(int).Minor(int).Patch(int)"),
        ("1.2.3000000000", body(), 400, "InvalidParameter", "2,147,483,647"),
        ("latest", body(), 400, "InvalidParameter", "The image version name is invalid"),
        ("2.0.0", {"properties": body()["properties"]}, 400, "InvalidParameter", "location property is required"),
        ("2.0.0", {"location": "eastus2"}, 400, "InvalidParameter", "storageProfile' is missing"),
        (
            "2.0.0",
            {"location": "eastus2", "properties": {"storageProfile": {"source": {}}}},
            400,
            "InvalidParameter",
            "storageProfile.source' is missing",
        ),
        ("2.0.0", body(source="web"), 400, "LinkedInvalidPropertyId", "'properties.storageProfile.source.id'"),
        ("2.0.0", body("eastus2", "East US 2"), 400, "InvalidParameter", "Duplicate regions"),
        ("2.0.0", body("West US 2"), 400, "InvalidParameter", "'West US 2' must contain the location"),
        ("2.0.0", body(colour="blue"), 400, "InvalidRequestContent", "Could not find member 'colour'"),
        ("2.0.0", body(safetyProfile=[]), 400, "InvalidRequestContent", "properties.safetyProfile"),
        (
            "2.0.0",
            body(publishingProfile={"targetRegions": [{"name": "eastus2", "regionalReplicaCount": 0}]}),
            400,
            "InvalidParameter",
            "The value 0 of parameter",
        ),
        (
            "2.0.0",
            body(publishingProfile={"replicationMode": "Quick"}),
            400,
            "InvalidRequestContent",
            "publishingProfile.replicationMode",
        ),
        ("2.0.0", body(publishingProfile={"excludeFromLatest": "no"}), 400, "InvalidRequestContent", "excludeFromL"),
        ("2.0.0", body(publishingProfile={"targetRegions": {}}), 400, "InvalidRequestContent", "targetRegions"),
        ("2.0.0", body(publishingProfile={"endOfLifeDate": "soon"}), 400, "InvalidRequestContent", "soon"),
        ("1.1.0", {**body(), "location": "westus2"}, 409, "InvalidResourceLocation", "already exists in location"),
        ("1.1.0", body(source="/subscriptions/0/other"), 409, "PropertyChangeNotAllowed", "storageProfile.source.id"),
    ],
)
async def test_what_cannot_be_a_version_is_refused(
    ask: Ask, cloud: Cloud, image: str, version: str, said: Any, status: int, code: str, words: str
) -> None:
    refused = await ask(cloud, "PUT", f"{image}/versions/{version}", said)
    error = refused.json()["error"]
    assert (refused.status, error["code"], words in error["message"]) == (status, code, True)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_there_is_no_version_without_an_image(ask: Ask, cloud: Cloud, image: str, method: str) -> None:
    for parent, named in ((f"{image}x", "apps/webx"), (image.replace("/apps/", "/other/"), "other")):
        refused = await ask(cloud, method, f"{parent}/versions/2.0.0", body())
        assert (refused.status, refused.json()["error"]["code"]) == (404, "ParentResourceNotFound")
        assert f"'{named}'" in refused.json()["error"]["message"]


async def test_a_version_that_is_not_there_is_not_updated(ask: Ask, cloud: Cloud, image: str) -> None:
    refused = await ask(cloud, "PATCH", f"{image}/versions/2.0.0", {"tags": {}})
    assert (refused.status, refused.json()["error"]["code"]) == (404, "ResourceNotFound")


async def test_what_was_published_survives_a_snapshot(ask: Ask, cloud: Cloud, clock: PlatformClock, image: str) -> None:
    await ask(cloud, "PUT", f"{image}/versions/2.0.0", body())
    await ask(cloud, "DELETE", f"{image}/versions/1.4.0")
    restored = Cloud.restore(cloud.snapshot(), clock)
    await clock.sleep(REPLICATION)
    assert await look(ask, restored, f"{image}/versions/2.0.0") == ("Succeeded", [("eastus2", "Completed", 100)])
    names = [one["name"] for one in (await ask(restored, "GET", f"{image}/versions")).json()["value"]]
    assert names == ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "2.0.0"]


async def test_somebody_publishes_a_version(ask: Ask, cloud: Cloud, clock: PlatformClock, image: str) -> None:
    url = cloud.interfere.publish(image, "2.0.0", exclude_from_latest=True)
    assert await look(ask, cloud, url) == ("Succeeded", [("eastus2", "Completed", 100)])
    assert (await ask(cloud, "GET", url)).json()["properties"]["publishingProfile"]["excludeFromLatest"]
    with pytest.raises(ValueError, match="already"):
        cloud.interfere.publish(image, "2.0.0")


async def test_somebody_publishes_a_version_that_takes_its_time(
    ask: Ask, cloud: Cloud, clock: PlatformClock, image: str
) -> None:
    minute = timedelta(minutes=1)
    url = cloud.interfere.publish(
        image,
        "2.0.0",
        regions=["westus3"],
        replicated_after={"West US 2": 10 * minute},
        replication_failed=["westeurope"],
        creating_for=minute,
    )
    regions = ["eastus2", "westeurope", "westus2", "westus3"]
    assert await look(ask, cloud, url) == ("Creating", [(region, "Replicating", 0) for region in regions])
    with pytest.raises(ValueError, match="under way"):
        cloud.interfere.change_version(url, tags={})
    await clock.sleep(minute)
    state, summary = await look(ask, cloud, url)
    assert state == "Succeeded"
    assert [one[1] for one in summary] == ["Completed", "Failed", "Replicating", "Completed"]
    await clock.sleep(9 * minute)
    assert (await look(ask, cloud, url))[1][2] == ("westus2", "Completed", 100)


async def test_a_version_may_have_succeeded_before_it_is_in_its_own_region(
    ask: Ask, cloud: Cloud, clock: PlatformClock, image: str, web: str
) -> None:
    url = cloud.interfere.publish(image, "2.0.0", replicated_after={"East US 2": timedelta(minutes=10)})
    assert await look(ask, cloud, url) == ("Succeeded", [("eastus2", "Replicating", 0)])
    changes = {"properties": {"virtualMachineProfile": {"storageProfile": {"imageReference": {"id": url}}}}}
    assert (await ask(cloud, "PATCH", web, changes)).json()["error"]["code"] == "GalleryImageNotFound"
    await clock.sleep(timedelta(minutes=10))
    assert (await ask(cloud, "PATCH", web, changes)).status == 200


async def test_publishing_may_fail(ask: Ask, cloud: Cloud, image: str) -> None:
    url = cloud.interfere.publish(image, "2.0.0", fails=True)
    assert (await look(ask, cloud, url))[0] == "Failed"


async def test_somebody_changes_and_deletes_a_version(ask: Ask, cloud: Cloud, clock: PlatformClock, image: str) -> None:
    url, minute = f"{image}/versions/1.1.0", timedelta(minutes=1)
    cloud.interfere.change_version(
        url, tags={"a": "b"}, exclude_from_latest=True, add_regions={"westus2": minute}, updating_for=minute / 2
    )
    assert (await look(ask, cloud, url))[0] == "Updating"
    await clock.sleep(minute / 2)
    assert await look(ask, cloud, url) == ("Succeeded", [("eastus2", "Completed", 100), ("westus2", "Replicating", 50)])
    changed = (await ask(cloud, "GET", url)).json()
    assert (changed["tags"], changed["properties"]["publishingProfile"]["excludeFromLatest"]) == ({"a": "b"}, True)
    cloud.interfere.delete_version(url)
    await clock.sleep(minute)
    with pytest.raises(KeyError):
        cloud.interfere.delete_version(url)


async def test_a_region_may_leave_a_version_out_of_its_latest(ask: Ask, cloud: Cloud, image: str, web: str) -> None:
    regions = {"targetRegions": [{"name": "eastus2", "excludeFromLatest": True}]}
    await ask(cloud, "PATCH", f"{image}/versions/1.4.0", {"properties": {"publishingProfile": regions}})
    latest = {"virtualMachineProfile": {"storageProfile": {"imageReference": {"id": image}}}}
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}, "properties": latest})
    assert cloud.scale_set(web).active()[-1].image["exactVersion"] == "1.3.0"
