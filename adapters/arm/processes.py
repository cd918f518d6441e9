"""``rollout.ports.azure.Processes``, what changes a set by itself: settings of its model, its repairs, autoscale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from adapters.arm.autoscale import AutoscaleSettings
from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.pages import VM_API_VERSION, read_json
from adapters.arm.resource_ids import ScaleSetId
from adapters.arm.updates import update_scale_set
from rollout.holds.moves import is_service
from rollout.model.azure.scale_set import OrchestrationMode, ScaleSet
from rollout.model.codec import Json
from rollout.model.rows.holds import MANUAL, SERVICE_STATE, SUSPENDED, ZONE_REBALANCING, HoldKind, Process
from rollout.ports.errors import Refused

#: The service of a Uniform set that replaces unhealthy VMs.
REPAIRS_SERVICE = "AutomaticRepairs"

#: Where in the set's properties each kind is that is patched; overprovisioning is a field of the properties itself.
_POLICIES: Mapping[HoldKind, str] = {
    HoldKind.REPAIRS: "automaticRepairsPolicy",
    HoldKind.ZONE_REBALANCE: "resiliencyPolicy",
    HoldKind.SCALE_IN_POLICY: "scaleInPolicy",
    HoldKind.UPGRADE_MODE: "upgradePolicy",
}

#: What Azure does where a policy, or this field of it, is left out.
_DEFAULTS: Mapping[HoldKind, Json] = {
    HoldKind.REPAIRS: {"enabled": False},
    HoldKind.ZONE_REBALANCE: {},
    HoldKind.SCALE_IN_POLICY: {"rules": ["Default"]},
    HoldKind.UPGRADE_MODE: {"mode": MANUAL},
}


class ArmProcesses:
    """The scale set's own settings, the state of its services, and the autoscale settings that have it as target."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients
        self._autoscale = AutoscaleSettings(clients)

    async def read(self, scale_set: ScaleSet) -> tuple[Process, ...]:
        """Everything, in two requests or three; what may not be read says so (``Process.unreadable``)."""
        body, _ = await read_json(self._clients, scale_set.id, _url(scale_set, ""))
        properties = body.get("properties") or {}
        own = [_read(kind, scale_set.id, properties) for kind in _POLICIES if kind is not HoldKind.REPAIRS]
        overprovision = {"overprovision": bool(properties.get("overprovision"))}
        own.append(Process(HoldKind.OVERPROVISION, scale_set.id, overprovision))
        repairs = await self._repairs(scale_set, properties)
        return (*await self._autoscale.of(scale_set), repairs, *own)

    async def write(self, scale_set: ScaleSet, processes: Sequence[Process]) -> None:
        """Autoscale settings by ``PUT``; of the set either one ``PATCH`` for all policies, or one service's state."""
        for process in processes:
            if process.kind is HoldKind.AUTOSCALE:
                await self._autoscale.write(process)
            elif is_service(process):
                await self._tell(scale_set, process.value[SERVICE_STATE])
        properties: Json = {}
        for process in processes:
            if process.kind in _POLICIES and not is_service(process):
                properties = {**_beside(process), **properties, _POLICIES[process.kind]: process.value}
            elif process.kind is HoldKind.OVERPROVISION:
                properties |= process.value
        if properties:
            await update_scale_set(self._clients, scale_set, {"properties": properties})

    async def _repairs(self, scale_set: ScaleSet, properties: Mapping[str, Any]) -> Process:
        """Of a Flexible set the policy; of a Uniform set the state of the service, which is in its instance view.

        https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-automatic-instance-repairs
        """
        policy = _policy(HoldKind.REPAIRS, scale_set.id, properties)
        if scale_set.mode is OrchestrationMode.FLEXIBLE:
            return policy
        if not policy.value["enabled"]:
            return Process(HoldKind.REPAIRS, scale_set.id, {SERVICE_STATE: "NotRunning"})
        try:
            view, _ = await read_json(self._clients, scale_set.id, _url(scale_set, "/instanceView"))
        except Refused as refused:
            why = f"{refused.code}: {refused.message}"
            return Process(HoldKind.REPAIRS, scale_set.id, {}, unreadable=why)
        states = {one.get("serviceName"): one.get("serviceState") for one in view.get("orchestrationServices") or ()}
        return Process(HoldKind.REPAIRS, scale_set.id, {SERVICE_STATE: states.get(REPAIRS_SERVICE) or "NotRunning"})

    async def _tell(self, scale_set: ScaleSet, state: str) -> None:
        """``POST …/setOrchestrationServiceState``, which takes no ``If-Match``."""
        parsed = ScaleSetId.parse(scale_set.id)
        action = "Suspend" if state == SUSPENDED else "Resume"
        with translated():
            await self._clients.of(scale_set.id).virtual_machine_scale_sets.begin_set_orchestration_service_state(
                parsed.resource_group,
                parsed.name,
                {"serviceName": REPAIRS_SERVICE, "action": action},
                polling=False,
            )


def _url(scale_set: ScaleSet, below: str) -> str:
    return f"{quote(scale_set.id, safe='/')}{below}?api-version={VM_API_VERSION}"


def _read(kind: HoldKind, scale_set_id: str, properties: Mapping[str, Any]) -> Process:
    """A policy; with zone rebalancing that of repairs, which Azure turns on with it unless the same write says no.

    https://learn.microsoft.com/azure/virtual-machine-scale-sets/auto-zone-balance-enable
    """
    policy = _policy(kind, scale_set_id, properties)
    if kind is not HoldKind.ZONE_REBALANCE:
        return policy
    repairs = _policy(HoldKind.REPAIRS, scale_set_id, properties).value
    return replace(policy, beside={_POLICIES[HoldKind.REPAIRS]: repairs})


def _beside(process: Process) -> Json:
    turned_on = (process.value.get(ZONE_REBALANCING) or {}).get("enabled")
    return process.beside if turned_on else {}


def _policy(kind: HoldKind, scale_set_id: str, properties: Mapping[str, Any]) -> Process:
    given = {name: value for name, value in (properties.get(_POLICIES[kind]) or {}).items() if value is not None}
    return Process(kind, scale_set_id, {**_DEFAULTS[kind], **given})
