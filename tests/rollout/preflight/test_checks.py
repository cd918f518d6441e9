"""Every finding: what provokes it, what it is called, and whether it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, PublishedVersion, ScaleSet, Vm
from rollout.model.choices import HealthCheckType
from rollout.model.findings import Severity, describe
from rollout.model.group import Group, SignalRule, SignalType
from rollout.model.parameters import Parameters
from rollout.preflight.checks import check_start
from rollout.preflight.vms import check_vms

SET = ScaleSet(
    "/subscriptions/0/resourceGroups/demo/providers/Microsoft.Compute/virtualMachineScaleSets/web",
    "web",
    "eastus2",
    '"1"',
    10,
    "Succeeded",
    ImageReference(id="/galleries/apps/images/web/versions/1.0.0"),
    os_type="Linux",
    reports_health=True,
)
VERSION = PublishedVersion(
    "/galleries/apps/images/web/versions/1.1.0", "1.1.0", "Succeeded", regions={"eastus2": "Completed"}, os_type="Linux"
)
BOTH = (HealthCheckType.VM_STATE, HealthCheckType.APPLICATION_HEALTH)
GROUP = Group("web", SET.id, health_check_types=BOTH)
PARAMETERS = Parameters("1.1.0", health_check_types=BOTH)


def codes(
    scale_set: ScaleSet | None = SET, version: PublishedVersion | None = VERSION, parameters: Parameters = PARAMETERS
) -> dict[str, Severity]:
    found = check_start(scale_set, version, VERSION.id, parameters, GROUP)
    assert all(finding.message and finding.remedy for finding in found)
    return {finding.code: finding.severity for finding in found}


def test_nothing_speaks_against_a_set_as_it_should_be() -> None:
    assert codes() == {}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"image": None}, "noVmProfile"),
        ({"tags": {"aks-managed-poolName": "nodes"}}, "managedScaleSet"),
        ({"id": SET.id.replace("/demo/", "/MC_demo_aks_eastus2/")}, "managedScaleSet"),
        ({"service_fabric": True}, "managedScaleSet"),
        ({"upgrade_mode": "Automatic"}, "upgradeModeNotManual"),
        ({"upgrade_mode": "Rolling"}, "upgradeModeNotManual"),
        ({"overprovision": True}, "overprovisioning"),
        ({"automatic_os_upgrade": True}, "automaticOsUpgrade"),
        ({"reports_health": False}, "applicationHealthNotConfigured"),
        ({"provisioning_state": "Updating"}, "scaleSetBusy"),
        ({"os_type": "Windows"}, "imageIncompatible"),
        ({"location": "westus"}, "imageNotInRegion"),
        ({"image": ImageReference(publisher="p", offer="o", sku="s", version="1.0.0")}, "imageKindChange"),
    ],
)
def test_what_refuses_because_of_the_set(change: dict[str, Any], code: str) -> None:
    assert codes(replace(SET, **change))[code] is Severity.ERROR


@pytest.mark.parametrize(
    ("version", "code"),
    [
        (None, "imageNotFound"),
        (replace(VERSION, provisioning_state="Creating"), "imageNotReady"),
        (replace(VERSION, regions={"eastus2": "Replicating"}), "imageNotReplicated"),
        (replace(VERSION, regions=None), "imageNotInRegion"),
    ],
)
def test_what_refuses_because_of_the_image(version: PublishedVersion | None, code: str) -> None:
    assert codes(version=version)[code] is Severity.ERROR


def test_a_set_that_is_not_there() -> None:
    assert codes(None) == {"scaleSetNotFound": Severity.ERROR}


def test_a_health_check_that_the_group_does_not_define_is_refused_by_name() -> None:
    found = check_start(
        SET, VERSION, VERSION.id, PARAMETERS, replace(GROUP, health_check_types=(HealthCheckType.VM_STATE,))
    )
    (finding,) = found
    assert finding.code == "healthCheckNotDefined"
    assert "applicationHealth" in finding.message
    assert "vmState" in finding.message


@pytest.mark.parametrize(
    ("change", "parameters", "code"),
    [
        ({"backend_pools": ("/pool",)}, PARAMETERS, "poolHealthNotChecked"),
        ({}, replace(PARAMETERS, health_check_types=()), "healthNotAsked noHealthCheck"),
        ({}, replace(PARAMETERS, health_check_types=(HealthCheckType.VM_STATE,)), "healthNotAsked"),
        ({}, replace(PARAMETERS, tolerate_unhealthy=True), "toleratesUnhealthy"),
        (
            {"image": ImageReference(id="/galleries/apps/images/web")},
            PARAMETERS,
            "previousImageNotExact",
        ),
    ],
)
def test_warnings_are_told_and_do_not_refuse(change: dict[str, Any], parameters: Parameters, code: str) -> None:
    found = check_start(replace(SET, **change), VERSION, VERSION.id, parameters, GROUP)
    assert [(finding.code, finding.severity) for finding in found] == [(one, Severity.WARNING) for one in code.split()]


@pytest.mark.parametrize("kind", [HealthCheckType.LOAD_BALANCER, HealthCheckType.APPLICATION_GATEWAY])
def test_a_balancer_can_be_checked_only_where_the_set_is_in_a_pool_of_its_kind(kind: HealthCheckType) -> None:
    group = replace(GROUP, health_check_types=(kind,))
    parameters = replace(PARAMETERS, health_check_types=(kind,))
    pools = {
        "loadBalancer": "/loadBalancers/lb/backendAddressPools/a",
        "applicationGateway": "/applicationGateways/gw/x/a",
    }
    own = replace(SET, backend_pools=(pools.pop(kind),))
    other = replace(SET, backend_pools=tuple(pools.values()))
    assert [one.code for one in check_start(own, VERSION, VERSION.id, parameters, group)] == ["healthNotAsked"]
    for scale_set in (SET, other):
        (refusal, *_) = check_start(scale_set, VERSION, VERSION.id, parameters, group)
        assert (refusal.code, refusal.severity) == ("healthCheckNotConfigured", Severity.ERROR)
        assert kind in refusal.message


def test_errors_come_first() -> None:
    found = check_start(replace(SET, backend_pools=("/pool",)), None, VERSION.id, PARAMETERS, GROUP)
    assert [finding.severity for finding in found] == [Severity.ERROR, Severity.WARNING]


def vms(count: int, **change: Any) -> list[Vm]:
    first = Vm("id-0", "web_0", "0", ImageReference(), "Succeeded", "running")
    return [replace(first, **change)] + [replace(first, vm_id=f"id-{n}", name=f"web_{n}") for n in range(1, count)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (vms(10), []),
        (vms(10, protected=True), ["protectedVms"]),
        (vms(10, power_state="deallocated"), ["stoppedVms"]),
        (vms(9), ["capacityMismatch"]),
        (vms(10, provisioning_state="Deleting"), ["capacityMismatch"]),
        (vms(10, foreign="its name is odd"), ["attachedVms"]),
    ],
)
def test_what_the_vms_add(found: list[Vm], expected: list[str]) -> None:
    assert [finding.code for finding in check_vms(SET, found, PARAMETERS, None)] == expected


def test_the_capacity_of_a_flexible_set_may_differ_from_its_vms() -> None:
    assert list(check_vms(replace(SET, mode=OrchestrationMode.FLEXIBLE), vms(9), PARAMETERS, None)) == []


def test_a_flexible_set_is_as_good_as_a_uniform_one() -> None:
    assert codes(replace(SET, mode=OrchestrationMode.FLEXIBLE)) == {}


def test_many_vms_are_not_all_named() -> None:
    stopped = [replace(vm, power_state="stopped") for vm in vms(10)]
    (finding,) = check_vms(SET, stopped, PARAMETERS, None)
    assert describe([finding]) == "web_0, web_1, web_2, web_3, web_4 and 5 more are stopped"


def test_vm_ready_judges_green_vms_where_no_health_check_does() -> None:
    bare = replace(SET, reports_health=False)
    unchecked = Parameters("1.1.0", health_check_types=())
    state_only = Parameters("1.1.0", health_check_types=(HealthCheckType.VM_STATE,))
    group = Group("web", SET.id)
    for parameters, code in ((unchecked, "noHealthCheck"), (state_only, "greenServesUnjudged")):
        for kind, warned in ((SignalType.VM_READY_TO_SHUTDOWN, [code]), (SignalType.VM_READY, [])):
            signaled = replace(parameters, signals=(SignalRule(kind, timedelta(minutes=5)),))
            found = check_start(bare, VERSION, VERSION.id, signaled, group)
            assert [finding.code for finding in found] == warned
