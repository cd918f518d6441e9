"""``Idempotency-Key`` on POSTs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.transport.errors import respond
from api.transport.http import Request
from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.group import SignalRule, SignalType
from rollout.model.rows.keyed_request import KeyedRequest
from rollout.model.status import Status
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy
from rollout.ports.store import KeyedRequests

START = "groups/web/deployments"
KEY = {"idempotency_key": "release-42"}


class LossyRequests:
    """Requests whose ``add`` says that nothing was written, though it was; or whose ``swap`` fails."""

    def __init__(self, requests: KeyedRequests, swap_fails: bool = False) -> None:
        self.requests, self.swap_fails = requests, swap_fails

    async def add(self, request: KeyedRequest) -> bool:
        await self.requests.add(request)
        return False

    async def get(self, scope: str, key: str) -> KeyedRequest | None:
        return await self.requests.get(scope, key)

    async def swap(self, expected: KeyedRequest, request: KeyedRequest) -> bool:
        if self.swap_fails:
            raise Busy("ServerBusy", "later")
        return await self.requests.swap(expected, request)


async def begun(world: Any, **fields: Any) -> KeyedRequest:
    """The row that a start with the key left which never answered."""
    answer = await world.send("POST", START, {"image": "9.9.9"}, idempotency_key="probe")
    assert answer.status == 422
    probe = await world.store.requests.get("POST groups/web/deployments", "probe")
    row: KeyedRequest = replace(probe, token="abcdef", since=world.clock.now(), key="release-42", **fields)
    assert await world.store.requests.add(row)
    return row


async def test_the_same_start_twice_is_one_deployment_and_one_answer(world: Any) -> None:
    first = await world.send("POST", START, {"image": "1.1.0", "comment": "x"}, **KEY)
    world.clock.pass_(timedelta(hours=23))
    world.instances.states[first.body["id"]] = InstanceState.ENDED
    again = await world.send("POST", START, b'{"comment": "x",\n "image": "1.1.0"}', **KEY)

    assert (again.status, again.body) == (202, first.body)
    assert again.headers == {**first.headers, "Idempotent-Replayed": "true"}
    assert "Idempotent-Replayed" not in first.headers
    assert list(world.instances.started) == [first.body["id"]]


async def test_the_same_key_with_another_body_is_422(world: Any) -> None:
    await world.send("POST", START, {"image": "1.1.0"}, **KEY)
    before = await world.written()
    status, error = await world.refused("POST", START, {"image": "1.9.0"}, **KEY)
    assert (status, error["code"], error["target"]) == (422, "idempotencyKeyReused", "Idempotency-Key")
    assert await world.written() == before


async def test_a_key_is_of_one_path_and_one_query(world: Any) -> None:
    planned = await world.send("POST", f"{START}?dryRun=true", {"image": "1.1.0"}, **KEY)
    assert planned.status == 200
    started = await world.send("POST", START, {"image": "1.1.0"}, **KEY)
    assert started.status == 202
    name = started.body["id"]
    assert (await world.send("POST", f"deployments/{name}/pause", **KEY)).status == 202
    again = await world.send("POST", f"{START}?code=secret", {"image": "1.1.0"}, **KEY)
    assert (again.status, again.body["id"]) == (202, name)


async def test_of_many_at_once_with_one_key_one_is_done(world: Any) -> None:
    answers = await asyncio.gather(*(world.send("POST", START, {"image": "1.1.0"}, **KEY) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [202] + [409] * 5
    for answer in answers:
        if answer.status == 409:
            assert answer.body["error"]["code"] == "requestInProgress"
            assert answer.headers["Retry-After"] == "15"
    assert len(world.instances.started) == 1


async def test_a_refused_request_leaves_its_key_usable_with_the_same_body(world: Any) -> None:
    world.images.versions.clear()
    assert (await world.refused("POST", START, {"image": "1.1.0"}, **KEY))[0] == 422
    world.images.add("1.1.0")
    assert (await world.refused("POST", START, {"image": "1.0.0"}, **KEY))[1]["code"] == "idempotencyKeyReused"
    answer = await world.send("POST", START, {"image": "1.1.0"}, **KEY)
    assert (answer.status, answer.headers.get("Idempotent-Replayed")) == (202, None)


async def test_a_start_that_was_undone_makes_another_deployment_the_next_time(world: Any) -> None:
    world.instances.start_error = Busy("DurableExtension", "no storage")
    _, error = await world.refused("POST", START, {"image": "1.1.0"}, **KEY)
    assert error["code"] == "notStarted"
    world.instances.start_error = None
    world.clock.pass_(timedelta(seconds=1))
    answer = await world.send("POST", START, {"image": "1.1.0"}, **KEY)
    assert (answer.status, answer.body["status"]) == (202, "pending")
    assert answer.body["id"] != error["target"]


async def test_a_start_of_which_nobody_knows_is_found_by_the_next_try(world: Any) -> None:
    def fall_silent() -> None:
        world.instances.start_error = world.instances.state_error = Busy("DurableExtension", "gone")
        world.instances.starts_anyway = True

    world.instances.before_start = fall_silent
    _, error = await world.refused("POST", START, {"image": "1.1.0"}, **KEY)
    assert error["code"] == "startUncertain"
    world.instances.start_error = world.instances.state_error = None
    answer = await world.send("POST", START, {"image": "1.1.0"}, **KEY)
    assert (answer.status, answer.body["id"]) == (202, error["target"])
    assert list(world.instances.started) == [error["target"]]


async def test_a_start_that_never_reached_durable_is_completed_by_the_next_try(world: Any) -> None:
    def fall_silent() -> None:
        world.instances.start_error = world.instances.state_error = Busy("DurableExtension", "gone")

    world.instances.before_start = fall_silent
    _, error = await world.refused("POST", START, {"image": "1.1.0"}, **KEY)
    world.instances.start_error = world.instances.state_error = None
    world.instances.before_start = lambda: None
    world.clock.pass_(timedelta(seconds=30))
    answer = await world.send("POST", START, {"image": "1.1.0"}, **KEY)
    assert (answer.status, answer.body["id"]) == (202, error["target"])
    assert list(world.instances.started) == [error["target"]]
    assert [row.id for row in await world.deployments()] == [error["target"]]
    assert ((await world.lock()).owner, (await world.lock()).epoch) == (error["target"], 1)


async def test_a_try_that_died_is_waited_for_and_then_taken_up_with_the_same_name(world: Any) -> None:
    row = await begun(world)
    status, error = await world.refused("POST", START, {"image": "9.9.9"}, **KEY)
    assert (status, error["code"]) == (409, "requestInProgress")
    world.clock.pass_(timedelta(seconds=60))
    world.images.add("9.9.9")
    answers = await asyncio.gather(*(world.send("POST", START, {"image": "9.9.9"}, **KEY) for _ in range(3)))
    (done,) = [answer for answer in answers if answer.status == 202]
    assert done.body["id"] == "web-20261123T081500Z-abcdef"
    assert done.body["createdAt"] == "2026-11-23T08:15:00.000Z"
    assert sorted(answer.status for answer in answers) == [202, 409, 409]
    assert row.tries == 1


async def test_a_try_that_died_holding_the_lock_goes_on_with_it(world: Any) -> None:
    await begun(world)
    world.images.add("9.9.9")
    name = "web-20261123T081500Z-abcdef"
    started = await world.send("POST", START, {"image": "1.1.0"})
    lock = await world.lock()
    await world.store.locks.swap(lock, replace(lock, owner=name, epoch=2))
    await world.store.deployments.change(started.body["id"], lambda row: replace(row, status=Status.FINISHED))
    world.clock.pass_(timedelta(seconds=60))
    answer = await world.send("POST", START, {"image": "9.9.9"}, **KEY)
    assert (answer.status, answer.body["id"]) == (202, name)
    assert ((await world.lock()).owner, (await world.lock()).epoch) == (name, 2)


async def test_a_deployment_that_a_lost_try_started_is_answered_even_when_it_has_ended(world: Any) -> None:
    await begun(world)
    world.images.add("9.9.9")
    world.clock.pass_(timedelta(seconds=60))
    name = (await world.send("POST", START, {"image": "9.9.9"}, **KEY)).body["id"]
    row = await world.store.requests.get("POST groups/web/deployments", "release-42")
    await world.store.requests.swap(row, replace(row, status=0, body=None))
    await world.store.deployments.change(name, lambda row: replace(row, status=Status.FAILED))
    answer = await world.send("POST", START, {"image": "9.9.9"}, **KEY)
    assert (answer.status, answer.body["id"], answer.body["status"]) == (202, name, "failed")


async def test_a_command_said_by_a_try_that_died_is_not_said_again(world: Any) -> None:
    name = (await world.start())["id"]
    first = await world.send("POST", f"deployments/{name}/pause", **KEY)
    scope = f"POST deployments/{name.lower()}/pause"
    row = await world.store.requests.get(scope, "release-42")
    await world.store.requests.swap(row, replace(row, status=0, body=None))
    again = await world.send("POST", f"deployments/{name}/pause", **KEY)
    assert (again.status, again.body["command"]) == (202, first.body["command"])
    assert len(await world.store.commands.list(name)) == 1


async def test_a_signal_may_have_a_key(world: Any) -> None:
    await world.add_group(signals=(SignalRule(SignalType.VM_READY),))
    world.scale_sets.vms[world.scale_set_id.lower(), "web_3"] = Vm("v-3", "web_3", "3", ImageReference(), "Succeeded")
    body = {"vmName": "web_3", "signalType": "vmReady", "resourceGroupName": "demo"}
    assert (await world.send("POST", "vm/signal", body, **KEY)).status == 202
    again = await world.send("POST", "vm/signal", body, **KEY)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert (await world.send("POST", "vm/signal", body)).status == 200


async def test_a_key_whose_insert_was_answered_twice_is_the_same_request(world: Any) -> None:
    world.store = replace(world.store, requests=LossyRequests(world.store.requests))
    assert (await world.send("POST", START, {"image": "1.1.0"}, **KEY)).status == 202


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(world: Any) -> None:
    world.store = replace(world.store, requests=LossyRequests(world.store.requests, swap_fails=True))
    assert (await world.send("POST", START, {"image": "1.1.0"}, **KEY)).status == 202


async def test_what_azure_did_not_answer_is_tried_again_at_once(world: Any) -> None:
    world.scale_sets.error = Busy("TooManyRequests", "slow down")
    assert (await world.refused("POST", START, {"image": "1.1.0"}, **KEY))[0] == 503
    world.scale_sets.error = None
    assert (await world.send("POST", START, {"image": "1.1.0"}, **KEY)).status == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "a\x00"])
async def test_a_key_is_short_and_printable(world: Any, key: str) -> None:
    before = await world.written()
    status, error = await world.refused("POST", START, {"image": "1.1.0"}, idempotency_key=key)
    assert (status, error["code"], error["target"]) == (400, "invalidValue", "Idempotency-Key")
    assert await world.written() == before
    assert (await world.send("POST", START, {"image": "1.1.0"}, idempotency_key="x" * 255)).status == 202


async def test_a_body_that_is_no_json_has_a_fingerprint_too(world: Any) -> None:
    for body in (b"{", b"[" * 200_000, b"\xff"):
        assert (await world.refused("POST", START, body, **KEY))[0] in (400, 422)


@pytest.mark.parametrize("path", ["groups/web/deployments/", "Groups/web/deployments", "groups/we%62/DEPLOYMENTS"])
@pytest.mark.parametrize("body", [b'{"batchSize": 1}', b'{"batchSize": 1.0}', b'{"batchSize":1e0}'])
async def test_a_request_that_says_the_same_in_other_letters_is_the_same(world: Any, path: str, body: bytes) -> None:
    (route,) = [route for route in world.routes if route.name == "start_deployment"]

    async def send(path: str, body: bytes) -> Any:
        headers = {"content-type": "application/json", "idempotency-key": "k"}
        request = Request("POST", f"https://teal.example/api/{path}", headers, {"groupId": "web"}, body)
        return await respond(route.handler, lambda: world.ports, request)

    first = await send("groups/web/deployments", b'{"batchSize": 1}')
    again = await send(path, body)
    assert (first.status, again.status, again.body["id"]) == (202, 202, first.body["id"])
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_a_deployment_is_found_by_the_key_of_its_start(world: Any) -> None:
    started = await world.send("POST", START, {"image": "1.1.0"}, **KEY)
    await world.send("POST", f"{START}?dryRun=true", {"image": "1.1.0"}, idempotency_key="planned")
    (found,) = (await world.get("deployments?key=release-42"))["value"]
    assert found["id"] == started.body["id"]
    assert (await world.get("deployments?key=release-42&status=finished"))["value"] == []
    assert (await world.get("deployments?key=planned"))["value"] == []
    assert (await world.get("deployments?key=release-43"))["value"] == []
    assert (await world.refused("GET", "deployments?key=%0A"))[1]["target"] == "key"


async def test_a_run_again_after_a_month_finds_what_it_has_started(world: Any) -> None:
    first = await world.send("POST", START, {"image": "1.1.0"}, **KEY)
    world.clock.pass_(timedelta(days=30))
    again = await world.send("POST", START, {"image": "1.1.0"}, **KEY)
    assert (again.status, again.body["id"]) == (202, first.body["id"])
    row = await world.store.deployments.get(first.body["id"])
    assert row.idempotency_key == "release-42"
