"""Stories of sets behind load balancers and application gateways: judged by their probes, drained before they go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.faults import LATER
from local.azure.world import Fault, World, demo_world, parse_world
from local.durable.faults import ActivityFault, ActivityLoss, DurableFaults
from rollout.model.choices import HealthCheckType
from rollout.model.rows.deployment import IntentKind
from rollout.steps.pools import ADMIN_STATE_TRIES

pytestmark = pytest.mark.slow

Play = Callable[..., Any]

GOOD = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300}

LOAD_BALANCER = {"name": "web-lb", "resourceGroup": "demo", "pools": ["web"]}
GATEWAY = {"name": "web-gw", "resourceGroup": "demo", "pools": ["web"]}
CHECKS = ["vmState", "applicationHealth"]


def behind(
    *pools: str,
    mode: str = "Uniform",
    capacity: int = 4,
    checks: tuple[str, ...] = (),
    load_balancer: dict[str, Any] | None = None,
    gateway: dict[str, Any] | None = None,
    **platform: Any,
) -> World:
    """The demo's set ``web`` behind these pools, checked by its own health and ``checks``."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"] = [one for one in document["scaleSets"] if one["name"] == "web"]
    document["groups"] = [one for one in document["groups"] if one["id"] == "web"]
    document["scaleSets"][0] |= {"capacity": capacity, "orchestrationMode": mode, "backendPools": list(pools)}
    # Nothing of the set has to be held, so that the only writes are those that these stories are about.
    document["scaleSets"][0]["overrides"] = {"properties": {"scaleInPolicy": {"rules": ["OldestVM"]}}}
    document["loadBalancers"] = [LOAD_BALANCER | (load_balancer or {})]
    document["applicationGateways"] = [GATEWAY | (gateway or {})]
    document["groups"][0]["healthCheckTypes"] = [*CHECKS, *checks]
    document["platform"] |= platform
    for version in document["galleries"][0]["images"][0]["versions"]:
        if version["name"] == "1.1.0":
            version["behavior"] |= {"bootTimeSpread": 0, "healthyAfter": 60}
    return parse_world(document)


BOTH = ("web-lb/web", "web-gw/web")
BOTH_CHECKS = ("loadBalancer", "applicationGateway")


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
@pytest.mark.parametrize(
    ("pools", "checks"),
    [
        (("web-lb/web",), ("loadBalancer",)),
        (("web-gw/web",), ("applicationGateway",)),
        (BOTH, BOTH_CHECKS),
    ],
    ids=["load balancer", "gateway", "both"],
)
def test_good_image_replaces_every_vm_and_cuts_no_connection(
    play: Play, mode: str, pools: tuple[str, ...], checks: tuple[str, ...]
) -> None:
    async def story(stage: Any) -> list[str]:
        deployment = await stage.platform.start(**GOOD)
        row = await stage.platform.ended(deployment)
        trace: list[str] = await stage.platform.story(deployment)
        assert (row.status, stage.versions()) == ("finished", ["1.1.0"] * 4), "\n".join(trace)
        vms = await stage.platform.store.vms.list(deployment, batch=1)
        green = next(vm for vm in vms if vm.color == "green")
        assert {HealthCheckType(check) for check in checks} <= {reading.source for reading in green.readings}
        return trace

    play(story, behind(*pools, mode=mode, checks=checks))


def writes(stage: Any, method: str, part: str) -> list[Any]:
    """The audited writes whose path has this in it."""
    return [one for one in stage.platform.cloud.audit if one.method == method and part in one.path.lower()]


async def finished(stage: Any, deployment: str) -> Any:
    row = await stage.platform.ended(deployment)
    assert row.status == "finished", "\n".join(await stage.platform.story(deployment))
    return row


def at(events: Any, kind: str) -> Any:
    """When the first event of a kind happened."""
    return next(event.at for event in events if event.type == kind)


@pytest.mark.parametrize("words", ["recorded", "documented", "lowerCase"])
def test_gateway_that_names_servers_by_address_only_is_understood_in_all_its_words(play: Play, words: str) -> None:
    async def story(stage: Any) -> None:
        await finished(stage, await stage.platform.start(**GOOD))

    gateway = {"healthWords": words, "namesInterfaces": False}
    play(story, behind("web-gw/web", checks=("applicationGateway",), gateway=gateway))


