"""The row of a signal, and what is declared of signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollout.model.group import SignalRule, SignalType


@dataclass(frozen=True)
class Signal:
    """One row of the signals table: the first signal of its type from one VM; those that repeat it change nothing."""

    vm_id: str
    vm_name: str
    type: SignalType
    received_at: datetime
    schema_version: int = 1


def rule_of(declared: Iterable[SignalRule], kind: SignalType) -> SignalRule | None:
    """How a type of signal is declared; ``None`` where it is not."""
    return next((rule for rule in declared if rule.type is kind), None)


def by_vm(signals: Iterable[Signal], kind: SignalType) -> Mapping[str, Signal]:
    """The signals of one type under the ``vm_id`` of their sender, in lower case: Azure does not keep its case."""
    return {signal.vm_id.lower(): signal for signal in signals if signal.type is kind}


def longest_wait(draining_timeout: timedelta, declared: Sequence[SignalRule]) -> timedelta:
    """How long detached VMs wait at most: a declared ``vmReadyToShutdown`` has a timeout of its own."""
    rule = rule_of(declared, SignalType.VM_READY_TO_SHUTDOWN)
    return draining_timeout if rule is None else rule.timeout


def certain_wait(draining_timeout: timedelta, declared: Sequence[SignalRule]) -> timedelta:
    """How long detached VMs wait at least: a declared ``vmReadyToShutdown`` may end it at once."""
    return draining_timeout if rule_of(declared, SignalType.VM_READY_TO_SHUTDOWN) is None else timedelta(0)
