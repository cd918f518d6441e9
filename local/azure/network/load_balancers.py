"""Load balancers on the wire: read, set the state of a pool's members, ask for the health behind a rule.

Shapes: network API 2026-03-01 (``azure.mgmt.network.models.LoadBalancer``). A pool has as its members the network
interfaces that name it; a write of the pool can set their ``adminState``
(https://learn.microsoft.com/azure/load-balancer/admin-state-overview), and cannot add or remove any.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from http import HTTPStatus

from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import (
    ArmError,
    interface_not_provisioned,
    invalid_content,
    network_busy,
    network_precondition_failed,
    not_simulated,
    pool_members_not_modifiable,
    resource_not_found,
)
from local.azure.arm.messages import ArmResponse, Json, json_response
from local.azure.arm.resources import LongRunningOperation
from local.azure.network.interface_shape import etag_of
from local.azure.network.network import LOAD_BALANCER_TYPE, Member, Network, Pool
from local.azure.world.network import LoadBalancerSpec

ADMIN_STATES = ("None", "Up", "Down")


def list_in_group(call: ArmCall) -> ArmResponse:
    """GET the load balancers of a resource group."""
    return call.balancer_list(LOAD_BALANCER_TYPE, call.fabric.network.load_balancers, read)


def _balancer(call: ArmCall) -> tuple[str, LoadBalancerSpec]:
    found = call.fabric.network.load_balancers.get(call.balancer_id(LOAD_BALANCER_TYPE).lower())
    if found is None:
        raise resource_not_found(LOAD_BALANCER_TYPE, call.names["balancer"], call.names["group"])
    return found


def _pool(call: ArmCall, name: str) -> Pool:
    balancer_id, _ = _balancer(call)
    pool = call.fabric.network.pools.get(f"{balancer_id}/backendAddressPools/{name}".lower())
    if pool is None:
        raise _part_not_found(call, f"backendAddressPools/{name}")
    return pool


def _part_not_found(call: ArmCall, part: str) -> ArmError:
    return resource_not_found(LOAD_BALANCER_TYPE, f"{call.names['balancer']}/{part}", call.names["group"])


def read(call: ArmCall) -> ArmResponse:
    """GET a load balancer with its pools and their members."""
    identifier, spec = _balancer(call)
    body = _body(call, identifier, spec)
    return json_response(HTTPStatus.OK, body, {"etag": body["etag"]})


def _body(call: ArmCall, identifier: str, spec: LoadBalancerSpec) -> Json:
    network = call.fabric.network
    pools = [_pool(call, name) for name in network.names_left(identifier, spec.pools)]
    # Its pools are parts of it: who joins or leaves one changes the balancer.
    bodies = [_pool_body(call, pool) for pool in pools]
    etag = etag_of(identifier, network.etag(identifier), *(each["etag"] for each in bodies))
    return {
        "name": spec.name,
        "id": identifier,
        "etag": etag,
        "type": LOAD_BALANCER_TYPE,
        "location": network.location,
        "properties": {
            "provisioningState": "Updating" if identifier.lower() in call.state.held else "Succeeded",
            "resourceGuid": str(uuid.uuid5(uuid.NAMESPACE_URL, identifier)),
            "frontendIPConfigurations": [_frontend(identifier, spec, etag)],
            "backendAddressPools": bodies,
            "loadBalancingRules": [_rule(identifier, spec, pool, etag) for pool in pools],
            "probes": [_probe(identifier, etag)] if spec.probe else [],
            "inboundNatRules": [_nat_rule(identifier, pool, etag) for pool in pools] if spec.inbound_nat else [],
            "outboundRules": [],
            "inboundNatPools": [],
        },
        "sku": {"name": "Standard", "tier": "Regional"},
    }


def _nat_rule(balancer_id: str, pool: Pool, etag: str) -> Json:
    properties = {
        "provisioningState": "Succeeded",
        "frontendIPConfiguration": {"id": f"{balancer_id}/frontendIPConfigurations/public"},
        "backendAddressPool": {"id": pool.id},
        "protocol": "Tcp",
        "frontendPortRangeStart": 50000,
        "frontendPortRangeEnd": 51000,
        "backendPort": 22,
        "enableFloatingIP": False,
        "idleTimeoutInMinutes": 4,
    }
    return _part(balancer_id, "inboundNatRules", f"ssh-{pool.name}", etag, properties)


def _frontend(balancer_id: str, spec: LoadBalancerSpec, etag: str) -> Json:
    address = f"{balancer_id.partition('/loadBalancers/')[0]}/publicIPAddresses/{spec.name}"
    properties = {
        "provisioningState": "Succeeded",
        "privateIPAllocationMethod": "Dynamic",
        "publicIPAddress": {"id": address},
    }
    return _part(balancer_id, "frontendIPConfigurations", "public", etag, properties)


def _rule(balancer_id: str, spec: LoadBalancerSpec, pool: Pool, etag: str) -> Json:
    properties: Json = {
        "provisioningState": "Succeeded",
        "frontendIPConfiguration": {"id": f"{balancer_id}/frontendIPConfigurations/public"},
        "backendAddressPool": {"id": pool.id},
        "backendAddressPools": [{"id": pool.id}],
        "protocol": "Tcp",
        "frontendPort": 80 + spec.pools.index(pool.name),
        "backendPort": 80,
        "idleTimeoutInMinutes": 4,
        "enableFloatingIP": False,
        "loadDistribution": "Default",
    }
    if spec.probe:
        properties["probe"] = {"id": f"{balancer_id}/probes/health"}
    return _part(balancer_id, "loadBalancingRules", pool.name, etag, properties)


def _probe(balancer_id: str, etag: str) -> Json:
    properties = {
        "provisioningState": "Succeeded",
        "protocol": "Http",
        "port": 80,
        "requestPath": "/health",
        "intervalInSeconds": 5,
        "numberOfProbes": 2,
    }
    return _part(balancer_id, "probes", "health", etag, properties)


def _part(balancer_id: str, kind: str, name: str, etag: str, properties: Json) -> Json:
    identity = {"name": name, "id": f"{balancer_id}/{kind}/{name}", "etag": etag}
    return {**identity, "properties": properties, "type": f"{LOAD_BALANCER_TYPE}/{kind}"}


def _pool_etag(network: Network, pool: Pool, members: list[Member]) -> str:
    states = [f"{member.key}={network.admin_state(pool, member)}" for member in members]
    return etag_of(pool.id, network.etag(pool.balancer_id), *states)


def _pool_body(call: ArmCall, pool: Pool) -> Json:
    network = call.fabric.network
    members = network.members(pool)
    etag = _pool_etag(network, pool, members)
    properties: Json = {
        "provisioningState": "Updating" if pool.balancer_id.lower() in call.state.held else "Succeeded",
        "loadBalancerBackendAddresses": [_address(network, pool, member) for member in members],
        "backendIPConfigurations": [{"id": member.configuration_id} for member in members],
        "loadBalancingRules": [{"id": f"{pool.balancer_id}/loadBalancingRules/{pool.name}"}],
    }
    return _part(pool.balancer_id, "backendAddressPools", pool.name, etag, properties)


def _address_name(member: Member) -> str:
    """A member's name in a pool: that Azure makes it from the interface's configuration is assumed."""
    *_, interface, _, configuration = member.configuration_id.split("/")
    return f"{member.vm.vm_id}{interface}{configuration}"


def _address(network: Network, pool: Pool, member: Member) -> Json:
    properties: Json = {"networkInterfaceIPConfiguration": {"id": member.configuration_id}}
    if (state := network.admin_state(pool, member)) != "None":
        properties["adminState"] = state
    return {"name": _address_name(member), "properties": properties}


def read_pool(call: ArmCall) -> ArmResponse:
    """GET a backend pool."""
    body = _pool_body(call, _pool(call, call.names["pool"]))
    return json_response(HTTPStatus.OK, body, {"etag": body["etag"]})


def put(call: ArmCall) -> ArmResponse:
    """PUT a load balancer as it is, but for the ``adminState`` of members of its pools, which is set at once.

    The answer says `Succeeded` while the operation goes on, as it was recorded (azure-sdk-for-go, armnetwork).
    """
    identifier, spec = _balancer(call)
    current, wanted = _body(call, identifier, spec), call.body()
    given = call.request.header("if-match")
    if given is not None and given not in (current["etag"], "*"):
        raise network_precondition_failed(given, current["etag"], identifier)
    if _stateless(wanted) != _stateless(current):
        raise not_simulated("changing more of a load balancer than the adminState of its pools' members")
    bodies = {body["name"]: body for body in wanted["properties"]["backendAddressPools"]}
    _set_states(call, identifier, bodies, is_allowed=spec.admin_state != "never")
    operation = _begin(call, identifier)
    body = _body(call, identifier, spec)
    body["properties"]["provisioningState"] = "Succeeded"
    return json_response(HTTPStatus.OK, body, call.async_headers(operation))


def _stateless(balancer: Json) -> Json:
    """What a write of a load balancer has to leave as it is."""
    properties = {**(balancer.get("properties") or {}), "provisioningState": None}
    pools = copy.deepcopy(properties.get("backendAddressPools") or [])
    for pool in pools:
        pool["properties"].pop("provisioningState", None)
        for address in pool["properties"].get("loadBalancerBackendAddresses") or []:
            address["properties"].pop("adminState", None)
    return {**balancer, "properties": {**properties, "backendAddressPools": pools}}


def put_pool(call: ArmCall) -> ArmResponse:
    """PUT a backend pool: the ``adminState`` of each of its members, at once; no state given is ``None``."""
    _, spec = _balancer(call)
    pool = _pool(call, call.names["pool"])
    given, etag = call.request.header("if-match"), _pool_body(call, pool)["etag"]
    if given is not None and given not in (etag, "*"):
        raise network_precondition_failed(given, etag, pool.id)
    _set_states(call, pool.balancer_id, {pool.name: call.body()}, is_allowed=spec.admin_state == "pool")
    operation = _begin(call, pool.balancer_id)
    return json_response(HTTPStatus.OK, _pool_body(call, pool), call.async_headers(operation))


def _begin(call: ArmCall, balancer_id: str) -> LongRunningOperation:
    network = call.fabric.network
    network.touch(balancer_id)
    ends_at = call.state.now + call.world.platform.update_time
    return call.operations.begin_network(balancer_id.lower(), network.location, ends_at, call.fault)


def _set_states(call: ArmCall, balancer_id: str, bodies: Mapping[str, Json], *, is_allowed: bool) -> None:
    """Set the states that pools' bodies say, of all of them or of none."""
    call.operations.check_free(balancer_id.lower(), lambda: network_busy(balancer_id))
    pools = [_pool(call, name) for name in bodies]
    wanted = {pool.key: _states(call, pool, bodies[pool.name], is_allowed=is_allowed) for pool in pools}
    for pool in pools:
        call.state.admin_states[pool.key] = {key: state for key, state in wanted[pool.key].items() if state != "None"}
        for member in call.fabric.network.members(pool):
            call.fabric.rewire(member.scale_set, member.vm)


