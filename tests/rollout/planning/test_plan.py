"""Which VMs a deployment replaces, and what that takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.choices import AFTER_CANARY, EVERY_BATCH, Canary, HealthCheckType, VmPolicy
from rollout.model.parameters import Parameters
from rollout.planning.batches import plan
from rollout.planning.plan import approvals, approves_every, is_current, make_plan, most_cores, policies, serving_floor

OLD, NEW = ImageReference(id="/versions/1.0.0"), ImageReference(id="/versions/1.1.0")
PARAMETERS = Parameters("1.1.0", health_check_types=(HealthCheckType.VM_STATE,))


def vm(number: int, image: ImageReference = OLD, **change: Any) -> Vm:
    return replace(Vm(f"id-{number}", f"web_{number}", str(number), image, "Succeeded", "running"), **change)


def ids(vms: Any) -> list[str]:
    return [one.vm_id for one in vms]


def test_vms_that_run_the_image_stay_and_the_others_go() -> None:
    planned = make_plan(PARAMETERS, NEW, [vm(0), vm(1, NEW), vm(2)], ())
    assert (ids(planned.kept), planned.blue, planned.green, planned.target_size) == (["id-1"], 2, 2, 3)


def test_with_force_all_go() -> None:
    planned = make_plan(replace(PARAMETERS, force=True), NEW, [vm(0), vm(1, NEW)], ())
    assert (planned.kept, planned.blue, planned.green) == ((), 2, 2)


@pytest.mark.parametrize(
    ("image", "latest_model", "current"),
    [
        ("1.1.0", False, True),
        ("1.1.0", None, True),
        (None, True, True),
        (None, None, True),
        (None, False, False),
    ],
)
def test_where_no_image_is_named_a_vm_of_an_earlier_model_goes(
    image: str | None, latest_model: bool | None, current: bool
) -> None:
    assert is_current(vm(0, NEW, latest_model=latest_model), replace(PARAMETERS, image=image), NEW) is current
    assert not is_current(vm(0, OLD, latest_model=latest_model), replace(PARAMETERS, image=image), NEW)


def test_vms_that_serve_nobody_are_replaced_though_they_run_the_image_and_first() -> None:
    planned = make_plan(PARAMETERS, NEW, [vm(0), vm(1, NEW), vm(2), vm(3, NEW, power_state="stopped")], {"id-1"})
    assert planned.kept == ()
    assert {one.vm_id for batch in planned.batches[:2] for one in batch.blue} == {"id-1", "id-3"}


TRAITS: list[tuple[str, dict[str, Any]]] = [
    ("protected_vms", {"protected": True}),
    ("stopped_vms", {"power_state": "deallocated"}),
    ("attached_vms", {"foreign": "it is older than the set"}),
]


@pytest.mark.parametrize(("field", "trait"), TRAITS)
def test_a_skipped_vm_stays_and_counts(field: str, trait: dict[str, Any]) -> None:
    change: dict[str, Any] = {field: VmPolicy.SKIP}
    parameters = replace(PARAMETERS, **change)
    planned = make_plan(parameters, NEW, [vm(0, **trait), vm(1), vm(2)], ())
    assert (ids(planned.skipped), planned.blue, planned.green, planned.target_size) == (["id-0"], 2, 2, 3)


@pytest.mark.parametrize("policy", [VmPolicy.REPLACE, VmPolicy.REFUSE])
@pytest.mark.parametrize(("field", "trait"), TRAITS)
def test_a_vm_that_is_not_skipped_is_planned_like_any_other(
    field: str, trait: dict[str, Any], policy: VmPolicy
) -> None:
    change: dict[str, Any] = {field: policy}
    planned = make_plan(replace(PARAMETERS, **change), NEW, [vm(0, **trait), vm(1)], ())
    assert (planned.skipped, planned.blue, planned.green) == ((), 2, 2)


def test_a_vm_with_two_reasons_is_skipped_for_either() -> None:
    parameters = replace(PARAMETERS, stopped_vms=VmPolicy.SKIP, protected_vms=VmPolicy.REPLACE)
    both = vm(0, protected=True, power_state="stopped")
    assert len(policies(both, parameters)) == 2
    assert ids(make_plan(parameters, NEW, [both], ()).skipped) == ["id-0"]


def test_vms_on_their_way_out_are_nobodys() -> None:
    planned = make_plan(PARAMETERS, NEW, [vm(0), vm(1, provisioning_state="Deleting")], ())
    assert (planned.blue, planned.target_size) == (1, 1)


def test_an_unfinished_deployments_size_is_kept_to() -> None:
    planned = make_plan(PARAMETERS, NEW, [vm(n) for n in range(6)], (), target_size=4)
    assert (planned.blue, planned.green, planned.target_size) == (6, 4, 4)


@given(
    fields=st.lists(
        st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=30
    ),
    protected=st.sampled_from(VmPolicy),
    stopped=st.sampled_from(VmPolicy),
    attached=st.sampled_from(VmPolicy),
    force=st.booleans(),
    size=st.integers(1, 40),
    canary=st.integers(1, 40) | st.none(),
)
def test_every_vm_has_one_part_and_the_size_stays(
    fields: list[tuple[bool, bool, bool, bool, bool]],
    protected: VmPolicy,
    stopped: VmPolicy,
    attached: VmPolicy,
    force: bool,
    size: int,
    canary: int | None,
) -> None:
    vms = [
        vm(
            n,
            NEW if new else OLD,
            protected=is_protected,
            power_state="stopped" if is_stopped else "running",
            foreign="it is older than the set" if is_attached else "",
            provisioning_state="Deleting" if leaving else "Succeeded",
        )
        for n, (new, is_protected, is_stopped, is_attached, leaving) in enumerate(fields)
    ]
    parameters = replace(
        PARAMETERS,
        protected_vms=protected,
        stopped_vms=stopped,
        attached_vms=attached,
        force=force,
        batch_size=size,
        canary=Canary(canary) if canary else None,
    )
    planned = make_plan(parameters, NEW, vms, ())
    parts = [*ids(planned.kept), *ids(planned.skipped), *(i for batch in planned.batches for i in ids(batch.blue))]
    assert sorted(parts) == sorted(one.vm_id for one in vms if not one.leaving)
    assert len(planned.kept) + len(planned.skipped) + planned.green == planned.target_size == len(parts)
    assert planned.surge == max((batch.green for batch in planned.batches), default=0)


@pytest.mark.parametrize(
    ("change", "numbers", "every"),
    [
        ({}, (), False),
        ({"approvals": AFTER_CANARY}, (1,), False),
        ({"approvals": EVERY_BATCH}, (), True),
        ({"approvals": "batches", "approval_batches": (3, 2)}, (2, 3), False),
        ({"canary": Canary(1, approval=True)}, (1,), False),
        ({"canary": Canary(1, approval=True), "approvals": "batches", "approval_batches": (1, 4)}, (1, 4), False),
        ({"canary": Canary(1)}, (), False),
    ],
)
def test_when_somebody_must_approve(change: dict[str, Any], numbers: tuple[int, ...], every: bool) -> None:
    parameters = replace(PARAMETERS, **change)
    assert (approvals(parameters), approves_every(parameters)) == (numbers, every)


def test_cores_are_those_of_the_largest_batch_and_deallocated_vms_free_none() -> None:
    running = [vm(n) for n in range(4)]
    assert most_cores(plan(running, [], 4, 50), 2) == 4
    stopped = [vm(n, power_state="deallocated") for n in range(4)]
    assert most_cores(plan(stopped, [], 4, 50), 2) == 8


def test_as_many_serve_as_before_unless_unhealthy_vms_are_tolerated() -> None:
    vms = [vm(n) for n in range(10)]
    planned = plan(vms, [], 10, 20)
    serving = {one.vm_id for one in vms}
    assert serving_floor(planned, PARAMETERS, serving) == 10
    assert serving_floor(planned, PARAMETERS, serving - {"id-0"}) == 9
    # Of each batch of two one may be sick.
    assert serving_floor(planned, replace(PARAMETERS, tolerate_unhealthy=True), serving) == 5
    assert serving_floor(plan(vms, [], 8, 20), PARAMETERS, serving) == 8
