"""Network interfaces, load balancers and application gateways on the wire."""

import ipaddress
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import Fault, World
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]


@pytest.fixture
def cloud(networked: Callable[..., World], clock: PlatformClock) -> Cloud:
    """``web`` behind the load balancer ``lb``, ``api`` behind it and the gateway ``api-gw``."""
    return Cloud(networked(), clock)


@pytest.fixture
def pool(network: str) -> str:
    """The load balancer's pool of ``web``."""
    return f"{network}/loadBalancers/lb/backendAddressPools/web"


async def nic_of(ask: Ask, cloud: Cloud, network: str, api: str) -> Any:
    """The interface of a VM of ``api``."""
    name = cloud.scale_set(api).active()[0].name
    return (await ask(cloud, "GET", f"{network}/networkInterfaces/api-{name.partition('_')[2]}")).json()


def pools_of(nic: Any) -> set[str]:
    fields = ("loadBalancerBackendAddressPools", "applicationGatewayBackendAddressPools")
    [configuration] = nic["properties"]["ipConfigurations"]
    return {pool["id"] for name in fields for pool in configuration["properties"].get(name, [])}


def without_pools(nic: Any) -> Any:
    [configuration] = nic["properties"]["ipConfigurations"]
    for name in ("loadBalancerBackendAddressPools", "applicationGatewayBackendAddressPools"):
        configuration["properties"].pop(name, None)
    return nic


async def answer_of(ask: Ask, cloud: Cloud, path: str) -> Any:
    """What a POST that only asks comes to."""
    accepted = await ask(cloud, "POST", path)
    assert accepted.status == 202
    assert (await ask(cloud, "GET", accepted.headers["location"])).status == 202
    await cloud.clock.sleep(timedelta(seconds=int(accepted.headers["retry-after"])))
    answer = await ask(cloud, "GET", accepted.headers["location"])
    assert answer.status == 200
    return answer.json()


@pytest.mark.parametrize("version", ["2018-10-01", "2026-03-01"])
async def test_a_uniform_set_s_interfaces_are_below_its_vms(
    ask: Ask, cloud: Cloud, web: str, pool: str, version: str
) -> None:
    listed = (await ask(cloud, "GET", f"{web}/networkInterfaces?api-version={version}")).json()["value"]
    assert len(listed) == 10
    [of_one] = (await ask(cloud, "GET", f"{web}/virtualMachines/3/networkInterfaces")).json()["value"]
    assert of_one == listed[3]
    assert of_one["properties"]["virtualMachine"]["id"] == f"{web}/virtualMachines/3"
    assert pools_of(of_one) == {pool}
    assert (await ask(cloud, "GET", of_one["id"])).json() == of_one
    assert (await ask(cloud, "GET", f"{web}/virtualMachines/3/networkInterfaces/other")).status == 404


async def test_every_interface_has_an_address_of_its_own(
    ask: Ask, cloud: Cloud, web: str, network: str, api: str
) -> None:
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})
    nics = (await ask(cloud, "GET", f"{web}/networkInterfaces")).json()["value"]
    nics += (await ask(cloud, "GET", f"{network}/networkInterfaces")).json()["value"]
    addresses = [nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] for nic in nics]
    assert len(set(addresses)) == 18
    assert all(ipaddress.ip_address(address) in ipaddress.ip_network("10.0.0.0/16") for address in addresses)


async def test_an_address_may_be_given_again(ask: Ask, cloud: Cloud, web: str) -> None:
    freed = set(cloud.scale_set(web).instances[3].addresses.values())
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["3"]})
    await cloud.clock.sleep(timedelta(minutes=1))
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 10}})
    [new] = [vm for vm in cloud.scale_set(web).active() if vm.provisioning_state == "Creating"]
    assert set(new.addresses.values()) == freed


