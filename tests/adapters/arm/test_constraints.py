"""Sizes, quotas, locks and rolling upgrades: read with the real SDK's pipeline, scripted and simulated."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.arm.client import ComputeClients
from adapters.arm.constraints import ArmConstraints
from local.azure.arm.transport import InProcessTransport
from local.azure.cloud import Cloud
from local.azure.world import demo_world
from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from rollout.model.azure.scale_set import ScaleSet
from rollout.model.azure.surroundings import ManagementLock, Usage, VmSize
from rollout.ports.errors import Busy, Refused
from settings import Settings

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo"
SET = ScaleSet(
    f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/web",
    "web",
    "East US 2",
    '"1"',
    10,
    "Succeeded",
    None,
    sku_name="standard_d2s_V5",
)


@pytest.fixture
def constraints(clients: ComputeClients) -> ArmConstraints:
    return ArmConstraints(clients)


def sku(name: str, kind: str = "virtualMachines", **capabilities: str) -> dict[str, Any]:
    """As recorded: a region's SKUs are sizes, disks, hosts and more."""
    told = [{"name": each, "value": value} for each, value in capabilities.items()]
    return {"resourceType": kind, "name": name, "family": "standardDSv5Family", "capabilities": told}


async def test_a_size_is_found_among_all_skus_of_the_region_and_they_are_read_once(
    constraints: ArmConstraints, script: Any
) -> None:
    script.answer(
        200,
        {
            "value": [sku("Standard_D2s_v5", "disks"), sku("Standard_E16-4s_v5", vCPUs="16", vCPUsAvailable="4")],
            "nextLink": "https://management.azure.com/next?api-version=2021-07-01",
        },
    )
    script.answer(200, {"value": [sku("Standard_D2s_v5", vCPUs="2")]})
    expected = VmSize("Standard_D2s_v5", "standardDSv5Family", 2)
    assert [await constraints.size(SET) for _ in range(2)] == [expected, expected]
    assert len(script.lines) == 2
    assert script.lines[0].endswith(
        "/providers/Microsoft.Compute/skus?api-version=2021-07-01&$filter=location%20eq%20%27eastus2%27"
    )


async def test_of_constrained_cores_only_those_count_that_can_be_used(constraints: ArmConstraints, script: Any) -> None:
    script.answer(200, {"value": [sku("Standard_D2s_v5", vCPUs="16", vCPUsAvailable="4")]})
    size = await constraints.size(SET)
    assert size is not None
    assert size.cores == 4


async def test_a_size_tells_what_its_vms_can_run(constraints: ArmConstraints, script: Any) -> None:
    told = {"HyperVGenerations": "V1,V2", "CpuArchitectureType": "x64", "DiskControllerTypes": "SCSI,NVMe"}
    script.answer(200, {"value": [sku("Standard_D2s_v5", vCPUs="2", **told)]})
    size = await constraints.size(SET)
    assert size is not None
    assert (size.generations, size.architecture, size.disk_controllers) == (("V1", "V2"), "x64", ("SCSI", "NVMe"))


async def test_a_size_that_is_not_listed_is_none(constraints: ArmConstraints, script: Any) -> None:
    script.answer(200, {"value": []})
    assert await constraints.size(SET) is None


async def test_usages_are_those_of_the_region(constraints: ArmConstraints, script: Any) -> None:
    name = {"value": "cores", "localizedValue": "Total Regional vCPUs"}
    script.answer(200, {"value": [{"limit": 100, "currentValue": 12, "name": name, "unit": "Count"}]})
    assert await constraints.usages(SET) == (Usage("cores", "Total Regional vCPUs", 12, 100),)
    assert "/locations/eastus2/usages?" in script.lines[0]


async def test_locks_are_asked_for_at_the_resource_group(constraints: ArmConstraints, script: Any) -> None:
    identifier = f"{GROUP}/providers/Microsoft.Authorization/locks/keep"
    script.answer(200, {"value": [{"id": identifier, "name": "keep", "properties": {"level": "CanNotDelete"}}]})
    assert await constraints.locks(SET) == (ManagementLock("keep", GROUP, "CanNotDelete"),)
    assert "/resourceGroups/demo/providers/Microsoft.Authorization/locks?api-version=2020-05-01" in script.lines[0]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"properties": {"runningStatus": {"code": "RollingForward"}}}, "RollingForward"),
        (200, {"properties": {}}, None),
        (404, {"error": {"code": "NotFound", "message": "none"}}, None),
    ],
)
async def test_the_latest_rolling_upgrade(
    constraints: ArmConstraints, script: Any, status: int, body: Any, expected: str | None
) -> None:
    script.answer(status, body)
    assert await constraints.rolling_upgrade(SET) == expected
    assert "/virtualMachineScaleSets/web/rollingUpgrades/latest?" in script.lines[0]


@pytest.mark.parametrize(("status", "raised"), [(403, Refused), (429, Busy), (503, Busy)])
@pytest.mark.parametrize("name", ["size", "usages", "locks", "rolling_upgrade"])
async def test_what_azure_refuses_is_raised(
    constraints: ArmConstraints, script: Any, name: str, status: int, raised: type[Exception]
) -> None:
    script.answer(status, {"error": {"code": "AuthorizationFailed", "message": "no"}})
    with pytest.raises(raised):
        await getattr(constraints, name)(SET)


def test_the_simulated_azure_answers_all_of_it(credential: Any) -> None:
    async def scene() -> None:
        cloud = Cloud(demo_world(), PlatformClock(VIRTUAL_START))
        clients = ComputeClients(Settings(), credential, lambda: InProcessTransport(cloud))
        asked = ArmConstraints(clients)
        size = await asked.size(SET)
        assert size is not None
        assert (size.name, size.family, size.cores) == ("Standard_D2s_v5", "standardDSv5Family", 2)
        used = {usage.name: usage.used for usage in await asked.usages(SET)}
        assert (used["cores"], used["standardDSv5Family"], used["virtualMachines"]) == (32, 32, 16)
        assert (await asked.locks(SET), await asked.rolling_upgrade(SET)) == ((), None)
        cloud.interfere.lock("", name="all")
        cloud.interfere.lock("other", name="elsewhere")
        cloud.interfere.lock(f"{SET.id}/virtualMachines/1", name="one", level="ReadOnly")
        cloud.interfere.rolling_upgrade(SET.id, "RollingForward")
        assert [(lock.name, lock.level) for lock in await asked.locks(SET)] == [
            ("all", "CanNotDelete"),
            ("one", "ReadOnly"),
        ]
        assert await asked.rolling_upgrade(SET) == "RollingForward"
        assert cloud.unknown == []
        await clients.close()

    run_virtual(scene())
