"""Limits, quotas and locks: up to them, and not beyond."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference, PriorityMix, ScaleSet, Vm
from rollout.model.azure.surroundings import ManagementLock, ReadFailure, Surroundings, Usage, VmSize
from rollout.model.findings import Finding, Severity
from rollout.model.parameters import Parameters
from rollout.planning.batches import BatchPlan, plan
from rollout.preflight.limits import (
    VM_SIZES,
    check_locks,
    check_models,
    check_quota,
    check_size,
    check_size_known,
    check_unread,
)

GROUP = "/subscriptions/0/resourceGroups/demo"
OLD, NEW = ImageReference(id="/versions/1.0.0"), ImageReference(id="/versions/1.1.0")
SET = ScaleSet(
    f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/web", "web", "eastus2", '"1"', 10, "Succeeded", OLD
)
PARAMETERS = Parameters("1.1.0")
SIZE = VmSize("Standard_D2s_v5", "standardDSv5Family", 2)


def vms(count: int) -> list[Vm]:
    return [Vm(f"id-{n}", f"web_{n}", str(n), OLD, "Succeeded", "running") for n in range(count)]


def planned(count: int, percentage: int = 20, **change: Any) -> BatchPlan:
    return plan(vms(count), [], count, percentage, **change)


MANAGED = ImageReference(id=f"{GROUP}/providers/Microsoft.Compute/images/web")


@pytest.mark.parametrize(
    ("scale_set", "count", "percentage", "refused"),
    [
        (SET, 900, 10, False),
        (SET, 910, 10, True),
        (replace(SET, single_placement_group=True), 80, 20, False),
        (replace(SET, single_placement_group=True), 84, 20, True),
        (replace(SET, image=MANAGED), 500, 20, False),
        (replace(SET, image=MANAGED), 505, 20, True),
        (replace(SET, capacity=1000), 3, 100, True),
    ],
)
def test_what_a_set_holds(scale_set: ScaleSet, count: int, percentage: int, refused: bool) -> None:
    found = list(check_size(scale_set, planned(count, percentage), PARAMETERS))
    assert [finding.code for finding in found] == (["surgeOverLimit"] if refused else [])


def test_the_remedy_names_what_makes_the_batch_large() -> None:
    (by_share,) = check_size(SET, planned(910, 10), PARAMETERS)
    assert by_share.message == "910 VMs and 91 green ones are 1001; a scale set holds 1000 at most"
    assert by_share.remedy == "Choose a batchSizePercentage that launches at most 90 VMs at once"
    (by_count,) = check_size(SET, planned(910, batch_size=91), replace(PARAMETERS, batch_size=91))
    assert by_count.target == "batchSize"
    (by_canary,) = check_size(SET, planned(910, 1, canary=100), PARAMETERS)
    assert by_canary.target == "canary.size"


@pytest.mark.parametrize(
    ("scale_set", "count", "remedy"),
    [
        (
            replace(SET, single_placement_group=True),
            100,
            "Scale the set in by 1 VM or more, or az vmss update --set singlePlacementGroup=false, which is for ever",
        ),
        (SET, 1002, "Scale the set in by 3 VMs or more"),
        (SET, 999, "Choose a batchSizePercentage that launches at most 1 VM at once"),
    ],
)
def test_a_full_set_gets_a_remedy_that_can_be_followed(scale_set: ScaleSet, count: int, remedy: str) -> None:
    (found,) = check_size(scale_set, planned(count), PARAMETERS)
    assert found.remedy == remedy


def quota(*usages: Usage, scale_set: ScaleSet = SET, size: VmSize | None = SIZE, count: int = 10) -> list[Finding]:
    return list(check_quota(scale_set, planned(count), PARAMETERS, Surroundings(size, usages)))


@pytest.mark.parametrize(
    ("name", "used", "refused"),
    [
        ("cores", 96, False),
        ("cores", 97, True),
        ("standardDSv5Family", 96, False),
        ("STANDARDDSV5FAMILY", 97, True),
        ("standardDSv3Family", 100, False),
        ("virtualMachines", 98, False),
        ("virtualMachines", 99, True),
        ("lowPriorityCores", 100, False),
    ],
)
def test_the_largest_batch_fits_into_the_quota_or_is_refused(name: str, used: int, refused: bool) -> None:
    found = quota(Usage(name, "the quota", used, 100))
    assert [finding.code for finding in found] == (["quotaExceeded"] if refused else [])


def test_a_refusal_says_what_is_short() -> None:
    (finding,) = quota(Usage("standardDSv5Family", "Standard DSv5 Family vCPUs", 19, 20))
    assert finding.message == (
        "The largest batch needs 4 more of Standard DSv5 Family vCPUs in eastus2; 19 of 20 are in use"
    )
    assert finding.remedy == "Ask Azure for more quota, or free some of what is in use"
    assert finding.severity is Severity.ERROR


def test_spot_vms_have_a_quota_of_their_own() -> None:
    spot = replace(SET, spot=True)
    assert quota(Usage("cores", "c", 100, 100), scale_set=spot) == []
    assert len(quota(Usage("lowPriorityCores", "l", 100, 100), scale_set=spot)) == 1


@pytest.mark.parametrize(
    ("mix", "regular", "spot"),
    [
        (PriorityMix(), 0, 4),
        (PriorityMix(base=20), 4, 0),
        (PriorityMix(base=11), 2, 2),
        (PriorityMix(base=2, percentage=50), 2, 2),
        (PriorityMix(percentage=100), 4, 0),
    ],
)
def test_a_priority_mix_needs_cores_of_both_quotas(mix: PriorityMix, regular: int, spot: int) -> None:
    mixed = replace(SET, spot=True, priority_mix=mix)
    for name, needed in (("cores", regular), ("standardDSv5Family", regular), ("lowPriorityCores", spot)):
        assert quota(Usage(name, name, 100 - needed, 100), scale_set=mixed) == []
        if needed:
            (found,) = quota(Usage(name, name, 101 - needed, 100), scale_set=mixed)
            assert (found.code, f"needs {needed} more of {name}" in found.message) == ("quotaExceeded", True)


def test_of_a_size_that_is_not_known_only_the_vms_are_counted() -> None:
    assert quota(Usage("cores", "c", 100, 100), size=None) == []
    assert len(quota(Usage("virtualMachines", "v", 100, 100), size=None)) == 1


def test_a_plan_that_launches_nothing_needs_no_quota() -> None:
    assert quota(Usage("cores", "c", 100, 100), count=0) == []


def test_an_eleventh_model_is_refused() -> None:
    of = [replace(vm, image=ImageReference(id=f"/versions/0.{n}.0")) for n, vm in enumerate(vms(10))]
    everything = plan(of, [], 10, 20)
    assert [finding.code for finding in check_models(SET, of, NEW, everything)] == ["modelsExhausted"]
    assert list(check_models(SET, of[:9], NEW, everything)) == []
    assert list(check_models(SET, of, OLD, everything)) == []
    leaving = [replace(of[0], provisioning_state="Deleting"), *of[1:]]
    assert list(check_models(SET, leaving, NEW, everything)) == []


@pytest.mark.parametrize(
    ("scope", "concerned"),
    [
        ("/subscriptions/0", True),
        (GROUP, True),
        (GROUP.upper(), True),
        (SET.id, True),
        (f"{SET.id}/virtualMachines/3", True),
        (f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web_1", True),
        (f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web_11", False),
        (f"{GROUP}/providers/Microsoft.Compute/virtualMachines/other", False),
        (f"{SET.id}2", False),
        ("/subscriptions/0/resourceGroups/demo2", False),
        (f"{GROUP}/providers/Microsoft.Network/virtualNetworks/web", False),
    ],
)
def test_a_lock_concerns_what_is_at_its_scope_and_below(scope: str, concerned: bool) -> None:
    found = list(check_locks(SET, vms(3), [ManagementLock("keep", scope, "CanNotDelete")]))
    assert [finding.code for finding in found] == (["deleteLocked"] if concerned else [])
    assert all("keep (CanNotDelete) on" in finding.message for finding in found)


@pytest.mark.parametrize(
    ("sizes", "surroundings", "words"),
    [
        (("Standard_D8s_v5", "Standard_E16s_v5"), {}, "Azure launches VMs of Standard_D8s_v5, Standard_E16s_v5, as it"),
        ((), {}, "Azure lists no size Standard_X1 in eastus2: neither the cores"),
        ((), {"size": SIZE}, ""),
        ((), {"usages": ()}, ""),
        ((), {"unread": (ReadFailure(VM_SIZES, "no answer"),)}, ""),
    ],
)
def test_where_no_one_size_is_known_its_cores_are_not_checked(
    sizes: tuple[str, ...], surroundings: dict[str, Any], words: str
) -> None:
    around = replace(Surroundings(usages=(Usage("cores", "c", 0, 100),)), **surroundings)
    found = list(check_size_known(replace(SET, sku_name="Standard_X1", mixed_sizes=sizes), around))
    assert [finding.code for finding in found] == (["notChecked"] if words else [])
    assert all(finding.message.startswith(words) for finding in found)


def test_what_could_not_be_read_is_told_with_the_right_it_takes() -> None:
    unread = (
        ReadFailure("Locks", "Azure answered AuthorizationFailed", "locks/read"),
        ReadFailure("Quotas", "no answer"),
    )
    first, second = check_unread(Surroundings(unread=unread))
    assert (first.code, first.severity) == ("notChecked", Severity.INFO)
    assert first.message == "Locks could not be read: Azure answered AuthorizationFailed"
    assert first.remedy == "Give the app's identity locks/read"
    assert "later" in second.remedy