async def test_an_interface_is_written_at_once_and_only_in_the_version_named(
    ask: Ask, cloud: Cloud, network: str, api: str
) -> None:
    nic = await nic_of(ask, cloud, network, api)
    assert len(pools_of(nic)) == 2
    written = await ask(cloud, "PUT", nic["id"], without_pools(nic), if_match=nic["etag"])
    assert (written.status, written.json()["properties"]["provisioningState"]) == (200, "Succeeded")
    assert "azure-asyncoperation" not in written.headers
    now = (await ask(cloud, "GET", nic["id"])).json()
    assert (pools_of(now), now["etag"] == nic["etag"]) == (set(), False)
    refused = await ask(cloud, "PUT", nic["id"], nic, if_match=nic["etag"])
    error = refused.json()["error"]
    assert (refused.status, error["code"]) == (412, "PreconditionFailed")
    assert error["details"][0]["code"] == "PreconditionFailedEtagMismatch"


async def test_an_interface_of_a_vm_that_comes_or_goes_is_busy(ask: Ask, cloud: Cloud, network: str, api: str) -> None:
    nic = await nic_of(ask, cloud, network, api)
    await ask(cloud, "DELETE", nic["properties"]["virtualMachine"]["id"])
    refused = await ask(cloud, "PUT", nic["id"], nic)
    assert (refused.status, refused.json()["error"]["code"]) == (429, "RetryableErrorDueToAnotherOperation")
    await cloud.clock.sleep(timedelta(minutes=1))
    assert (await ask(cloud, "PUT", nic["id"], nic)).status == 404


async def test_an_update_of_a_uniform_vm_takes_it_out_and_its_model_does_not_bring_it_back(
    ask: Ask, cloud: Cloud, web: str, pool: str
) -> None:
    path = f"{web}/virtualMachines/2"
    vm = (await ask(cloud, "GET", path)).json()
    network = vm["properties"]["networkProfileConfiguration"]
    [configuration] = network["networkInterfaceConfigurations"][0]["properties"]["ipConfigurations"]
    del configuration["properties"]["loadBalancerBackendAddressPools"]
    body = {"location": vm["location"], "properties": {"networkProfileConfiguration": network}}
    answer = await ask(cloud, "PUT", path, body, if_match=vm["etag"])
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (200, "Updating")
    assert answer.headers["azure-asyncoperation"]
    assert (await ask(cloud, "PUT", path, body, if_match=vm["etag"])).status == 412
    await ask(cloud, "PATCH", web, {"properties": {"virtualMachineProfile": {"priority": "Regular"}}})
    await cloud.clock.sleep(timedelta(minutes=1))
    members = (await ask(cloud, "GET", pool)).json()["properties"]["backendIPConfigurations"]
    assert len(members) == 9
    await ask(cloud, "POST", f"{web}/manualupgrade", {"instanceIds": ["2"]})
    members = (await ask(cloud, "GET", pool)).json()["properties"]["backendIPConfigurations"]
    assert len(members) == 10


async def test_a_load_balancer_shows_pools_rules_and_probe(ask: Ask, cloud: Cloud, network: str, web: str) -> None:
    body = (await ask(cloud, "GET", f"{network}/loadBalancers/lb")).json()
    properties = body["properties"]
    assert [len(pool["properties"]["loadBalancerBackendAddresses"]) for pool in properties["backendAddressPools"]] == [
        10,
        6,
    ]
    rule, probe = properties["loadBalancingRules"][0], properties["probes"][0]
    assert rule["properties"]["probe"]["id"] == probe["id"]
    assert rule["properties"]["backendAddressPool"]["id"] == properties["backendAddressPools"][0]["id"]
    [listed] = (await ask(cloud, "GET", f"{network}/loadBalancers")).json()["value"]
    assert listed == body
    address = properties["backendAddressPools"][0]["properties"]["loadBalancerBackendAddresses"][0]
    assert address["properties"]["networkInterfaceIPConfiguration"]["id"].startswith(f"{web}/virtualMachines/0/")


async def set_down(ask: Ask, cloud: Cloud, pool: str, *indexes: int, **headers: str) -> ArmResponse:
    body = (await ask(cloud, "GET", pool)).json()
    for index in indexes:
        body["properties"]["loadBalancerBackendAddresses"][index]["properties"]["adminState"] = "Down"
    return await ask(cloud, "PUT", pool, body, **headers)