def _states(call: ArmCall, pool: Pool, body: Json, *, is_allowed: bool) -> dict[str, str]:
    """The states that a pool's members are to have; that inbound NAT rules refuse them in this way is assumed."""
    members = call.fabric.network.members(pool)
    if failed := next((member for member in members if member.vm.interface_failed), None):
        raise interface_not_provisioned(failed.interface_id, pool.id)
    wanted = _wanted_states(body, pool, members)
    current = {member.key: call.fabric.network.admin_state(pool, member) for member in members}
    _, spec = _balancer(call)
    if wanted != current and (not is_allowed or spec.inbound_nat):
        raise pool_members_not_modifiable(pool.id)
    return wanted


def _wanted_states(body: Json, pool: Pool, members: list[Member]) -> dict[str, str]:
    """The admin state that the body gives each member, by IP configuration; it has to list them all, and no other."""
    properties = body.get("properties") or {}
    given = {str(item.get("name")): item for item in properties.get("loadBalancerBackendAddresses") or []}
    names = {_address_name(member): member.key for member in members}
    if given.keys() != names.keys():
        raise pool_members_not_modifiable(pool.id)
    wanted = {names[name]: (item.get("properties") or {}).get("adminState") or "None" for name, item in given.items()}
    if unknown := sorted(set(wanted.values()) - set(ADMIN_STATES)):
        raise invalid_content(f"'{unknown[0]}' is not an adminState: {', '.join(ADMIN_STATES)}.")
    return wanted


