"""``/groups``: registering scale sets."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from api.handlers.contradictions import refuse_contradictions, refuse_needless_threshold
from api.handlers.images import image_findings
from api.handlers.lookup import find_group
from api.handlers.rendering import render_dangers, render_finding, render_group, render_group_state
from api.handlers.scheduled import scheduled
from api.handlers.scopes import refuse_outside
from api.transport.errors import Code, Detail, Refusal, refuse_faults, refuse_findings, refuse_held
from api.transport.http import Answer, Request
from api.transport.paging import page_after
from api.transport.query import query_flag, query_words
from rollout.judging.group_state import GroupLook, of_all, of_group
from rollout.model.azure.images import parse_image
from rollout.model.azure.scale_set import ScaleSet
from rollout.model.codec import Json
from rollout.model.findings import Finding, Severity, in_order
from rollout.model.group import Group
from rollout.model.names import GROUP_ID
from rollout.model.parameters import fill
from rollout.model.request import StartRequest
from rollout.model.rows.danger import DangerRecord
from rollout.model.rows.group_state import GroupState
from rollout.model.rows.unreadable import readable, unreadable
from rollout.ports.ports import Ports
from rollout.preflight.checks import check_set
from rollout.preflight.scopes import image_scope
from rollout.preflight.signals import check_signal_keys, check_signals
from services.claim import LockHolder, held
from services.group_states import look_at_set, look_at_vms, note_look
from services.queue import under_way
from services.readings import Readings, ReadingTooOften

_log = logging.getLogger("teal")

#: What may be included in a list of groups.
STATE = "state"


async def list_groups(ports: Ports, request: Request) -> Answer:
    """Every group's definition, by id; with ``include=state`` as it was last seen. It asks Azure nothing."""
    rows = sorted(await ports.store.groups.listed(), key=lambda row: row.id)
    page = page_after(request, "groups", rows, lambda row: row.id)
    groups = readable(page.items)
    shown = [render_group(group) for group in groups]
    if STATE in query_words(request, "include", [STATE]):
        states = of_all(groups, await ports.store.group_states.list())
        dangers = await ports.store.dangers.list()
        shown = [
            {**definition, **render_group_state(states[group.id], dangers_of(group, dangers))}
            for definition, group in zip(shown, groups, strict=True)
        ]
    return Answer(200, page.answer("groups", shown, unreadable(page.items)))


async def get_group(ports: Ports, request: Request, *, readings: Readings) -> Answer:
    """One group as it was last seen, each part ``asOf`` a time; with ``fresh=true`` as it is now."""
    group = await find_group(ports, request)
    if query_flag(request, "fresh"):
        state = await _fresh(ports, group, readings)
    else:
        state = of_group(await ports.store.group_states.get(group.id), group.id, group.scale_set_id)
    return Answer(200, await _shown(ports, group, state))


async def _fresh(ports: Ports, group: Group, readings: Readings) -> GroupState:
    """Look at the set, at the pace of dry runs. Raises ``ReadingTooOften``."""
    paced = readings.at_this_pace(ports)
    async with readings.turn(group.scale_set_id):
        reading = await readings.reading(ports, group.scale_set_id, "")
    look = replace(await look_at_set(paced, group), at=reading.at)
    if look.roll_problem is not None and look.roll_problem.code == Code.READING_TOO_OFTEN:
        raise ReadingTooOften(look.roll_problem.code, look.roll_problem.message)
    return await note_look(ports, group, look)


async def _shown(ports: Ports, group: Group, state: GroupState) -> Json:
    dangers = await ports.store.dangers.list(group.scale_set_id)
    return {
        **render_group(group),
        "scheduled": await scheduled(ports, group),
        **render_group_state(state, dangers),
        "dangers": render_dangers(dangers),
    }


def dangers_of(group: Group, dangers: Iterable[DangerRecord]) -> list[DangerRecord]:
    """Those of the group's set."""
    return [one for one in dangers if one.scale_set_id.lower() == group.scale_set_id.lower()]