def test_load_balancer_that_answers_at_once_is_understood(play: Play) -> None:
    async def story(stage: Any) -> None:
        await finished(stage, await stage.platform.start(**GOOD))

    play(story, behind("web-lb/web", checks=("loadBalancer",), load_balancer={"healthAnswers": "atOnce"}))


@pytest.mark.parametrize("word", ["Unhealthy", "DOWN", "Partial", "draining", "Unknown"])
def test_one_green_vm_that_the_gateway_calls_otherwise_than_healthy_fails_its_batch(play: Play, word: str) -> None:
    async def story(stage: Any) -> str:
        deployment = await stage.platform.start(**GOOD, batchMinHealthyPercentage=100)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code, stage.versions()) == ("failed", "batchUnhealthy", ["1.0.0"] * 4)
        return str(row.error.message)

    world = behind("web-gw/web", checks=("applicationGateway",), gateway={"healthOverrides": {"web_4": word}})
    reason = play(story, world)
    assert f"web_4: applicationGateway {word.lower()}" in reason


def test_gateway_that_is_not_checked_has_no_say(play: Play) -> None:
    async def story(stage: Any) -> None:
        await finished(stage, await stage.platform.start(**GOOD, healthCheckTypes=["vmState", "applicationHealth"]))
        assert "get gateway health" not in stage.platform.cloud.requests

    world = behind("web-gw/web", checks=("applicationGateway",), gateway={"healthOverrides": {"web_4": "Unknown"}})
    # The gateway's probe is slower than the application's own word.
    play(story, world, exempt=["never_fewer_serving"])


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
@pytest.mark.parametrize(
    "load_balancer",
    [{"adminState": "never"}, {"probe": False}, {"inboundNat": True}],
    ids=["refused", "without a probe", "inbound NAT"],
)
def test_pool_in_which_vms_cannot_be_down_is_left_by_each_of_them(
    play: Play, mode: str, load_balancer: dict[str, Any]
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD)
        await finished(stage, deployment)
        refused = [one for one in writes(stage, "PUT", "/backendaddresspools/") if one.status == 400]
        assert len(refused) == (1 if "adminState" in load_balancer else 0)
        intents = await stage.platform.store.intents.list(deployment)
        drains = [(one.batch, bool(one.pool), len(one.vm_ids)) for one in intents if one.kind is IntentKind.DRAIN]
        assert drains == [(1, True, 2), (1, False, 2), (2, False, 2)]

    play(story, behind("web-lb/web", mode=mode, checks=("loadBalancer",), load_balancer=load_balancer))


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_pool_that_takes_states_in_its_balancer_only_is_left_by_all_at_once(play: Play, mode: str) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD)
        await finished(stage, deployment)
        assert [one.status for one in writes(stage, "PUT", "/loadbalancers/web-lb")] == [400, 200, 400, 200]
        intents = await stage.platform.store.intents.list(deployment)
        drains = [(one.batch, bool(one.pool), len(one.vm_ids)) for one in intents if one.kind is IntentKind.DRAIN]
        assert drains == [(1, True, 2), (2, True, 2)]

    play(story, behind("web-lb/web", mode=mode, checks=("loadBalancer",), load_balancer={"adminState": "balancer"}))


def test_vm_whose_interface_failed_keeps_no_other_from_leaving(play: Play) -> None:
    async def story(stage: Any) -> None:
        stage.platform.cloud.interfere.fail_interface(stage.scale_set_id, "web_3")
        await finished(stage, await stage.platform.start(**GOOD))
        pool = writes(stage, "PUT", "/backendaddresspools/")
        assert [one.status for one in pool] == [409]

    play(story, behind("web-lb/web", checks=("loadBalancer",)))


