"""The setting ``TEAL_ALLOWED_SCOPES``."""

from __future__ import annotations

from typing import Any

import pytest

from api.routes import routes
from settings import Settings

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GALLERIES = f"{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/galleries"


def allow(world: Any, *scopes: str) -> None:
    world.routes = routes(Settings(allowed_scopes=", ".join(scopes)))


async def put(world: Any, **fields: Any) -> Any:
    return await world.send("PUT", "groups/web", {"scaleSetId": world.scale_set_id, **fields})


@pytest.mark.parametrize("scope", ["{sub}", "{sub}/resourcegroups/DEMO", "{set}"])
async def test_what_is_within_a_scope_may_be_used(world: Any, scope: str) -> None:
    allow(world, "/subscriptions/other", scope.format(sub=SUBSCRIPTION, set=world.scale_set_id))
    assert (await put(world)).status == 200


@pytest.mark.parametrize("scope", ["{sub}/resourceGroups/dem", "{set}2", "/subscriptions/other"])
async def test_a_scale_set_outside_is_neither_registered_nor_deployed_to(world: Any, scope: str) -> None:
    allow(world, scope.format(sub=SUBSCRIPTION, set=world.scale_set_id))
    before = await world.written()
    status, error = await world.refused("PUT", "groups/web", {"scaleSetId": world.scale_set_id})
    assert (status, error["code"], error["target"]) == (422, "scopeNotAllowed", "scaleSetId")
    status, error = await world.refused("POST", "groups/web/deployments", {"image": "1.1.0"})
    assert (status, error["code"], error["target"]) == (422, "scopeNotAllowed", "groupId")
    assert await world.written() == before


@pytest.mark.parametrize(
    "image",
    [
        "1.1.0",
        "latest",
        f"{GALLERIES}/apps/images/web/versions/1.1.0",
        "/SharedGalleries/x/Images/web/Versions/1.1.0",
        "/CommunityGalleries/x/Images/web/Versions/latest",
    ],
)
@pytest.mark.parametrize("query", ["", "?dryRun=true"])
async def test_an_image_of_a_gallery_outside_is_not_deployed(world: Any, image: str, query: str) -> None:
    allow(world, world.scale_set_id)
    status, error = await world.refused("POST", f"groups/web/deployments{query}", {"image": image})
    assert (status, error["code"], error["target"]) == (422, "scopeNotAllowed", "image")
    assert world.images.reads == 0


async def test_a_gallery_outside_is_not_registered(world: Any) -> None:
    allow(world, world.scale_set_id)
    answer = await put(world, imageId=world.image_id)
    assert answer.body["error"]["target"] == "imageId"
    allow(world, world.scale_set_id, world.image_id)
    assert (await put(world, imageId=world.image_id)).status == 200
    assert (await world.start(image="1.1.0"))["status"] == "pending"


async def test_the_sets_own_image_and_those_of_the_marketplace_belong_to_nobody(world: Any) -> None:
    allow(world, world.scale_set_id)
    assert (await world.send("POST", "groups/web/deployments", {})).status == 202
    answer = await world.send("POST", "groups/web/deployments", {"image": "Canonical:o:s:1.0.0"})
    assert answer.body["error"]["code"] != "scopeNotAllowed"


@pytest.mark.parametrize("value", [" ", ",", " , ,", ",,"])
async def test_a_setting_that_names_nothing_allows_nothing_and_says_so(world: Any, value: str) -> None:
    settings = Settings.from_environment({"TEAL_ALLOWED_SCOPES": value})
    world.routes = routes(settings)
    for query in ("", "?dryRun=true"):
        status, error = await world.refused("POST", f"groups/web/deployments{query}", {"image": "1.1.0"})
        assert (status, error["code"]) == (422, "scopeNotAllowed")
        assert "TEAL_ALLOWED_SCOPES is set and names nothing" in error["message"]
