"""What unfinished deployments hand on, and what of it is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm
from rollout.model.choices import HealthCheckType, VmPolicy
from rollout.model.codec import decode, encode
from rollout.model.findings import Severity
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image, StockAtEnd, VmRecord
from rollout.model.rows.handover import Handover, former_id, handed_on
from rollout.model.status import Color, Status, VmStatus
from rollout.planning.inheritance import (
    Chain,
    Predecessor,
    chain_of,
    check_inherited,
    inherited,
    left_behind,
    marked,
    target_size,
)
from rollout.planning.plan import is_skipped, make_plan

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IMAGE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/galleries/g/images/web"
OLD, NEW, THIRD = (ImageReference(id=f"{IMAGE}/versions/{version}") for version in ("1.0.0", "1.1.0", "1.2.0"))
SET = ScaleSet("/set", "web", "eastus2", '"1"', 4, "Succeeded", OLD, unique_id="one")


def vm(number: int, image: ImageReference = OLD, **change: Any) -> Vm:
    return replace(Vm(f"id-{number}", f"web_{number}", str(number), image, "Succeeded", "running"), **change)


def row(status: Status = Status.STOPPED, **change: Any) -> Deployment:
    made = Deployment(
        "web-1",
        "web",
        "/set",
        Parameters("1.1.0"),
        Image("1.1.0", NEW, OLD),
        NOW,
        status=status,
        target_size=4,
        settled=False,
        started_at=NOW,
    )
    return replace(made, **change)


def green(number: int, status: VmStatus = VmStatus.HEALTHY, **change: Any) -> VmRecord:
    return replace(VmRecord(f"id-{number}", f"web_{number}", Color.GREEN, 1, status), **change)


def blue(number: int, **change: Any) -> VmRecord:
    return replace(VmRecord(f"id-{number}", f"web_{number}", Color.BLUE, 1, VmStatus.RUNNING), **change)


@pytest.mark.parametrize(
    ("predecessor", "handed"),
    [
        (None, Handover()),
        (row(), Handover(4, OLD, False, "web-1")),
        (row(Status.FAILED), Handover(4, OLD, False, "web-1")),
        (row(Status.ROLLED_BACK), Handover(4, OLD, False, "web-1")),
        (row(Status.FAILED, settled=True), Handover(continues="web-1")),
        (row(Status.STOPPED, started_at=None, continues="web-0"), Handover(4, OLD, False, "web-0")),
        (row(Status.FINISHED, settled=True), Handover()),
        (row(Status.ROLLED_BACK, settled=True), Handover()),
    ],
)
def test_what_is_handed_on_along_unfinished_deployments(predecessor: Deployment | None, handed: Handover) -> None:
    assert handed_on(predecessor) == handed


@pytest.mark.parametrize(
    ("predecessor", "former"),
    [
        (None, ""),
        (row(Status.FAILED, settled=True), "web-1"),
        (row(Status.STOPPED, started_at=None, former="web-0"), "web-0"),
        (row(Status.FINISHED, settled=True), ""),
        (row(Status.FINISHED, settled=True, blue_vms=1), "web-1"),
        (row(Status.ROLLED_BACK, settled=True), ""),
    ],
)
def test_who_is_told_of_what_goes_of_that_which_it_left(predecessor: Deployment | None, former: str) -> None:
    assert former_id(predecessor) == former


def test_who_launched_a_vm_is_handed_on_and_whether_it_was_judged() -> None:
    records = [
        green(1),
        green(2, VmStatus.PENDING),
        green(3, batch=0),
        green(4, batch=0, launched_by="web-0"),
        blue(5, launched_by="web-0", unjudged=True),
        blue(6),
        green(7, moved_to=3),
        blue(7, batch=3, launched_by="web-1"),
    ]
    chain = chain_of(records, "web-1")
    assert chain.launched == {"id-1": "web-1", "id-2": "web-1", "id-4": "web-0", "id-5": "web-0", "id-7": "web-1"}
    assert chain.unjudged == {"id-2", "id-5"}
    again = marked(blue(2), chain)
    assert (again.launched_by, again.unjudged) == ("web-1", True)
    assert marked(blue(6), chain) == blue(6)


@pytest.mark.parametrize(
    ("handed", "left", "standing", "unjudged", "removable", "size"),
    [
        # Four before, six left, of which two were never judged.
        (4, (6, 2), 6, 2, 2, 4),
        (4, (6, 2), 4, 0, 0, 4),  # Those two have gone.
        (4, (6, 2), 5, 1, 1, 4),
        (4, (6, 2), 8, 2, 2, 8),  # Autoscale has made two.
        (4, (6, 2), 6, 0, 0, 6),  # Autoscale has made two, and the two have gone.
        (4, (6, 2), 3, 0, 0, 3),  # Autoscale has taken one away besides.
        (4, (3, 0), 3, 0, 0, 4),  # Teal itself had left one too few.
        (4, (6, 0), 6, 0, 1, 5),  # Only one of those that are too many is Teal's own, and may go.
        (4, None, 6, 2, 2, 4),
        (4, None, 8, 2, 2, 6),
        (0, None, 5, 0, 0, 5),
    ],
)
def test_the_number_counts_as_long_as_nobody_changed_it(
    handed: int, left: tuple[int, int] | None, standing: int, unjudged: int, removable: int, size: int
) -> None:
    known = StockAtEnd(*left, OLD, "one", NOW) if left else None
    assert target_size(handed, known, standing, unjudged, removable)[0] == size


def test_of_a_set_that_was_made_again_nothing_counts() -> None:
    former = Predecessor(row(left=StockAtEnd(6, 2, OLD, "other", NOW)), (green(1),))
    found = inherited(Handover(4, NEW, False, "web-1"), former, SET, [vm(1), vm(2)])
    assert (found.settled, found.target_size, found.previous, found.chain) == (True, 0, OLD, Chain())
    (told,) = check_inherited("web-1", found)
    assert told.code == "leftByEarlierDeployment"
    assert "made again" in told.message


def test_what_counts_is_said() -> None:
    records = (blue(1), blue(2), green(3, VmStatus.PENDING))
    vms = [vm(1), vm(2), vm(3, NEW)]
    left = left_behind("web-1", records, replace(SET, image=NEW), vms, NOW)
    assert left == StockAtEnd(3, 1, NEW, "one", NOW)
    found = inherited(
        Handover(2, OLD, False, "web-1"), Predecessor(row(left=left), records), replace(SET, image=NEW), vms
    )
    assert (found.target_size, found.previous, found.settled) == (2, OLD, False)
    (told,) = check_inherited("web-1", found)
    assert told.message == (
        "Deployment web-1 did not finish; the set is to have 2 VMs as before it, and 3 stand now; "
        "the image before it was 1.0.0; 1 VM that nobody judged to be healthy will not stay"
    )
    assert list(check_inherited("", inherited(Handover(), None, SET, vms))) == []


def test_vms_of_a_launch_that_a_lost_deployment_did_not_live_to_write_down_are_its_own() -> None:
    vms = [vm(1), vm(2, NEW)]
    assert Predecessor(row(), (blue(1),)).chain(vms) == Chain({"id-2": "web-1"}, frozenset({"id-2"}))
    ended = row(left=StockAtEnd(2, 0, OLD, "one", NOW))
    assert Predecessor(ended, (blue(1),)).chain(vms) == Chain()


def test_rows_from_before_this_are_read() -> None:
    old = {name: value for name, value in encode(row()).items() if name not in ("left", "continues", "inheritance")}
    assert decode(Deployment, old) == row()
    record = {name: value for name, value in encode(green(1)).items() if name not in ("launchedBy", "unjudged")}
    assert decode(VmRecord, record) == green(1)


MARKS = st.sampled_from(["own", "unjudged", "others"])


@given(
    vms=st.lists(st.tuples(st.sampled_from([OLD, NEW, THIRD]), MARKS, st.booleans()), min_size=1, max_size=12),
    handed=st.integers(1, 14),
    more=st.integers(-3, 3),
    pinned=st.sampled_from([OLD, NEW]),
    force=st.booleans(),
)
def test_what_others_have_is_never_made_less_and_nothing_unjudged_is_kept(
    vms: list[tuple[ImageReference, str, bool]], handed: int, more: int, pinned: ImageReference, force: bool
) -> None:
    standing = [vm(n, image, protected=protected) for n, (image, _, protected) in enumerate(vms)]
    marks = {one.vm_id: mark for one, (_, mark, _) in zip(standing, vms, strict=True)}
    records = tuple(
        green(n, VmStatus.PENDING if mark == "unjudged" else VmStatus.HEALTHY)
        for n, (_, mark, _) in enumerate(vms)
        if mark != "others"
    )
    parameters = Parameters(
        "x", force=force, protected_vms=VmPolicy.SKIP, health_check_types=(HealthCheckType.VM_STATE,)
    )
    skipped = [one.vm_id for one in standing if is_skipped(one, parameters)]
    unjudged = sum(1 for mark in marks.values() if mark == "unjudged")
    former = Predecessor(row(left=StockAtEnd(max(unjudged, len(vms) + more), unjudged, OLD, "one", NOW)), records)
    found = inherited(Handover(handed, OLD, False, "web-1"), former, SET, standing, skipped)
    planned = make_plan(parameters, pinned, standing, (), found.target_size, found.chain)

    assert not {one.vm_id for one in planned.kept} & found.chain.unjudged
    assert planned.blue + len(planned.kept) + len(planned.skipped) == len(standing)
    assert len(planned.kept) + len(planned.skipped) + planned.green == planned.target_size
    own = sum(1 for one in standing if marks[one.vm_id] != "others" and one.vm_id not in skipped)
    assert planned.target_size >= len(standing) - own
    if more and unjudged + 3 <= len(vms):
        assert planned.target_size == len(standing)


@pytest.mark.parametrize(
    ("status", "image", "given_up"),
    [
        (Status.FAILED, Image("1.1.0", NEW, OLD), (NEW,)),
        (Status.ROLLED_BACK, Image("1.1.0", NEW, OLD), (NEW,)),
        (Status.STOPPED, Image("1.1.0", NEW, OLD), ()),
        (Status.FAILED, Image("1.1.0", NEW, None), ()),  # It was not planned.
        (Status.FAILED, Image(None, OLD, OLD), ()),  # The image that serves, once more.
        (Status.FAILED, Image("1.1.0", NEW, NEW, "the VMs run several"), (NEW,)),
        (Status.FAILED, Image("1.1.0", NEW, OLD, given_up=(OLD,)), (OLD, NEW)),
        (Status.FAILED, Image("1.1.0", NEW, OLD, given_up=(NEW,)), (NEW,)),
        (Status.STOPPED, Image("1.1.0", OLD, OLD, given_up=(NEW,)), (NEW,)),
    ],
)
def test_what_unfinished_deployments_failed_with_is_handed_on(
    status: Status, image: Image, given_up: tuple[ImageReference, ...]
) -> None:
    assert Predecessor(row(status, image=image)).given_up == given_up


def test_who_skips_a_vm_that_is_out_of_traffic_is_warned() -> None:
    records = (replace(blue(1), status=VmStatus.DETACHED), replace(blue(2), status=VmStatus.DETACHED), blue(3))
    vms = [vm(1), vm(2), vm(3)]
    former = Predecessor(row(left=left_behind("web-1", records, SET, vms, NOW)), records)
    found = inherited(Handover(3, OLD, False, "web-1"), former, SET, vms, skipped=[vms[1].vm_id, vms[2].vm_id])
    assert found.out == (vms[1].name,)
    _, told = check_inherited("web-1", found)
    assert (told.code, told.severity) == ("skippedOutOfTraffic", Severity.WARNING)
    assert "1 VM that an unfinished deployment took out of traffic will be skipped" in told.message