def test_sick_green_vm_whose_interface_failed_leaves_before_blue_does(play: Play) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.3.0", batchSizePercentage=50, gracePeriod=300)
        await stage.until(deployment, "SickGreenDiscarded", batch=2)
        await stage.sleep(minutes=3)
        (sick,) = (vm for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active() if not vm.serving)
        stage.platform.cloud.interfere.fail_interface(stage.scale_set_id, sick.name)
        row = await finished(stage, deployment)
        assert (row.remaining_blue, row.green_vms) == (1, 3)
        audit = stage.platform.cloud.audit
        refused = next(number for number, one in enumerate(audit) if one.status == 409)
        after = [(one.method, one.path.rpartition("/")[2]) for one in audit[refused:] if one.status < 300]
        assert after == [("PUT", sick.name.rpartition("_")[2]), ("PUT", "web"), ("POST", "delete")]

    play(story, behind("web-lb/web", checks=("loadBalancer",)))


@pytest.mark.parametrize(
    ("pool", "checks", "asked_for", "at_least", "at_most"),
    [
        ("web-lb/web", "loadBalancer", 0, 0, 60),
        ("web-gw/web", "applicationGateway", 0, 300, 360),
        ("web-gw/web", "applicationGateway", 600, 600, 660),
    ],
    ids=["no wait", "the gateway's own", "ours is longer"],
)
def test_detached_vms_are_left_alone_as_long_as_asked_and_as_the_gateway_lets_connections_end(
    play: Play, pool: str, checks: str, asked_for: int, at_least: int, at_most: int
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD, drainingTimeout=asked_for)
        await finished(stage, deployment)
        detached = at(await stage.platform.events(deployment), "BatchDetached")
        deleted = writes(stage, "POST", "/delete")[0].time
        assert at_least <= (deleted - detached).total_seconds() <= at_most

    play(story, behind(pool, checks=(checks,), gateway={"drainTimeout": 300}))


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_blue_vms_whose_deletion_is_refused_come_back_into_their_pools(play: Play, mode: str) -> None:
    async def story(stage: Any) -> None:
        cloud = stage.platform.cloud
        cloud.faults.add(Fault.model_validate({"method": "POST", "path": "/delete$", "status": 403}))
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchDetached", batch=1)
        assert stage.serving() == 4
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code) == ("failed", "Forbidden")
        await stage.sleep(minutes=5)
        assert (sorted(stage.versions()), stage.serving()) == (["1.0.0"] * 4 + ["1.1.0"] * 2, 6)
        blue = [vm for vm in await stage.platform.store.vms.list(deployment, batch=1) if vm.color == "blue"]
        assert [(str(vm.status), vm.reason) for vm in blue] == [("running", "Back in traffic")] * 2

    play(story, behind(*BOTH, mode=mode, checks=BOTH_CHECKS))


@pytest.mark.parametrize("image", ["1.1.0", "1.0.0"])
@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
@pytest.mark.parametrize("moment", ["BatchHealthy", "BatchDetached"])
def test_deployment_terminated_while_vms_leave_or_drain_deletes_none_and_the_next_one_counts_them_out(
    play: Play, mode: str, image: str, moment: str
) -> None:
    async def story(stage: Any) -> None:
        dead = await stage.platform.start(**GOOD)
        await stage.until(dead, moment, batch=1)
        stage.platform.host.durable.terminate(dead, "by hand")
        written = len(stage.platform.cloud.audit)
        # What the watchdog does ten minutes after the start is another story.
        await stage.sleep(minutes=5)
        assert len(stage.platform.cloud.audit) == written
        assert (sorted(stage.versions()), stage.serving()) == (["1.0.0"] * 4 + ["1.1.0"] * 2, 4)
        await finished(stage, await stage.platform.start(**{**GOOD, "image": image}))
        assert (stage.versions(), stage.serving()) == ([image] * 4, 4)

    play(story, behind(*BOTH, mode=mode, checks=BOTH_CHECKS))


def test_deployment_terminated_before_vms_leave_takes_none_out_of_traffic(play: Play) -> None:
    async def story(stage: Any) -> None:
        dead = await stage.platform.start(**GOOD)
        await stage.until(dead, "BatchLaunched", batch=1)
        stage.platform.host.durable.terminate(dead, "by hand")
        await stage.sleep(minutes=30)
        assert (sorted(stage.versions()), stage.serving()) == (["1.0.0"] * 4 + ["1.1.0"] * 2, 6)
        assert writes(stage, "PUT", "") == []
        await finished(stage, await stage.platform.start(**GOOD))

    play(story, behind(*BOTH, checks=BOTH_CHECKS))


