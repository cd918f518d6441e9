"""``POST /vm/signal``: every answer, and that what is answered is what is kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.transport.errors import STATUS, Code
from rollout.judging.signal_keys import signal_key
from rollout.judging.signals import SignalObjection
from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.group import SignalRule, SignalType
from rollout.model.names import deployment_id
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image
from rollout.model.rows.lock import Lock
from rollout.ports.errors import Busy
from settings import Settings

READY = SignalRule(SignalType.VM_READY)
SHUTDOWN = SignalRule(SignalType.VM_READY_TO_SHUTDOWN)
BODY = {"vmName": "web_3", "signalType": "vmReady", "resourceGroupName": "demo"}
RECORDED = {
    "vmId": "aaaa",
    "vmName": "web_3",
    "signalType": "vmReady",
    "groupId": "web",
    "receivedAt": "2026-11-23T08:15:00.000Z",
}


def add_vm(world: Any, vm_id: str = "aaaa", scale_set_id: str = "", state: str = "Succeeded") -> None:
    """Make ``vm_id`` the VM that is called web_3 now."""
    key = (scale_set_id or world.scale_set_id).lower(), "web_3"
    world.scale_sets.vms[key] = Vm(vm_id, "web_3", "3", ImageReference(), state)


@pytest.fixture
async def world(world: Any) -> Any:
    """Group ``web`` declares vmReady, and has a VM web_3."""
    await world.add_group(signals=(READY,))
    add_vm(world)
    return world


async def test_the_first_signal_is_202_and_the_same_again_200_with_what_is_recorded(world: Any) -> None:
    first = await world.send("POST", "vm/signal", BODY)
    world.clock.pass_(timedelta(minutes=1))
    second = await world.send("POST", "vm/signal", {**BODY, "vmId": "AAAA", "resourceGroupName": "Demo"})
    assert (first.status, second.status) == (202, 200)
    assert first.body == second.body == RECORDED
    (kept,) = await world.store.signals.list(world.scale_set_id)
    assert (kept.vm_id, kept.vm_name, kept.type) == ("aaaa", "web_3", SignalType.VM_READY)


async def test_of_many_at_once_one_is_the_first(world: Any) -> None:
    answers = await asyncio.gather(*(world.send("POST", "vm/signal", BODY) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 200, 202]


@pytest.mark.parametrize(
    ("change", "status", "code", "target"),
    [
        ({"vmName": "web_4"}, 404, "vmNotFound", "vmName"),
        ({"vmName": "api_3"}, 404, "groupNotFound", "vmName"),
        ({"vmName": "web"}, 404, "groupNotFound", "vmName"),
        ({"resourceGroupName": "other"}, 404, "groupNotFound", "vmName"),
        ({"signalType": "vmReadyToShutdown"}, 422, "signalNotDeclared", "signalType"),
        ({"vmId": "bbbb"}, 409, "vmReplaced", "vmId"),
        ({"signalType": "ready"}, 400, "invalidValue", "signalType"),
        ({"signalType": 1}, 400, "invalidType", "signalType"),
        ({"vmName": ""}, 400, "invalidValue", "vmName"),
        ({"vmId": 7}, 400, "invalidType", "vmId"),
        ({"vmname": "web_3"}, 400, "unknownField", "vmname"),
        ({"vmName": "web_" + "3" * 2000}, 400, "outOfRange", "vmName"),
    ],
)
async def test_what_is_refused_says_why_and_keeps_nothing(
    world: Any, change: dict[str, Any], status: int, code: str, target: str
) -> None:
    answered, error = await world.refused("POST", "vm/signal", {**BODY, **change})
    assert (answered, error["code"], error["target"]) == (status, code, target)
    assert await world.store.signals.list(world.scale_set_id) == ()


@pytest.mark.parametrize("field", list(BODY))
async def test_every_field_of_elastigroups_body_is_required(world: Any, field: str) -> None:
    body = {name: value for name, value in BODY.items() if name != field}
    status, error = await world.refused("POST", "vm/signal", body)
    assert (status, error["code"], error["target"]) == (400, "missingField", field)


async def test_an_undeclared_signal_is_told_which_are_declared(world: Any) -> None:
    _, error = await world.refused("POST", "vm/signal", {**BODY, "signalType": "vmReadyToShutdown"})
    assert error["message"] == "Not accepted: the group declares vmReady, not vmReadyToShutdown"


async def test_a_vm_that_is_gone_or_going_is_too_late(world: Any) -> None:
    add_vm(world, state="Deleting")
    status, error = await world.refused("POST", "vm/signal", {**BODY, "vmId": "aaaa"})
    assert (status, error["code"], error["message"]) == (404, "vmNotFound", "Not accepted: web_3 is being deleted")


async def test_the_signal_of_an_earlier_vm_of_the_name_does_not_count_for_the_later_one(world: Any) -> None:
    await world.send("POST", "vm/signal", BODY)
    add_vm(world, "bbbb")
    status, error = await world.refused("POST", "vm/signal", {**BODY, "vmId": "aaaa"})
    assert (status, error["code"]) == (409, "vmReplaced")
    later = await world.send("POST", "vm/signal", BODY)
    assert (later.status, later.body["vmId"]) == (202, "bbbb")


class TestSetsOfOneNameInTwoSubscriptions:
    @pytest.fixture
    async def other(self, world: Any) -> Any:
        """The set's id; its group is ``web-2``."""
        scale_set_id = world.scale_set_id.replace("00000000-0000", "11111111-0000")
        await world.add_group(id="web-2", scale_set_id=scale_set_id, signals=(READY,))
        return scale_set_id

    async def test_the_vm_id_is_needed(self, world: Any, other: str) -> None:
        status, error = await world.refused("POST", "vm/signal", BODY)
        assert (status, error["code"], error["target"]) == (409, "vmAmbiguous", "vmId")
        assert "web, web-2" in error["message"]

    async def test_the_vm_id_tells_them_apart(self, world: Any, other: str) -> None:
        add_vm(world, "cccc", other)
        for vm_id, group_id in (("cccc", "web-2"), ("aaaa", "web")):
            answer = await world.send("POST", "vm/signal", {**BODY, "vmId": vm_id})
            assert (answer.status, answer.body["vmId"], answer.body["groupId"]) == (202, vm_id, group_id)
        assert [signal.vm_id for signal in await world.store.signals.list(other)] == ["cccc"]

    async def test_a_vm_id_that_neither_has_is_refused(self, world: Any, other: str) -> None:
        status, error = await world.refused("POST", "vm/signal", {**BODY, "vmId": "dddd"})
        assert (status, error["code"]) == (409, "vmReplaced")