async def test_a_pool_write_sets_the_state_of_members_and_is_an_operation(ask: Ask, cloud: Cloud, pool: str) -> None:
    answer = await set_down(ask, cloud, pool, 1, 4)
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (200, "Updating")
    poll = answer.headers["azure-asyncoperation"]
    assert (await ask(cloud, "GET", poll)).json() == {"status": "InProgress"}
    await cloud.clock.sleep(timedelta(seconds=10))
    assert (await ask(cloud, "GET", poll)).json() == {"status": "Succeeded"}
    body = (await ask(cloud, "GET", pool)).json()
    states = [item["properties"].get("adminState") for item in body["properties"]["loadBalancerBackendAddresses"]]
    assert states == [None, "Down", None, None, "Down", *[None] * 5]


async def test_a_write_of_a_load_balancer_at_work_is_to_be_tried_again(ask: Ask, cloud: Cloud, pool: str) -> None:
    assert (await set_down(ask, cloud, pool, 1)).status == 200
    refused = await set_down(ask, cloud, pool, 2)
    assert (refused.status, refused.json()["error"]["code"]) == (429, "RetryableErrorDueToAnotherOperation")
    assert refused.headers["retry-after"] == "10"


async def test_a_later_write_may_supersede_the_earlier(
    ask: Ask, clock: PlatformClock, networked: Any, pool: str
) -> None:
    cloud = Cloud(networked(platform={"concurrentWrites": "preempt"}), clock)
    first = await set_down(ask, cloud, pool, 1)
    assert (await set_down(ask, cloud, pool, 1, 2)).status == 200
    ended = (await ask(cloud, "GET", first.headers["azure-asyncoperation"])).json()
    assert (ended["status"], ended["error"]["code"]) == ("Canceled", "CanceledAndSupersededDueToAnotherOperation")


async def test_a_pool_write_is_refused_while_an_interface_in_it_has_failed(
    ask: Ask, cloud: Cloud, pool: str, web: str
) -> None:
    cloud.interfere.fail_interface(web, "web_7")
    [nic] = (await ask(cloud, "GET", f"{web}/virtualMachines/7/networkInterfaces")).json()["value"]
    assert nic["properties"]["provisioningState"] == "Failed"
    refused = await set_down(ask, cloud, pool, 1)
    assert (refused.status, refused.json()["error"]["code"]) == (409, "ReferencedResourceNotProvisioned")
    cloud.interfere.fail_interface(web, "web_7", failed=False)
    assert (await set_down(ask, cloud, pool, 1)).status == 200


async def test_a_pool_write_neither_adds_nor_drops_members(ask: Ask, cloud: Cloud, pool: str, web: str) -> None:
    stale = (await ask(cloud, "GET", pool)).json()
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    refused = await ask(cloud, "PUT", pool, stale)
    code = "ModificationOfNICIpConfigBackendPoolNotSupported"
    assert (refused.status, refused.json()["error"]["code"]) == (400, code)
    assert (await ask(cloud, "PUT", pool, stale, if_match=stale["etag"])).status == 412
    unknown = (await ask(cloud, "GET", pool)).json()
    unknown["properties"]["loadBalancerBackendAddresses"][0]["properties"]["adminState"] = "Off"
    assert (await ask(cloud, "PUT", pool, unknown)).status == 400


async def test_the_admin_state_may_be_out_of_bounds(ask: Ask, clock: PlatformClock, networked: Any, pool: str) -> None:
    cloud = Cloud(networked(balancer={"adminState": "never"}), clock)
    refused = await set_down(ask, cloud, pool, 1)
    code = "ModificationOfNICIpConfigBackendPoolNotSupported"
    assert (refused.status, refused.json()["error"]["code"]) == (400, code)
    assert (await set_down(ask, cloud, pool)).status == 200


async def test_a_vm_that_is_gone_leaves_no_state_to_its_successor(ask: Ask, cloud: Cloud, pool: str, web: str) -> None:
    await set_down(ask, cloud, pool, 0)
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["0"]})
    await cloud.clock.sleep(timedelta(minutes=1))
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 10}})
    addresses = (await ask(cloud, "GET", pool)).json()["properties"]["loadBalancerBackendAddresses"]
    assert len(addresses) == 10
    assert not any("adminState" in address["properties"] for address in addresses)


