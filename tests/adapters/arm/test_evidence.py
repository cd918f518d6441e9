"""The inspection of a VM: what is asked of Azure, and what is made of its answers."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from azure.core.exceptions import ServiceRequestError

from adapters.arm.client import ComputeClients
from adapters.arm.evidence import FlexibleSources, UniformSources, inspect_vm
from rollout.model.azure.evidence import LOG_LENGTH, Inspection
from settings import Settings

GROUP = "/subscriptions/5ab3/resourceGroups/demo"
SET_ID = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/web"
VM_ID = "1a2b3c4d-0000-4000-8000-000000000000"
VIEW = {"statuses": [{"code": "PowerState/running"}]}
VM = {"name": "web_3", "properties": {"vmId": VM_ID.upper(), "instanceView": VIEW}}
ADDRESS = "https://md-1.blob.storage.azure.net/diagnostics/serialconsole.log?sv=2018-03-28&sig=secret%3D&sp=r"
ADDRESSES = {"consoleScreenshotBlobUri": "https://md-1/screenshot?sig=secret", "serialConsoleLogBlobUri": ADDRESS}


async def inspect(clients: ComputeClients) -> Inspection | None:
    """Inspect a VM of a Uniform set."""
    return await inspect_vm(clients, UniformSources(clients), SET_ID, "web_3", VM_ID)


async def test_uniform_vm_is_asked_for_by_its_instance_id(clients: ComputeClients, script: Any) -> None:
    script.answer(200, VM)
    script.answer(200, ADDRESSES)
    script.answer(206, b"login: \n", Content_Range="bytes 0-7/8")
    assert await inspect(clients) == Inspection(VIEW, "login: \n")
    base = f"https://management.azure.com{SET_ID}/virtualMachines/3"
    assert script.lines == [
        f"GET {base}?api-version=2026-04-01&$expand=instanceView",
        f"POST {base}/retrieveBootDiagnosticsData?api-version=2026-04-01&sasUriExpirationTimeInMinutes=5",
        f"GET {ADDRESS}",
    ]


async def test_flexible_vm_is_asked_for_by_its_name(clients: ComputeClients, script: Any) -> None:
    script.answer(200, VIEW)
    script.answer(200, ADDRESSES)
    script.answer(206, b"login: \n", Content_Range="bytes 0-7/8")
    found = await inspect_vm(clients, FlexibleSources(clients), SET_ID, "web_1a2b3c4d", VM_ID)
    assert found == Inspection(VIEW, "login: \n")
    base = f"https://management.azure.com{GROUP}/providers/Microsoft.Compute/virtualMachines/web_1a2b3c4d"
    assert script.lines == [
        f"GET {base}/instanceView?api-version=2026-04-01",
        f"POST {base}/retrieveBootDiagnosticsData?api-version=2026-04-01&sasUriExpirationTimeInMinutes=5",
        f"GET {ADDRESS}",
    ]


async def test_storage_service_gets_no_token(clients: ComputeClients, script: Any) -> None:
    script.answer(200, VM)
    script.answer(200, ADDRESSES)
    script.answer(200, b"")
    await inspect(clients)
    authorized = ["Authorization" in request.headers for request in script.requests]
    assert authorized == [True, True, False]


async def test_of_a_long_log_only_the_end_is_read(clients: ComputeClients, script: Any) -> None:
    script.answer(200, VM)
    script.answer(200, ADDRESSES)
    script.answer(206, b"x" * LOG_LENGTH, Content_Range=f"bytes 0-{LOG_LENGTH - 1}/20000")
    script.answer(206, b"y" * LOG_LENGTH, Content_Range="bytes 11808-19999/20000")
    assert await inspect(clients) == Inspection(VIEW, "y" * LOG_LENGTH)
    assert [request.headers["Range"] for request in script.requests[2:]] == ["bytes=0-8191", "bytes=11808-19999"]


@pytest.mark.parametrize(
    ("status", "body", "log"),
    [
        (200, b"x" * LOG_LENGTH + b"the end", "x" * (LOG_LENGTH - 7) + "the end"),
        (206, b"\xc3\xa4 and half: \xc3", "ä and half: \N{REPLACEMENT CHARACTER}"),
        (416, b"<Error><Code>InvalidRange</Code></Error>", ""),
    ],
    ids=["no ranges", "no text", "empty blob"],
)
async def test_odd_logs_are_read_as_far_as_they_go(
    clients: ComputeClients, script: Any, status: int, body: bytes, log: str
) -> None:
    script.answer(200, VM)
    script.answer(200, ADDRESSES)
    script.answer(status, body)
    assert await inspect(clients) == Inspection(VIEW, log)


@pytest.mark.parametrize("status", [403, 404, 409, 500])
async def test_log_that_storage_refuses_is_said_in_words(clients: ComputeClients, script: Any, status: int) -> None:
    script.answer(200, VM)
    script.answer(200, ADDRESSES)
    script.answer(status, f"<Error>{ADDRESS}</Error>".encode())
    words = f"The serial log could not be read: http{status}: the storage service refused to hand it out"
    assert await inspect(clients) == Inspection(VIEW, None, (words,))


async def test_address_is_neither_logged_nor_told(
    clients: ComputeClients, script: Any, caplog: pytest.LogCaptureFixture
) -> None:
    script.answer(200, VM)
    script.answer(200, ADDRESSES)
    script.fail(ServiceRequestError(f"cannot connect to {ADDRESS}"))
    with caplog.at_level(logging.DEBUG):
        found = await inspect(clients)
    words = "The serial log could not be read: noAnswer: the storage service did not answer"
    assert found == Inspection(VIEW, None, (words,))
    assert caplog.text
    assert "secret%3D" not in caplog.text


@pytest.mark.parametrize("answer", [{}, {"serialConsoleLogBlobUri": None}])
async def test_vm_without_a_log_is_said_in_words(clients: ComputeClients, script: Any, answer: Any) -> None:
    script.answer(200, VM)
    script.answer(200, answer)
    words = "The serial log could not be read: noSerialLog: Azure keeps none of this VM"
    assert await inspect(clients) == Inspection(VIEW, None, (words,))


async def test_refusals_of_both_are_noted_apart(clients: ComputeClients, script: Any) -> None:
    refusal = {"error": {"code": "AuthorizationFailed", "message": "no role"}}
    script.answer(403, refusal)
    script.answer(403, refusal)
    assert await inspect(clients) == Inspection(
        None,
        None,
        (
            "The instance view could not be read: AuthorizationFailed: no role",
            "The serial log could not be read: AuthorizationFailed: no role",
        ),
    )


async def test_vm_that_is_gone_is_told_from_one_that_says_little(clients: ComputeClients, script: Any) -> None:
    script.answer(404, {"error": {"code": "NotFound", "message": "gone"}})
    assert await inspect(clients) is None
    script.answer(404, {"error": {"code": "NotFound", "message": "gone"}})
    assert await inspect_vm(clients, FlexibleSources(clients), SET_ID, "web_1a2b3c4d", VM_ID) is None
    script.answer(200, {"name": "web_3", "properties": {"vmId": VM_ID}})
    script.answer(200, ADDRESSES)
    script.answer(200, b"")
    assert await inspect(clients) == Inspection({}, "")


async def test_another_vm_of_the_same_instance_id_is_not_taken_for_it(clients: ComputeClients, script: Any) -> None:
    script.answer(200, {"properties": {"vmId": "another", "instanceView": VIEW}})
    assert await inspect(clients) is None


async def test_anonymous_client_is_one_and_is_closed_with_the_others(clients: ComputeClients) -> None:
    first = clients.anonymous
    assert clients.anonymous is first
    await clients.close()
    assert clients.anonymous is not first


LOG = b"".join(b"line %d\n" % number for number in range(3000))


@pytest.fixture
async def served(credential: Any) -> AsyncIterator[tuple[ComputeClients, list[web.Request]]]:
    """Clients of a server, and the requests that it got: a VM, the address of its log, and the log in parts."""
    heard: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request)
        if request.method == "POST":
            return web.json_response({"serialConsoleLogBlobUri": f"http://{request.host}/log?sp=r&sig=a%2Bb%2Fc%3D"})
        if request.path != "/log":
            return web.json_response(VM)
        part = request.http_range
        end = min(part.stop or 0, len(LOG))
        headers = {"Content-Range": f"bytes {part.start}-{end - 1}/{len(LOG)}"}
        return web.Response(status=206, body=LOG[part.start : end], headers=headers)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    clients = ComputeClients(Settings(arm_endpoint=f"http://127.0.0.1:{runner.addresses[0][1]}"), credential)
    yield clients, heard
    await clients.close()
    await runner.cleanup()


async def test_log_is_read_over_http_with_its_signature_as_it_was_given(
    served: tuple[ComputeClients, list[web.Request]],
) -> None:
    clients, heard = served
    found = await inspect(clients)
    assert found == Inspection(VIEW, LOG[-LOG_LENGTH:].decode())
    assert [request.path for request in heard[2:]] == ["/log", "/log"]
    assert {request.query["sig"] for request in heard[2:]} == {"a+b/c="}
    assert ["Authorization" in request.headers for request in heard] == [True, True, False, False]
