"""Lists page by page: nothing twice, nothing left out, whatever is written in between."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.handlers.lists import ROWS_MAX
from api.transport.errors import Refusal
from api.transport.http import Request
from api.transport.paging import Page, decode_token, encode_token, page_after
from rollout.model.azure.scale_set import ImageReference
from rollout.model.names import deployment_id
from rollout.model.parameters import Parameters
from rollout.model.rows.commands import Command, CommandKind
from rollout.model.rows.deployment import Batch, Deployment, Event, Image, VmRecord
from rollout.model.status import Color, Status, VmStatus


def row(world: Any, group: str, second: int, token: str, status: Status = Status.FINISHED) -> Deployment:
    at = world.clock.now() + timedelta(seconds=second)
    name = deployment_id(group, at, token)
    return Deployment(name, group, "s", Parameters("1.1.0"), Image("1.1.0", ImageReference(id="i")), at, status=status)


async def add(world: Any, rows: Iterable[Deployment]) -> list[str]:
    added = list(rows)
    for one in added:
        assert await world.store.deployments.add(one)
    return [one.id for one in added]


async def pages(world: Any, path: str, name: str = "id") -> list[list[Any]]:
    """The items of every page, by one of their fields."""
    found, token = [], ""
    mark = "&" if "?" in path else "?"
    while True:
        body = await world.get(path + (f"{mark}continuationToken={token}" if token else ""))
        found.append([item[name] for item in body["value"]])
        token = body.get("continuationToken", "")
        if not token:
            return found
        assert quote(token, safe="") == token
        assert len(found) < 1000


async def test_groups_page_by_id(world: Any) -> None:
    for name in ("api", "db", "queue", "zoo"):
        await world.add_group(id=name, scale_set_id=f"/{name}")
    assert await pages(world, "groups?limit=2") == [["api", "db"], ["queue", "web"], ["zoo"]]
    assert await pages(world, "groups?limit=5") == [["api", "db", "queue", "web", "zoo"]]
    assert await pages(world, "groups") == [["api", "db", "queue", "web", "zoo"]]


async def test_what_was_shown_may_go_between_two_pages(world: Any) -> None:
    await world.add_group(id="api", scale_set_id="/api")
    first = await world.get("groups?limit=1")
    await world.store.groups.delete("api")
    await world.add_group(id="aaa", scale_set_id="/aaa")
    rest = await world.get(f"groups?limit=1&continuationToken={first['continuationToken']}")
    assert [group["id"] for group in rest["value"]] == ["web"]


async def test_a_group_s_deployments_page_newest_first(world: Any) -> None:
    ids = await add(world, (row(world, "web", n, f"00000{n}") for n in range(5)))
    assert await pages(world, "groups/web/deployments?limit=2") == [ids[4:2:-1], ids[2:0:-1], ids[:1]]


async def test_deployments_of_all_groups_page_newest_first_whatever_comes_meanwhile(world: Any) -> None:
    await world.add_group(id="api", scale_set_id="/api")
    rows = [row(world, group, n // 2, f"{n:06x}") for n in range(40) for group in ("api", "web")]
    ids = await add(world, rows)
    first = await world.get("deployments?limit=7")
    (late,) = await add(world, [row(world, "web", 1000, "ffffff")])
    shown = [item["id"] for item in first["value"]]
    token = first["continuationToken"]
    while token:
        body = await world.get(f"deployments?limit=7&continuationToken={token}")
        shown += [item["id"] for item in body["value"]]
        token = body.get("continuationToken", "")
    assert sorted(shown) == sorted(ids)
    assert late not in shown
    times = [name.rsplit("-", 2)[1] for name in shown]
    assert times == sorted(times, reverse=True)


class Counted:
    """The rows of deployments, and how many of them were read for lists."""

    def __init__(self, rows: Any) -> None:
        self.rows, self.read = rows, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rows, name)

    async def listed(self, *place: Any) -> list[Deployment]:
        page: list[Deployment] = await self.rows.listed(*place)
        self.read += len(page)
        return page


@pytest.mark.parametrize("busy", [0, 150])
@pytest.mark.parametrize("limit", [1, 10, 100])
async def test_a_page_of_many_groups_reads_few_rows_more_than_it_shows(world: Any, busy: int, limit: int) -> None:
    rows = [row(world, f"g{n % 20}", 2 * n, f"{n:06x}") for n in range(200)]
    rows += [row(world, "busy", 101 + 2 * n, f"{1000 + n:06x}") for n in range(busy)]
    for group in {one.group_id for one in rows}:
        await world.add_group(id=group, scale_set_id=f"/{group}")
    await add(world, rows)
    world.store = replace(world.store, deployments=Counted(world.store.deployments))
    body = await world.get(f"deployments?limit={limit}")
    newest = sorted(rows, key=lambda one: one.created_at, reverse=True)
    assert [item["id"] for item in body["value"]] == [one.id for one in newest[:limit]]
    assert world.store.deployments.read <= 3 * limit + 4 * 21


async def test_a_status_is_found_however_far_back(world: Any) -> None:
    await world.add_group(id="api", scale_set_id="/api")
    (old,) = await add(world, [row(world, "web", 0, "00000f", Status.FAILED)])
    await add(world, (row(world, "web", 1 + n, f"{n:06x}") for n in range(250)))
    (other,) = await add(world, [row(world, "api", 3, "00000e", Status.FAILED)])
    found = await pages(world, "deployments?status=failed")
    assert [name for page in found for name in page] == [other, old]


@pytest.mark.parametrize("groups", [1, 60])
async def test_deployments_of_a_status_are_one_page_that_reads_few_others(world: Any, groups: int) -> None:
    rows = [row(world, f"g{n % groups}", n, f"{n:06x}") for n in range(600)]
    rows = [replace(one, status=Status.FAILED) if n in (0, 7, 400) else one for n, one in enumerate(rows)]
    for group in {one.group_id for one in rows}:
        await world.add_group(id=group, scale_set_id=f"/{group}")
    ids = await add(world, rows)
    world.store = replace(world.store, deployments=Counted(world.store.deployments))
    assert await pages(world, "deployments?status=failed,queued&limit=20") == [[ids[400], ids[7], ids[0]]]
    assert world.store.deployments.read == 3


@pytest.mark.parametrize("groups", [1, 60])
async def test_a_page_of_an_image_looks_at_so_many_rows_and_the_next_goes_on(world: Any, groups: int) -> None:
    rows = [row(world, f"g{n % groups}", n, f"{n:06x}") for n in range(2500)]
    rows[3] = replace(rows[3], image=replace(rows[3].image, requested="9.9.9"))
    for group in {one.group_id for one in rows}:
        await world.add_group(id=group, scale_set_id=f"/{group}")
    ids = await add(world, rows)
    world.store = replace(world.store, deployments=Counted(world.store.deployments))
    found = await pages(world, "deployments?image=9.9.9&limit=20")
    assert [name for page in found for name in page] == [ids[3]]
    assert 3 <= len(found) <= 5
    assert world.store.deployments.read <= len(found) * (ROWS_MAX + 2 * groups)


async def started(world: Any) -> str:
    (name,) = await add(world, [row(world, "web", 0, "1a2b3c")])
    return name


async def test_what_belongs_to_a_deployment_pages(world: Any) -> None:
    name = await started(world)
    records = [
        VmRecord(f"v{n}", f"web_{n}", Color(color), n // 3, VmStatus.RUNNING) for n in range(7) for color in Color
    ]
    await world.store.vms.put(name, records)
    await world.store.batches.put(name, [Batch(n, 1, 1) for n in range(1, 13)])
    for n in range(1, 5):
        await world.store.commands.add(name, Command(n, CommandKind.PAUSE, world.clock.now()))
    vms = await pages(world, f"deployments/{name}/vms?limit=3", "vmId")
    everything = [item["vmId"] for item in (await world.get(f"deployments/{name}/vms"))["value"]]
    assert len(everything) == 14
    assert [vm for page in vms for vm in page] == everything
    assert len(await pages(world, f"deployments/{name}/vms?limit=2&batch=1", "vmId")) == 3
    assert await pages(world, f"deployments/{name}/batches?limit=9", "number") == [[*range(1, 10)], [10, 11, 12]]
    assert await pages(world, f"deployments/{name}/commands?limit=4", "number") == [[1, 2, 3, 4]]


async def test_events_page_and_can_be_followed(world: Any) -> None:
    name = await started(world)
    for n in range(1, 6):
        await world.store.events.put(name, Event(n, world.clock.now(), "BatchLaunched", ""))
    path = f"deployments/{name}/events"
    assert await pages(world, f"{path}?limit=2", "sequence") == [[1, 2], [3, 4], [5]]
    assert await pages(world, f"{path}?limit=2&after=3", "sequence") == [[4, 5]]
    body = await world.get(f"{path}?limit=5")
    assert body["next"] == "5"
    assert "continuationToken" not in body
    assert (await world.get(f"{path}?after=5")) == {"value": [], "next": "5"}


async def test_images_page_highest_first(world: Any) -> None:
    found = await pages(world, "groups/web/images?limit=3", "version")
    assert found == [["1.10.0", "1.9.0", "1.1.0"], ["1.0.0"]]


@pytest.mark.parametrize(
    "token", ["x", "", "%00", "é", "W10", encode_token("vms", "web"), encode_token("groups", "")[:-1], "x" * 600]
)
async def test_a_token_of_something_else_is_refused(world: Any, token: str) -> None:
    await add(world, [row(world, "web", 0, "1a2b3c")])
    for path in ("groups", "deployments", "groups/web/deployments", "groups/web/images"):
        world_path = f"{path}?continuationToken={quote(token)}" if token else f"{path}?continuationToken=%20"
        status, error = await world.refused("GET", world_path)
        assert (status, error["code"], error["target"]) == (400, "invalidValue", "continuationToken")


@pytest.mark.parametrize("after", ["x", "-1", "²", "1.0"])
async def test_a_token_that_was_made_up_is_refused(world: Any, after: str) -> None:
    name = await started(world)
    for path, kind in ((f"deployments/{name}/events", "events"), ("deployments", "deployments")):
        status, error = await world.refused("GET", f"{path}?continuationToken={encode_token(kind, after)}")
        assert (status, error["code"]) == (400, "invalidValue")


@given(st.text(min_size=1, max_size=60))
def test_a_token_comes_back_as_it_went(after: str) -> None:
    token = encode_token("list", after)
    assert token.isascii()
    assert quote(token, safe="") == token
    if len(token) <= 512:
        assert decode_token("list", token) == after


@given(st.sets(st.text(alphabet="abc", max_size=4), max_size=30), st.integers(1, 7), st.data())
def test_pages_give_each_item_once_while_others_come_and_go(items: set[str], limit: int, data: st.DataObject) -> None:
    stays, present = set(items) - {""}, set(items) - {""}
    shown: list[str] = []
    after = ""
    while True:
        query = {"limit": str(limit)} | ({"continuationToken": encode_token("l", after)} if after else {})
        page: Page[str] = page_after(Request("GET", f"?{urlencode(query)}"), "l", sorted(present), str)
        shown += page.items
        after = page.after
        if not after:
            break
        present |= {data.draw(st.text(alphabet="abcd", min_size=1, max_size=4))}
        gone = data.draw(st.sampled_from(sorted(present)))
        present -= {gone}
        stays -= {gone}
    assert len(shown) == len(set(shown))
    assert shown == sorted(shown)
    assert stays <= set(shown)


def test_a_limit_is_held_to_the_list_s_own() -> None:
    with pytest.raises(Refusal):
        page_after(Request("GET", "?limit=11"), "l", ["a"], str, 10)