def test_blue_vm_that_is_gone_or_stopped_is_out_of_traffic_without_a_write(play: Play) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchStarted", batch=1)
        blue = [vm.name for vm in await stage.platform.store.vms.list(deployment, batch=1)]
        await stage.until(deployment, "BatchLaunched", batch=1)
        stage.platform.cloud.interfere.delete_vm(stage.scale_set_id, blue[0])
        stage.platform.cloud.interfere.stop(stage.scale_set_id, blue[1])
        await finished(stage, deployment)
        first = [one for one in await stage.platform.store.intents.list(deployment, 1) if one.kind is IntentKind.DRAIN]
        assert first == []

    # That two VMs stopped serving was somebody else's doing.
    exempt = ["never_fewer_serving"]
    play(story, behind("web-gw/web", checks=("applicationGateway",)), exempt=exempt)


@pytest.mark.parametrize("seconds", [0, 5, 16, 100])
def test_host_killed_while_vms_leave_or_drain_goes_on(play: Play, seconds: int) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD)
        for batch in (1, 2):
            await stage.until(deployment, "BatchHealthy", batch=batch)
            await stage.sleep(seconds=seconds)
            await stage.platform.restart_host()
        await finished(stage, deployment)

    play(story, behind(*BOTH, checks=BOTH_CHECKS))


@pytest.mark.parametrize(
    "loss", [ActivityLoss.TWICE, ActivityLoss.LATE, ActivityLoss.BEFORE_EFFECT, ActivityLoss.AFTER_EFFECT]
)
@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_every_activity_badly_delivered_leads_to_the_same_end(play: Play, mode: str, loss: ActivityLoss) -> None:
    async def story(stage: Any) -> None:
        await finished(stage, await stage.platform.start(**GOOD))
        assert (stage.versions(), stage.serving()) == (["1.1.0"] * 4, 4)

    late = timedelta(seconds=40) if loss is ActivityLoss.LATE else timedelta(0)
    faults = DurableFaults(activities=[ActivityFault(loss, after=late)])
    play(story, behind(*BOTH, mode=mode, checks=BOTH_CHECKS), faults=faults)


AZURE_FAULTS: dict[str, dict[str, Any]] = {
    "request lost": {"loseRequest": True},
    "response lost": {"loseResponse": True},
    "throttled": {"status": 429, "headers": {"Retry-After": "60"}},
    "conflict": {"status": 409, "body": {"error": {"code": "Conflict", "message": "a concurrent request"}}},
    "conflict in Resource Manager": LATER,
    "stale": {"status": 412},
    "out of order": {"status": 500},
    "operation failed": {"operationStatus": "Failed"},
}


@pytest.mark.sweep
@pytest.mark.parametrize("kind", AZURE_FAULTS)
@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_every_seventh_request_to_the_network_going_wrong_leads_to_the_same_end(
    play: Play, mode: str, kind: str
) -> None:
    async def story(stage: Any) -> None:
        for method, path in (
            ("PUT", "Microsoft.Network|/virtualMachines/"),
            ("POST", "health$"),
            ("GET", "Microsoft.Network"),
        ):
            fault = {"method": method, "path": path, "calls": list(range(1, 1000, 7)), **AZURE_FAULTS[kind]}
            stage.platform.cloud.faults.add(Fault.model_validate(fault))
        await finished(stage, await stage.platform.start(**GOOD))
        assert (stage.versions(), stage.serving()) == (["1.1.0"] * 4, 4)

    play(story, behind(*BOTH, mode=mode, checks=BOTH_CHECKS))


