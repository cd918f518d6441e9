"""The client of Resource Manager that hooks and scripts share, against scripted answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from infra.azd.arm import TRIES, Arm, ArmError
from infra.azd.web import Answer, Request, SystemClock


class Naps(SystemClock):
    """A clock that notes how long it was to wait, and does not."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def sleep(self, duration: timedelta) -> None:
        self.taken.append(duration.total_seconds())


class Script:
    """Azure, which answers so in turn; and tokens, each of which is a new one."""

    def __init__(self, *answers: tuple[int, Any], headers: Mapping[str, str] | None = None) -> None:
        self.answers, self.headers = list(answers), headers or {}
        self.asked: list[Request] = []
        self.tokens = 0
        self.naps = Naps()
        self.arm = Arm(self.answer, self.token, self.naps, "https://arm/")

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        status, body = self.answers.pop(0)
        return Answer(status, self.headers, json.dumps(body).encode())

    async def token(self, scope: str) -> str:
        self.tokens += 1
        await asyncio.sleep(0)
        return f"{scope} {self.tokens}"

    @property
    def bearers(self) -> Sequence[str]:
        return [request.headers["Authorization"] for request in self.asked]


async def test_a_token_is_asked_for_once_however_many_ask_at_once() -> None:
    script = Script(*[(200, {"value": []})] * 3)
    await asyncio.gather(*(script.arm.get(f"/{name}", "1") for name in "abc"))
    assert script.bearers == ["Bearer https://arm/.default 1"] * 3


async def test_a_token_that_azure_takes_no_more_is_asked_for_anew_once() -> None:
    script = Script((200, {}), (401, {}), (200, {"a": 1}))
    await script.arm.get("/a", "1")
    assert await script.arm.get("/a", "1") == {"a": 1}
    assert [bearer[-1] for bearer in script.bearers] == ["1", "1", "2"]
    refused = Script((401, {}), (401, {"error": {"code": "InvalidAuthenticationToken", "message": "no"}}))
    with pytest.raises(ArmError, match="GET https://arm/a: InvalidAuthenticationToken: no"):
        await refused.arm.get("/a", "1")


@pytest.mark.parametrize("status", [0, 408, 429, 503])
async def test_what_azure_is_too_busy_for_is_sent_again(status: int) -> None:
    script = Script((status, {}), (200, {"a": 1}), headers={"retry-after": "7"})
    assert await script.arm.get("/a", "1") == {"a": 1}
    assert script.naps.taken == [7]
    busy = Script(*[(status, {})] * TRIES)
    with pytest.raises(ArmError) as raised:
        await busy.arm.get("/a", "1")
    assert raised.value.is_busy
    assert busy.naps.taken == [2, 4, 8, 16, 32]
