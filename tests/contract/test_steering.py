"""What both stores promise of commands, and of requests with an idempotency key."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rollout.lifecycle.idempotency import answered, refused
from rollout.model.azure.scale_set import ImageReference
from rollout.model.choices import Canary, VmPolicy
from rollout.model.group import Defaults, Group
from rollout.model.parameters import Parameters
from rollout.model.rows.commands import Command, CommandEnd, CommandKind, CommandOutcome
from rollout.model.rows.deployment import Deployment, Image
from rollout.model.rows.keyed_request import KeyedRequest
from rollout.ports.store import Store

#: With a fraction that rows do not keep.
NOW = datetime(2026, 11, 23, 8, 15, 0, 123456, tzinfo=UTC)
ID = "web-20261123T081500Z-1a2b3c"
SCOPE = "POST /api/groups/web/deployments"
REQUEST = KeyedRequest(SCOPE, "a/b\\c#d?e%f ü", "f" * 64, "1a2b3c", NOW, since=NOW)
RACERS = 20


def command(number: int, by: str = "ada") -> Command:
    return Command(number, CommandKind.APPROVE, datetime(2026, 1, 1, tzinfo=UTC), by, "fine", True)


async def test_commands_come_back_by_number_and_none_is_replaced(store: Store) -> None:
    for number in (2, 10, 1):
        assert await store.commands.add(ID, command(number))
    assert not await store.commands.add(ID, command(2, "bob"))
    assert await store.commands.list(ID) == (command(1), command(2), command(10))
    assert await store.commands.list("web-20261123T081500Z-ffffff") == ()


async def test_of_20_who_say_something_at_once_one_gets_the_number(store: Store) -> None:
    commands = [command(1, f"racer {number}") for number in range(RACERS)]
    added = await asyncio.gather(*(store.commands.add(ID, one) for one in commands))
    assert added.count(True) == 1
    assert await store.commands.list(ID) == (commands[added.index(True)],)


async def test_what_became_of_a_command_is_kept_once(store: Store) -> None:
    def end(row: Command, how: CommandOutcome) -> Command:
        return row if row.heeded else replace(row, heeded=CommandEnd(datetime(2026, 1, 2, tzinfo=UTC), how))

    await store.commands.add(ID, replace(command(1), accepted_after=7))
    hows = [CommandOutcome.DONE, CommandOutcome.OVERTAKEN] * (RACERS // 2)
    rows = await asyncio.gather(*(store.commands.change(ID, 1, lambda row, how=how: end(row, how)) for how in hows))  # type: ignore[misc]
    (kept,) = await store.commands.list(ID)
    assert kept.heeded is not None
    assert kept.accepted_after == 7
    assert {row.heeded for row in rows} == {kept.heeded}
    with pytest.raises(KeyError):
        await store.commands.change(ID, 2, lambda row: row)


async def test_a_request_is_kept_once_for_its_scope_and_key(store: Store) -> None:
    assert await store.requests.add(REQUEST)
    assert not await store.requests.add(replace(REQUEST, token="ffffff"))
    for other in (replace(REQUEST, scope=f"{SCOPE}?dryRun=true"), replace(REQUEST, key=REQUEST.key.upper())):
        assert await store.requests.add(other)
    found = await store.requests.get(SCOPE, REQUEST.key)
    assert found is not None
    assert (found.token, found.fingerprint, found.status, found.body) == ("1a2b3c", "f" * 64, 0, None)
    assert await store.requests.get(SCOPE, "another") is None


async def test_a_request_is_swapped_only_as_it_was_seen(store: Store) -> None:
    await store.requests.add(REQUEST)
    done = answered(REQUEST, 202, {"id": ID, "value": [1, None, "ü" * 20_000]}, {"Location": "/x"})
    assert await store.requests.swap(REQUEST, done)
    assert not await store.requests.swap(REQUEST, refused(REQUEST))
    found = await store.requests.get(SCOPE, REQUEST.key)
    assert found is not None
    assert (found.status, found.body, found.headers) == (202, done.body, {"Location": "/x"})
    assert not await store.requests.swap(replace(REQUEST, key="unknown"), REQUEST)


async def test_of_20_who_try_again_at_once_one_does(store: Store) -> None:
    await store.requests.add(REQUEST)
    rows = [replace(REQUEST, token=f"{number:06x}") for number in range(RACERS)]
    swapped = await asyncio.gather(*(store.requests.swap(REQUEST, row) for row in rows))
    assert swapped.count(True) == 1


async def test_what_steers_a_deployment_comes_back_as_it_went(store: Store) -> None:
    image = Image(None, ImageReference(id="i"))
    parameters = Parameters(None, canary=Canary(2, True), approval_batches=(1, 3), stopped_vms=VmPolicy.SKIP)
    row = Deployment(ID, "web", "/set", parameters, image, datetime(2026, 1, 1, tzinfo=UTC), epoch=0)
    await store.deployments.add(row)
    assert await store.deployments.get(ID) == row
    group = Group("web", "/set", defaults=Defaults(canary=Canary(1), attached_vms=VmPolicy.REPLACE))
    await store.groups.put(group)
    assert await store.groups.get("web") == group
