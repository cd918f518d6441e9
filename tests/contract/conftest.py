"""The two stores that the contract holds for: in memory, and at Azurite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from adapters.tables import connect, table_store
from local.azurite import Azurite
from local.virtual.memory import memory_store
from rollout.ports.store import Store
from settings import Settings


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite for all tests; it has its own event loop, since a test's ends with the test."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        yield runner.run(stack.enter_async_context(Azurite()))
        runner.run(stack.aclose())


@pytest.fixture
def prefix() -> str:
    """What the names of this test's tables begin with, so that it finds them empty."""
    return f"Test{uuid4().hex}"


@pytest.fixture(params=["memory", pytest.param("azurite", marks=pytest.mark.slow)])
def connection_string(request: pytest.FixtureRequest) -> str | None:
    """Where the store is; ``None``: in memory."""
    if request.param == "memory":
        return None
    azurite: Azurite = request.getfixturevalue("azurite")
    return azurite.connection_string


@pytest.fixture
async def store(connection_string: str | None, prefix: str) -> AsyncIterator[Store]:
    """An empty store."""
    if connection_string is None:
        yield memory_store()
        return
    async with connect(Settings(tables_connection=connection_string)) as service:
        yield table_store(service, prefix)