@pytest.mark.parametrize("style", ["accepted", "atOnce"])
async def test_the_health_behind_a_rule_is_the_probe_s_word_or_the_admin_state(
    ask: Ask, clock: PlatformClock, networked: Any, network: str, web: str, pool: str, style: str
) -> None:
    cloud = Cloud(networked(balancer={"healthAnswers": style}), clock)
    cloud.interfere.sicken(web, "web_5")
    await clock.sleep(timedelta(seconds=10))
    await set_down(ask, cloud, pool, 2)
    path = f"{network}/loadBalancers/lb/loadBalancingRules/web/health"
    if style == "atOnce":
        answer = await ask(cloud, "POST", path)
        assert answer.status == 200
        health = answer.json()
    else:
        health = await answer_of(ask, cloud, path)
    reasons = [(address["state"], address["reason"]) for address in health["loadBalancerBackendAddresses"]]
    assert (health["up"], health["down"]) == (8, 2)
    assert reasons[2] == ("Down", "Down_Admin")
    assert reasons[5] == ("Down", "Down_Probe_HttpStatusCodeMismatch")
    assert reasons[0] == ("Up", "Up_Probe_Success")
    assert health["loadBalancerBackendAddresses"][0]["networkInterfaceIPConfigurationId"].startswith(f"{web}/virtual")


async def test_what_a_load_balancer_does_not_have_is_not_found(ask: Ask, cloud: Cloud, network: str) -> None:
    balancer = f"{network}/loadBalancers"
    assert (await ask(cloud, "GET", f"{balancer}/other")).json()["error"]["code"] == "ResourceNotFound"
    assert (await ask(cloud, "GET", f"{balancer}/lb/backendAddressPools/other")).status == 404
    assert (await ask(cloud, "POST", f"{balancer}/lb/loadBalancingRules/other/health")).status == 404
    assert (await ask(cloud, "GET", f"{network}/applicationGateways/other")).status == 404


async def test_a_gateway_shows_its_members_and_how_long_it_drains(ask: Ask, cloud: Cloud, network: str) -> None:
    body = (await ask(cloud, "GET", f"{network}/applicationGateways/api-gw")).json()["properties"]
    assert len(body["backendAddressPools"][0]["properties"]["backendIPConfigurations"]) == 6
    [settings] = body["backendHttpSettingsCollection"]
    assert settings["properties"]["connectionDraining"] == {"enabled": True, "drainTimeoutInSec": 60}
    assert body["requestRoutingRules"][0]["properties"]["backendHttpSettings"]["id"] == settings["id"]


async def test_a_gateway_may_not_drain(ask: Ask, clock: PlatformClock, networked: Any, network: str) -> None:
    cloud = Cloud(networked(gateway={"drainTimeout": None}), clock)
    [listed] = (await ask(cloud, "GET", f"{network}/applicationGateways")).json()["value"]
    [settings] = listed["properties"]["backendHttpSettingsCollection"]
    assert settings["properties"]["connectionDraining"]["enabled"] is False


