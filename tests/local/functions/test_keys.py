"""Keys and people, looked at as the Functions host and App Service do."""

# The decorators of the Functions SDK have no types.
# mypy: allow-untyped-decorators

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import aiohttp
import azure.functions as func
import pytest

from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from local.durable.answers import HttpCall
from local.durable.options import HostJson, HostOptions
from local.functions.host import FunctionsHost
from local.functions.keys import Keys
from local.functions.people import People, Person
from local.functions.server import serve

KEYS = Keys(
    "master/+=",
    {"default": "host"},
    {"durabletask_extension": "durable", "eventgrid_extension": "grid"},
    {"number": {"default": "seven", "other": "eight"}, "silent": {"default": "quiet"}},
)
NUMBER = "/api/number/7"
ADA = Person("6d3a", "ada@example.com", ("deployer",))


def play(app: Any, story: Callable[[FunctionsHost], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    async def main() -> Any:
        host = FunctionsHost(
            app, PlatformClock(VIRTUAL_START), host_json=HostJson(), options=HostOptions(timers=False), **options
        )
        await host.start()
        try:
            return await story(host)
        finally:
            await host.stop()

    return run_virtual(main())


@pytest.mark.parametrize(
    ("target", "key", "status"),
    [
        (NUMBER, None, 401),
        (NUMBER, "seven", 200),
        (NUMBER, "eight", 200),
        (NUMBER, "host", 200),
        (NUMBER, "master/+=", 200),
        (NUMBER, "quiet", 401),
        (NUMBER, "Seven", 401),
        (NUMBER, "durable", 401),
        (f"{NUMBER}?code=seven", None, 200),
        (f"{NUMBER}?CODE=seven", None, 200),
        (f"{NUMBER}?code=master/%2B%3D", None, 200),
        # A header hides the query, even an empty one; of several values the first counts.
        (f"{NUMBER}?code=seven", "wrong", 401),
        (f"{NUMBER}?code=seven", "", 401),
        (f"{NUMBER}?code=wrong", "seven", 200),
        (f"{NUMBER}?code=seven&code=wrong", None, 200),
        (f"{NUMBER}?code=wrong&code=seven", None, 401),
        (f"{NUMBER}?code=&code=seven", None, 401),
        ("/api/silent", "quiet", 204),
        ("/api/fall", "seven", 401),
        ("/api/nowhere", None, 404),
    ],
)
def test_a_key_opens_what_is_its(sample: Any, target: str, key: str | None, status: int) -> None:
    headers = {} if key is None else {"X-Functions-Key": key}
    answer = play(sample.app, lambda host: host.request("GET", target, headers=headers), keys=KEYS)
    assert answer.status == status
    if status == 401:
        assert (answer.body, answer.headers) == (b"", {})


def test_of_a_doubled_header_the_host_looks_at_the_first_and_the_function_sees_both(
    build: Callable[[Callable[[Any], None]], Any],
) -> None:
    seen = []

    def add(blueprint: Any) -> None:
        @blueprint.route(methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
        def see(req: func.HttpRequest) -> str:
            seen.append(req.headers["x-functions-key"])
            return "seen"

    keys = Keys("master", functions={"see": {"default": "mine"}})

    def call(first: str, second: str) -> HttpCall:
        return HttpCall("GET", "/api/see", {"x-functions-key": f"{first},{second}"}, firsts={"x-functions-key": first})

    async def story(host: FunctionsHost) -> list[int]:
        return [(await host.answer(one)).status for one in (call("mine", "other"), call("other", "mine"))]

    assert play(build(add), story, keys=keys) == [200, 401]
    assert seen == ["mine,other"]


def test_what_is_for_everybody_asks_for_no_key_and_an_admins_function_for_the_master(
    build: Callable[[Callable[[Any], None]], Any],
) -> None:
    def add(blueprint: Any) -> None:
        @blueprint.route(methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
        def all_(req: func.HttpRequest) -> str:
            return "all"

        @blueprint.route(methods=["GET"], auth_level=func.AuthLevel.ADMIN)
        def few(req: func.HttpRequest) -> str:
            return "few"

    async def story(host: FunctionsHost) -> list[int]:
        tries = (("all_", ""), ("few", "host"), ("few", "master/+="))
        return [
            (await host.request("GET", f"/api/{path}", headers={"x-functions-key": key})).status for path, key in tries
        ]

    assert play(build(add), story, keys=KEYS) == [200, 401, 200]


def test_the_webhook_of_an_extension_has_a_key_of_its_own(sample: Any) -> None:
    async def story(host: FunctionsHost) -> None:
        started = await host.request("POST", "/api/waits/w1", headers={"x-functions-key": "host"})
        assert started.status == 202
        location = started.headers["Location"].removeprefix(host.base_url)
        assert location.endswith("code=durable")
        assert (await host.request("GET", location)).status == 202
        for key in ("", "host", "grid", "seven"):
            answer = await host.request("GET", location.replace("code=durable", f"code={key}"))
            assert (answer.status, answer.body) == (401, b"")
        # The SDK's client itself gets in: the function could read what it has started.
        assert (await host.request("GET", "/api/waits/w1", headers={"x-functions-key": "host"})).status == 200
        grid = "/runtime/webhooks/eventgrid?functionName=none"
        assert (await host.request("POST", grid)).status == 401
        assert (await host.request("POST", KEYS.signed(grid, "eventgrid"))).status == 404
        assert (await host.request("POST", f"{grid}&code=durable")).status == 401

    play(sample.app, story, keys=KEYS)


def test_without_its_key_an_extension_is_reached_by_the_master() -> None:
    assert Keys("m&").signed("/x", "eventgrid") == "/x?code=m%26"


async def test_sockets_make_no_difference(sample: Any) -> None:
    host = FunctionsHost(
        sample.app,
        PlatformClock(VIRTUAL_START, 600),
        host_json=HostJson(),
        options=HostOptions(timers=False),
        keys=KEYS,
    )
    server = await serve(host, 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
        doubled = [("x-functions-key", "seven"), ("x-functions-key", "wrong")]
        async with session.get(NUMBER, headers=doubled) as answer:
            assert answer.status == 200
        async with session.get(NUMBER, headers=list(reversed(doubled))) as answer:
            assert (answer.status, await answer.read()) == (401, b"")
        async with session.post("/api/waits/w1", headers={"x-functions-key": "host"}) as answer:
            assert answer.status == 202
        async with session.get("/api/waits/w1", headers={"x-functions-key": "host"}) as answer:
            assert answer.status == 200
    await asyncio.wait_for(server.stop(), timedelta(seconds=10).total_seconds())


def test_what_a_caller_says_of_itself_is_dropped_and_what_is_known_is_said(
    build: Callable[[Callable[[Any], None]], Any],
) -> None:
    seen: list[dict[str, str]] = []

    def add(blueprint: Any) -> None:
        @blueprint.route(methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
        def see(req: func.HttpRequest) -> str:
            seen.append({name: value for name, value in req.headers.items() if name.startswith("x-ms-client")})
            return "seen"

    forged = {
        "X-MS-CLIENT-PRINCIPAL": "e30=",
        "x-ms-client-principal-name": "eve",
        "X-MS-Client-Principal-Anything": "x",
    }

    async def story(host: FunctionsHost) -> None:
        await host.request("GET", "/api/see", headers=forged)
        await host.request("GET", "/api/see", headers={**forged, "Authorization": "Bearer nobody"})
        await host.request("GET", "/api/see", headers={**forged, "Authorization": "Bearer ada"})
        await host.request("GET", "/api/see", headers={"Cookie": "a=b; AppServiceAuthSession=ada"})

    play(build(add), story, people=People({"ada": ADA}))
    assert seen[:2] == [{}, {}]
    assert seen[2] == seen[3]
    assert seen[2]["x-ms-client-principal-id"] == "6d3a"
    told = json.loads(base64.b64decode(seen[2]["x-ms-client-principal"]))
    assert {"typ": "roles", "val": "deployer"} in told["claims"]


def test_a_browser_signs_in_and_out_and_is_sent_nowhere_else(sample: Any) -> None:
    people = People({"ada": ADA}, {"secret": ADA})

    async def story(host: FunctionsHost) -> None:
        page = await host.request("GET", "/.auth/login/aad?post_login_redirect_uri=/api/x")
        assert b"as=ada" in page.body
        assert b"secret" not in page.body
        answer = await host.request("GET", "/.auth/login/aad?as=ada&post_login_redirect_uri=/api/x")
        assert (answer.status, answer.headers["Location"]) == (302, "/api/x")
        cookie = answer.cookies[0].partition(";")[0]
        me = await host.request("GET", "/.auth/me", headers={"Cookie": cookie})
        assert me.json() == [{"user_id": "ada@example.com"}]
        for place in ("https://evil.example", "//evil.example", "/\\evil.example"):
            answer = await host.request("GET", f"/.auth/login/aad?as=ada&post_login_redirect_uri={place}")
            assert answer.headers["Location"] == "/"
        out = await host.request("GET", "/.auth/logout")
        assert "Max-Age=0" in out.cookies[0]
        assert (await host.request("GET", "/.auth/other")).status == 404

    play(sample.app, story, people=people)