@pytest.mark.parametrize(
    ("mode", "admin_state"), [pytest.param("Uniform", True, marks=pytest.mark.nightly), ("Flexible", False)]
)
def test_900_vms_in_10_batches_leave_their_pools_and_nothing_is_throttled(
    play: Play, mode: str, admin_state: bool
) -> None:
    async def story(stage: Any) -> None:
        await finished(stage, await stage.platform.start(image="1.1.0", batchSizePercentage=10, gracePeriod=600))
        assert (stage.versions(), stage.serving()) == (["1.1.0"] * 900, 900)
        cloud = stage.platform.cloud
        assert sum(count.throttled for count in cloud.requests.values()) == 0
        # The pool's own PUT is refused, and then that of the whole balancer.
        assert [one.status for one in cloud.audit if one.status >= 400] == ([] if admin_state else [400, 400])

    balancer = {"adminState": "pool" if admin_state else "never"}
    play(story, behind(*BOTH, mode=mode, capacity=900, checks=BOTH_CHECKS, load_balancer=balancer))


#: Every kind of write of a deployment behind a load balancer and a gateway, as far as both modes have it.
WRITES = {
    "image and capacity": ("PATCH", "/virtualMachineScaleSets/web$"),
    "deletion": ("POST", "/delete$"),
    "pool": ("PUT", "/backendAddressPools/"),
    "VM or interface": ("PUT", "/virtualMachines/|/networkInterfaces/"),
}


@pytest.mark.sweep
@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("write", WRITES)
def test_one_write_that_resource_manager_wants_later_changes_nothing(
    play: Play, mode: str, call: int, write: str
) -> None:
    method, path = WRITES[write]

    async def story(stage: Any) -> None:
        fault = Fault.model_validate({"method": method, "path": path, "calls": [call], **LATER})
        stage.platform.cloud.faults.add(fault)
        deployment = await stage.platform.start(**GOOD)
        await finished(stage, deployment)
        assert (stage.versions(), stage.serving(), stage.capacity()) == (["1.1.0"] * 4, 4, 4)
        assert stage.platform.cloud.faults.struck == 1
        batches = await stage.platform.store.batches.list(deployment)
        assert {batch.refused_pools for batch in batches} == {()}

    play(story, behind(*BOTH, mode=mode, checks=BOTH_CHECKS))


@pytest.mark.parametrize("vms", [12, pytest.param(100, marks=pytest.mark.nightly)])
def test_vms_that_azure_lets_be_written_to_one_at_a_time_leave_their_pools(play: Play, vms: int) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        await finished(stage, deployment)
        assert (stage.versions(), stage.serving()) == (["1.1.0"] * vms, vms)
        writes = [one for one in stage.platform.cloud.audit if one.method == "PUT"]
        assert len(writes) <= vms * 1.3

    slow: dict[str, Any] = {"vmWrites": "oneAtATime", "updateTime": 40}
    play(story, behind("web-gw/web", capacity=vms, checks=("applicationGateway",), **slow))


def test_vms_that_are_out_are_deleted_first_where_their_set_runs_ten_models(play: Play) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        await finished(stage, deployment)
        assert (stage.versions(), stage.serving(), stage.capacity()) == (["1.1.0"] * 12, 12, 12)
        refused = [one for one in stage.platform.cloud.audit if one.status == 400]
        assert 1 <= len(refused) <= 2

    world = behind("web-gw/web", capacity=12, checks=("applicationGateway",), ownModels="counted")
    play(story, world)


def test_deployment_fails_where_no_vm_can_be_taken_out_because_its_set_runs_ten_models(play: Play) -> None:
    async def story(stage: Any) -> None:
        text = "Virtual Machine Scale Set 'web' has reached its limit of 10 models that may be referenced by VMs."
        body = {"error": {"code": "OperationNotAllowed", "message": text}}
        fault = {"method": "PUT", "path": "/virtualMachines/", "status": 400, "body": body}
        stage.platform.cloud.faults.add(Fault.model_validate(fault))
        row = await stage.platform.ended(await stage.platform.start(**GOOD))
        assert (row.status, row.error.code) == ("failed", "modelsExhausted")
        assert "oldest models" in row.error.message

    play(story, behind("web-gw/web", checks=("applicationGateway",)))


