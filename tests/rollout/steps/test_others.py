"""VMs that others made while a deployment runs: which are shown, as what, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch, Deployment, Image, Intent, IntentKind, VmRecord
from rollout.model.status import Color, Phase, Status, VmStatus
from rollout.steps.known import shown
from rollout.steps.others import may_be_own, others_now, without_doubles

AT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)
OLD = ImageReference(id="/galleries/apps/images/web/versions/1.0.0")
VM = Vm("id-1", "web_1", "1", OLD, "Succeeded", "running", zone="2")
ROW = Deployment(
    "web-20260101T000000Z-1a2b3c",
    "web",
    "/set",
    Parameters("1.1.0"),
    Image(None, OLD),
    AT,
    status=Status.IN_PROGRESS,
    number_of_batches=2,
)
BATCH = Batch(1, 1, 1)
LAUNCHED = replace(BATCH, phase=Phase.LAUNCHED, launched_at=LATER)
ASKED = Intent(IntentKind.LAUNCH, 1, 1, AT)
ASKED_AGAIN = replace(ASKED, number=2, at=LATER + timedelta(minutes=1))
GREEN = VmRecord("id-2", "web_2", Color.GREEN, 1, VmStatus.PENDING)


@pytest.mark.parametrize(
    ("case", "vm", "status", "reason"),
    [
        ("runs", VM, VmStatus.RUNNING, "Made by others, from 1.0.0"),
        ("is made", replace(VM, power_state="starting"), VmStatus.PENDING, "Made by others, from 1.0.0"),
        ("stopped", replace(VM, power_state="stopped"), VmStatus.UNHEALTHY, "vmState: power state stopped"),
        ("gone", None, VmStatus.DELETED, "Gone: this deployment did not delete it"),
        ("on its way out", replace(VM, provisioning_state="Deleting"), VmStatus.RUNNING, "Made by others, from 1.0.0"),
    ],
)
def test_it_is_shown_as_it_is(case: str, vm: Vm | None, status: VmStatus, reason: str) -> None:
    (came,) = others_now([GREEN], {}, [VM], AT)
    assert (came.color, came.batch, came.zone) == (None, 0, "2")
    vms = {vm.vm_id: vm} if vm else {}
    found = others_now([GREEN, came], vms, (), LATER)
    assert shown(found[0] if found else came) == (status, reason)
    # Where nothing is new nothing is written.
    assert others_now([GREEN, *(found or [came])], vms, (), LATER + timedelta(minutes=1)) == ()


def test_once_it_has_a_part_that_is_what_it_is() -> None:
    (came,) = others_now([], {}, [VM], AT)
    own = replace(GREEN, vm_id=came.vm_id)
    assert without_doubles([own, GREEN, came]) == [own, GREEN]
    assert others_now([own, came], {}, (), LATER) == ()


@pytest.mark.parametrize(
    ("case", "row", "batch", "intents", "records", "may_be"),
    [
        ("before the plan", replace(ROW, number_of_batches=0), None, [], [], True),
        ("after the end", replace(ROW, status=Status.STOPPED), LAUNCHED, [], [], True),
        ("before the first batch", ROW, None, [], [], False),
        ("before the launch", ROW, BATCH, [], [], False),
        ("before the launch, with VMs to be deleted", ROW, BATCH, [replace(ASKED, kind=IntentKind.DELETE)], [], False),
        ("in the launch", ROW, BATCH, [ASKED], [], True),
        ("a launch that failed", ROW, replace(BATCH, phase=Phase.FAILED), [ASKED], [], True),
        ("launched", ROW, LAUNCHED, [ASKED], [GREEN], False),
        ("launched, and failed then", ROW, replace(LAUNCHED, phase=Phase.FAILED), [ASKED], [GREEN], False),
        ("a lost one's place is asked for", ROW, LAUNCHED, [ASKED, ASKED_AGAIN], [GREEN], True),
        (
            "a lost one's place is taken",
            ROW,
            LAUNCHED,
            [ASKED, ASKED_AGAIN],
            [replace(GREEN, launched_at=ASKED_AGAIN.at)],
            False,
        ),
        ("judged without it", ROW, replace(LAUNCHED, phase=Phase.DETACHED), [ASKED, ASKED_AGAIN], [GREEN], False),
    ],
)
def test_it_is_not_told_of_while_it_may_be_what_the_deployment_asked_for(
    case: str, row: Deployment, batch: Batch | None, intents: list[Intent], records: list[VmRecord], may_be: bool
) -> None:
    assert may_be_own(row, batch, intents, records) is may_be
