"""What VMs that are not like the others add to the preflight."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, ScaleSet, Vm
from rollout.model.choices import VmPolicy
from rollout.model.findings import Finding, Severity
from rollout.model.parameters import Parameters
from rollout.planning.plan import make_plan
from rollout.preflight.vms import check_vms

OLD, NEW = ImageReference(id="/versions/1.0.0"), ImageReference(id="/versions/1.1.0")
SET = ScaleSet("/sets/web", "web", "eastus2", '"1"', 3, "Succeeded", OLD)
PARAMETERS = Parameters("1.1.0")


def vms(**change: Any) -> list[Vm]:
    plain = [Vm(f"id-{n}", f"web_{n}", str(n), OLD, "Succeeded", "running") for n in range(3)]
    return [replace(plain[0], **change), *plain[1:]]


def found(parameters: Parameters, seen: list[Vm], scale_set: ScaleSet = SET) -> list[Finding]:
    return list(check_vms(scale_set, seen, parameters, make_plan(parameters, NEW, seen, ())))


@pytest.mark.parametrize(
    ("policy", "severity", "words"),
    [
        (VmPolicy.REFUSE, Severity.ERROR, ""),
        (VmPolicy.SKIP, Severity.WARNING, ": left as they are"),
        (VmPolicy.REPLACE, Severity.WARNING, ": replaced like the others"),
    ],
)
@pytest.mark.parametrize(
    ("code", "field", "trait", "is_so"),
    [
        ("protectedVms", "protected_vms", {"protected": True}, "is protected from scale-set actions"),
        ("stoppedVms", "stopped_vms", {"power_state": "deallocated"}, "is stopped"),
        (
            "attachedVms",
            "attached_vms",
            {"foreign": "it is older than the set"},
            "(it is older than the set) is attached, not made by the scale set",
        ),
    ],
)
def test_each_policy_has_its_finding(
    code: str, field: str, trait: dict[str, Any], is_so: str, policy: VmPolicy, severity: Severity, words: str
) -> None:
    change: dict[str, Any] = {field: policy}
    (finding,) = found(replace(PARAMETERS, **change), vms(**trait))
    assert (finding.code, finding.severity, finding.target) == (code, severity, code)
    assert finding.message == f"web_0 {is_so}{words}"
    assert finding.remedy


def test_a_protected_vm_that_stays_anyway_needs_no_decision() -> None:
    assert found(PARAMETERS, vms(protected=True, image=NEW)) == []
    forced = replace(PARAMETERS, force=True)
    assert [finding.code for finding in found(forced, vms(protected=True, image=NEW))] == ["protectedVms"]


def test_data_disks_of_vms_that_go_are_named() -> None:
    (finding,) = found(PARAMETERS, vms(data_disks=("web_0_disk0", "web_0_disk1")))
    assert (finding.severity, finding.code) == (Severity.WARNING, "dataDisksLost")
    assert "web_0 (web_0_disk0, web_0_disk1)" in finding.message
    assert found(PARAMETERS, vms(data_disks=("d",), image=NEW)) == []


def test_without_an_image_it_is_told_where_azure_does_not_say_which_model_a_vm_runs() -> None:
    absent = replace(PARAMETERS, image=None)
    flexible = replace(SET, mode=OrchestrationMode.FLEXIBLE)
    assert [finding.code for finding in found(absent, vms(), flexible)] == ["modelNotTold"]
    assert found(replace(absent, force=True), vms(), flexible) == []
    told = [replace(vm, latest_model=True) for vm in vms()]
    assert found(absent, told) == []


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (
            {"left_disks": 2, "left_interfaces": 1},
            "2 disks and 1 network interface of VMs that are deleted stay behind",
        ),
        ({"left_disks": 1}, "1 disk of VMs that are deleted stays behind"),
        ({"left_interfaces": 2}, "2 network interfaces of VMs that are deleted stay behind"),
        ({"left_disks": 2, "image": NEW}, ""),
    ],
)
def test_what_stays_when_its_vm_goes_is_counted(left: dict[str, Any], words: str) -> None:
    findings = [finding for finding in found(PARAMETERS, vms(**left)) if finding.code == "leftBehind"]
    assert [finding.severity for finding in findings] == ([Severity.WARNING] if words else [])
    assert all(finding.message.startswith(words) for finding in findings)
