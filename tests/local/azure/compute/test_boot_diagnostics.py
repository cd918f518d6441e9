"""Boot diagnostics: signed addresses that run out, and the serial log behind them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from local.azure.arm.messages import ArmRequest, ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import World
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]


def vm_paths(cloud: Cloud, web: str, api: str) -> list[str]:
    name = cloud.scale_set(api).active()[0].name
    own = f"{api.partition('/virtualMachineScaleSets/')[0]}/virtualMachines/{name}"
    return [f"{web}/virtualMachines/0", f"{api}/virtualMachines/{name}", own]


async def test_the_serial_log_is_read_at_its_signed_address(ask: Ask, cloud: Cloud, web: str, api: str) -> None:
    for path in vm_paths(cloud, web, api):
        answer = await ask(cloud, "POST", f"{path}/retrieveBootDiagnosticsData")
        assert answer.status == 200
        url = answer.json()["serialConsoleLogBlobUri"]
        log = await cloud.handle(ArmRequest("GET", url))
        assert (log.status, log.headers["content-type"]) == (200, "text/plain")
        assert log.body.decode().endswith(": serving\n")
    assert cloud.audit == []


async def test_the_log_is_read_in_parts_that_say_how_long_it_is(ask: Ask, cloud: Cloud, web: str) -> None:
    answer = await ask(cloud, "POST", f"{web}/virtualMachines/0/retrieveBootDiagnosticsData")
    url = answer.json()["serialConsoleLogBlobUri"]
    log = (await cloud.handle(ArmRequest("GET", url))).body
    part = await cloud.handle(ArmRequest("GET", url, {"Range": "bytes=2-5"}))
    assert (part.status, part.body, part.headers["content-range"]) == (206, log[2:6], f"bytes 2-5/{len(log)}")
    rest = await cloud.handle(ArmRequest("GET", url, {"Range": f"bytes=5-{len(log) + 100}"}))
    assert rest.headers["content-range"] == f"bytes 5-{len(log) - 1}/{len(log)}"
    assert (await cloud.handle(ArmRequest("GET", url, {"Range": f"bytes={len(log)}-{len(log)}"}))).status == 416


async def test_an_address_runs_out_and_cannot_be_made_up(ask: Ask, cloud: Cloud, web: str) -> None:
    path = f"{web}/virtualMachines/0/retrieveBootDiagnosticsData?sasUriExpirationTimeInMinutes=5"
    url = (await ask(cloud, "POST", path)).json()["serialConsoleLogBlobUri"]
    for wrong in (url.partition("?")[0], url.replace("sig=", "sig=0")):
        assert (await cloud.handle(ArmRequest("GET", wrong))).status == 403
    await cloud.clock.sleep(timedelta(minutes=5))
    assert (await cloud.handle(ArmRequest("GET", url))).status == 200
    await cloud.clock.sleep(timedelta(seconds=1))
    assert (await cloud.handle(ArmRequest("GET", url))).status == 403


@pytest.mark.parametrize("minutes", ["0", "1441", "x"])
async def test_a_lifetime_out_of_range_is_refused(ask: Ask, cloud: Cloud, web: str, minutes: str) -> None:
    path = f"{web}/virtualMachines/0/retrieveBootDiagnosticsData?sasUriExpirationTimeInMinutes={minutes}"
    assert (await ask(cloud, "POST", path)).status == 400


async def test_a_vm_without_boot_diagnostics_has_no_log(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    cloud = Cloud(patched_demo({"bootDiagnostics": False}), clock)
    refused = await ask(cloud, "POST", f"{web}/virtualMachines/0/retrieveBootDiagnosticsData")
    assert (refused.status, refused.json()["error"]["code"]) == (409, "OperationNotAllowed")
