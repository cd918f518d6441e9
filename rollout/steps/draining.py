"""Draining: who of the VMs that are to go is taken out of the pools first, and since when each has been out of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from rollout.model.azure.pools import Membership, PoolMembership
from rollout.model.azure.scale_set import Vm
from rollout.model.rows.deployment import Intent, IntentKind, VmRecord
from rollout.model.status import Color, VmStatus
from rollout.steps.pools import owed_to
from rollout.steps.retirement import DELETED

#: How often a green VM is asked to leave a pool by its own network configuration, where its interface may be what keeps
#: the pool from taking any write. Then it goes as it is.
LEAVE_TRIES = 8


def to_drain(leaving: Iterable[VmRecord], vms: Iterable[Vm]) -> frozenset[str]:
    """Those that may have connections: of the green ones those that Azure could make, healthy or sick.

    A balancer may well send traffic to a VM that the application health extension calls sick: it goes by its own probe.
    """
    broken = {vm.vm_id for vm in vms if vm.failed}
    return frozenset(one.vm_id for one in leaving if one.color is Color.BLUE or one.vm_id not in broken)


def of_this_wait(intents: Iterable[Intent], leaving: Iterable[VmRecord], since: datetime) -> list[Intent]:
    """The intents of this wait about these VMs: others of the batch may have been drained before."""
    vm_ids = {record.vm_id for record in leaving}
    return [intent for intent in intents if intent.at >= since and not vm_ids.isdisjoint(intent.vm_ids)]


def back_inside(leaving: Iterable[VmRecord], inside: Collection[str]) -> tuple[VmRecord, ...]:
    """The rows of green VMs that had been drained and are ``inside`` a pool again: they have to be drained anew."""
    return tuple(
        replace(record, detached_at=None)
        for record in leaving
        if record.color is Color.GREEN and record.vm_id in inside and record.detached_at is not None
    )


def newly_out(
    leaving: Iterable[VmRecord], inside: Collection[str], intents: Iterable[Intent], vms: Iterable[Vm], at: datetime
) -> tuple[VmRecord, ...]:
    """The rows of green VMs of which it is new that they are out of the pools, saying so.

    Out is who was to leave by one of the ``intents`` and is no longer ``inside``. Who never was in a pool has no
    connections, and nothing to wait for.
    """
    asked = _named(intents, IntentKind.DRAIN) - set(inside)
    there = {vm.vm_id for vm in vms if not vm.leaving}
    return tuple(
        replace(record, detached_at=at)
        for record in leaving
        if record.color is Color.GREEN and record.detached_at is None and record.vm_id in asked & there
    )


def out_alone(leaving: Iterable[VmRecord], inside: Collection[str], intents: Iterable[Intent]) -> tuple[VmRecord, ...]:
    """Those that left their pools by their own network configurations while others are still ``inside``.

    One that is gone is among them until its row says so.
    """
    asked = {vm_id for intent in intents if not intent.pool for vm_id in intent.vm_ids} - set(inside)
    return tuple(one for one in leaving if one.vm_id in asked and one.reason != DELETED)


def set_aside(records: Iterable[VmRecord], at: datetime) -> tuple[VmRecord, ...]:
    """Their rows, saying that they are out of traffic and since when."""
    return tuple(
        replace(
            record,
            status=VmStatus.DETACHED if record.color is Color.BLUE else record.status,
            reason="Draining" if record.color is Color.BLUE else record.reason,
            updated_at=at,
            detached_at=record.detached_at or at,
        )
        for record in records
    )


def out_unnoted(
    records: Iterable[VmRecord], members: Iterable[Membership], taken: Iterable[PoolMembership], at: datetime
) -> tuple[VmRecord, ...]:
    """The rows of blue VMs that are out of pools that they were ``taken`` out of, where no row says so yet.

    A stop may come between the write that takes a VM out and the look that would have noted it.
    """
    owed = owed_to(taken)
    out = {
        member.vm_id
        for member in members
        for each in member.configurations
        if owed[member.vm_id, each.id] - (each.pools - each.down)
    }
    return tuple(
        replace(record, status=VmStatus.DETACHED, reason="Out of traffic", updated_at=at, detached_at=at)
        for record in records
        if record.vm_id in out and record.color is Color.BLUE and record.status is not VmStatus.DETACHED
    )


def was_drained(record: VmRecord) -> bool:
    """Whether the VM was taken out of traffic, so that its connections are given time; blue ones always are."""
    return record.color is Color.BLUE or record.detached_at is not None


def waiting_ones(records: Iterable[VmRecord]) -> tuple[VmRecord, ...]:
    """Those whose draining counts. What a VM that is gone said is forgotten, so it must not be waited for again."""
    return tuple(one for one in records if was_drained(one) and one.reason != DELETED)


def undrained(records: Sequence[VmRecord], intents: Sequence[Intent]) -> int:
    """How many were deleted in spite of their connections: they were to leave their pools and could not."""
    given_up = _named(intents, IntentKind.DRAIN) & _named(intents, IntentKind.DELETE)
    return sum(1 for record in records if record.vm_id in given_up and not was_drained(record))


def is_willing(vm_id: str, intents: Iterable[Intent]) -> bool:
    """Whether a VM may be asked once more to leave a pool by its own network configuration."""
    # A write for many VMs has several intents, of one time.
    tries = {intent.at for intent in intents if not intent.pool and vm_id in intent.vm_ids}
    return len(tries) < LEAVE_TRIES


def _named(intents: Iterable[Intent], kind: IntentKind) -> set[str]:
    return {vm_id for intent in intents if intent.kind is kind for vm_id in intent.vm_ids}