def test_load_balancer_that_takes_no_write_is_given_up_after_a_while(play: Play) -> None:
    async def story(stage: Any) -> None:
        lost = Fault.model_validate({"method": "PUT", "path": "/backendAddressPools/", "loseRequest": True})
        stage.platform.cloud.faults.add(lost)
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchDetached", batch=1)
        intents = await stage.platform.store.intents.list(deployment, 1)
        drains = [bool(one.pool) for one in intents if one.kind is IntentKind.DRAIN]
        assert drains == [True] * ADMIN_STATE_TRIES + [False]
        stage.platform.cloud.faults.clear()
        await finished(stage, deployment)

    play(story, behind("web-lb/web", checks=("loadBalancer",)))


def test_vms_that_cannot_leave_their_pools_fail_the_deployment_and_all_come_back(play: Play) -> None:
    async def story(stage: Any) -> str:
        conflict = AZURE_FAULTS["conflict"] | {"method": "PUT", "path": "/virtualMachines/"}
        stage.platform.cloud.faults.add(Fault.model_validate(conflict))
        deployment = await stage.platform.start(**GOOD)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code) == ("failed", "vmsNotDetached")
        await stage.sleep(minutes=5)
        assert (sorted(stage.versions()), stage.serving()) == (["1.0.0"] * 4 + ["1.1.0"] * 2, 6)
        events = await stage.platform.events(deployment)
        return next(str(event.message) for event in events if event.type == "GreenDiscarded")

    message = play(story, behind(*BOTH, checks=BOTH_CHECKS))
    assert message.endswith("judged healthy, and stay; 2 blue VMs put back into traffic")


NETWORK = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers/Microsoft.Network"
POOL = {
    name: f"{NETWORK}/{kind}/{balancer}/backendAddressPools/{name}"
    for name, kind, balancer in (
        ("web", "applicationGateways", "web-gw"),
        ("admin", "applicationGateways", "web-gw"),
        ("front", "loadBalancers", "web-lb"),
        ("back", "loadBalancers", "web-lb"),
    )
}


def two_cards(mode: str, **platform: Any) -> World:
    """The set ``web`` with two interfaces that both have an IP configuration ``primary``, each in pools of its own."""

    def card(name: str, gateway: str, balancer: str) -> dict[str, Any]:
        pools = {
            "applicationGatewayBackendAddressPools": [{"id": POOL[gateway]}],
            "loadBalancerBackendAddressPools": [{"id": POOL[balancer]}],
        }
        subnet = {"id": f"{NETWORK}/virtualNetworks/v/subnets/{name}"}
        configuration = {"name": "primary", "properties": {"primary": True, "subnet": subnet, **pools}}
        properties = {"primary": name == "eth0", "ipConfigurations": [configuration], "deleteOption": "Delete"}
        return {"name": name, "properties": properties}

    cards = [card("eth0", "web", "front"), card("eth1", "admin", "back")]
    world = behind(
        mode=mode,
        load_balancer={"pools": ["front", "back"]},
        gateway={"pools": ["web", "admin"]},
        checks=BOTH_CHECKS,
        **platform,
    ).model_dump(mode="json", by_alias=True)
    profile = {"networkProfile": {"networkInterfaceConfigurations": cards}}
    world["scaleSets"][0]["overrides"]["properties"]["virtualMachineProfile"] = profile
    return parse_world(world)


def places(stage: Any, image: str = "1.0.0") -> dict[str, dict[str, list[str]]]:
    """By VM on this image, by interface, the names of the pools that it is in, without those it is Down in."""
    cloud = stage.platform.cloud
    every = cloud.places(stage.scale_set_id)
    return {
        vm.name: {
            key.split("/networkinterfaces/")[1].split("/")[0][:4]: sorted(pool.rpartition("/")[2] for pool in pools)
            for key, pools in every[vm.name].items()
        }
        for vm in cloud.scale_set(stage.scale_set_id).active()
        if image in str(vm.image)
    }


OWN = {"eth0": ["front", "web"], "eth1": ["admin", "back"]}


def refuse_deletion(stage: Any) -> None:
    stage.platform.cloud.faults.add(Fault.model_validate({"method": "POST", "path": "/delete$", "status": 403}))


