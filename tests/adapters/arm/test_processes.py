"""What the processes port sends, and what it makes of the answers; then the same against the simulated Azure."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.mgmt.compute import models

from adapters.arm.client import ComputeClients
from adapters.arm.processes import ArmProcesses
from adapters.arm.scale_sets import ArmScaleSets
from local.azure.arm.transport import InProcessTransport
from local.azure.cloud import Cloud
from local.azure.world import World, demo_world, parse_world
from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, ScaleSet
from rollout.model.rows.holds import HoldKind, Process
from rollout.ports.errors import Busy, Refused, Stale
from settings import Settings

ARM = "https://management.azure.com"
GROUP = "/subscriptions/5ab3/resourceGroups/demo"
SET_ID = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/web"
SET = ScaleSet(SET_ID, "web", "eastus2", '"7"', 2, "Succeeded", ImageReference())
FLEXIBLE = replace(SET, mode=OrchestrationMode.FLEXIBLE)
SETTINGS = "/providers/Microsoft.Insights/autoscaleSettings?api-version=2022-10-01"
SETTING_ID = f"/subscriptions/5ab3/resourceGroups/ops{SETTINGS.split('?')[0]}/web-as"
COMPUTE = "?api-version=2026-04-01"

#: A GET of an autoscale setting, as https://learn.microsoft.com/rest/api/monitor/autoscale-settings/get shows it.
SETTING: dict[str, Any] = {
    "location": "East US 2",
    "tags": {"hidden-link:web": "Resource"},
    "properties": {
        "name": "web-as",
        "profiles": [
            {
                "name": "day",
                "capacity": {"minimum": "2", "maximum": "10", "default": "3"},
                "rules": [{"scaleAction": {"direction": "Increase", "type": "ChangeCount", "value": "1"}}],
                "recurrence": {"frequency": "Week"},
            },
            {"name": "night", "capacity": {"minimum": "1", "maximum": "4", "default": "1"}, "rules": []},
        ],
        "enabled": True,
        "predictiveAutoscalePolicy": {"scaleMode": "Disabled"},
        "targetResourceUri": SET_ID.replace("demo", "DEMO"),
        "notifications": [{"operation": "Scale"}],
    },
    "id": SETTING_ID,
    "name": "web-as",
    "type": "Microsoft.Insights/autoscaleSettings",
    "systemData": {"createdAt": "2026-01-01T00:00:00Z"},
}
OTHER = {**SETTING, "properties": {**SETTING["properties"], "targetResourceUri": f"{SET_ID}-2"}}

POLICIES = {
    "upgradePolicy": {"mode": "Rolling", "rollingUpgradePolicy": {"maxSurge": True}},
    "overprovision": True,
    "automaticRepairsPolicy": {"enabled": True, "gracePeriod": "PT30M", "repairAction": None},
    "resiliencyPolicy": {"automaticZoneRebalancingPolicy": {"enabled": True}, "resilientVMCreationPolicy": {}},
    "scaleInPolicy": {"rules": ["NewestVM"], "forceDeletion": False},
}


@pytest.fixture
def processes(clients: ComputeClients) -> ArmProcesses:
    return ArmProcesses(clients)


def scale_set_body(**properties: Any) -> dict[str, Any]:
    return {"id": SET_ID, "name": "web", "location": "eastus2", "properties": properties}


def denied(script: Any) -> None:
    script.answer(403, {"error": {"code": "AuthorizationFailed", "message": "no role"}})


async def test_a_uniform_sets_policies_its_service_and_its_settings_are_read(script: Any, processes: Any) -> None:
    script.answer(200, scale_set_body(**POLICIES))
    view = {"orchestrationServices": [{"serviceName": "AutomaticRepairs", "serviceState": "Running"}]}
    script.answer(200, view)
    script.answer(200, {"value": [OTHER, SETTING]})
    found = {process.kind: process for process in await processes.read(SET)}
    assert {kind: process.value for kind, process in found.items()} == {
        HoldKind.AUTOSCALE: {
            "day": {"minimum": 2, "maximum": 10, "default": 3},
            "night": {"minimum": 1, "maximum": 4, "default": 1},
        },
        HoldKind.REPAIRS: {"serviceState": "Running"},
        HoldKind.ZONE_REBALANCE: POLICIES["resiliencyPolicy"],
        HoldKind.SCALE_IN_POLICY: {"rules": ["NewestVM"], "forceDeletion": False},
        HoldKind.UPGRADE_MODE: POLICIES["upgradePolicy"],
        HoldKind.OVERPROVISION: {"overprovision": True},
    }
    assert (found[HoldKind.AUTOSCALE].resource_id, found[HoldKind.AUTOSCALE].active) == (SETTING_ID, True)
    assert sorted(script.lines) == sorted(
        [
            f"GET {ARM}{SET_ID}{COMPUTE}",
            f"GET {ARM}{SET_ID}/instanceView{COMPUTE}",
            f"GET {ARM}/subscriptions/5ab3{SETTINGS}",
        ]
    )


async def test_what_a_set_leaves_out_is_what_azure_does_without_it(script: Any, processes: Any) -> None:
    script.answer(200, scale_set_body())
    script.answer(200, {"value": []})
    assert {process.kind: process.value for process in await processes.read(SET)} == {
        HoldKind.REPAIRS: {"serviceState": "NotRunning"},
        HoldKind.ZONE_REBALANCE: {},
        HoldKind.SCALE_IN_POLICY: {"rules": ["Default"]},
        HoldKind.UPGRADE_MODE: {"mode": "Manual"},
        HoldKind.OVERPROVISION: {"overprovision": False},
    }


async def test_a_flexible_sets_repairs_are_its_policy(script: Any, processes: Any) -> None:
    script.answer(200, scale_set_body(**POLICIES))
    script.answer(200, {"value": [{**SETTING, "properties": {**SETTING["properties"], "enabled": False}}]})
    found = {process.kind: process for process in await processes.read(FLEXIBLE)}
    assert found[HoldKind.REPAIRS].value == {"enabled": True, "gracePeriod": "PT30M"}
    assert not found[HoldKind.AUTOSCALE].active


async def test_who_may_not_list_the_subscription_lists_the_resource_group(script: Any, processes: Any) -> None:
    script.answer(200, scale_set_body())
    denied(script)
    script.answer(200, {"value": [SETTING]})
    assert (await processes.read(SET))[0].resource_id == SETTING_ID
    assert script.lines[-1] == f"GET {ARM}{GROUP}{SETTINGS}"


async def test_what_may_not_be_read_says_so(script: Any, processes: Any) -> None:
    script.answer(200, scale_set_body(**POLICIES))
    denied(script)
    denied(script)
    denied(script)
    found = {process.kind: process for process in await processes.read(SET)}
    unread = [kind for kind, process in found.items() if process.unreadable == "AuthorizationFailed: no role"]
    assert unread == [HoldKind.AUTOSCALE, HoldKind.REPAIRS]


async def test_without_azure_monitor_there_are_no_settings(script: Any, processes: Any) -> None:
    script.answer(200, scale_set_body())
    script.answer(409, {"error": {"code": "MissingSubscriptionRegistration", "message": "microsoft.insights"}})
    assert HoldKind.AUTOSCALE not in [process.kind for process in await processes.read(SET)]


async def test_a_refusal_that_passes_is_not_taken_for_a_missing_right(script: Any, processes: Any) -> None:
    script.answer(200, scale_set_body())
    script.answer(429, {"error": {"code": "TooManyRequests", "message": "later"}}, retry_after="20")
    with pytest.raises(Busy):
        await processes.read(SET)


async def test_a_set_that_is_gone_is_stale(script: Any, processes: Any) -> None:
    message = "The Resource 'Microsoft.Compute/virtualMachineScaleSets/web' was not found."
    script.answer(404, {"error": {"code": "ResourceNotFound", "message": message}})
    with pytest.raises(Stale):
        await processes.read(SET)


async def test_policies_go_in_one_guarded_patch(script: Any, processes: Any) -> None:
    script.answer(200, scale_set_body())
    await processes.write(
        FLEXIBLE,
        [
            Process(HoldKind.REPAIRS, SET_ID, {"enabled": False, "gracePeriod": "PT30M"}),
            Process(HoldKind.ZONE_REBALANCE, SET_ID, {"automaticZoneRebalancingPolicy": {"enabled": False}}),
            Process(HoldKind.SCALE_IN_POLICY, SET_ID, {"rules": ["OldestVM"]}),
            Process(HoldKind.UPGRADE_MODE, SET_ID, {"mode": "Manual"}),
            Process(HoldKind.OVERPROVISION, SET_ID, {"overprovision": False}),
        ],
    )
    [request] = script.requests
    assert script.lines == [f"PATCH {ARM}{SET_ID}{COMPUTE}"]
    assert request.headers["If-Match"] == '"7"'
    assert json.loads(request.content) == {
        "properties": {
            "automaticRepairsPolicy": {"enabled": False, "gracePeriod": "PT30M"},
            "resiliencyPolicy": {"automaticZoneRebalancingPolicy": {"enabled": False}},
            "scaleInPolicy": {"rules": ["OldestVM"]},
            "upgradePolicy": {"mode": "Manual"},
            "overprovision": False,
        }
    }


async def test_repairs_go_as_they_are_into_the_write_that_turns_zone_rebalancing_on(
    script: Any, processes: Any
) -> None:
    script.answer(200, scale_set_body(resiliencyPolicy=POLICIES["resiliencyPolicy"]))
    script.answer(200, {"value": []})
    script.answer(200, scale_set_body())
    found = {process.kind: process for process in await processes.read(SET)}
    await processes.write(SET, [found[HoldKind.ZONE_REBALANCE]])
    assert json.loads(script.requests[-1].content)["properties"] == {
        "automaticRepairsPolicy": {"enabled": False},
        "resiliencyPolicy": POLICIES["resiliencyPolicy"],
    }


async def test_a_write_that_could_not_be_guarded_is_refused(script: Any, processes: Any) -> None:
    with pytest.raises(Refused, match="etagMissing"):
        await processes.write(
            replace(SET, etag=""), [Process(HoldKind.OVERPROVISION, SET_ID, {"overprovision": False})]
        )
    assert script.requests == []


@pytest.mark.parametrize(("state", "action"), [("Suspended", "Suspend"), ("Running", "Resume")])
async def test_a_service_is_told(script: Any, processes: Any, state: str, action: str) -> None:
    script.answer(202)
    await processes.write(SET, [Process(HoldKind.REPAIRS, SET_ID, {"serviceState": state})])
    assert script.lines == [f"POST {ARM}{SET_ID}/setOrchestrationServiceState{COMPUTE}"]
    assert json.loads(script.requests[0].content) == {"serviceName": "AutomaticRepairs", "action": action}


async def test_of_a_setting_only_the_bounds_are_changed(script: Any, processes: Any) -> None:
    changed = {**SETTING, "properties": {**SETTING["properties"], "enabled": False}}
    script.answer(200, changed)
    script.answer(200, changed)
    wanted = {"day": {"minimum": 10, "maximum": 12, "default": 10}, "gone": {"minimum": 1, "maximum": 1, "default": 1}}
    await processes.write(SET, [Process(HoldKind.AUTOSCALE, SETTING_ID, wanted)])
    url = f"{ARM}{SETTING_ID}?api-version=2022-10-01"
    assert script.lines == [f"GET {url}", f"PUT {url}"]
    sent = json.loads(script.requests[1].content)
    day, night = SETTING["properties"]["profiles"]
    bounds = {"minimum": "10", "maximum": "12", "default": "10"}
    assert sent == {
        "location": "East US 2",
        "tags": {"hidden-link:web": "Resource"},
        "properties": {**changed["properties"], "profiles": [{**day, "capacity": bounds}, night]},
    }


async def test_a_setting_that_may_not_be_written_is_refused(script: Any, processes: Any) -> None:
    script.answer(200, SETTING)
    denied(script)
    with pytest.raises(Refused, match="AuthorizationFailed"):
        await processes.write(SET, [Process(HoldKind.AUTOSCALE, SETTING_ID, {})])


class Stage:
    """A world with autoscale and repairs, and the adapters that look at it."""

    def __init__(self, world: World, credential: Any) -> None:
        self.clock = PlatformClock(VIRTUAL_START)
        self.cloud = Cloud(world, self.clock)
        self.clients = ComputeClients(Settings(), credential, lambda: InProcessTransport(self.cloud))
        self.processes = ArmProcesses(self.clients)
        self.scale_set_id = str(world.groups[0]["scaleSetId"])

    async def present(self) -> ScaleSet:
        """The set once no write is in flight."""
        while (found := await ArmScaleSets(self.clients).read(self.scale_set_id)) is None or not found.settled:
            await self.clock.sleep(timedelta(seconds=5))
        return found

    async def read(self) -> dict[HoldKind, Process]:
        return {process.key[0]: process for process in await self.processes.read(await self.present())}

    async def write(self, kind: HoldKind, **value: Any) -> None:
        process = (await self.read())[kind]
        await self.processes.write(await self.present(), [replace(process, value={**process.value, **value})])


@pytest.fixture
def play(credential: Any) -> Callable[..., None]:
    """Runs a scene in virtual time."""

    def run(scene: Callable[[Stage], Awaitable[None]], mode: str) -> None:
        async def main() -> None:
            document = demo_world().model_dump(mode="json", by_alias=True)
            policies = {name: value for name, value in POLICIES.items() if name != "upgradePolicy"}
            document["scaleSets"][0] |= {"orchestrationMode": mode, "overrides": {"properties": policies}}
            profile = {"name": "day", "minimum": 2, "maximum": 10}
            setting = {"name": "web-as", "resourceGroup": "ops", "scaleSet": "web", "profiles": [profile]}
            stage = Stage(parse_world({**document, "autoscaleSettings": [setting]}), credential)
            await scene(stage)
            assert stage.cloud.unknown == []
            await stage.clients.close()

        run_virtual(main())

    return run


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_what_is_written_is_read_again(play: Any, mode: str) -> None:
    async def scene(stage: Stage) -> None:
        before = await stage.read()
        bounds = {"minimum": 3, "maximum": 12, "default": 4}
        repairs = {"serviceState": "Suspended"} if mode == "Uniform" else {"enabled": False}
        await stage.write(HoldKind.AUTOSCALE, day=bounds)
        await stage.write(HoldKind.REPAIRS, **repairs)
        await stage.write(HoldKind.SCALE_IN_POLICY, rules=["OldestVM"])
        after = await stage.read()
        assert after[HoldKind.AUTOSCALE].value == {"day": bounds}
        assert after[HoldKind.REPAIRS].value == {**before[HoldKind.REPAIRS].value, **repairs}
        assert after[HoldKind.SCALE_IN_POLICY].value == {"rules": ["OldestVM"], "forceDeletion": False}
        for kind in (HoldKind.ZONE_REBALANCE, HoldKind.OVERPROVISION, HoldKind.UPGRADE_MODE):
            assert after[kind].value == before[kind].value
        for kind in (HoldKind.AUTOSCALE, HoldKind.REPAIRS, HoldKind.SCALE_IN_POLICY):
            await stage.write(kind, **before[kind].value)
        assert await stage.read() == before

    play(scene, mode)


def test_a_set_that_was_changed_since_it_was_read_is_stale(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        earlier = await stage.present()
        stage.cloud.interfere.scale(stage.scale_set_id, 11)
        with pytest.raises(Stale):
            await stage.processes.write(
                earlier, [Process(HoldKind.OVERPROVISION, earlier.id, {"overprovision": False})]
            )

    play(scene, "Uniform")


def test_the_sdk_has_the_fields_that_are_patched() -> None:
    update = models.VirtualMachineScaleSetUpdateProperties({})
    names = {field._rest_name for field in update._attr_to_rest_field.values()}
    assert set(POLICIES) <= names
