"""What tables at a service promise besides: few requests, columns for people, and no wrong answer after a lost one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableClient, TableServiceClient

from adapters.tables import connect, table_store
from adapters.tables.service import CLIENT_OPTIONS
from local.azurite import ACCOUNT_KEY, Azurite
from rollout.model.azure.scale_set import ImageReference
from rollout.model.choices import HealthCheckType
from rollout.model.group import Group
from rollout.model.names import deployment_id
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch, Deployment, Image, Reading, VmRecord
from rollout.model.rows.lock import Lock
from rollout.model.status import Color, VmStatus
from rollout.ports.errors import Busy, Refused
from rollout.ports.store import Store
from settings import Settings

pytestmark = pytest.mark.slow

START = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


class Wire(AioHttpTransport):  # type: ignore[misc]  # azure.core loads it lazily, so mypy sees Any
    """The client's own transport, which notes the requests and loses the answers that it is told to lose."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[str] = []
        self.loses: Callable[[str], bool] = lambda request: False

    async def send(self, request: Any, **options: Any) -> Any:
        answer = await super().send(request, **options)
        path = request.url.partition("?")[0].rpartition("/")[2]
        self.requests.append(f"{request.method} {path.partition('(')[0]}")
        if self.loses(self.requests[-1]):
            raise ServiceResponseError("the answer is lost")
        return answer


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def service(azurite: Azurite, wire: Wire) -> AsyncIterator[TableServiceClient]:
    options: dict[str, Any] = {**CLIENT_OPTIONS, "transport": wire}
    async with TableServiceClient.from_connection_string(azurite.connection_string, **options) as client:
        yield client


@pytest.fixture
def store(service: TableServiceClient, prefix: str) -> Store:
    return table_store(service, prefix)


@pytest.fixture
def raw_table(service: TableServiceClient, prefix: str) -> Callable[[str], TableClient]:
    """The table of a name, to read and write behind the store's back."""
    return lambda name: service.get_table_client(f"{prefix}{name}")


def deployment(at: datetime = START) -> Deployment:
    image = Image("1.1.0", ImageReference(id="/versions/1.1.0"))
    return Deployment(deployment_id("web", at, "1a2b3c"), "web", "/sets/web", Parameters("1.1.0"), image, at)


def vm(number: int, reason: str = "") -> VmRecord:
    return VmRecord(f"{number:08x}", f"web_{number}", Color.BLUE, 1, VmStatus.RUNNING, reason)


class TestRequests:
    async def test_the_newest_100_of_any_number_are_one_request(self, store: Store, wire: Wire) -> None:
        rows = [deployment(START + timedelta(seconds=second)) for second in range(150)]
        await asyncio.gather(*(store.deployments.add(row) for row in rows))
        wire.requests.clear()
        assert await store.deployments.newest("web", 100) == tuple(rows[:49:-1])
        assert len(wire.requests) == 1

    async def test_a_deployment_is_found_with_one_request(self, store: Store, wire: Wire) -> None:
        await store.deployments.add(deployment())
        wire.requests.clear()
        assert await store.deployments.get(deployment().id) == deployment()
        assert len(wire.requests) == 1

    async def test_a_change_is_two_requests_and_one_that_changes_nothing_is_one(self, store: Store, wire: Wire) -> None:
        await store.deployments.add(deployment())
        wire.requests.clear()
        await store.deployments.change(deployment().id, lambda row: replace(row, progress=1))
        assert [request.split()[0] for request in wire.requests] == ["GET", "PUT"]
        await store.deployments.change(deployment().id, lambda row: replace(row, progress=1))
        assert [request.split()[0] for request in wire.requests] == ["GET", "PUT", "GET"]

    async def test_900_vms_are_put_in_transactions_of_100(self, store: Store, wire: Wire) -> None:
        await store.vms.put("a", [vm(n) for n in range(900)])
        assert wire.requests.count("POST $batch") == 9

    async def test_a_transaction_is_never_larger_than_the_service_takes(self, store: Store, wire: Wire) -> None:
        rows = tuple(vm(n, reason="é" * 16_000) for n in range(100))
        await store.vms.put("a", rows)
        assert wire.requests.count("POST $batch") == 13
        assert await store.vms.list("a") == rows

    async def test_a_table_is_made_once_however_many_need_it_first(self, store: Store, wire: Wire) -> None:
        await asyncio.gather(*(store.groups.get(f"group-{number}") for number in range(10)))
        assert wire.requests.count("POST Tables") == 1

    async def test_a_table_that_is_there_is_taken(self, store: Store, service: TableServiceClient, prefix: str) -> None:
        await store.groups.put(Group("web", "/sets/web"))
        assert await table_store(service, prefix).groups.get("web") == Group("web", "/sets/web")


