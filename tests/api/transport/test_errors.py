"""What an error of a neighbour becomes."""

from __future__ import annotations

from typing import cast

import pytest

from api.transport.errors import respond
from api.transport.http import Answer, Request
from rollout.ports.errors import AzureError, Busy, Refused
from rollout.ports.ports import Ports


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        (
            Busy("DurableExtension", "no storage", by="Durable Functions"),
            "Durable Functions answered DurableExtension: ",
        ),
        (
            Refused("AuthorizationFailure", "no role", by="Table Storage"),
            "Table Storage answered AuthorizationFailure: ",
        ),
        (AzureError("Gone", "no set"), "Azure answered Gone: no set"),
    ],
)
async def test_whoever_answered_is_named(error: AzureError, begins: str) -> None:
    async def handler(ports: Ports, request: Request) -> Answer:
        raise error

    answer = await respond(handler, lambda: cast(Ports, None), Request("GET", "https://teal.example/api/groups"))
    assert answer.body["error"]["message"].startswith(begins)
