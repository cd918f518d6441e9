"""Commands: pause, resume, stop, rollBack, approve, and taking a queued deployment back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.handlers.commands import CommandResult, give
from rollout.model.azure.scale_set import ImageReference
from rollout.model.rows.commands import Action, Command, CommandKind, PendingDecision
from rollout.model.rows.deployment import Deployment, Waiter
from rollout.model.status import Status
from rollout.ports.errors import Busy
from rollout.ports.store import Commands

#: What a caller says of itself, where nobody vouches for it.
FORGED = {"x_ms_client_principal_name": "ada@example.com"}
VERBS = ["pause", "resume", "stop", "rollBack", "approve"]


async def running(world: Any, status: Status = Status.IN_PROGRESS, **fields: Any) -> str:
    """A deployment that is ``status``, from image 1.0.0; its id."""
    name: str = (await world.start())["id"]

    def change(row: Deployment) -> Deployment:
        image = replace(row.image, previous=ImageReference(id=f"{world.image_id}/versions/1.0.0"))
        return replace(row, **{"status": status, "image": image, **fields})

    await world.store.deployments.change(name, change)
    return name


def possible(shown: Any) -> list[str]:
    return [one["command"] for one in shown["canBe"] if one["possible"]]


async def said(world: Any, name: str) -> list[tuple[int, str]]:
    return [(command.number, str(command.kind)) for command in await world.store.commands.list(name)]


class SlowCommands:
    """Commands whose first ``add`` says that it wrote nothing; ``written`` or not."""

    def __init__(self, commands: Commands, written: bool) -> None:
        self.commands, self.written, self.adds = commands, written, 0

    async def add(self, deployment_id: str, command: Command) -> bool:
        self.adds += 1
        if self.adds > 1:
            return await self.commands.add(deployment_id, command)
        if self.written:
            await self.commands.add(deployment_id, command)
        return False

    async def list(self, deployment_id: str) -> tuple[Command, ...]:
        return await self.commands.list(deployment_id)

    async def change(self, deployment_id: str, number: int, change: Callable[[Command], Command]) -> Command:
        return await self.commands.change(deployment_id, number, change)


async def test_a_command_is_202_with_the_deployment_and_the_command(world: Any) -> None:
    name = await running(world)
    answer = await world.send("POST", f"deployments/{name}/pause", {"comment": "wait for ops"}, **FORGED)

    assert answer.status == 202
    assert (answer.body["id"], answer.body["status"]) == (name, "inProgress")
    assert answer.body["command"] == {
        "number": 1,
        "command": "pause",
        "all": False,
        "at": "2026-11-23T08:15:00.000Z",
        "by": "function key",
        "comment": "wait for ops",
        "heeded": None,
    }
    assert (await world.get(f"deployments/{name}/commands"))["value"] == [answer.body["command"]]


@pytest.mark.parametrize("content", [None, {}, {"comment": None}])
async def test_a_command_needs_no_body(world: Any, content: Any) -> None:
    name = await running(world)
    media_type = "" if content is None else "application/json"
    answer = await world.send("POST", f"deployments/{name}/stop", content, content_type=media_type)
    assert (answer.status, answer.body["command"]["by"]) == (202, "function key")


@pytest.mark.parametrize(
    ("body", "code", "target"),
    [
        ({"comment": 5}, "invalidType", "comment"),
        ({"comment": "x" * 257}, "outOfRange", "comment"),
        ({"all": True}, "unknownField", "all"),
        (b"[]", "invalidType", None),
        (b"x", "malformedJson", None),
    ],
)
async def test_a_malformed_command_is_refused(world: Any, body: Any, code: str, target: str | None) -> None:
    name = await running(world)
    status, error = await world.refused("POST", f"deployments/{name}/stop", body)
    assert (status, error["code"], error.get("target")) == (400, code, target)
    assert await said(world, name) == []


@pytest.mark.parametrize("verb", VERBS)
async def test_a_command_to_an_unknown_deployment_is_404(world: Any, verb: str) -> None:
    status, error = await world.refused("POST", f"deployments/web-20260101T000000Z-aaaaaa/{verb}")
    assert (status, error["code"]) == (404, "deploymentNotFound")


#: In which status each command makes sense.
SENSE = {
    "pause": {"pending", "inProgress", "baking"},
    "resume": {"paused"},
    "stop": {"queued", "pending", "inProgress", "paused", "awaitingApproval", "baking", "rollingBack"},
    "rollBack": {"inProgress", "paused", "awaitingApproval", "baking"},
    "approve": {"awaitingApproval"},
}


@pytest.mark.parametrize("status", Status)
async def test_a_command_that_makes_no_sense_is_409_with_the_state_and_the_overview_says_which_do(
    world: Any, status: Status
) -> None:
    name = await running(world, status)
    can_be = possible(await world.get(f"deployments/{name}"))
    assert set(can_be) == {verb for verb in VERBS if status in SENSE[verb]}
    for verb in VERBS:
        answer = await world.send("POST", f"deployments/{name}/{verb}")
        if verb in can_be:
            assert answer.status == 202
            await world.store.deployments.change(name, lambda row: replace(row, heard=row.heard + 1))
        else:
            assert (answer.status, answer.body["error"]["code"]) == (409, "commandNotPossible")
            assert f"is {status}" in answer.body["error"]["message"]
            assert answer.body["error"]["target"] == name
    assert [kind for _, kind in await said(world, name)] == [verb for verb in VERBS if verb in can_be]


async def test_what_is_about_to_be_heeded_counts(world: Any) -> None:
    name = await running(world)
    await world.send("POST", f"deployments/{name}/pause")
    status, error = await world.refused("POST", f"deployments/{name}/pause")
    assert (status, error["code"]) == (409, "commandNotPossible")
    assert "about to heed pause" in error["message"]
    shown = await world.get(f"deployments/{name}")
    assert possible(shown) == ["resume", "stop", "rollBack"]
    against = {one["command"]: one["reason"] for one in shown["canBe"]}
    assert list(against) == list(CommandKind)
    assert against["stop"] == ""
    assert against["approve"].endswith(
        "about to heed pause, and only one that is awaitingApproval can be given approve"
    )
    assert (await world.send("POST", f"deployments/{name}/resume")).status == 202
    assert await said(world, name) == [(1, "pause"), (2, "resume")]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"parameters": {"image": None}}, "No image was named"),
        ({"previous": "1.1.0"}, "does not change the set's image"),
        ({"previous": None}, "has not noted yet"),
    ],
)
async def test_what_cannot_be_rolled_back_is_409(world: Any, fields: dict[str, Any], words: str) -> None:
    name = await running(world)

    def change(row: Deployment) -> Deployment:
        if "parameters" in fields:
            return replace(row, image=replace(row.image, requested=None))
        previous = fields["previous"] and ImageReference(id=f"{world.image_id}/versions/{fields['previous']}")
        return replace(row, image=replace(row.image, previous=previous))

    await world.store.deployments.change(name, change)
    assert "rollBack" not in possible(await world.get(f"deployments/{name}"))
    status, error = await world.refused("POST", f"deployments/{name}/rollBack")
    assert (status, error["code"]) == (409, "previousModelUnknown")
    assert words in error["message"]


async def test_a_previous_image_that_is_not_exact_cannot_be_rolled_back_to(world: Any) -> None:
    name = await running(world)
    latest = ImageReference(publisher="Canonical", offer="o", sku="s", version="latest")
    await world.store.deployments.change(name, lambda row: replace(row, image=replace(row.image, previous=latest)))
    _, error = await world.refused("POST", f"deployments/{name}/rollBack")
    assert error["code"] == "previousModelUnknown"


async def test_an_approval_may_be_of_all_gates(world: Any) -> None:
    deadline = PendingDecision(
        CommandKind.APPROVE, world.clock.now(), world.clock.now() + timedelta(hours=1), Action.STOP
    )
    name = await running(world, Status.AWAITING_APPROVAL, decision=deadline)
    assert (await world.get(f"deployments/{name}"))["decision"] == {
        "asked": "approve",
        "since": "2026-11-23T08:15:00.000Z",
        "deadline": "2026-11-23T09:15:00.000Z",
        "action": "stop",
    }
    answer = await world.send("POST", f"deployments/{name}/approve", {"all": True, "comment": "fine"})
    assert answer.body["command"]["all"] is True


async def test_whoever_waits_is_woken_after_the_command_was_written(world: Any) -> None:
    name = await running(world, waiting=Waiter("w:1", "wake-7"))
    await world.send("POST", f"deployments/{name}/stop")
    assert world.instances.woken == [("w:1", "wake-7")]


async def test_commands_said_at_once_are_numbered_one_after_the_other(world: Any) -> None:
    name = await running(world)
    bodies = [{"comment": str(number)} for number in range(4)]
    answers = await asyncio.gather(*(world.send("POST", f"deployments/{name}/stop", body) for body in bodies))
    assert sorted(answer.status for answer in answers) == [202, 409, 409, 409]
    assert await said(world, name) == [(1, "stop")]
    other = await asyncio.gather(*(world.send("POST", f"deployments/{name}/{verb}") for verb in VERBS))
    assert {answer.status for answer in other} == {409}


async def test_two_different_commands_at_once_both_count_where_both_make_sense(world: Any) -> None:
    name = await running(world)
    answers = await asyncio.gather(*(world.send("POST", f"deployments/{name}/{verb}") for verb in ("pause", "stop")))
    kinds = [kind for _, kind in await said(world, name)]
    assert kinds in (["pause", "stop"], ["stop"])
    assert sorted(answer.status for answer in answers) == ([202, 202] if len(kinds) == 2 else [202, 409])


class LateCommands(SlowCommands):
    """Commands whose row is written when the deployment has gone on."""

    def __init__(self, commands: Commands, goes_on: Callable[[], Awaitable[object]]) -> None:
        super().__init__(commands, written=True)
        self.goes_on = goes_on

    async def add(self, deployment_id: str, command: Command) -> bool:
        await self.goes_on()
        return await self.commands.add(deployment_id, command)


@pytest.mark.parametrize(
    ("was", "verb", "has", "status"),
    [
        (Status.IN_PROGRESS, "stop", {"status": Status.FINISHED}, 409),
        (Status.IN_PROGRESS, "pause", {"status": Status.AWAITING_APPROVAL, "gate": 9}, 202),
        (Status.IN_PROGRESS, "rollBack", {"status": Status.ROLLING_BACK}, 409),
        (Status.IN_PROGRESS, "stop", {"status": Status.ROLLING_BACK}, 202),
        (Status.AWAITING_APPROVAL, "approve", {"status": Status.IN_PROGRESS}, 409),
        (Status.AWAITING_APPROVAL, "approve", {"status": Status.AWAITING_APPROVAL, "gate": 9}, 409),
        (Status.PAUSED, "resume", {"status": Status.IN_PROGRESS}, 409),
        (Status.BAKING, "pause", {"status": Status.IN_PROGRESS}, 202),
    ],
)
async def test_a_command_that_comes_too_late_is_refused_and_its_row_says_so(
    world: Any, was: Status, verb: str, has: dict[str, Any], status: int
) -> None:
    name = await running(world, was)

    async def goes_on() -> object:
        return await world.store.deployments.change(name, lambda row: replace(row, sequence=9, **has))

    world.store = replace(world.store, commands=LateCommands(world.store.commands, goes_on))
    answer = await world.send("POST", f"deployments/{name}/{verb}")
    assert answer.status == status, answer.body
    (shown,) = (await world.get(f"deployments/{name}/commands"))["value"]
    assert shown["heeded"] == (None if status == 202 else {"at": "2026-11-23T08:15:00.000Z", "as": "overtaken"})
    if status == 409:
        assert answer.body["error"]["code"] == "commandNotPossible"
        assert f"is {has['status']}" in answer.body["error"]["message"]


@pytest.mark.parametrize("written", [True, False])
async def test_a_command_whose_answer_was_lost_is_said_once(world: Any, written: bool) -> None:
    name = await running(world)
    world.store = replace(world.store, commands=SlowCommands(world.store.commands, written))
    assert (await world.send("POST", f"deployments/{name}/pause")).status == 202
    assert await said(world, name) == [(1, "pause")]


async def test_a_command_that_is_tried_again_finds_itself(world: Any) -> None:
    name = await running(world)
    first = CommandResult(CommandKind.PAUSE, "ada", world.clock.now())
    assert (await give(world.ports, name, first)).number == 1
    assert (await give(world.ports, name, replace(first, tried=True))).number == 1
    assert await said(world, name) == [(1, "pause")]


async def test_others_that_always_come_first_are_told(world: Any) -> None:
    class Never(SlowCommands):
        async def add(self, deployment_id: str, command: Command) -> bool:
            return False

    name = await running(world)
    world.store = replace(world.store, commands=Never(world.store.commands, False))
    with pytest.raises(Busy):
        await give(world.ports, name, CommandResult(CommandKind.STOP, "ada", world.clock.now()))


async def test_a_queued_deployment_is_taken_back_once(world: Any) -> None:
    name = await running(world, Status.QUEUED, epoch=0)
    answer = await world.send("DELETE", f"groups/web/queue/{name}", **FORGED)
    assert (answer.status, answer.body["status"], answer.body["command"]["command"]) == (202, "queued", "stop")
    assert answer.body["command"]["by"] == "function key"
    assert (await world.send("DELETE", f"groups/web/queue/{name}")).status == 202
    assert await said(world, name) == [(1, "stop")]


@pytest.mark.parametrize("status", [Status.PENDING, Status.IN_PROGRESS, Status.STOPPED])
async def test_a_deployment_that_is_not_queued_cannot_be_taken_back(world: Any, status: Status) -> None:
    name = await running(world, status)
    answered, error = await world.refused("DELETE", f"groups/web/queue/{name}")
    assert (answered, error["code"], error["target"]) == (409, "commandNotPossible", name)
    assert f"is {status}" in error["message"]
    assert await said(world, name) == []


async def test_an_unknown_or_foreign_deployment_cannot_be_taken_back(world: Any) -> None:
    name = await running(world, Status.QUEUED)
    await world.add_group(id="other", scale_set_id=f"{world.scale_set_id}2")
    for path in ("groups/web/queue/web-20260101T000000Z-aaaaaa", f"groups/other/queue/{name}"):
        status, error = await world.refused("DELETE", path)
        assert (status, error["code"]) == (404, "deploymentNotFound")
    assert (await world.refused("DELETE", f"groups/none/queue/{name}"))[1]["code"] == "groupNotFound"
