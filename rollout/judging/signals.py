"""Signals: what a VM says of itself, whether that is accepted, and what follows from it.

The meanings are those of Elastigroup's signals (github.com/spotinst/help,
``src/docs/elastigroup/features/compute/using-signals-in-elastigroups.md``):
``vmReady``, declared by the group, is one more source of a VM's health; ``vmReadyToShutdown``, declared, replaces the
draining timeout by the signal's own, and ends that VM's wait as soon as it comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from rollout.model.azure.health import Observation, VmHealth
from rollout.model.azure.scale_set import Vm
from rollout.model.codec import encode_time
from rollout.model.group import Group, SignalRule, SignalType
from rollout.model.rows.signals import Signal


class SignalObjection(StrEnum):
    """Why a signal is not accepted. The values are error codes of the API."""

    NOT_DECLARED = "signalNotDeclared"
    VM_NOT_FOUND = "vmNotFound"
    VM_REPLACED = "vmReplaced"


@dataclass(frozen=True)
class SignalVerdict:
    """Whether a signal is accepted: ``objection`` is ``None``; else it is the code, and ``words`` say why."""

    objection: SignalObjection | None = None
    words: str = ""


def accept(
    declared: Iterable[SignalRule], kind: SignalType, vm_name: str, vm: Vm | None, vm_id: str | None
) -> SignalVerdict:
    """Judge a signal from the VM that is called ``vm_name`` now, ``vm``; the sender says that it is ``vm_id``.

    Names of VMs are used again, so ``vm_id`` is what tells a VM from an earlier one of its name; ``None``: not said.
    """
    types = [rule.type for rule in declared]
    if kind not in types:
        words = f"the group declares {', '.join(types) or 'no signals'}, not {kind}"
        return SignalVerdict(SignalObjection.NOT_DECLARED, words)
    if vm is None:
        return SignalVerdict(SignalObjection.VM_NOT_FOUND, f"there is no VM {vm_name}")
    if vm_id is not None and vm.vm_id.lower() != vm_id.lower():
        return SignalVerdict(
            SignalObjection.VM_REPLACED, f"{vm_name} is VM {vm.vm_id} now; {vm_id} was an earlier VM of that name"
        )
    if vm.leaving:
        return SignalVerdict(SignalObjection.VM_NOT_FOUND, f"{vm_name} is being deleted")
    return SignalVerdict()


def addressed(groups: Iterable[Group], resource_group: str, vm_name: str) -> tuple[Group, ...]:
    """The groups whose scale set may have a VM of this name: the set's name, an underscore, and an instance id.

    Several where sets of one name are in resource groups of one name, in several subscriptions. ARM's names know no
    case.
    """
    scale_set = vm_name.rpartition("_")[0]
    end = f"/resourceGroups/{resource_group}/providers/Microsoft.Compute/virtualMachineScaleSets/{scale_set}".lower()
    return tuple(group for group in groups if group.scale_set_id.lower().endswith(end))


def observe_ready(rule: SignalRule, signal: Signal | None, waited: timedelta) -> Observation:
    """What ``vmReady`` says of a VM: healthy once received, unhealthy when its timeout was ``waited`` without it."""
    source = SignalType.VM_READY
    if signal is not None:
        return Observation(source, VmHealth.HEALTHY, f"received at {encode_time(signal.received_at)}")
    if waited < rule.timeout:
        return Observation(source, VmHealth.WAITING, "not received")
    seconds = round(rule.timeout.total_seconds())
    return Observation(source, VmHealth.UNHEALTHY, f"not received within {seconds} s")


@dataclass(frozen=True)
class DrainWait:
    """How long a detached VM is still to be left alone, and what is done meanwhile, in words that its name follows.

    It has ended where nothing remains.
    """

    remaining: timedelta
    reason: str

    @property
    def ended(self) -> bool:
        """Whether the VM may be deleted."""
        return self.remaining <= timedelta(0)


def wait_of(
    waited: timedelta, draining_timeout: timedelta, rule: SignalRule | None, signal: Signal | None
) -> DrainWait:
    """How a VM that was detached ``waited`` ago waits; ``rule`` and ``signal`` are those of ``vmReadyToShutdown``.

    Declared, the signal's timeout counts and the draining timeout does not, as with Elastigroup. A signal that came
    before the VM was detached counts as well: the VM had nothing left to do.
    """
    if rule is None:
        return DrainWait(draining_timeout - waited, "draining")
    if signal is not None:
        return DrainWait(timedelta(0), f"{rule.type} received")
    return DrainWait(rule.timeout - waited, f"waiting for {rule.type} from")
