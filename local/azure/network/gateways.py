"""Application gateways on the wire: read, and ask for the health of the servers behind them.

Shapes: network API 2026-03-01 (``azure.mgmt.network.models.ApplicationGateway``), and recorded answers: what the SDK
lists as ``Up`` and ``Down`` is ``Healthy`` and ``Unhealthy`` on the wire.
"""

from __future__ import annotations

import uuid
from http import HTTPStatus

from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import resource_not_found
from local.azure.arm.messages import ArmResponse, Json, json_response
from local.azure.network.interface_shape import etag_of
from local.azure.network.network import GATEWAY_TYPE, Member, Network, Pool
from local.azure.world.network import ApplicationGatewaySpec

#: The words for a server that is up and for one that is down.
_WORDS = {"recorded": ("Healthy", "Unhealthy"), "documented": ("Up", "Down"), "lowerCase": ("healthy", "unhealthy")}

_PROBE_LOGS = {
    True: "Success. Received 200 status code",
    False: "Received invalid status code: 503 in the backend server's HTTP response. As per the health probe "
    "configuration, 200-399 is the acceptable status code.",
}


def list_in_group(call: ArmCall) -> ArmResponse:
    """GET the gateways of a resource group."""
    return call.balancer_list(GATEWAY_TYPE, call.fabric.network.gateways, read)


def _gateway(call: ArmCall) -> tuple[str, ApplicationGatewaySpec]:
    found = call.fabric.network.gateways.get(call.balancer_id(GATEWAY_TYPE).lower())
    if found is None:
        raise resource_not_found(GATEWAY_TYPE, call.names["balancer"], call.names["group"])
    return found


def _pools(network: Network, identifier: str, spec: ApplicationGatewaySpec) -> list[Pool]:
    names = network.names_left(identifier, spec.pools)
    return [network.pools[f"{identifier}/backendAddressPools/{name}".lower()] for name in names]


def read(call: ArmCall) -> ArmResponse:
    """GET a gateway."""
    identifier, spec = _gateway(call)
    network = call.fabric.network
    pools = _pools(network, identifier, spec)
    members = {pool.id: network.members(pool) for pool in pools}
    etag = etag_of(identifier, *(member.vm.vm_id for everyone in members.values() for member in everyone))
    body: Json = {
        "name": spec.name,
        "id": identifier,
        "etag": etag,
        "type": GATEWAY_TYPE,
        "location": network.location,
        "tags": {},
        "properties": {
            "provisioningState": "Succeeded",
            "sku": {"name": "Standard_v2", "tier": "Standard_v2", "capacity": 2},
            "resourceGuid": str(uuid.uuid5(uuid.NAMESPACE_URL, identifier)),
            "operationalState": "Running",
            "backendAddressPools": [_pool_body(pool, members[pool.id], etag) for pool in pools],
            "backendHttpSettingsCollection": [_settings(identifier, spec, pool, etag) for pool in pools],
            "httpListeners": [],
            "requestRoutingRules": [_rule(identifier, pool, etag) for pool in pools],
            "probes": [_probe(identifier, etag)],
        },
    }
    return json_response(HTTPStatus.OK, body, {"etag": etag})


def _part(gateway_id: str, kind: str, name: str, etag: str, properties: Json) -> Json:
    identity = {"name": name, "id": f"{gateway_id}/{kind}/{name}", "etag": etag}
    return {
        **identity,
        "properties": {"provisioningState": "Succeeded", **properties},
        "type": f"{GATEWAY_TYPE}/{kind}",
    }


def _pool_body(pool: Pool, members: list[Member], etag: str) -> Json:
    properties: Json = {"backendAddresses": []}
    if members:
        properties["backendIPConfigurations"] = [{"id": member.configuration_id} for member in members]
    return _part(pool.balancer_id, "backendAddressPools", pool.name, etag, properties)


def _settings(gateway_id: str, spec: ApplicationGatewaySpec, pool: Pool, etag: str) -> Json:
    draining: Json = {"enabled": spec.drain_timeout is not None, "drainTimeoutInSec": 1}
    if spec.drain_timeout is not None:
        draining["drainTimeoutInSec"] = int(spec.drain_timeout.total_seconds())
    properties: Json = {
        "port": 80,
        "protocol": "Http",
        "cookieBasedAffinity": "Disabled",
        "connectionDraining": draining,
        "pickHostNameFromBackendAddress": False,
        "requestTimeout": 30,
        "probe": {"id": f"{gateway_id}/probes/health"},
    }
    return _part(gateway_id, "backendHttpSettingsCollection", pool.name, etag, properties)


def _rule(gateway_id: str, pool: Pool, etag: str) -> Json:
    properties: Json = {
        "ruleType": "Basic",
        "backendAddressPool": {"id": pool.id},
        "backendHttpSettings": {"id": f"{gateway_id}/backendHttpSettingsCollection/{pool.name}"},
    }
    return _part(gateway_id, "requestRoutingRules", pool.name, etag, properties)


def _probe(gateway_id: str, etag: str) -> Json:
    properties: Json = {
        "protocol": "Http",
        "path": "/health",
        "interval": 30,
        "timeout": 30,
        "unhealthyThreshold": 3,
        "pickHostNameFromBackendHttpSettings": True,
        "minServers": 0,
    }
    return _part(gateway_id, "probes", "health", etag, properties)


def health(call: ArmCall) -> ArmResponse:
    """POST …/backendhealth: 202 with the body ``null``, and ``Location``."""
    identifier, spec = _gateway(call)
    operation = call.operations.begin_network(
        f"{identifier}/health/{call.state.identifier()}",
        call.fabric.network.location,
        call.state.now + spec.health_time,
        call.fault,
        call.request.path,
    )
    headers = {"location": call.operation_url(operation, monitor=True), **call.operations.retry_after()}
    return json_response(HTTPStatus.ACCEPTED, None, headers)


def health_result(call: ArmCall) -> ArmResponse:
    """What the gateway's probes say of every server (``ApplicationGatewayBackendHealth``)."""
    identifier, spec = _gateway(call)
    network = call.fabric.network
    pools = [_health_of_pool(network, spec, pool) for pool in _pools(network, identifier, spec)]
    return json_response(HTTPStatus.OK, {"backendAddressPools": pools})


def _health_of_pool(network: Network, spec: ApplicationGatewaySpec, pool: Pool) -> Json:
    settings = f"{pool.balancer_id}/backendHttpSettingsCollection/{pool.name}"
    servers = [_server(network, spec, pool, member) for member in network.members(pool)]
    collection = [{"backendHttpSettings": {"id": settings}, "servers": servers}]
    return {"backendAddressPool": {"id": pool.id}, "backendHttpSettingsCollection": collection}


def _server(network: Network, spec: ApplicationGatewaySpec, pool: Pool, member: Member) -> Json:
    is_up = network.is_up(pool, member.vm)
    up, down = _WORDS[spec.health_words]
    server: Json = {"address": member.address}
    if spec.names_interfaces:
        server["ipConfiguration"] = {"id": member.configuration_id}
    word = spec.health_overrides.get(member.vm.name, up if is_up else down)
    return {**server, "health": word, "healthProbeLog": _PROBE_LOGS[is_up]}
