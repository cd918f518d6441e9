"""VMs' own signals, for those who judge them and those who wait for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rollout.judging.signals import DrainWait, observe_ready, wait_of
from rollout.model.azure.health import Observation, observe
from rollout.model.azure.scale_set import Vm
from rollout.model.group import SignalRule, SignalType
from rollout.model.order import Order
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import VmRecord
from rollout.model.rows.signals import Signal, by_vm, rule_of
from rollout.ports.ports import Ports


async def observe_all(
    ports: Ports, order: Order, parameters: Parameters, vm_ids: Iterable[str], vms: Mapping[str, Vm]
) -> dict[str, tuple[Observation, ...]]:
    """What every source says of each of these VMs: the health checks, and ``vmReady`` where it is declared.

    ``vmReady`` is waited for from when Azure began to make the VM.
    """
    rule, received = await _received(ports, order, parameters, SignalType.VM_READY)
    seen: dict[str, tuple[Observation, ...]] = {}
    for vm_id in vm_ids:
        vm = vms.get(vm_id)
        seen[vm_id] = observe(vm, parameters.health_check_types)
        if rule is not None:
            created_at = (vm.created_at if vm else None) or order.since
            seen[vm_id] += (observe_ready(rule, received.get(vm_id.lower()), order.watched(created_at)),)
    return seen


async def waits_of(
    ports: Ports, order: Order, parameters: Parameters, detached: Sequence[VmRecord]
) -> dict[str, DrainWait]:
    """How long each detached VM is still to be left alone."""
    rule, received = await _received(ports, order, parameters, SignalType.VM_READY_TO_SHUTDOWN)
    return {
        record.vm_id: wait_of(
            order.watched(record.detached_at or order.since),
            parameters.draining_timeout,
            rule,
            received.get(record.vm_id.lower()),
        )
        for record in detached
    }


async def _received(
    ports: Ports, order: Order, parameters: Parameters, kind: SignalType
) -> tuple[SignalRule | None, Mapping[str, Signal]]:
    """How the deployment's group declared the signal, and who sent it; nothing is read where it is not declared."""
    rule = rule_of(parameters.signals, kind)
    if rule is None:
        return None, {}
    return rule, by_vm(await ports.store.signals.list(order.scale_set_id), kind)