async def put_group(
    ports: Ports,
    request: Request,
    *,
    readings: Readings,
    scopes: Sequence[str] = (),
    signals_keyed: bool = False,
) -> Answer:
    """Make a group (201) or replace its definition (200).

    What would refuse a deployment now but can be put right (the upgrade mode, say) is told in ``findings``; what makes
    the id itself wrong refuses.
    """
    group_id = _group_id(request)
    from api.contract.bodies import GroupBody
    from api.contract.parsing import parse_body

    body = parse_body(request, GroupBody)
    existing = await ports.store.groups.get(group_id)
    group = body.group(group_id, existing, ports.clock.now())
    refuse_outside(scopes, group.scale_set_id, "scaleSetId")
    refuse_outside(scopes, group.image_id, "imageId")
    _check_automatic(group, scopes)
    await _refuse_second_group(ports, group)
    if existing is not None and not same_scale_set(existing, group):
        await _refuse_while_under_way(ports, existing)
    if await held(ports, group.scale_set_id, "") is not None:
        ports = readings.at_this_pace(ports)
    scale_set, findings = await _check(ports, group)
    signals = (*check_signals(fill(StartRequest(), group)), *check_signal_keys(group, signals_keyed))
    findings = in_order((*findings, *signals, *await image_findings(ports, group)))
    await ports.store.groups.put(group)
    _log.info("Group %s was put by %s", group.id, request.caller.recorded_as)
    state = await _put_look(ports, group, scale_set)
    shown = {**await _shown(ports, group, state), "findings": [render_finding(finding) for finding in findings]}
    headers = {"Location": request.link(f"groups/{group_id}")} if existing is None else {}
    return Answer(201 if existing is None else 200, shown, headers)


async def _put_look(ports: Ports, group: Group, scale_set: ScaleSet) -> GroupState:
    """The set has just been read; its VMs are too, unless a deployment needs what Azure allows of that."""
    if await held(ports, group.scale_set_id, "") is not None:
        return await note_look(ports, group, GroupLook(ports.clock.now(), scale_set))
    return await note_look(ports, group, await look_at_vms(ports, group, scale_set))


async def delete_group(ports: Ports, request: Request) -> Answer:
    """Forget a group that has no deployment under way or queued; its deployments stay readable by their ids.

    What belongs to the scale set stays too: what was tried on it, and what stands between it and order.
    """
    group = await find_group(ports, request)
    await _refuse_while_under_way(ports, group)
    await ports.store.groups.delete(group.id)
    await ports.store.group_states.delete(group.id)
    _log.info("Group %s was deleted by %s", group.id, request.caller.recorded_as)
    return Answer(204)


def same_scale_set(one: Group, other: Group) -> bool:
    """Whether both name the same scale set; ARM's ids know no case."""
    return one.scale_set_id.lower() == other.scale_set_id.lower()


def _check_automatic(group: Group, scopes: Sequence[str]) -> None:
    """What an image rule and schedules ask for is checked as if it were asked for now."""
    rule = group.image_rule
    if rule is not None:
        refuse_outside(scopes, rule.image_id, "imageRule.imageId")
        _check_asked(rule.deployment, group, "imageRule.deployment.")
    for number, schedule in enumerate(group.schedules):
        within = f"schedules.{number}.deployment."
        _check_asked(schedule.deployment, group, within)
        refuse_outside(scopes, image_scope(schedule.deployment.image, group), f"{within}image")


def _check_asked(asked: StartRequest, group: Group, within: str) -> None:
    refuse_contradictions(asked, group, within)
    refuse_needless_threshold(asked, fill(asked, group), within)
    named = parse_image(asked.image, group.image_id) if asked.image is not None else None
    if isinstance(named, Finding):
        raise refuse_faults([Detail(Code.INVALID_VALUE, f"{within}image: {named.message}", f"{within}image")])


async def _refuse_while_under_way(ports: Ports, group: Group) -> None:
    ahead = await under_way(ports, group.scale_set_id, group.id)
    if ahead is not None:
        raise refuse_held(ahead)
    lock = await ports.store.locks.get(group.scale_set_id)
    if lock is not None and lock.owner:
        # The watchdog finds it by its group.
        reason = f"Deployment {lock.owner} ended without freeing the scale set, and is put in order within some minutes"
        raise refuse_held(LockHolder(lock.owner, reason))


def _group_id(request: Request) -> str:
    group_id = request.route["groupId"]
    if not GROUP_ID.fullmatch(group_id):
        message = "groupId must be 1 to 40 lower-case letters, digits and hyphens, and must not begin with a hyphen"
        raise refuse_faults([Detail(Code.INVALID_VALUE, message, "groupId")])
    return group_id


async def _refuse_second_group(ports: Ports, group: Group) -> None:
    for other in await ports.store.groups.list():
        if other.id != group.id and same_scale_set(other, group):
            message = f"Group {other.id} has this scale set already. Change that group, or delete it first"
            raise Refusal(Code.SCALE_SET_TAKEN, message, "scaleSetId")


async def _check(ports: Ports, group: Group) -> tuple[ScaleSet, tuple[Finding, ...]]:
    scale_set = await ports.scale_sets.read(group.scale_set_id)
    findings = check_set(scale_set, group.scale_set_id, group)
    wrong = [found for found in findings if found.severity is Severity.ERROR and found.target == "scaleSetId"]
    if scale_set is None or wrong:
        raise refuse_findings(wrong)
    return scale_set, findings
