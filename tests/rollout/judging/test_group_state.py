"""What is shown of a group without asking Azure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.judging.group_state import GroupLook, due, health_of, looked, needs_attention, with_latest
from rollout.lifecycle.dangers import NOT_RESTORED
from rollout.model.azure.roll_needed import RollNeeded
from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm
from rollout.model.choices import HealthCheckType
from rollout.model.parameters import Parameters
from rollout.model.rows.commands import Action, CommandKind, PendingDecision
from rollout.model.rows.danger import DangerRecord
from rollout.model.rows.deployment import Deployment, Image, Problem
from rollout.model.rows.group_state import GroupState, HealthCount, Latest
from rollout.model.status import Status

AT = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OLD, NEW = ImageReference(id="/images/web/versions/1.0.0"), ImageReference(id="/images/web/versions/1.1.0")
SET = ScaleSet("/web", "web", "eastus2", "1", 3, "Succeeded", OLD)
STATE = GroupState("web", "/web")
ROW = Deployment("web-20261123T081500Z-1a2b3c", "web", "/web", Parameters("1.1.0"), Image("1.1.0", NEW, OLD), AT)
CHECKS = (HealthCheckType.VM_STATE, HealthCheckType.APPLICATION_HEALTH)


def vm(number: int, image: ImageReference = OLD, health: str | None = "healthy", provisioning: str = "Succeeded") -> Vm:
    return Vm(f"id-{number}", f"web_{number}", str(number), image, provisioning, "running", health)


def test_a_look_counts_images_and_health_but_not_what_is_going() -> None:
    vms = [vm(0), vm(1, NEW), vm(2, OLD, "unhealthy"), vm(3, OLD, None), vm(4, OLD, "healthy", "Deleting")]
    seen = looked(STATE, GroupLook(AT, SET, vms, needed=RollNeeded(AT, 1, 4), pause=MINUTE), CHECKS)
    assert (seen.vms, [(one.image.label, one.vms) for one in seen.images]) == (4, [("1.0.0", 3), ("1.1.0", 1)])
    assert (seen.health, seen.again, seen.problem) == (HealthCount(3, 1, 0), AT + MINUTE, None)


def test_a_look_that_is_older_than_the_row_changes_nothing() -> None:
    seen = looked(STATE, GroupLook(AT, SET, [vm(0)]), CHECKS)
    assert looked(seen, GroupLook(AT - MINUTE, None, problem=Problem("x", "y")), CHECKS) == seen


def test_what_was_not_asked_stays_known() -> None:
    first = looked(STATE, GroupLook(AT, SET, [vm(0)], needed=RollNeeded(AT, 1, 1)), CHECKS)
    second = looked(first, GroupLook(AT + MINUTE, SET), CHECKS)
    assert (second.roll_needed, second.vms, second.read_at) == (first.roll_needed, 1, AT + MINUTE)


def test_without_application_health_the_state_of_a_vm_tells() -> None:
    assert health_of(vm(0, health=None), CHECKS) == ("healthy", "vmState: running")
    assert health_of(vm(0, health="initializing"), CHECKS)[0] == "unknown"
    assert health_of(vm(0), ()) == ("unknown", "vmState: running")
    assert health_of(vm(0, provisioning="Failed"), ())[0] == "unhealthy"


def test_only_the_newest_deployment_and_its_newest_event_are_kept() -> None:
    under_way = replace(ROW, status=Status.IN_PROGRESS, sequence=5, target_size=10, blue_vms=6)
    state = with_latest(STATE, under_way, AT)
    assert state.latest is not None
    assert state.roll_needed is not None
    assert (state.latest.sequence, state.roll_needed.outdated) == (5, 6)
    assert with_latest(state, replace(under_way, sequence=4, reason="late"), AT) == state
    older = replace(ROW, id="web-20261123T081400Z-1a2b3c", created_at=AT - MINUTE, sequence=9)
    assert with_latest(state, older, AT) == state
    ended = with_latest(state, replace(under_way, sequence=6, status=Status.FAILED), AT)
    assert ended.roll_problem is not None
    assert (ended.roll_needed, ended.again, ended.roll_problem.code) == (None, None, "notReadYet")


def test_the_timer_begins_with_what_nobody_knows_and_goes_on_with_the_oldest() -> None:
    never, ended = replace(STATE, group_id="never"), replace(STATE, group_id="ended", read_at=AT)
    old = replace(STATE, group_id="old", read_at=AT - 9 * MINUTE, again=AT - MINUTE)
    new = replace(STATE, group_id="new", read_at=AT - MINUTE, again=AT)
    later = replace(STATE, group_id="later", read_at=AT - MINUTE, again=AT + MINUTE)
    order = [one.group_id for one in due([later, new, old, ended, never], AT, 10)]
    assert order == ["never", "ended", "old", "new"]
    assert len(due([old] * 20, AT, 10)) == 10


LATEST = Latest(ROW.id, Status.FINISHED, "said", 100, NEW, AT)
ASKED = PendingDecision(CommandKind.APPROVE, AT, AT + MINUTE, Action.STOP)
SICK = replace(STATE, vms=3, health=HealthCount(2, 1, 0))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (STATE, None),
        (replace(STATE, latest=LATEST), None),
        (replace(STATE, latest=replace(LATEST, status=Status.AWAITING_APPROVAL, decision=ASKED)), "approvalAwaited"),
        (
            replace(
                STATE,
                latest=replace(LATEST, status=Status.PAUSED, decision=replace(ASKED, asked=CommandKind.RESUME)),
            ),
            "paused",
        ),
        (replace(SICK, latest=replace(LATEST, status=Status.FAILED)), "deploymentFailed"),
        (replace(STATE, latest=replace(LATEST, status=Status.ROLLED_BACK)), "deploymentRolledBack"),
        (replace(STATE, latest=replace(LATEST, status=Status.STOPPED, settled=False)), "deploymentStopped"),
        (replace(STATE, latest=replace(LATEST, status=Status.STOPPED)), None),
        (replace(SICK, problem=Problem("AuthorizationFailed", "no")), "notReadable"),
        (replace(SICK, latest=LATEST), "vmsUnhealthy"),
        (replace(SICK, latest=replace(LATEST, status=Status.IN_PROGRESS)), None),
    ],
)
def test_the_most_urgent_reason_is_told(state: GroupState, expected: str | None) -> None:
    told = needs_attention(state, ())
    assert (told.code if told else None) == expected
    danger = DangerRecord("/web", NOT_RESTORED, AT, ROW.id, "its capacity cannot be read")
    urgent = needs_attention(state, [danger])
    assert urgent is not None
    assert (urgent.code, urgent.reason, urgent.deployment_id) == ("danger", "its capacity cannot be read", ROW.id)
