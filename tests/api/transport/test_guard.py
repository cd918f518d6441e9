"""What a request that changes something must keep to: its origin, its content."""

from __future__ import annotations

from typing import Any

import pytest

from api.transport.guard import is_same_origin
from api.transport.http import Request

URL = "https://teal.example/api/groups/web"


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://teal.example"}, False),
        ({"sec-fetch-site": "same-origin", "origin": "https://front.example"}, True),
        ({"origin": "https://teal.example"}, True),
        ({"origin": "https://TEAL.example:443"}, True),
        ({"origin": "http://teal.example"}, True),
        ({"origin": "https://teal.example:8443"}, False),
        ({"origin": "https://teal.example.evil"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "https://teal.example:x"}, False),
        ({"origin": "https://["}, False),
    ],
)
def test_who_is_of_the_same_origin(headers: dict[str, str], same: bool) -> None:
    assert is_same_origin(Request("POST", URL, headers)) == same


WRITES = [
    ("PUT", "groups/web"),
    ("DELETE", "groups/web"),
    ("POST", "groups/web/deployments"),
    ("POST", "deployments/web-20261123T081500Z-1a2b3c/approve"),
    ("POST", "vm/signal"),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_page_of_another_origin_changes_nothing(world: Any, method: str, path: str) -> None:
    before = await world.written()
    status, error = await world.refused(method, path, {"image": "1.1.0"}, origin="https://evil.example")
    assert (status, error["code"]) == (403, "crossOrigin")
    assert await world.written() == before


async def test_reading_is_left_to_the_browser(world: Any) -> None:
    answer = await world.send("GET", "groups", origin="https://evil.example")
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.all_headers


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_body_is_json(world: Any, method: str, path: str) -> None:
    status, error = await world.refused(method, path, b"image=1.1.0", content_type="text/plain")
    assert (status, error["code"]) == (415, "unsupportedMediaType")


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_body_has_a_megabyte_at_most(world: Any, method: str, path: str) -> None:
    status, error = await world.refused(method, path, b" " * (1024 * 1024 + 1))
    assert (status, error["code"]) == (413, "bodyTooLarge")


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000])
async def test_deep_nesting_is_malformed(world: Any, body: bytes) -> None:
    status, error = await world.refused("POST", "groups/web/deployments", body)
    assert (status, error["code"]) == (400, "malformedJson")


async def test_every_answer_tells_a_browser_to_take_it_for_what_it_is(world: Any) -> None:
    for answer in (await world.send("GET", "groups"), await world.send("GET", "groups/none")):
        assert answer.all_headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.all_headers["Content-Security-Policy"]