class TestColumns:
    async def test_people_can_read_and_query_the_columns(
        self, store: Store, raw_table: Callable[[str], TableClient]
    ) -> None:
        await store.deployments.add(replace(deployment(), sequence=2**40))
        await store.deployments.add(deployment(START + timedelta(hours=1)))
        words = "groupId eq 'web' and createdAt lt '2026-11-23T09:00' and sequence gt 5000000000L"
        (row,) = [row async for row in raw_table("Deployments").query_entities(words)]
        assert row["id"] == deployment().id
        assert row["createdAt"] == "2026-11-23T08:15:00.000Z"
        assert row["settled"] is True
        assert '"batchSizePercentage":20' in row["parameters_json"]
        assert "endedAt" not in row

    async def test_a_lock_is_found_by_its_scale_set(
        self, store: Store, raw_table: Callable[[str], TableClient]
    ) -> None:
        await store.locks.swap(None, Lock("/Sets/Web", "me", 1, START))
        row = await raw_table("Locks").get_entity("=2Fsets=2Fweb", "lock")
        assert (row["scaleSetId"], row["owner"], row["epoch"]) == ("/Sets/Web", "me", 1)

    async def test_rows_of_an_older_or_a_newer_release_are_read(
        self, store: Store, raw_table: Callable[[str], TableClient]
    ) -> None:
        await store.groups.list()
        row = {"PartitionKey": "groups", "RowKey": "web", "id": "web", "scaleSetId": "/sets/web"}
        later = {"color": "mauve", "rings_json": "not JSON", "since": START, "size": 1.5}
        await raw_table("Groups").upsert_entity({**row, **later})
        assert await store.groups.get("web") == Group("web", "/sets/web")
        assert await store.groups.list() == (Group("web", "/sets/web"),)

    async def test_a_nested_field_of_an_older_or_a_newer_release_is_read(
        self, store: Store, raw_table: Callable[[str], TableClient]
    ) -> None:
        reading = Reading(HealthCheckType.VM_STATE, "healthy", "", START)
        await store.vms.put("a", [replace(vm(1), readings=(reading,))])
        row = await raw_table("Vms").get_entity("a", "00001-0-00000001")
        row["readings_json"] = row["readings_json"].replace('"detail":""', '"detail":"","probe":"/health"')
        await raw_table("Vms").upsert_entity(row)
        assert await store.vms.list("a") == (replace(vm(1), readings=(reading,)),)


class TestErrors:
    async def test_a_lost_answer_to_a_conditional_write_is_an_error_and_never_a_wrong_no(
        self, store: Store, wire: Wire
    ) -> None:
        before = Lock("/sets/web", "me", 1, START)
        wire.loses = lambda request: request.startswith("POST") and "Locks" in request and "Tables" not in request
        with pytest.raises(Busy, match="answer is lost"):
            await store.locks.swap(None, before)
        wire.loses = lambda request: request.startswith("PUT")
        with pytest.raises(Busy, match="answer is lost"):
            await store.locks.swap(before, replace(before, epoch=2))
        assert await store.locks.get("/sets/web") == replace(before, epoch=2)
        assert [request.split()[0] for request in wire.requests].count("PUT") == 1

    async def test_a_lost_answer_to_a_change_does_not_apply_it_twice(self, store: Store, wire: Wire) -> None:
        await store.batches.put("a", [Batch(1, 0, 0)])
        wire.loses = lambda request: request.startswith("PUT")
        with pytest.raises(Busy):
            await store.batches.change("a", 1, lambda batch: replace(batch, blue=batch.blue + 1))
        assert await store.batches.get("a", 1) == Batch(1, 1, 0)

    async def test_a_lost_answer_to_a_read_is_asked_for_again(self, store: Store, wire: Wire) -> None:
        await store.groups.put(Group("web", "/sets/web"))
        lost = iter([True])
        wire.loses = lambda request: next(lost, False)
        assert await store.groups.get("web") == Group("web", "/sets/web")

    async def test_a_wrong_key_is_refused(self, azurite: Azurite) -> None:
        wrong = azurite.connection_string.replace(ACCOUNT_KEY, ACCOUNT_KEY[::-1].replace("=", "") + "==")
        async with connect(Settings(tables_connection=wrong)) as service:
            with pytest.raises(Refused, match=r"AuthorizationFailure|AuthenticationFailed"):
                await table_store(service).groups.list()
