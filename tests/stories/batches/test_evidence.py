"""Stories of what is kept of sick VMs: it can be read when they are gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import Fault, World, parse_world
from local.virtual.memory import MemoryTable
from rollout.model.azure.evidence import VmEvidence
from rollout.model.status import Color, Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

BAD = {"image": "1.2.0", "batchSizePercentage": 50, "gracePeriod": 120}

#: Every second VM of this image never becomes healthy.
HALF = {"image": "1.3.0", "batchSizePercentage": 100, "gracePeriod": 120}


@pytest.fixture
def world_of(small_world: SmallWorld) -> SmallWorld:
    """Make a small world; ``scale_set`` are fields of its set."""

    def make(capacity: int, **scale_set: Any) -> World:
        document = small_world(capacity).model_dump(mode="json", by_alias=True)
        document["scaleSets"][0] |= scale_set
        return parse_world(document)

    return make


async def evidence_of(stage: Any, deployment: str) -> list[VmEvidence]:
    """The evidence of every green VM, by name."""
    rows = await stage.platform.store.vms.list(deployment)
    green = sorted((row for row in rows if row.color is Color.GREEN), key=lambda row: row.name)
    found = [await stage.platform.store.evidence.get(deployment, row.vm_id) for row in green]
    assert [one is not None for one in found] == [row.evidence for row in green]
    return [one for one in found if one is not None]


async def failed(stage: Any, **parameters: Any) -> str:
    """Play a deployment that fails; its id. No green VM is left."""
    deployment: str = await stage.platform.start(**(BAD | parameters))
    row = await stage.platform.ended(deployment)
    assert (row.status, row.error.code) == (Status.FAILED, "batchUnhealthy")
    assert set(stage.versions()) == {"1.0.0"}
    return deployment


def stored(stage: Any) -> str:
    """Every row of every table, as text; of the kinds of rows, that of evidence is among them."""
    ports = [getattr(stage.platform.store, name) for name in type(stage.platform.store).__dataclass_fields__]
    tables: list[MemoryTable] = [port._records._table for port in ports if hasattr(port, "_records")]
    text = repr([table._partitions for table in tables])
    assert "takenAt" in text
    return text


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_evidence_of_both_green_vms_is_there_after_they_are_gone(play: Play, world_of: SmallWorld, mode: str) -> None:
    async def story(stage: Any) -> None:
        deployment = await failed(stage)
        found = await evidence_of(stage, deployment)
        assert len(found) == 2
        for evidence in found:
            assert evidence.notes == ()
            assert [(one.source, one.health) for one in evidence.readings] == [
                ("vmState", "healthy"),
                ("applicationHealth", "unhealthy"),
            ]
            view = evidence.instance_view
            assert view is not None
            assert view["vmHealth"]["status"]["code"] == "HealthState/unhealthy"
            (extension,) = view["extensions"]
            assert extension["statuses"][0]["code"] == "ProvisioningState/succeeded"
            assert "PowerState/running" in [status["code"] for status in view["statuses"]]
            assert evidence.serial_log is not None
            assert f"{evidence.name}: " in evidence.serial_log
        asked = [kind for kind in stage.platform.cloud.requests if kind.startswith("get serial log")]
        assert asked
        assert "sig=" not in stored(stage)

    play(story, world_of(4, orchestrationMode=mode))


def test_evidence_is_read_through_the_door(play: Play, world_of: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await failed(stage)
        vms = (await stage.platform.get(f"/api/deployments/{deployment}/vms?batch=1")).body["value"]
        assert {vm["color"]: vm["evidence"] for vm in vms} == {"blue": False, "green": True}
        (green,) = [vm for vm in vms if vm["color"] == "green"]
        reply = await stage.platform.get(f"/api/deployments/{deployment}/vms/{green['vmId']}/evidence")
        assert (reply.status, reply.body["vmId"], reply.body["notes"]) == (200, green["vmId"], [])
        assert (reply.body["batch"], reply.body["reason"]) == (1, "applicationHealth: unhealthy")

    play(story, world_of(2))


def test_set_without_boot_diagnostics_says_so_and_the_rest_is_kept(play: Play, world_of: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        (evidence,) = await evidence_of(stage, await failed(stage))
        assert evidence.serial_log is None
        assert evidence.instance_view is not None
        (note,) = evidence.notes
        assert note.startswith("The serial log could not be read: OperationNotAllowed: Boot diagnostics is not enabled")

    play(story, world_of(2, bootDiagnostics=False))


def test_azure_refusing_the_instance_view_leaves_the_log_and_the_readings(play: Play, world_of: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        path = r"/virtualMachines/\d+$"
        stage.platform.cloud.faults.add(Fault.model_validate({"method": "GET", "path": path, "status": 403}))
        (evidence,) = await evidence_of(stage, await failed(stage))
        assert evidence.instance_view is None
        assert evidence.serial_log
        assert len(evidence.readings) == 2
        assert evidence.notes == ("The instance view could not be read: Forbidden: Forbidden, by the fault script.",)

    play(story, world_of(2))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 403}, "http403: the storage service refused to hand it out"),
        ({"loseRequest": True}, "noAnswer: the storage service did not answer"),
        ({"delay": 60}, "no answer within 10 s"),
    ],
)
def test_log_that_storage_does_not_hand_out_is_noted_in_words(
    play: Play, world_of: SmallWorld, fault: dict[str, Any], words: str
) -> None:
    async def story(stage: Any) -> None:
        stage.platform.cloud.faults.add(Fault.model_validate({"path": "/bootdiagnostics/", **fault}))
        (evidence,) = await evidence_of(stage, await failed(stage))
        assert evidence.serial_log is None
        assert evidence.notes == (f"The serial log could not be read: {words}",)
        assert "sig=" not in stored(stage)

    play(story, world_of(2))


def test_sick_vms_of_a_batch_that_passes_leave_evidence_of_both_rounds(play: Play, world_of: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**HALF)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.remaining_blue) == (Status.FINISHED, 1)
        rows = [one for one in await stage.platform.store.vms.list(deployment, 1) if one.color is Color.GREEN]
        assert sorted((one.status, one.replaced, one.evidence) for one in rows) == [
            ("healthy", False, False),
            ("healthy", False, False),
            ("healthy", False, False),
            ("unhealthy", False, True),
            ("unhealthy", True, True),
            ("unhealthy", True, True),
        ]
        assert len(await evidence_of(stage, deployment)) == 3

    play(story, world_of(4))


def test_what_the_gateways_probe_saw_is_among_the_readings(play: Play, small_world: SmallWorld) -> None:
    document = small_world(2).model_dump(mode="json", by_alias=True)
    document["scaleSets"][0]["backendPools"] = ["web-gw/web"]
    document["applicationGateways"] += [{"name": "web-gw", "resourceGroup": "demo", "pools": ["web"]}]
    document["groups"][0]["healthCheckTypes"] = ["vmState", "applicationGateway"]

    async def story(stage: Any) -> None:
        (evidence,) = await evidence_of(stage, await failed(stage))
        (reading,) = [one for one in evidence.readings if one.source == "applicationGateway"]
        assert reading.health == "unhealthy"
        assert "Received invalid status code" in reading.detail

    play(story, parse_world(document))


def test_good_deployment_asks_azure_for_no_evidence(play: Play, world_of: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED
        asked = {kind.partition(" [")[0] for kind in stage.platform.cloud.requests}
        assert asked.isdisjoint({"get VM", "get boot diagnostics", "get serial log"})
        assert await evidence_of(stage, deployment) == []

    play(story, world_of(2))


def test_evidence_is_what_the_vm_was_like_when_it_was_judged(play: Play, world_of: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await failed(stage)
        (evidence,) = await evidence_of(stage, deployment)
        events = {event.type: event.at for event in await stage.platform.events(deployment)}
        assert timedelta(0) <= evidence.taken_at - events["BatchFailed"] <= timedelta(minutes=1)
        assert evidence.taken_at <= events["GreenDiscarded"]

    play(story, world_of(2))
