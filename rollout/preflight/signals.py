"""Check that signals that are waited for can come in time."""

from __future__ import annotations

from collections.abc import Iterator

from rollout.model.findings import Finding, warning
from rollout.model.group import Group, SignalType
from rollout.model.parameters import Parameters
from rollout.model.rows.signals import rule_of


def check_signals(parameters: Parameters) -> Iterator[Finding]:
    """A green VM may be waited for longer than its batch is."""
    rule = rule_of(parameters.signals, SignalType.VM_READY)
    if rule is not None and parameters.grace_period <= rule.timeout:
        yield warning(
            "gracePeriodTooShort",
            f"A VM may take {round(rule.timeout.total_seconds())} seconds to send {rule.type}, the grace period is "
            f"{round(parameters.grace_period.total_seconds())}: its batch is judged before that",
            "Give a gracePeriod that is longer than the signal's timeout, or the signal a shorter timeout",
            "gracePeriod",
        )


def check_signal_keys(group: Group, are_keyed: bool) -> Iterator[Finding]:
    """Whether the group's VMs are told from others; ``are_keyed``: they have to send a key of the group."""
    if group.signals and not are_keyed:
        yield warning(
            "signalsShareAKey",
            "Signals count from whoever has a key of the function signal_vm: VMs of other groups can send this group's",
            f"Set TEAL_SIGNAL_SECRET, and give the VMs the key of POST /api/groups/{group.id}/signalKey",
            "signals",
        )