def servers_of(health: Any) -> list[Any]:
    [pool] = health["backendAddressPools"]
    [settings] = pool["backendHttpSettingsCollection"]
    return list(settings["servers"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [("recorded", ("Healthy", "Unhealthy")), ("documented", ("Up", "Down")), ("lowerCase", ("healthy", "unhealthy"))],
)
async def test_a_gateway_s_health_comes_later_in_the_words_of_the_world(
    ask: Ask, clock: PlatformClock, networked: Any, network: str, api: str, words: str, expected: tuple[str, str]
) -> None:
    cloud = Cloud(networked(gateway={"healthWords": words}), clock)
    vms = cloud.scale_set(api).active()
    cloud.interfere.sicken(api, vms[0].name)
    await clock.sleep(timedelta(seconds=30))
    accepted = await ask(cloud, "POST", f"{network}/applicationGateways/api-gw/backendhealth")
    assert (accepted.body, accepted.headers["retry-after"]) == (b"null", "10")
    servers = servers_of(await answer_of(ask, cloud, f"{network}/applicationGateways/api-gw/backendhealth"))
    by_address = {server["address"]: server for server in servers}
    [sick] = vms[0].addresses.values()
    assert sorted(server["health"] for server in servers) == sorted([expected[0]] * 5 + [expected[1]])
    assert by_address[sick]["health"] == expected[1]
    assert "503" in by_address[sick]["healthProbeLog"]
    assert by_address[sick]["ipConfiguration"]["id"].endswith("/ipConfigurations/api")


async def test_a_gateway_may_tell_servers_by_address_only_and_say_other_words(
    ask: Ask, clock: PlatformClock, networked: Any, network: str, api: str
) -> None:
    names = [vm.name for vm in Cloud(networked(), clock).scale_set(api).active()]
    odd = dict(zip(names, ("Partial", "Draining", "Unknown"), strict=False))
    cloud = Cloud(networked(gateway={"namesInterfaces": False, "healthOverrides": odd}), clock)
    servers = servers_of(await answer_of(ask, cloud, f"{network}/applicationGateways/api-gw/backendhealth"))
    assert not any("ipConfiguration" in server for server in servers)
    assert {"Partial", "Draining", "Unknown", "Healthy"} == {server["health"] for server in servers}


def names_in(body: Any) -> set[str]:
    """The names of all fields of a body, at whatever depth."""
    if isinstance(body, list):
        return {name for item in body for name in names_in(item)}
    return (
        set(body) | {name for value in body.values() for name in names_in(value)} if isinstance(body, dict) else set()
    )


async def test_bodies_have_the_fields_that_azure_was_recorded_to_answer(
    ask: Ask, cloud: Cloud, network: str, web: str
) -> None:
    nics = (await ask(cloud, "GET", f"{web}/networkInterfaces")).json()
    recorded = "name id etag provisioningState resourceGuid ipConfigurations privateIPAddress subnet primary"
    recorded += " privateIPAllocationMethod privateIPAddressVersion loadBalancerBackendAddressPools dnsSettings"
    recorded += " dnsServers appliedDnsServers enableAcceleratedNetworking enableIPForwarding virtualMachine"
    assert names_in(nics) >= {*recorded.split(), "hostedWorkloads", "tapConfigurations"}
    pool = (await ask(cloud, "GET", f"{network}/loadBalancers/lb/backendAddressPools/web")).json()
    assert pool.keys() == {"name", "id", "etag", "properties", "type"}
    health = await answer_of(ask, cloud, f"{network}/applicationGateways/api-gw/backendhealth")
    of_server = {"servers", "address", "ipConfiguration", "health", "healthProbeLog"}
    of_pool = {"backendAddressPools", "backendAddressPool", "backendHttpSettingsCollection", "backendHttpSettings"}
    assert names_in(health) == {"id", *of_server, *of_pool}


async def test_questions_are_no_writes(ask: Ask, cloud: Cloud, network: str) -> None:
    await ask(cloud, "POST", f"{network}/applicationGateways/api-gw/backendhealth")
    await ask(cloud, "POST", f"{network}/loadBalancers/lb/loadBalancingRules/web/health")
    assert cloud.audit == []


async def test_the_fault_script_reaches_the_network(ask: Ask, cloud: Cloud, pool: str) -> None:
    error = {"code": "CanceledAndSupersededDueToAnotherOperation", "message": "superseded"}
    cloud.faults.add(Fault(path="/backendAddressPools/", operation_status="Failed", operation_error=error))
    answer = await set_down(ask, cloud, pool, 1)
    await cloud.clock.sleep(timedelta(seconds=10))
    ended = (await ask(cloud, "GET", answer.headers["azure-asyncoperation"])).json()
    assert ended == {"status": "Failed", "error": error}


async def test_the_network_provider_s_buckets_are_shared_and_reported(ask: Ask, cloud: Cloud, network: str) -> None:
    for left in (9999, 9998):
        answer = await ask(cloud, "GET", f"{network}/loadBalancers/lb")
        assert answer.headers["x-ms-ratelimit-remaining-subscription-global-reads"] == str(left)
