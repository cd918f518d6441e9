"""Load balancers on the wire: read, set the state of a pool's members, ask for the health behind a rule.

Shapes: network API 2026-03-01 (``azure.mgmt.network.models.LoadBalancer``). A pool has as its members the network
interfaces that name it; a write of the pool can set their ``adminState``
(https://learn.microsoft.com/azure/load-balancer/admin-state-overview), and cannot add or remove any.
"""

from __future__ import annotations

import uuid
from http import HTTPStatus

from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import (
    ArmError,
    interface_not_provisioned,
    invalid_content,
    network_busy,
    network_precondition_failed,
    pool_members_not_modifiable,
    resource_not_found,
)
from local.azure.arm.messages import ArmResponse, Json, json_response
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
    network = call.fabric.network
    etag = etag_of(identifier, network.etag(identifier))
    pools = [_pool(call, name) for name in network.names_left(identifier, spec.pools)]
    body: Json = {
        "name": spec.name,
        "id": identifier,
        "etag": etag,
        "type": LOAD_BALANCER_TYPE,
        "location": network.location,
        "properties": {
            "provisioningState": "Updating" if identifier.lower() in call.state.held else "Succeeded",
            "resourceGuid": str(uuid.uuid5(uuid.NAMESPACE_URL, identifier)),
            "frontendIPConfigurations": [_frontend(identifier, spec, etag)],
            "backendAddressPools": [_pool_body(call, pool) for pool in pools],
            "loadBalancingRules": [_rule(identifier, spec, pool, etag) for pool in pools],
            "probes": [_probe(identifier, etag)] if spec.probe else [],
            "inboundNatRules": [],
            "outboundRules": [],
            "inboundNatPools": [],
        },
        "sku": {"name": "Standard", "tier": "Regional"},
    }
    return json_response(HTTPStatus.OK, body, {"etag": etag})


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


def put_pool(call: ArmCall) -> ArmResponse:
    """PUT a backend pool: the ``adminState`` of each of its members, at once; no state given is ``None``."""
    _, spec = _balancer(call)
    pool = _pool(call, call.names["pool"])
    network = call.fabric.network
    members = network.members(pool)
    _check_pool_write(call, pool, members)
    wanted = _wanted_states(call, pool, members)
    current = {member.key: network.admin_state(pool, member) for member in members}
    if not spec.admin_state_allowed and wanted != current:
        raise pool_members_not_modifiable(pool.id)
    call.state.admin_states[pool.key] = {key: state for key, state in wanted.items() if state != "None"}
    network.touch(pool.balancer_id)
    for member in members:
        call.fabric.rewire(member.scale_set, member.vm)
    ends_at = call.state.now + call.world.platform.update_time
    operation = call.operations.begin_network(pool.balancer_id.lower(), network.location, ends_at, call.fault)
    return json_response(HTTPStatus.OK, _pool_body(call, pool), call.async_headers(operation))


def _check_pool_write(call: ArmCall, pool: Pool, members: list[Member]) -> None:
    given, etag = call.request.header("if-match"), _pool_etag(call.fabric.network, pool, members)
    if given is not None and given not in (etag, "*"):
        raise network_precondition_failed(given, etag, pool.id)
    call.operations.check_free(pool.balancer_id.lower(), lambda: network_busy(pool.balancer_id))
    if failed := next((member for member in members if member.vm.interface_failed), None):
        raise interface_not_provisioned(failed.interface_id, pool.id)


def _wanted_states(call: ArmCall, pool: Pool, members: list[Member]) -> dict[str, str]:
    """The admin state that the body gives each member, by IP configuration; it has to list them all, and no other."""
    properties = call.body().get("properties") or {}
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
