"""Rehearses one set: registers it, asks what would speak against a deployment, and plays what can be played."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from local.azure.messages import Json
from local.azure.world_images import Behavior
from local.clock import run_virtual
from local.rehearsal.copies import Copy, copy_of, put_right
from local.rehearsal.outcome import Found, Kind, Plan, Rehearsal
from local.rehearsal.plays import Refused, dry_run, play
from local.rehearsal.words import counted


@dataclass(frozen=True)
class Wishes:
    """What is rehearsed: the parameters of a start, other health checks than the set's own, how good VMs behave."""

    asked: Mapping[str, Any]
    health_check_types: Collection[str] = ()
    good: Behavior = Behavior()


def rehearse(body: Json, wishes: Wishes, tell: Callable[[str], None]) -> Rehearsal:
    """All about the set whose ARM body this is. ``Refused`` without findings: the wishes themselves are refused."""
    copy = _copy(body, wishes)
    facts = _facts(copy)
    tell(f"{copy.name}: what would refuse or warn")
    try:
        plan = run_virtual(dry_run(copy, wishes.asked))
    except Refused as refused:
        if not refused.findings:
            raise
        return Rehearsal(copy.name, facts, copy.group, wishes.asked, tuple(refused.findings))
    findings = tuple(Found.of(finding) for finding in plan["findings"])
    asked, followed = dict(wishes.asked), list[str]()
    if not plan["canStart"]:
        codes = [found.code for found in findings if found.severity == "error"]
        mended, followed = put_right(body, codes)
        copy, asked = _copy(mended, wishes), {**asked, "adjust": True}
        followed = [*followed, "adjust: true"]
        plan = run_virtual(dry_run(copy, asked))
    if not plan["canStart"]:
        return Rehearsal(copy.name, facts, copy.group, wishes.asked, findings)
    runs = []
    for kind in Kind:
        tell(f"{copy.name}: {kind}")
        runs.append(run_virtual(play(copy, kind, asked)))
    return Rehearsal(copy.name, facts, copy.group, wishes.asked, findings, tuple(followed), _plan(plan), tuple(runs))


def _copy(body: Json, wishes: Wishes) -> Copy:
    copy = copy_of(body, wishes.good)
    return copy.checking(wishes.health_check_types) if wishes.health_check_types else copy


def _facts(copy: Copy) -> str:
    mode = (copy.body.get("properties") or {}).get("orchestrationMode") or "Uniform"
    return f"{mode} orchestration, {counted(copy.capacity, 'VM')} of size {copy.size}, {copy.body['location']}"


def _plan(body: Any) -> Plan:
    return Plan(body["numberOfBatches"], tuple(batch["green"] for batch in body["batches"]), body["duration"]["basis"])