@pytest.mark.parametrize("admin_state", [True, False], ids=["Down", "out"])
@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_each_interface_comes_back_into_its_own_pools_where_configurations_have_one_name(
    play: Play, mode: str, admin_state: bool
) -> None:
    async def story(stage: Any) -> None:
        refuse_deletion(stage)
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchDetached", batch=1)
        out = [one for one in places(stage).values() if one != OWN]
        assert out == [{"eth0": [], "eth1": []}] * 2
        row = await stage.platform.ended(deployment)
        assert (row.status, list(places(stage).values())) == ("failed", [OWN] * 4)

    world = two_cards(mode).model_dump(mode="json", by_alias=True)
    world["loadBalancers"][0]["adminState"] = "pool" if admin_state else "never"
    play(story, parse_world(world))


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_what_others_had_taken_out_or_down_before_stays_out(play: Play, mode: str) -> None:
    async def story(stage: Any) -> None:
        cloud = stage.platform.cloud
        refuse_deletion(stage)
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchStarted", batch=1)
        blue = [vm.name for vm in await stage.platform.store.vms.list(deployment, batch=1)]
        cloud.interfere.take_out(stage.scale_set_id, blue[0], POOL["admin"])
        cloud.interfere.set_down(stage.scale_set_id, blue[1], POOL["front"])
        await stage.platform.ended(deployment)
        assert [places(stage)[name] for name in blue] == [
            {"eth0": ["front", "web"], "eth1": ["back"]},
            {"eth0": ["web"], "eth1": ["admin", "back"]},
        ]

    play(story, two_cards(mode))


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_pool_that_is_gone_by_then_is_told_and_keeps_no_vm_out_of_the_others(play: Play, mode: str) -> None:
    async def story(stage: Any) -> str:
        refuse_deletion(stage)
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchDetached", batch=1)
        stage.platform.cloud.interfere.delete_pool(POOL["admin"])
        row = await stage.platform.ended(deployment)
        assert (row.status, list(places(stage).values())) == ("failed", [{**OWN, "eth1": ["back"]}] * 4)
        events = await stage.platform.events(deployment)
        return next(str(event.message) for event in events if event.type == "GreenDiscarded")

    message = play(story, two_cards(mode))
    assert message.endswith("2 blue VMs put back into traffic, but not into what is gone: web-gw/admin")


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_model_that_names_no_pool_any_more_keeps_no_vm_out_of_its_own(play: Play, mode: str) -> None:
    async def story(stage: Any) -> None:
        refuse_deletion(stage)
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchDetached", batch=1)
        network: dict[str, Any] = {"networkProfile": {"networkInterfaceConfigurations": []}}
        stage.platform.cloud.interfere.patch(stage.scale_set_id, {"properties": {"virtualMachineProfile": network}})
        await stage.platform.ended(deployment)
        assert list(places(stage).values()) == [OWN] * 4

    play(story, two_cards(mode))


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_vms_that_an_earlier_release_took_out_come_back_into_the_pools_of_the_model(play: Play, mode: str) -> None:
    async def story(stage: Any) -> None:
        refuse_deletion(stage)
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchDetached", batch=1)
        store = stage.platform.store.intents
        for intent in await store.list(deployment, 1):
            await store.put(deployment, replace(intent, taken=None))
        await stage.platform.ended(deployment)
        assert list(places(stage).values()) == [OWN] * 4

    play(story, two_cards(mode))


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_every_badly_delivered_return_leads_to_the_same_places(play: Play, mode: str) -> None:
    async def story(stage: Any) -> None:
        refuse_deletion(stage)
        lost = {"method": "PUT", "path": "Microsoft.Network|/virtualMachines/", "calls": [1, 2, 4, 6, 8, 9]}
        stage.platform.cloud.faults.add(Fault.model_validate(lost | AZURE_FAULTS["response lost"]))
        deployment = await stage.platform.start(**GOOD)
        await stage.platform.ended(deployment)
        assert list(places(stage).values()) == [OWN] * 4

    play(story, two_cards(mode), faults=DurableFaults(activities=[ActivityFault(ActivityLoss.TWICE)]))
