"""``/deployments``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollout.model.azure.evidence import VmEvidence
from rollout.model.azure.scale_set import ImageReference
from rollout.model.choices import HealthCheckType
from rollout.model.rows.deployment import Batch, Deployment, Event, Reading, VmRecord
from rollout.model.stages import Stage, StageName
from rollout.model.status import Color, Phase, Status, VmStatus
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy

AT = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
UNKNOWN = "web-20261123T081500Z-ffffff"


async def start_and_change(world: Any, **fields: Any) -> str:
    """A started deployment whose row has come further."""
    name: str = (await world.start())["id"]
    await world.store.deployments.change(name, lambda row: replace(row, **fields))
    return name


async def free_lock(world: Any) -> None:
    lock = await world.lock()
    await world.store.locks.swap(lock, replace(lock, owner=""))


async def start_ended(world: Any, status: Status = Status.FINISHED) -> str:
    """A deployment that has ended, as a recipe leaves it."""
    name = await start_and_change(world, status=status, ended_at=AT)
    world.instances.states[name] = InstanceState.ENDED
    await free_lock(world)
    world.clock.pass_(timedelta(seconds=1))
    return name


async def test_a_deployment_in_progress_shows_its_batchs_reason_and_counts(world: Any) -> None:
    previous = ImageReference(publisher="Canonical", offer="ubuntu", sku="server", version="24.04")
    name = (await world.start())["id"]

    def second_batch(row: Deployment) -> Deployment:
        image = replace(row.image, previous=previous)
        row = replace(row, status=Status.IN_PROGRESS, reason="stale", started_at=AT, image=image)
        return replace(row, number_of_batches=5, current_batch=2, progress=40, blue_vms=8, green_vms=4)

    await world.store.deployments.change(name, second_batch)
    await world.store.batches.put(name, [Batch(2, 2, 2, Phase.LAUNCHED, "waiting for 1 of 2 VMs")])
    shown = await world.get(f"deployments/{name}")

    assert shown["status"] == "inProgress"
    assert shown["reason"] == "Batch 2 of 5: waiting for 1 of 2 VMs"
    counts = ("progress", "numberOfBatches", "currentBatch", "blueVms", "greenVms")
    assert [shown[name] for name in counts] == [40, 5, 2, 8, 4]
    assert shown["image"]["previous"] == "Canonical:ubuntu:server:24.04"
    assert shown["startedAt"] == "2026-11-23T08:20:00.000Z"
    assert (shown.pop("dangers"), shown.pop("findings")) == ([], [])
    assert (await world.get("groups/web/deployments"))["value"] == [shown]


@pytest.mark.parametrize(
    ("phase", "batch_reason", "reason"),
    [
        (Phase.LAUNCHED, "Batch 2 of 5: 2 green VMs launched", "Batch 2 of 5: 2 green VMs launched"),
        (Phase.PLANNED, "", "the row's"),
        (Phase.FAILED, "old", "the row's"),
        (Phase.TERMINATED, "old", "the row's"),
    ],
)
async def test_the_rows_reason_stands_where_the_batch_has_none_that_is_fresher(
    world: Any, phase: Phase, batch_reason: str, reason: str
) -> None:
    name = await start_and_change(
        world, status=Status.IN_PROGRESS, reason="the row's", current_batch=2, number_of_batches=5
    )
    await world.store.batches.put(name, [Batch(2, 2, 2, phase, batch_reason)])
    assert (await world.get(f"deployments/{name}"))["reason"] == reason


@pytest.mark.parametrize(
    ("state", "age", "said"),
    [
        (InstanceState.ENDED, 0, "has ended without finishing"),
        (InstanceState.SUSPENDED, 0, "suspended through Durable"),
        (InstanceState.ABSENT, 120, "was never started"),
        (InstanceState.ABSENT, 119, "Waiting to be planned"),
        (InstanceState.RUNNING, 500, "Waiting to be planned"),
    ],
)
async def test_an_orchestration_that_does_nothing_is_told_and_nothing_is_written(
    world: Any, state: InstanceState, age: int, said: str
) -> None:
    name = (await world.start())["id"]
    world.instances.states[name] = state
    world.clock.pass_(timedelta(seconds=age))
    before = await world.written()

    shown = await world.get(f"deployments/{name}")

    assert said in shown["reason"]
    assert shown["status"] == "pending"
    assert await world.written() == before


async def test_a_deployment_is_readable_while_durable_does_not_answer(world: Any) -> None:
    name = (await world.start())["id"]
    world.instances.state_error = Busy("DurableExtension", "gone")
    assert (await world.get(f"deployments/{name}"))["reason"] == "Waiting to be planned"


async def test_a_groups_deployments_are_listed_newest_first_up_to_the_limit(world: Any) -> None:
    names = [await start_ended(world) for _ in range(3)]

    listed = await world.get("groups/web/deployments")
    assert [row["id"] for row in listed["value"]] == names[::-1]
    listed = await world.get("groups/web/deployments?limit=2")
    assert [row["id"] for row in listed["value"]] == names[:0:-1]


async def test_all_groups_deployments_are_one_list_narrowed_by_status(world: Any) -> None:
    other_id = world.scale_set_id + "2"
    world.scale_sets.add(replace(world.scale_sets.sets[world.scale_set_id.lower()], id=other_id))
    await world.add_group(id="web2", scale_set_id=other_id)
    finished = await start_ended(world)
    other = (await world.send("POST", "groups/web2/deployments", {"image": "1.1.0"})).body["id"]
    world.clock.pass_(timedelta(seconds=1))
    failed = await start_ended(world, Status.FAILED)

    async def ids(query: str) -> list[str]:
        return [row["id"] for row in (await world.get(f"deployments{query}"))["value"]]

    assert await ids("") == [failed, other, finished]
    assert await ids("?status=failed,finished") == [failed, finished]
    assert await ids("?status=pending") == [other]
    assert await ids("?status=baking") == []
    assert await ids("?limit=1") == [failed]


@pytest.mark.parametrize(
    ("query", "code", "target"),
    [
        ("limit=0", "outOfRange", "limit"),
        ("limit=101", "outOfRange", "limit"),
        ("limit=1.5", "invalidType", "limit"),
        ("limit=-1", "invalidType", "limit"),
        ("limit=" + "9" * 5000, "invalidType", "limit"),
        ("status=done", "invalidValue", "status"),
        ("status=failed,,", "invalidValue", "status"),
    ],
)
async def test_a_query_is_checked(world: Any, query: str, code: str, target: str) -> None:
    status, error = await world.refused("GET", f"deployments?{query}")
    assert (status, error["code"], error["target"]) == (400, code, target)


async def test_vms_are_shown_with_their_readings_and_by_batch(world: Any) -> None:
    name = (await world.start())["id"]
    reading = Reading(HealthCheckType.VM_STATE, "healthy", "running", AT)
    green = VmRecord("id-3", "web_3", Color.GREEN, 2, VmStatus.HEALTHY, "1 of 1 healthy", "1", (reading,), AT)
    blue = VmRecord("id-0", "web_0", Color.BLUE, 1, VmStatus.RUNNING)
    await world.store.vms.put(name, [green, blue])

    shown = (await world.get(f"deployments/{name}/vms"))["value"]
    assert [vm["name"] for vm in shown] == ["web_0", "web_3"]
    assert shown[1] == {
        "vmId": "id-3",
        "name": "web_3",
        "color": "green",
        "batch": 2,
        "status": "healthy",
        "reason": "1 of 1 healthy",
        "zone": "1",
        "replaced": False,
        "evidence": False,
        "launchedBy": "",
        "readings": [{"source": "vmState", "health": "healthy", "detail": "running", "at": "2026-11-23T08:20:00.000Z"}],
        "updatedAt": "2026-11-23T08:20:00.000Z",
    }
    assert (await world.get(f"deployments/{name}/vms?batch=2"))["value"] == shown[1:]
    assert (await world.get(f"deployments/{name}/vms?batch=0"))["value"] == []
    assert (await world.refused("GET", f"deployments/{name}/vms?batch=x"))[1]["target"] == "batch"


async def test_evidence_of_a_sick_vm_is_shown_with_what_is_missing(world: Any) -> None:
    name = (await world.start())["id"]
    reading = Reading(HealthCheckType.APPLICATION_HEALTH, "unhealthy", "unhealthy", AT)
    view = {"vmHealth": {"status": {"code": "HealthState/unhealthy"}}}
    notes = ("The serial log could not be read: no answer within 10 s",)
    evidence = VmEvidence(
        "id-3", "web_3", 2, AT, VmStatus.UNHEALTHY, "applicationHealth: unhealthy", (reading,), view, notes=notes
    )
    await world.store.evidence.put(name, evidence)
    assert await world.get(f"deployments/{name}/vms/ID-3/evidence") == {
        "vmId": "id-3",
        "name": "web_3",
        "batch": 2,
        "takenAt": "2026-11-23T08:20:00.000Z",
        "status": "unhealthy",
        "reason": "applicationHealth: unhealthy",
        "readings": [
            {
                "source": "applicationHealth",
                "health": "unhealthy",
                "detail": "unhealthy",
                "at": "2026-11-23T08:20:00.000Z",
            }
        ],
        "instanceView": view,
        "serialLog": None,
        "notes": list(notes),
    }


async def test_a_serial_log_is_a_file_that_no_browser_shows(world: Any) -> None:
    name = (await world.start())["id"]
    log = "<script>alert(1)</script>\nready\n"
    evidence = VmEvidence("id-3", 'web"3\r\n', 2, AT, VmStatus.UNHEALTHY, "sick", serial_log=log)
    await world.store.evidence.put(name, evidence)
    answer = await world.send("GET", f"deployments/{name}/vms/id-3/serialLog")
    headers = answer.all_headers
    assert (answer.status, answer.content.decode()) == (200, log)
    assert headers["Content-Disposition"] == 'attachment; filename="web-3---serial.log"'
    assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("text/plain; charset=utf-8", "nosniff")
    await world.store.evidence.put(name, replace(evidence, vm_id="id-4", serial_log=None))
    status, error = await world.refused("GET", f"deployments/{name}/vms/id-4/serialLog")
    assert (status, error["code"], error["target"]) == (404, "evidenceNotFound", "vmId")


@pytest.mark.parametrize("vm_id", ["id-4", "web_3", "x" * 2000, "a%2F..%2Fb", "%23%3F%5C"])
async def test_a_vm_without_evidence_is_404(world: Any, vm_id: str) -> None:
    name = (await world.start())["id"]
    status, error = await world.refused("GET", f"deployments/{name}/vms/{vm_id}/evidence")
    assert (status, error["code"], error["target"]) == (404, "evidenceNotFound", "vmId")
    assert len(error["message"]) < 300


async def test_batches_are_shown_in_order(world: Any) -> None:
    name = (await world.start())["id"]
    stages = (Stage(StageName.LAUNCH, 1, AT, AT), Stage(StageName.HEALTH, 1, AT))
    under_way = Batch(1, 2, 2, Phase.LAUNCHED, "r", AT, AT, floor=9, stages=stages)
    await world.store.batches.put(name, [Batch(2, 1, 1), under_way])

    first, second = (await world.get(f"deployments/{name}/batches"))["value"]
    assert first == {
        "number": 1,
        "phase": "launched",
        "canary": False,
        "back": False,
        "round": 1,
        "reason": "r",
        "blue": 2,
        "green": 2,
        "startedAt": "2026-11-23T08:20:00.000Z",
        "launchedAt": "2026-11-23T08:20:00.000Z",
        "healthyAt": None,
        "detachedAt": None,
        "deletingAt": None,
        "endedAt": None,
        "floor": 9,
        "phases": [
            {
                "name": "launch",
                "round": 1,
                "startedAt": "2026-11-23T08:20:00.000Z",
                "endedAt": "2026-11-23T08:20:00.000Z",
            },
            {"name": "health", "round": 1, "startedAt": "2026-11-23T08:20:00.000Z", "endedAt": None},
        ],
    }
    assert (second["number"], second["phase"]) == (2, "planned")


async def test_events_are_read_on_from_next(world: Any) -> None:
    name = (await world.start())["id"]
    for sequence in range(1, 4):
        event = Event(sequence, AT, "BatchLaunched", "Batch 2 of 5: 2 green VMs launched", 2, {"launched": 2})
        await world.store.events.put(name, event)

    first = await world.get(f"deployments/{name}/events")
    assert ([event["sequence"] for event in first["value"]], first["next"]) == ([1, 2, 3], "3")
    assert first["value"][0] == {
        "sequence": 1,
        "at": "2026-11-23T08:20:00.000Z",
        "type": "BatchLaunched",
        "batch": 2,
        "message": "Batch 2 of 5: 2 green VMs launched",
        "data": {"launched": 2},
    }
    assert [event["sequence"] for event in (await world.get(f"deployments/{name}/events?after=2"))["value"]] == [3]
    assert await world.get(f"deployments/{name}/events?after=3") == {"value": [], "next": "3"}


async def test_the_durable_status_is_shown_as_it_is_or_is_404(world: Any) -> None:
    name = (await world.start())["id"]
    world.instances.descriptions[name] = {"runtimeStatus": "Running"}
    answer = await world.send("GET", f"deployments/{name}/durable")
    assert (answer.status, answer.body) == (202, {"runtimeStatus": "Running"})
    assert answer.headers["Location"] == f"https://teal.example/api/deployments/{name}/durable"
    assert answer.headers["Retry-After"] == "15"

    world.instances.descriptions.clear()
    status, error = await world.refused("GET", f"deployments/{name}/durable")
    assert (status, error["code"]) == (404, "instanceNotFound")


@pytest.mark.parametrize("part", ["", "/vms", "/vms/id-3/evidence", "/batches", "/events", "/durable"])
@pytest.mark.parametrize("name", [UNKNOWN, "nonsense", "web-20269923T081500Z-ffffff", UNKNOWN + ":batch-1"])
async def test_an_unknown_deployment_is_404(world: Any, name: str, part: str) -> None:
    status, error = await world.refused("GET", f"deployments/{name}{part}")
    assert (status, error["code"], error["target"]) == (404, "deploymentNotFound", "deploymentId")


async def test_nothing_on_the_way_may_keep_an_answer(world: Any) -> None:
    answer = await world.send("GET", "groups/web")
    assert answer.all_headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.all_headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        *((one, 202) for one in ("Pending", "Running", "ContinuedAsNew", "Suspended")),
        *((one, 200) for one in ("Completed", "Failed", "Canceled", "Terminated")),
    ],
)
async def test_durable_is_202_until_the_orchestration_has_ended(world: Any, said: str, status: int) -> None:
    name = (await world.start())["id"]
    world.instances.descriptions[name] = {"runtimeStatus": said}
    answer = await world.send("GET", f"deployments/{name}/durable")
    assert (answer.status, "Location" in answer.headers) == (status, status == 202)
