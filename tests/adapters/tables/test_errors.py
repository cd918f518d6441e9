"""What the service's refusals become."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web

from adapters.tables import connect, table_store
from rollout.model.rows.deployment import VmRecord
from rollout.model.rows.lock import Lock
from rollout.model.status import Color, VmStatus
from rollout.ports.errors import AzureError, Busy, Refused
from rollout.ports.store import Store
from settings import Settings

LOCK = Lock("/sets/web", "me", 1, datetime(2026, 11, 23, tzinfo=UTC))


@asynccontextmanager
async def store_answering(status: int, code: str) -> AsyncIterator[Store]:
    """A store at a service that makes tables, and answers everything else with ``status`` and ``code``, if any."""
    message = {"lang": "en-us", "value": "words of the service"}
    error = {"odata.error": {"code": code, "message": message}} if code else {}

    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/Tables"):
            return web.json_response({"TableName": "Locks"}, status=201)
        return web.json_response(error, status=status)

    async with _serving(answer) as port:
        endpoint = f"TableEndpoint=http://127.0.0.1:{port}/account;"
        settings = Settings(tables_connection=f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;{endpoint}")
        async with connect(settings) as service:
            yield table_store(service)


@asynccontextmanager
async def _serving(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "PropertyValueTooLarge", Refused),
        (403, "AuthorizationFailure", Refused),
        (413, "RequestBodyTooLarge", Refused),
        (408, "Timeout", Busy),
        (409, "TableBeingDeleted", Busy),
        (429, "TooManyRequests", Busy),
        (500, "OperationTimedOut", Busy),
        (503, "ServerBusy", Busy),
    ],
)
async def test_an_error_says_whether_trying_again_can_help_and_what_the_service_called_it(
    status: int, code: str, kind: type[AzureError]
) -> None:
    async with store_answering(status, code) as store:
        with pytest.raises(kind, match="words of the service") as raised:
            await store.locks.swap(None, LOCK)
    assert raised.value.code == code


async def test_an_error_in_a_transaction_and_in_a_read_says_so_as_well() -> None:
    vms = [VmRecord(vm_id, vm_id, Color.BLUE, 1, VmStatus.RUNNING) for vm_id in ("a", "b")]
    async with store_answering(403, "AuthorizationPermissionMismatch") as store:
        for request in (store.vms.put("id", vms), store.vms.list("id"), store.locks.get("/sets/web")):
            with pytest.raises(Refused, match="words of the service") as raised:
                await request
            assert raised.value.code == "AuthorizationPermissionMismatch"


async def test_an_error_without_words_of_the_service_has_those_of_the_client() -> None:
    async with store_answering(400, "") as store:
        with pytest.raises(Refused, match=r"HttpResponseError: .*Bad Request"):
            await store.locks.swap(None, LOCK)