async def test_a_deployment_under_way_still_gets_what_the_group_declared_when_it_began(world: Any) -> None:
    name = deployment_id("web", world.clock.now(), "1a2b3c")
    image = Image("1.1.0", ImageReference(id="new"))
    parameters = Parameters("1.1.0", signals=(SHUTDOWN,))
    row = Deployment(name, "web", world.scale_set_id, parameters, image, world.clock.now())
    await world.store.deployments.add(row)
    lock = Lock(world.scale_set_id.lower(), name, 1, world.clock.now())
    await world.store.locks.swap(None, lock)
    body = {**BODY, "signalType": "vmReadyToShutdown"}
    assert (await world.send("POST", "vm/signal", body)).status == 202

    await world.store.locks.swap(lock, replace(lock, owner=""))
    assert (await world.refused("POST", "vm/signal", body))[1]["code"] == "signalNotDeclared"


def test_every_objection_has_a_code_and_a_status() -> None:
    assert {objection: STATUS[Code(objection)] for objection in SignalObjection} == {
        SignalObjection.NOT_DECLARED: 422,
        SignalObjection.VM_NOT_FOUND: 404,
        SignalObjection.VM_REPLACED: 409,
    }


async def test_while_azure_is_busy_the_vm_is_asked_to_try_again(world: Any) -> None:
    world.scale_sets.error = Busy("TooManyRequests", "wait", timedelta(seconds=7))
    answer = await world.send("POST", "vm/signal", BODY)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
    world.scale_sets.error = None
    assert (await world.send("POST", "vm/signal", BODY)).status == 202


