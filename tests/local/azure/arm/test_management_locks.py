"""Locks of Resource Manager keep what is below their scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud

Ask = Callable[..., Awaitable[ArmResponse]]


@pytest.mark.parametrize("scope", ["", "demo", "set"])
async def test_what_is_locked_is_not_deleted(ask: Ask, cloud: Cloud, web: str, scope: str) -> None:
    cloud.interfere.lock(web if scope == "set" else scope)
    refused = await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["0"]})
    assert (refused.status, refused.json()["error"]["code"]) == (409, "ScopeLocked")
    assert "locked" in refused.json()["error"]["message"]
    assert len(cloud.scale_set(web).active()) == 10
    assert (await ask(cloud, "PATCH", web, {"tags": {"a": "b"}})).status == 200


async def test_what_is_read_only_is_not_written_either(ask: Ask, cloud: Cloud, web: str) -> None:
    cloud.interfere.lock("demo", level="ReadOnly")
    assert (await ask(cloud, "PATCH", web, {"tags": {"a": "b"}})).status == 409
    assert (await ask(cloud, "GET", web)).status == 200


async def test_a_lock_beside_it_does_not_matter(ask: Ask, cloud: Cloud, web: str) -> None:
    cloud.interfere.lock(f"{web}2")
    assert (await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["0"]})).status == 202


async def test_a_locks_body_is_azures(ask: Ask, cloud: Cloud, web: str) -> None:
    cloud.interfere.lock("demo", name="keep")
    group = web.partition("/providers/")[0]
    answer: Any = (await ask(cloud, "GET", f"{group}/providers/Microsoft.Authorization/locks")).json()
    assert answer["value"] == [
        {
            "id": f"{group}/providers/Microsoft.Authorization/locks/keep",
            "name": "keep",
            "type": "Microsoft.Authorization/locks",
            "properties": {"level": "CanNotDelete"},
        }
    ]