def health(call: ArmCall) -> ArmResponse:
    """POST …/health of a rule: 202 with ``Location``, or the result at once, as the world says."""
    identifier, spec = _balancer(call)
    _rule_pool(call)
    if spec.health_answers == "atOnce":
        return health_result(call)
    operation = call.operations.begin_network(
        f"{identifier}/health/{call.state.identifier()}",
        call.fabric.network.location,
        call.state.now + call.world.platform.update_time,
        call.fault,
        call.request.path,
    )
    headers = {"location": call.operation_url(operation, monitor=True), **call.operations.retry_after()}
    return ArmResponse(HTTPStatus.ACCEPTED, headers)


def _rule_pool(call: ArmCall) -> Pool:
    _, spec = _balancer(call)
    for name in spec.pools:
        if name.lower() == call.names["rule"].lower():
            return _pool(call, name)
    raise _part_not_found(call, f"loadBalancingRules/{call.names['rule']}")


def health_result(call: ArmCall) -> ArmResponse:
    """What a rule's probe says of each member of its pool (``LoadBalancerHealthPerRule``)."""
    pool = _rule_pool(call)
    network = call.fabric.network
    addresses = [_health_of(network, pool, member) for member in network.members(pool)]
    up = sum(1 for address in addresses if address["state"] == "Up")
    body = {"up": up, "down": len(addresses) - up, "loadBalancerBackendAddresses": addresses}
    return json_response(HTTPStatus.OK, body)


def _health_of(network: Network, pool: Pool, member: Member) -> Json:
    """https://learn.microsoft.com/azure/load-balancer/load-balancer-manage-health-status: states and reasons."""
    admin_state = network.admin_state(pool, member)
    is_up = admin_state == "Up" or (admin_state == "None" and network.is_up(pool, member.vm))
    if admin_state != "None":
        reason = f"{admin_state}_Admin"
    else:
        reason = "Up_Probe_Success" if is_up else "Down_Probe_HttpStatusCodeMismatch"
    return {
        "ipAddress": member.address,
        "networkInterfaceIPConfigurationId": member.configuration_id,
        "state": "Up" if is_up else "Down",
        "reason": reason,
    }
