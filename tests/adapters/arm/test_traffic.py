"""What each method of the traffic port sends, and what it makes of the answers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.mgmt.network.operations import _operations as sdk

from adapters.arm.client import ComputeClients
from adapters.arm.traffic import ArmTraffic
from adapters.arm.traffic.requests import NETWORK_API_VERSION, SCALE_SET_INTERFACES_API_VERSION
from rollout.model.azure.balancers import BackendServer, PendingAnswer, Probe, StubbornPool
from rollout.model.azure.pools import AdminState, IpConfiguration, Membership, PoolMembership
from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, ScaleSet, Vm
from rollout.model.choices import HealthCheckType
from rollout.ports.errors import Busy, Refused, Stale

ARM = "https://management.azure.com"
GROUP = "/subscriptions/5ab3/resourceGroups/demo/providers"
SET_ID = f"{GROUP}/Microsoft.Compute/virtualMachineScaleSets/web"
NETWORK = f"{GROUP}/Microsoft.Network"
LB = f"{NETWORK}/loadBalancers/lb"
POOL = f"{LB}/backendAddressPools/web"
RULE = f"{LB}/loadBalancingRules/http".lower()
GATEWAY = f"{NETWORK}/applicationGateways/gw"
GATEWAY_POOL = f"{GATEWAY}/backendAddressPools/web"
INTERFACE = f"{SET_ID}/virtualMachines/3/networkInterfaces/web"
FLEXIBLE_INTERFACE = f"{NETWORK}/networkInterfaces/web-1a2b"
OPERATION = "/subscriptions/5ab3/providers/Microsoft.Network/locations/eastus2/operationResults/1?api-version=x&t=1"
CURRENT = f"?api-version={NETWORK_API_VERSION}"
COMPUTE = "?api-version=2026-04-01"

SET = ScaleSet(SET_ID, "web", "eastus2", '"1"', 2, "Succeeded", ImageReference())
FLEXIBLE_SET = ScaleSet(
    SET_ID, "web", "eastus2", '"1"', 2, "Succeeded", ImageReference(), mode=OrchestrationMode.FLEXIBLE
)
VM = Vm("guid-3", "web_3", "3", ImageReference(), "Succeeded", network_interfaces=(INTERFACE,))
FLEXIBLE_VM = Vm(
    "guid-a", "web_1a2b", "web_1a2b", ImageReference(), "Succeeded", network_interfaces=(FLEXIBLE_INTERFACE,)
)
CONFIGURATION = f"{INTERFACE}/ipConfigurations/ip".lower()
FLEXIBLE_CONFIGURATION = f"{FLEXIBLE_INTERFACE}/ipConfigurations/ip".lower()
PLACE = PoolMembership("guid-3", CONFIGURATION, (POOL.lower(),))
FLEXIBLE_PLACE = PoolMembership("guid-a", FLEXIBLE_CONFIGURATION, (GATEWAY_POOL.lower(),))


@pytest.fixture
def traffic(clients: ComputeClients) -> ArmTraffic:
    return ArmTraffic(clients)


def interface(identifier: str, *pools: str, gateways: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """A network interface as ARM shows it."""
    configuration = {
        "name": "ip",
        "id": f"{identifier}/ipConfigurations/ip",
        "properties": {
            "privateIPAddress": "10.0.0.7",
            "subnet": {"id": "/subnet"},
            "loadBalancerBackendAddressPools": [{"id": pool} for pool in pools],
            "applicationGatewayBackendAddressPools": [{"id": pool} for pool in gateways],
        },
    }
    properties = {"provisioningState": "Succeeded", "ipConfigurations": [configuration], "enableIPForwarding": True}
    return {"id": identifier, "name": "web", "etag": 'W/"7"', "properties": properties} | more


def pool(*states: str | None, provisioning_state: str = "Succeeded") -> dict[str, Any]:
    """A backend pool with VMs 3, 4… in these states."""
    addresses = [
        {
            "name": f"address-{number}",
            "properties": {
                "networkInterfaceIPConfiguration": {
                    "id": f"{SET_ID}/virtualMachines/{number}/networkInterfaces/web/ipConfigurations/ip"
                }
            }
            | ({"adminState": state} if state else {}),
        }
        for number, state in enumerate(states, start=3)
    ]
    properties = {
        "provisioningState": provisioning_state,
        "drainPeriodInSeconds": 30,
        "loadBalancerBackendAddresses": addresses,
        "backendIPConfigurations": [],
    }
    return {"name": "web", "id": POOL, "etag": 'W/"9"', "properties": properties}


def balancer(probe: str | None = "/probe", **pools: Any) -> dict[str, Any]:
    """A load balancer with one rule."""
    properties: dict[str, Any] = pools or {"backendAddressPool": {"id": POOL}}
    if probe:
        properties["probe"] = {"id": probe}
    return {"properties": {"loadBalancingRules": [{"id": RULE.upper(), "properties": properties}]}}


def sent(script: Any, number: int = -1) -> Any:
    return json.loads(script.requests[number].content)


async def test_vms_of_a_uniform_set_are_found_in_the_pages_of_its_interfaces_and_the_pools(
    traffic: ArmTraffic, script: Any
) -> None:
    script.answer(200, {"value": [interface(f"{SET_ID}/virtualMachines/9/x")], "nextLink": f"{ARM}/next?page=2"})
    script.answer(200, {"value": [interface(INTERFACE.lower(), POOL, gateways=(GATEWAY_POOL,))]})
    script.answer(200, pool("down", None))
    absent = Vm("guid-8", "web_8", "8", ImageReference(), "Creating")
    found = await traffic.read(SET, [VM, absent])
    assert script.lines == [
        f"GET {ARM}{SET_ID}/networkInterfaces?api-version={SCALE_SET_INTERFACES_API_VERSION}",
        f"GET {ARM}/next?page=2",
        f"GET {ARM}{POOL.lower()}{CURRENT}",
    ]
    assert found == (
        Membership(
            "guid-3",
            (
                IpConfiguration(
                    CONFIGURATION,
                    frozenset({POOL.lower(), GATEWAY_POOL.lower()}),
                    frozenset({POOL.lower()}),
                    "10.0.0.7",
                ),
            ),
        ),
        Membership("guid-8"),
    )


async def test_vms_of_a_flexible_set_are_found_by_their_own_interfaces(traffic: ArmTraffic, script: Any) -> None:
    script.answer(200, interface(FLEXIBLE_INTERFACE, gateways=(GATEWAY_POOL,)))
    (found,) = await traffic.read(FLEXIBLE_SET, [FLEXIBLE_VM])
    assert script.lines == [f"GET {ARM}{FLEXIBLE_INTERFACE}{CURRENT}"]
    assert found.pools == {GATEWAY_POOL.lower()}
    assert not found.down


async def test_interface_that_is_gone_is_in_no_pool(traffic: ArmTraffic, script: Any) -> None:
    script.answer(404, {"error": {"code": "ResourceNotFound", "message": "gone"}})
    assert await traffic.read(FLEXIBLE_SET, [FLEXIBLE_VM]) == (Membership("guid-a"),)


async def test_members_are_set_down_in_one_guarded_write_of_their_pool(traffic: ArmTraffic, script: Any) -> None:
    script.answer(200, balancer())
    script.answer(200, pool(None, "Up"))
    script.answer(200, pool("Down", "Up", provisioning_state="Updating"))
    await traffic.set_state(POOL.lower(), {CONFIGURATION}, AdminState.DOWN)
    path = f"{ARM}{POOL.lower()}{CURRENT}"
    assert script.lines == [f"GET {ARM}{LB.lower()}{CURRENT}", f"GET {path}", f"PUT {path}"]
    assert script.requests[-1].headers["If-Match"] == 'W/"9"'
    properties = sent(script)["properties"]
    assert [each["properties"].get("adminState") for each in properties["loadBalancerBackendAddresses"]] == [
        "Down",
        "Up",
    ]
    assert properties.keys() == {"drainPeriodInSeconds", "loadBalancerBackendAddresses"}


async def test_members_that_are_as_they_should_be_are_not_written(traffic: ArmTraffic, script: Any) -> None:
    script.answer(200, pool("None", "Down"))
    await traffic.set_state(POOL.lower(), {CONFIGURATION}, AdminState.NONE)
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("answers", "error", "code"),
    [
        ([balancer(probe=None)], Refused, "ruleWithoutProbe"),
        ([balancer(probe=None, backendAddressPools=[{"id": POOL.upper()}])], Refused, "ruleWithoutProbe"),
        ([balancer(), pool()], Refused, "memberNotListed"),
        ([balancer(), pool(None, provisioning_state="Updating")], Busy, "poolUpdating"),
        ([balancer(), pool(None) | {"etag": ""}], Refused, "etagMissing"),
    ],
)
async def test_pool_that_would_not_hold_its_members_back_is_not_written(
    traffic: ArmTraffic, script: Any, answers: list[Any], error: type[Exception], code: str
) -> None:
    for answer in answers:
        script.answer(200, answer)
    with pytest.raises(error) as raised:
        await traffic.set_state(POOL.lower(), {CONFIGURATION}, AdminState.DOWN)
    assert raised.value.code == code  # type: ignore[attr-defined]
    assert not any(line.startswith("PUT") for line in script.lines)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (412, "PreconditionFailed", Stale),
        (429, "RetryableErrorDueToAnotherOperation", Busy),
        (400, "ModificationOfNICIpConfigBackendPoolNotSupported", Refused),
        (409, "ReferencedResourceNotProvisioned", Refused),
    ],
)
async def test_refusals_of_a_pool_are_told_apart(
    traffic: ArmTraffic, script: Any, status: int, code: str, error: type[Exception]
) -> None:
    script.answer(200, balancer())
    script.answer(200, pool(None))
    script.answer(status, {"error": {"code": code, "message": "no"}})
    script.answer(200, balancer())
    with pytest.raises(error):
        await traffic.set_state(POOL.lower(), {CONFIGURATION}, AdminState.DOWN)


INLINE_ONLY = {"code": "ModificationOfNICIpConfigBackendPoolNotSupported", "message": "no"}


async def test_pool_that_takes_no_write_of_its_own_is_written_in_its_balancer(traffic: ArmTraffic, script: Any) -> None:
    whole = {**balancer(), "etag": 'W/"3"'}
    whole["properties"]["backendAddressPools"] = [pool(None, None) | {"id": POOL.upper()}, {"id": f"{LB}/x/other"}]
    script.answer(200, whole)
    script.answer(200, pool(None, None))
    script.answer(400, {"error": INLINE_ONLY})
    script.answer(200, whole)
    script.answer(200, whole)
    await traffic.set_state(POOL.lower(), {CONFIGURATION}, AdminState.DOWN)
    assert script.lines[-2:] == [f"GET {ARM}{LB.lower()}{CURRENT}", f"PUT {ARM}{LB.lower()}{CURRENT}"]
    assert script.requests[-1].headers["If-Match"] == 'W/"3"'
    body = sent(script)
    addresses = body["properties"]["backendAddressPools"][0]["properties"]["loadBalancerBackendAddresses"]
    assert [each["properties"].pop("adminState", None) for each in addresses] == ["Down", None]
    assert body == whole


NAT = {"properties": {"backendAddressPool": {"id": POOL.upper()}}}
NAT_OF_MEMBER = {"properties": {"backendIPConfiguration": {"id": CONFIGURATION.upper()}}}


@pytest.mark.parametrize(
    ("probe", "rules", "why"),
    [
        ("/probe", [], None),
        ("/probe", [{"properties": {"backendAddressPool": {"id": f"{POOL}-2"}}}], None),
        (None, [], "one of its rules has no health probe"),
        ("/probe", [NAT], "it is behind inbound NAT rules"),
        ("/probe", [NAT_OF_MEMBER], "it is behind inbound NAT rules"),
    ],
)
async def test_what_is_read_tells_in_which_pools_nothing_can_be_down(
    traffic: ArmTraffic, script: Any, probe: str | None, rules: list[Any], why: str | None
) -> None:
    body = balancer(probe)
    body["properties"]["inboundNatRules"] = rules
    members = {"backendIPConfigurations": [{"id": CONFIGURATION}]}
    body["properties"]["backendAddressPools"] = [{"id": POOL, "properties": members}]
    script.answer(200, body)
    found = await traffic.stubborn([POOL, GATEWAY_POOL])
    assert found == (() if why is None else (StubbornPool(POOL.lower(), why),))
    assert script.lines == [f"GET {ARM}{LB.lower()}{CURRENT}"]


def instance(*pools: str, vm_id: str = "GUID-3") -> dict[str, Any]:
    """An instance of a Uniform set as ARM shows it."""
    configuration = {
        "name": "ip",
        "properties": {
            "subnet": {"id": "/subnet"},
            "loadBalancerBackendAddressPools": [{"id": pool} for pool in pools],
        },
    }
    card = {"name": "web", "properties": {"primary": True, "ipConfigurations": [configuration]}}
    properties = {
        "vmId": vm_id,
        "hardwareProfile": {"vmSize": "Standard_D2s_v3"},
        "storageProfile": {"imageReference": {"id": "/image"}},
        "networkProfileConfiguration": {"networkInterfaceConfigurations": [card]},
    }
    return {"id": f"{SET_ID}/virtualMachines/3", "location": "eastus2", "etag": '"4"', "properties": properties}


def pools_sent(body: Any) -> list[str]:
    (card,) = body["properties"]["networkProfileConfiguration"]["networkInterfaceConfigurations"]
    (configuration,) = card["properties"]["ipConfigurations"]
    assert configuration["properties"]["subnet"] == {"id": "/subnet"}
    return [each["id"] for each in configuration["properties"]["loadBalancerBackendAddressPools"]]


async def test_instance_leaves_a_pool_by_a_guarded_write_of_its_network_alone(traffic: ArmTraffic, script: Any) -> None:
    script.answer(200, instance(POOL, "/other"))
    script.answer(200, instance("/other"))
    await traffic.leave(SET, VM, [PLACE])
    path = f"{ARM}{SET_ID}/virtualMachines/3{COMPUTE}"
    assert script.lines == [f"GET {path}", f"PUT {path}"]
    assert script.requests[-1].headers["If-Match"] == '"4"'
    body = sent(script)
    assert pools_sent(body) == ["/other"]
    assert (body.keys(), body["properties"].keys()) == (
        {"location", "properties"},
        {"hardwareProfile", "networkProfileConfiguration"},
    )


async def test_instance_that_is_in_none_of_the_pools_is_not_written(traffic: ArmTraffic, script: Any) -> None:
    script.answer(200, instance("/other"))
    await traffic.leave(SET, VM, [PLACE])
    assert len(script.requests) == 1


async def test_instance_id_that_another_vm_has_by_now_is_not_written(traffic: ArmTraffic, script: Any) -> None:
    script.answer(200, instance(POOL, vm_id="guid-77"))
    with pytest.raises(Stale):
        await traffic.leave(SET, VM, [PLACE])
    assert len(script.requests) == 1


async def test_instance_whose_network_azure_does_not_show_is_not_written(traffic: ArmTraffic, script: Any) -> None:
    body = instance(POOL)
    del body["properties"]["networkProfileConfiguration"]
    script.answer(200, body)
    with pytest.raises(Refused, match="networkConfigurationMissing"):
        await traffic.leave(SET, VM, [PLACE])


async def test_interface_of_a_flexible_vm_is_put_whole_without_the_pool(traffic: ArmTraffic, script: Any) -> None:
    script.answer(200, interface(FLEXIBLE_INTERFACE, POOL, gateways=(GATEWAY_POOL,)))
    script.answer(200, interface(FLEXIBLE_INTERFACE, POOL))
    await traffic.leave(FLEXIBLE_SET, FLEXIBLE_VM, [FLEXIBLE_PLACE])
    path = f"{ARM}{FLEXIBLE_INTERFACE}{CURRENT}"
    assert script.lines == [f"GET {path}", f"PUT {path}"]
    assert script.requests[-1].headers["If-Match"] == 'W/"7"'
    assert sent(script) == interface(FLEXIBLE_INTERFACE, POOL)


async def test_flexible_vm_whose_interface_is_gone_is_stale(traffic: ArmTraffic, script: Any) -> None:
    script.answer(404, {"error": {"code": "ResourceNotFound", "message": "gone"}})
    with pytest.raises(Stale):
        await traffic.leave(FLEXIBLE_SET, FLEXIBLE_VM, [FLEXIBLE_PLACE])


async def test_instance_comes_back_into_the_pools_it_is_told_and_the_model_is_not_asked(
    traffic: ArmTraffic, script: Any
) -> None:
    script.answer(200, instance("/own", POOL.upper()))
    script.answer(200, instance())
    await traffic.join(SET, VM, [PoolMembership("guid-3", CONFIGURATION, (POOL.lower(), "/third"))])
    path = f"{ARM}{SET_ID}/virtualMachines/3{COMPUTE}"
    assert script.lines == [f"GET {path}", f"PUT {path}"]
    assert pools_sent(sent(script)) == ["/own", POOL.upper(), "/third"]


def two_cards(*pools: str) -> dict[str, Any]:
    """An instance with two interfaces, of which each has an IP configuration ``ip``."""
    body = instance()
    card = body["properties"]["networkProfileConfiguration"]["networkInterfaceConfigurations"][0]
    cards = [json.loads(json.dumps(card)) | {"name": name} for name in ("web", "admin")]
    for each, pool in zip(cards, pools, strict=False):
        each["properties"]["ipConfigurations"][0]["properties"]["loadBalancerBackendAddressPools"] = [{"id": pool}]
    body["properties"]["networkProfileConfiguration"]["networkInterfaceConfigurations"] = cards
    return body


def gateways_sent(body: Any) -> list[list[str]]:
    cards = body["properties"]["networkProfileConfiguration"]["networkInterfaceConfigurations"]
    properties = [card["properties"]["ipConfigurations"][0]["properties"] for card in cards]
    return [[pool["id"] for pool in each.get("applicationGatewayBackendAddressPools") or ()] for each in properties]


async def test_ip_configurations_of_one_name_are_told_apart_by_their_interface(
    traffic: ArmTraffic, script: Any
) -> None:
    script.answer(200, two_cards())
    script.answer(200, two_cards())
    admin = CONFIGURATION.replace("/networkinterfaces/web/", "/networkinterfaces/admin/")
    places = [
        PoolMembership("guid-3", CONFIGURATION, (GATEWAY_POOL,)),
        PoolMembership("guid-3", admin, (f"{GATEWAY_POOL}-admin",)),
    ]
    await traffic.join(SET, VM, places)
    assert gateways_sent(sent(script)) == [[GATEWAY_POOL], [f"{GATEWAY_POOL}-admin"]]


async def test_interface_of_a_flexible_vm_that_has_nothing_to_change_is_not_read(
    traffic: ArmTraffic, script: Any
) -> None:
    vm = replace(FLEXIBLE_VM, network_interfaces=(f"{NETWORK}/networkInterfaces/admin-1a2b", FLEXIBLE_INTERFACE))
    script.answer(200, interface(FLEXIBLE_INTERFACE, POOL))
    script.answer(200, interface(FLEXIBLE_INTERFACE, POOL))
    await traffic.join(FLEXIBLE_SET, vm, [FLEXIBLE_PLACE])
    path = f"{ARM}{FLEXIBLE_INTERFACE}{CURRENT}"
    assert script.lines == [f"GET {path}", f"PUT {path}"]
    assert sent(script) == interface(FLEXIBLE_INTERFACE, POOL, gateways=(GATEWAY_POOL.lower(),))


async def test_one_of_two_members_that_a_pool_does_not_list_is_told(traffic: ArmTraffic, script: Any) -> None:
    script.answer(200, balancer())
    script.answer(200, pool(None))
    with pytest.raises(Refused, match="does not list 1"):
        await traffic.set_state(POOL.lower(), {CONFIGURATION, f"{CONFIGURATION}-2"}, AdminState.DOWN)


async def test_pools_that_balancers_do_not_list_any_more_are_missing(traffic: ArmTraffic, script: Any) -> None:
    script.answer(404, {"error": {"code": "ResourceNotFound", "message": "gone"}})
    script.answer(200, {"properties": {"backendAddressPools": [{"id": POOL.upper()}]}})
    gone = {GATEWAY_POOL.lower(), f"{POOL}-2".lower()}
    assert await traffic.missing({POOL.lower(), *gone}) == gone
    assert script.lines == [f"GET {ARM}{GATEWAY.lower()}{CURRENT}", f"GET {ARM}{LB.lower()}{CURRENT}"]


async def test_nobody_is_down_in_a_pool_that_is_gone(traffic: ArmTraffic, script: Any) -> None:
    script.answer(200, interface(FLEXIBLE_INTERFACE, POOL))
    script.answer(404, {"error": {"code": "ResourceNotFound", "message": "gone"}})
    (found,) = await traffic.read(FLEXIBLE_SET, [FLEXIBLE_VM])
    assert not found.down


def health(state: Any, **given: Any) -> dict[str, Any]:
    address = {"ipAddress": "10.0.0.7", "networkInterfaceIPConfigurationId": "/NIC/ip", "state": state, "reason": "why"}
    return {"up": 1, "down": 0, "loadBalancerBackendAddresses": [address | given]}


@pytest.mark.parametrize("configuration", ["/NIC/ip", {"id": "/NIC/ip"}], ids=["as declared", "as an object"])
async def test_rule_that_answers_at_once_is_read_at_once(traffic: ArmTraffic, script: Any, configuration: Any) -> None:
    script.answer(200, balancer())
    script.answer(200, health("Up", networkInterfaceIPConfigurationId=configuration))
    probe = await traffic.probe(HealthCheckType.LOAD_BALANCER, [POOL, GATEWAY_POOL], [])
    assert script.lines == [f"GET {ARM}{LB.lower()}{CURRENT}", f"POST {ARM}{RULE}/health{CURRENT}"]
    assert probe == Probe((BackendServer("/nic/ip", "10.0.0.7", "Up", "why"),))


async def test_rule_of_another_pool_is_not_asked(traffic: ArmTraffic, script: Any) -> None:
    script.answer(200, balancer(backendAddressPool={"id": f"{LB}/backendAddressPools/other"}))
    assert await traffic.probe(HealthCheckType.LOAD_BALANCER, [POOL], []) == Probe(())


GATEWAY_ASKED = PendingAnswer(GATEWAY.lower(), OPERATION)


async def test_gateway_is_asked_and_its_answer_left_for_the_next_look(traffic: ArmTraffic, script: Any) -> None:
    script.answer(202, b"null", location=f"https://elsewhere.example{OPERATION}", retry_after="10")
    probe = await traffic.probe(HealthCheckType.APPLICATION_GATEWAY, [POOL, GATEWAY_POOL], [])
    assert script.lines == [f"POST {ARM}{GATEWAY.lower()}/backendhealth{CURRENT}"]
    assert probe == Probe(None, (GATEWAY_ASKED,))


async def test_answer_is_read_where_it_was_left_and_asked_for_again(traffic: ArmTraffic, script: Any) -> None:
    servers = [
        {"address": "10.0.0.7", "ipConfiguration": {"id": "/NIC/ip"}, "health": "Unhealthy", "healthProbeLog": "503"},
        {"address": "10.0.0.8", "health": "Healthy"},
    ]
    pools = [
        {"backendAddressPool": {"id": each}, "backendHttpSettingsCollection": [{"servers": servers}]}
        for each in (GATEWAY_POOL, f"{GATEWAY}/backendAddressPools/other")
    ]
    script.answer(200, {"backendAddressPools": pools})
    script.answer(202, b"null", location=f"{ARM}{OPERATION}")
    probe = await traffic.probe(HealthCheckType.APPLICATION_GATEWAY, [GATEWAY_POOL], [GATEWAY_ASKED])
    assert script.lines[0] == f"GET {ARM}{OPERATION}"
    expected = (BackendServer("/nic/ip", "10.0.0.7", "Unhealthy", "503"), BackendServer("", "10.0.0.8", "Healthy"))
    assert probe == Probe(expected, (GATEWAY_ASKED,))


async def test_answer_that_is_outstanding_is_not_asked_for_again(traffic: ArmTraffic, script: Any) -> None:
    script.answer(202, b"")
    probe = await traffic.probe(HealthCheckType.APPLICATION_GATEWAY, [GATEWAY_POOL], [GATEWAY_ASKED])
    assert (probe, len(script.requests)) == (Probe(None, (GATEWAY_ASKED,)), 1)


@pytest.mark.parametrize("status", [404, 400])
async def test_question_that_azure_has_forgotten_is_asked_again(traffic: ArmTraffic, script: Any, status: int) -> None:
    script.answer(status, {"error": {"code": "NotFound", "message": "expired"}})
    script.answer(202, b"null", location=f"{ARM}{OPERATION}2")
    probe = await traffic.probe(HealthCheckType.APPLICATION_GATEWAY, [GATEWAY_POOL], [GATEWAY_ASKED])
    assert probe == Probe(None, (PendingAnswer(GATEWAY.lower(), f"{OPERATION}2"),))


def gateway(enabled: bool = True) -> dict[str, Any]:
    """A gateway that drains pool web for 60 s by one path and 300 s by another, and another pool for an hour."""

    def settings(name: str, seconds: int) -> dict[str, Any]:
        draining = {"enabled": enabled, "drainTimeoutInSec": seconds}
        return {"id": f"{GATEWAY}/backendHttpSettingsCollection/{name}", "properties": {"connectionDraining": draining}}

    def route(name: str, pool_id: str, default: bool = False) -> dict[str, Any]:
        pool_key, settings_key = (
            ("defaultBackendAddressPool", "defaultBackendHttpSettings")
            if default
            else ("backendAddressPool", "backendHttpSettings")
        )
        identifier = f"{GATEWAY}/backendHttpSettingsCollection/{name}".upper()
        return {pool_key: {"id": pool_id}, settings_key: {"id": identifier}}

    other = f"{GATEWAY}/backendAddressPools/other"
    paths = route("hour", other, default=True) | {"pathRules": [{"properties": route("five", GATEWAY_POOL)}]}
    return {
        "properties": {
            "backendHttpSettingsCollection": [settings("one", 60), settings("five", 300), settings("hour", 3600)],
            "requestRoutingRules": [{"properties": route("one", GATEWAY_POOL)}, {"properties": {"urlPathMap": {}}}],
            "urlPathMaps": [{"properties": paths}],
        }
    }


@pytest.mark.parametrize(("enabled", "seconds"), [(True, 300), (False, 0)])
async def test_gateway_drains_as_long_as_the_longest_of_the_settings_that_lead_to_the_pool(
    traffic: ArmTraffic, script: Any, enabled: bool, seconds: int
) -> None:
    script.answer(200, gateway(enabled))
    assert await traffic.draining_time([POOL, GATEWAY_POOL]) == timedelta(seconds=seconds)
    assert script.lines == [f"GET {ARM}{GATEWAY.lower()}{CURRENT}"]


async def test_without_a_gateway_nothing_is_asked(traffic: ArmTraffic, script: Any) -> None:
    assert await traffic.draining_time([POOL]) == timedelta(0)
    assert script.requests == []


def test_requests_are_those_of_the_network_sdk() -> None:
    names = ("demo", "lb", "http", "5ab3")
    built = [
        sdk.build_load_balancers_get_request("demo", "lb", "5ab3"),
        sdk.build_load_balancer_load_balancing_rules_health_request(*names),
        sdk.build_application_gateways_backend_health_request("demo", "gw", "5ab3"),
        sdk.build_network_interfaces_list_virtual_machine_scale_set_network_interfaces_request("demo", "web", "5ab3"),
    ]
    assert [f"{request.method} {request.url}".lower() for request in built] == [
        f"GET {LB}{CURRENT}".lower(),
        f"POST {RULE}/health{CURRENT}".lower(),
        f"POST {GATEWAY}/backendhealth{CURRENT}".lower(),
        f"GET {SET_ID}/networkInterfaces?api-version={SCALE_SET_INTERFACES_API_VERSION}".lower(),
    ]
