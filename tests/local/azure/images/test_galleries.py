"""Galleries: versions, replication, what is not there."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import World, parse_world
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]


@pytest.fixture
def replicating(clock: PlatformClock, patched_demo: Callable[..., World]) -> Cloud:
    """A world whose version 1.1.0 reaches West US 2 after 100 s, and whose 1.2.0 never does."""
    document = patched_demo().model_dump(mode="json", by_alias=True)
    versions = document["galleries"][0]["images"][0]["versions"]
    versions[1] |= {"targetRegions": ["East US 2", "West US 2"], "replicatedAfter": {"West US 2": 100}}
    versions[2] |= {"targetRegions": ["eastus2", "westus2"], "replicationFailed": ["westus2"]}
    versions[3] |= {"excludeFromLatest": True, "provisioningState": "Creating"}
    return Cloud(parse_world(document), clock)


async def status(ask: Ask, cloud: Cloud, url: str) -> tuple[str, list[tuple[str, str, int]]]:
    """The version's replication: the whole, and each region's state and progress."""
    body = (await ask(cloud, "GET", f"{url}?$expand=ReplicationStatus")).json()["properties"]["replicationStatus"]
    return body["aggregatedState"], [(item["region"], item["state"], item["progress"]) for item in body["summary"]]


async def test_replication_goes_on_until_its_time(
    ask: Ask, replicating: Cloud, clock: PlatformClock, image: str
) -> None:
    await clock.sleep(timedelta(seconds=50))
    expected = ("InProgress", [("eastus2", "Completed", 100), ("westus2", "Replicating", 50)])
    assert await status(ask, replicating, f"{image}/versions/1.1.0") == expected
    await clock.sleep(timedelta(seconds=50))
    assert (await status(ask, replicating, f"{image}/versions/1.1.0"))[0] == "Completed"


async def test_failed_replication_is_told(ask: Ask, replicating: Cloud, image: str) -> None:
    expected = ("Failed", [("eastus2", "Completed", 100), ("westus2", "Failed", 0)])
    assert await status(ask, replicating, f"{image}/versions/1.2.0") == expected


async def test_replication_is_told_only_when_asked_for(ask: Ask, cloud: Cloud, image: str) -> None:
    assert "replicationStatus" not in (await ask(cloud, "GET", f"{image}/versions/1.1.0")).json()["properties"]


async def test_versions_say_their_state_and_whether_latest_leaves_them_out(
    ask: Ask, replicating: Cloud, image: str
) -> None:
    body = (await ask(replicating, "GET", f"{image}/versions/1.3.0")).json()["properties"]
    assert (body["provisioningState"], body["publishingProfile"]["excludeFromLatest"]) == ("Creating", True)
    listed = (await ask(replicating, "GET", f"{image}/versions")).json()["value"]
    assert [version["name"] for version in listed] == ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"]


@pytest.mark.parametrize("path", ["/versions/9.9.9", "x", "x/versions", "x/versions/1.0.0"])
async def test_what_is_not_there_is_not_found(ask: Ask, cloud: Cloud, image: str, path: str) -> None:
    answer = await ask(cloud, "GET", image + path)
    assert (answer.status, answer.json()["error"]["code"]) == (404, "ResourceNotFound")
    assert "Microsoft.Compute/galleries/images" in answer.json()["error"]["message"]


async def test_paths_are_read_in_any_letter_case(ask: Ask, cloud: Cloud, image: str, web: str) -> None:
    assert (await ask(cloud, "GET", f"{image}/versions/1.1.0".upper())).status == 200
    assert (await ask(cloud, "GET", web.lower())).json()["name"] == "web"
