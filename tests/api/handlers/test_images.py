"""``/groups/{groupId}/images``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest


async def test_versions_are_listed_newest_first_with_their_replication(world: Any) -> None:
    published = datetime(2026, 11, 1, tzinfo=UTC)
    world.images.add("1.11.0", regions={"eastus2": "Replicating"}, exclude_from_latest=True, published_at=published)
    listed = (await world.get("groups/web/images"))["value"]

    assert [version["version"] for version in listed] == ["1.11.0", "1.10.0", "1.9.0", "1.1.0", "1.0.0"]
    assert listed[0] == {
        "version": "1.11.0",
        "id": f"{world.image_id}/versions/1.11.0",
        "provisioningState": "Succeeded",
        "excludeFromLatest": True,
        "osType": "Linux",
        "publishedAt": "2026-11-01T00:00:00.000Z",
        "regions": {"eastus2": "Replicating"},
    }


async def test_no_more_versions_are_read_than_are_listed(world: Any) -> None:
    listed = (await world.get("groups/web/images?limit=2"))["value"]
    assert [version["version"] for version in listed] == ["1.10.0", "1.9.0"]
    assert world.images.reads == 2


@pytest.mark.parametrize(("limit", "code"), [("0", "outOfRange"), ("51", "outOfRange"), ("many", "invalidType")])
async def test_the_number_of_versions_is_bounded(world: Any, limit: str, code: str) -> None:
    status, error = await world.refused("GET", f"groups/web/images?limit={limit}")
    assert (status, error["code"], error["target"]) == (400, code, "limit")


async def test_a_group_without_an_image_has_no_versions_to_list(world: Any) -> None:
    await world.add_group(image_id=None)
    status, error = await world.refused("GET", "groups/web/images")
    assert (status, error["code"]) == (422, "groupHasNoImage")


async def test_an_image_that_is_not_there_is_told(world: Any) -> None:
    await world.add_group(image_id=world.image_id + "2")
    status, error = await world.refused("GET", "groups/web/images")
    assert (status, error["code"], error["target"]) == (422, "imageNotFound", "imageId")
