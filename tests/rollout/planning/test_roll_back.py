"""What goes back, what stays, and where there is nothing to go back to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image, VmRecord
from rollout.model.status import Color, VmStatus
from rollout.planning.batches import plan
from rollout.planning.roll_back import cannot_roll_back, going_back, planned_rows

IMAGE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/galleries/g/images/web"
OLD, NEW = ImageReference(id=f"{IMAGE}/versions/1.0.0"), ImageReference(id=f"{IMAGE}/versions/1.1.0")
OTHER = ImageReference(id=f"{IMAGE}/versions/0.9.0")
ROW = Deployment(
    "web-1",
    "web",
    "/set",
    Parameters("1.1.0"),
    Image("1.1.0", NEW, OLD),
    datetime(2026, 1, 1, tzinfo=UTC),
    target_size=4,
    number_of_batches=3,
)


def vm(name: str, image: ImageReference, state: str = "Succeeded", **change: Any) -> Vm:
    return replace(Vm(name, name, name, image, state, "running" if state == "Succeeded" else None), **change)


def record(name: str, color: Color, batch: int, status: VmStatus = VmStatus.HEALTHY, **change: Any) -> VmRecord:
    return replace(VmRecord(name, name, color, batch, status), **change)


#: What each VM is: its row in the plan or since, its image, and whether it goes.
PARTS: list[tuple[str, VmRecord | None, Vm, bool]] = [
    ("launched", record("a", Color.GREEN, 1), vm("a", NEW), True),
    ("launched and sick", record("a", Color.GREEN, 1, VmStatus.UNHEALTHY), vm("a", NEW, "Failed"), True),
    ("launched by one before", record("a", Color.GREEN, 0, launched_by="web-0"), vm("a", NEW), True),
    ("of one before, on another image", record("a", Color.BLUE, 2, launched_by="web-0"), vm("a", OTHER), True),
    ("of one before, put back and judged", record("a", Color.BLUE, 2, launched_by="web-0"), vm("a", OLD), False),
    (
        "of one before, put back and never judged",
        record("a", Color.BLUE, 2, launched_by="web-0", unjudged=True),
        vm("a", OLD),
        True,
    ),
    ("made by others from the image", None, vm("a", NEW), True),
    ("made by others from the previous image", None, vm("a", OLD), False),
    ("made by others from a third image", None, vm("a", OTHER), False),
    ("attached by somebody", None, vm("a", NEW, foreign="its name"), False),
    ("skipped", record("a", Color.BLUE, 0, VmStatus.RUNNING), vm("a", NEW), False),
    ("skipped, of one before", record("a", Color.BLUE, 0, launched_by="web-0"), vm("a", NEW), False),
    ("on the image before all of these", record("a", Color.GREEN, 0), vm("a", NEW), False),
    ("on it before, to be replaced because sick", record("a", Color.BLUE, 2), vm("a", NEW), False),
    ("blue, on the previous image", record("a", Color.BLUE, 2), vm("a", OLD), False),
    ("blue, on a third image", record("a", Color.BLUE, 2), vm("a", OTHER), False),
    ("leaving", record("a", Color.GREEN, 1), vm("a", NEW, "Deleting"), False),
]


@pytest.mark.parametrize(("what", "row", "one", "goes"), PARTS, ids=[part[0] for part in PARTS])
def test_what_came_since_goes_and_nothing_else(what: str, row: VmRecord | None, one: Vm, goes: bool) -> None:
    parts = going_back([one], (), ROW, [row] if row else [])
    assert [there.name for there in parts.going] == (["a"] if goes else []), what
    assert len(parts.going) + len(parts.kept) == (0 if one.leaving else 1)


def test_vms_that_do_not_serve_go_first_and_those_of_others_are_made_up_for() -> None:
    rows = [record("a", Color.BLUE, 2), record("b", Color.GREEN, 1), record("c", Color.GREEN, 1)]
    parts = going_back([vm("a", OLD), vm("b", NEW), vm("c", NEW), vm("d", NEW, "Failed")], {"c"}, ROW, rows)
    assert [one.name for one in parts.idle] == ["c", "d"]
    assert parts.target == ROW.target_size + 1


def test_of_judged_vms_on_the_previous_image_no_more_stay_than_there_are_to_be() -> None:
    rows = [
        *(record(name, Color.BLUE, 2) for name in "abc"),
        *(record(n, Color.GREEN, 0, launched_by="w") for n in "de"),
    ]
    parts = going_back([vm(name, OLD) for name in "abcde"], (), ROW, rows)
    assert [one.name for one in parts.going] == ["d"]


def test_a_roll_back_is_decided_by_the_rows_from_before_it() -> None:
    rows = [record("a", Color.GREEN, 3), record("a", Color.BLUE, 4), record("b", Color.BLUE, 5)]
    assert planned_rows(ROW, rows) == (rows[0],)
    assert planned_rows(replace(ROW, number_of_batches=5, rollback_batches=2), rows) == (rows[0],)


@given(parts=st.lists(st.sampled_from(range(len(PARTS))), min_size=1, max_size=12), target=st.integers(1, 14))
def test_skipped_vms_never_go_and_the_set_ends_as_it_was(parts: list[int], target: int) -> None:
    vms = [replace(PARTS[part][2], vm_id=f"{n}", name=f"{n}") for n, part in enumerate(parts)]
    rows = [replace(row, vm_id=f"{n}") for n, part in enumerate(parts) if (row := PARTS[part][1]) is not None]
    deployment = replace(ROW, target_size=target)
    decided = going_back(vms, (), deployment, rows)
    skipped = {row.vm_id for row in rows if row.batch == 0 and row.color is Color.BLUE}
    assert not skipped & {one.vm_id for one in decided.going}
    planned = plan(decided.going, decided.kept, decided.target, 50, decided.idle)
    ends = len(decided.kept) + planned.green
    assert ends >= decided.target >= target
    # Too many stay only where they are not Teal's to take away.
    before = [row for row in rows if not row.launched_by and not (row.color is Color.GREEN and row.batch)]
    kept = {one.vm_id for one in decided.kept}
    named = {row.vm_id for row in rows}
    theirs = sum(1 for one in kept if one in skipped or one not in named or one in {row.vm_id for row in before})
    assert ends <= max(decided.target, theirs)


@pytest.mark.parametrize(
    ("previous", "why"),
    [
        (OLD, ""),
        (None, "has not noted"),
        (NEW, "does not change the set's image"),
        (ImageReference(id=IMAGE), "may name another version"),
        (ImageReference(publisher="p", offer="o", sku="s", version="latest"), "may name another version"),
    ],
)
def test_only_an_exact_image_that_differs_can_be_gone_back_to(previous: ImageReference | None, why: str) -> None:
    found = cannot_roll_back(Image("1.1.0", NEW, previous))
    assert why in found
    assert bool(found) == bool(why)