NEW, OLD = "n" * 32, "o" * 32


#: VMs send the key of their group.
KEYED = Settings(signal_secret=f"{NEW},{OLD}")


async def test_a_groups_key_is_told_and_its_vms_signal_counts_with_it(world: Any) -> None:
    world.behind(KEYED)
    told = (await world.send("POST", "groups/web/signalKey")).body
    assert told == {"groupId": "web", "header": "x-teal-signal-key", "key": signal_key(NEW, "web")}
    assert (await world.send("POST", "vm/signal", BODY, x_teal_signal_key=told["key"])).status == 202
    assert (await world.send("POST", "vm/signal", BODY, x_teal_signal_key=signal_key(OLD, "web"))).status == 200


@pytest.mark.parametrize("key", [None, "", "x", "é", signal_key(NEW, "other"), signal_key("z" * 32, "web")])
async def test_without_the_key_of_its_group_nothing_is_read_and_no_signal_kept(world: Any, key: str | None) -> None:
    world.behind(KEYED)
    world.scale_sets.error = AssertionError("nothing is read for a stranger")
    headers = {} if key is None else {"x_teal_signal_key": key}
    status, error = await world.refused("POST", "vm/signal", BODY, **headers)
    assert (status, error["code"], error["target"]) == (403, "signalKeyInvalid", "x-teal-signal-key")
    assert await world.store.signals.list(world.scale_set_id) == ()


async def test_a_groups_key_speaks_for_no_other_groups_vms(world: Any) -> None:
    """Two sets of one name: the key alone says whose the VM is."""
    world.behind(KEYED)
    elsewhere = world.scale_set_id.replace("00000000-0000", "11111111-0000", 1)
    await world.add_group(id="other", scale_set_id=elsewhere, signals=(READY,))
    add_vm(world, "bbbb", elsewhere)
    answer = await world.send("POST", "vm/signal", BODY, x_teal_signal_key=signal_key(NEW, "other"))
    assert (answer.status, answer.body["groupId"], answer.body["vmId"]) == (202, "other", "bbbb")
    stranger = {**BODY, "vmId": "aaaa"}
    status, error = await world.refused("POST", "vm/signal", stranger, x_teal_signal_key=signal_key(NEW, "other"))
    assert (status, error["code"]) == (409, "vmReplaced")


async def test_a_key_is_not_kept_for_a_request_that_is_sent_again(world: Any) -> None:
    world.behind(KEYED)
    answers = [await world.send("POST", "groups/web/signalKey", idempotency_key="one") for _ in range(2)]
    assert answers[0].body == answers[1].body
    assert await world.store.requests.get("POST groups/web/signalkey", "one") is None


async def test_without_a_secret_there_is_no_groups_key_and_the_put_says_what_that_means(world: Any) -> None:
    status, error = await world.refused("POST", "groups/web/signalKey")
    assert (status, error["code"]) == (422, "signalSecretMissing")
    body = {"scaleSetId": world.scale_set_id, "signals": [{"type": "vmReadyToShutdown", "timeout": 60}]}
    findings = (await world.send("PUT", "groups/web", body)).body["findings"]
    assert [(one["severity"], one["code"]) for one in findings] == [("warning", "signalsShareAKey")]
    assert (await world.send("PUT", "groups/web", {**body, "signals": []})).body["findings"] == []
    world.behind(KEYED)
    assert (await world.send("PUT", "groups/web", body)).body["findings"] == []
