"""The front: what every request needs, what is not simulated, the audit, interference, snapshots, the checker."""

import json
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from local.azure.arm.messages import ArmRequest, ArmResponse
from local.azure.cloud import Cloud
from local.azure.compute.serving import ServingChecker, serving_counts
from local.azure.world import Fault, World, demo_world
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]


async def test_a_request_without_api_version_is_refused(cloud: Cloud, web: str) -> None:
    answer = await cloud.handle(ArmRequest("GET", web))
    assert (answer.status, answer.json()["error"]["code"]) == (400, "MissingApiVersionParameter")


async def test_any_api_version_is_accepted_and_the_operation_s_url_repeats_it(ask: Ask, cloud: Cloud, web: str) -> None:
    answer = await ask(cloud, "PATCH", f"{web}?api-version=1999-01-01", {"tags": {}})
    assert "api-version=1999-01-01" in answer.headers["azure-asyncoperation"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("00000000-0000-0000-0000-000000000000", "11111111-0000-0000-0000-000000000000", "SubscriptionNotFound"),
        ("resourceGroups/demo", "resourceGroups/other", "ResourceGroupNotFound"),
        ("virtualMachineScaleSets/web", "virtualMachineScaleSets/other", "ResourceNotFound"),
        ("virtualMachineScaleSets/web", "virtualMachineScaleSets/other/virtualMachines", "ParentResourceNotFound"),
    ],
)
async def test_what_does_not_exist_is_not_found_in_arm_s_words(
    ask: Ask, cloud: Cloud, web: str, old: str, new: str, code: str
) -> None:
    answer = await ask(cloud, "GET", web.replace(old, new))
    assert (answer.status, answer.json()["error"]["code"]) == (404, code)


async def test_subscriptions_and_resource_groups_can_be_looked_at(ask: Ask, cloud: Cloud, web: str) -> None:
    [subscription] = (await ask(cloud, "GET", "/subscriptions")).json()["value"]
    groups = (await ask(cloud, "GET", f"{subscription['id']}/resourceGroups")).json()["value"]
    assert [group["name"] for group in groups] == ["demo"]
    assert (await ask(cloud, "GET", groups[0]["id"])).json() == groups[0]
    assert (await ask(cloud, "GET", subscription["id"])).json() == subscription


@pytest.mark.parametrize(
    ("request_line", "status"), [("POST /reimage", 400), ("GET /extensions", 400), ("PATCH /virtualMachines/0", 405)]
)
async def test_what_is_not_simulated_is_refused_and_listed(
    ask: Ask, cloud: Cloud, web: str, request_line: str, status: int
) -> None:
    method, path = request_line.split()
    assert (await ask(cloud, method, web + path, {})).status == status
    assert cloud.unknown == [f"{method} {web}{path}"]


async def test_a_wrong_vm_or_body_is_named_by_whoever_asks(ask: Ask, cloud: Cloud, web: str) -> None:
    with pytest.raises(KeyError, match="web has no VM web_42"):
        cloud.interfere.delete_vm(web, "web_42")
    refused = await cloud.handle(ArmRequest("PATCH", f"{web}?api-version=2026-04-01", body=b"not json"))
    assert (refused.status, refused.json()["error"]["code"]) == (400, "InvalidRequestContent")
    assert cloud.audit[-1].body == "not json"


async def test_operations_answer_both_styles_of_polling(ask: Ask, cloud: Cloud, clock: PlatformClock, web: str) -> None:
    answer = await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["0"]})
    assert (await ask(cloud, "GET", answer.headers["location"])).status == 202
    assert (await ask(cloud, "GET", answer.headers["azure-asyncoperation"])).json()["status"] == "InProgress"
    await clock.sleep(timedelta(seconds=30))
    ended = (await ask(cloud, "GET", answer.headers["azure-asyncoperation"])).json()
    assert (ended["status"], ended["endTime"]) == ("Succeeded", "2026-01-01T00:00:30+00:00")
    done = await ask(cloud, "GET", answer.headers["location"])
    assert (done.status, done.body) == (200, b"")
    unknown = answer.headers["location"].replace("/operations/", "/operations/0")
    assert (await ask(cloud, "GET", unknown)).status == 404


async def test_the_audit_says_what_each_write_did(ask: Ask, cloud: Cloud, clock: PlatformClock, web: str) -> None:
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})
    await clock.sleep(timedelta(minutes=5))
    first = cloud.scale_set(web).instances[0].vm_id
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["0"]})
    created, refused, deleted = cloud.audit
    assert created.created == (cloud.scale_set(web).instances[10].vm_id,)
    assert (created.capacity_before, created.capacity_after, created.body) == (10, 11, {"sku": {"capacity": 11}})
    assert (refused.status, refused.code, refused.created) == (409, "Conflict", ())
    assert (deleted.deleted, deleted.capacity_before, deleted.capacity_after) == ((first,), 11, 10)


async def test_interference_shows_in_the_log_and_not_in_the_audit(
    ask: Ask, cloud: Cloud, clock: PlatformClock, web: str
) -> None:
    cloud.interfere.scale(web, 12)
    cloud.interfere.delete_vm(web, "web_0")
    cloud.interfere.evict(web, "web_1", "Deallocate")
    cloud.interfere.evict(web, "web_2", "Delete")
    cloud.interfere.stop(web, "web_3")
    cloud.interfere.sicken(web, "web_4")
    await clock.sleep(timedelta(minutes=5))
    cloud.interfere.scale(web, 9)
    scale_set = cloud.scale_set(web)
    assert (cloud.audit, scale_set.capacity) == ([], 9)
    assert scale_set.instances[1].power == "deallocated"
    assert (scale_set.instances[4].serving, scale_set.instances[4].health) == (False, "unhealthy")
    ends = {change.name: change.state for change in cloud.changes}
    assert (ends["web_0"], ends["web_1"], ends["web_2"], ends["web_3"]) == ("gone", "stopped", "gone", "stopped")
    cloud.interfere.sicken(web, "web_4", sick=False)
    cloud.interfere.start(web, "web_3")
    await clock.sleep(timedelta(minutes=5))
    assert cloud.scale_set(web).instances[3].serving
    assert cloud.scale_set(web).instances[4].serving


async def test_somebody_else_s_operation_holds_the_set(ask: Ask, cloud: Cloud, clock: PlatformClock, web: str) -> None:
    cloud.interfere.hold(web, timedelta(seconds=60))
    assert (await ask(cloud, "PATCH", web, {"tags": {}})).status == 409
    await clock.sleep(timedelta(seconds=60))
    assert (await ask(cloud, "PATCH", web, {"tags": {}})).status == 200


async def test_somebody_else_s_patch_moves_the_etag(ask: Ask, cloud: Cloud, web: str) -> None:
    cloud.interfere.patch(web, {"tags": {"by": "somebody"}})
    assert (await ask(cloud, "PATCH", web, {"tags": {}}, if_match='"1"')).status == 412


async def test_a_restored_snapshot_goes_on_as_the_original_does(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    cloud = Cloud(patched_demo(behaviors={"1.0.0": {"bootTimeSpread": 20}}), clock, seed=7)
    cloud.faults.add(Fault(method="POST", calls=(1,), operation_delay=timedelta(seconds=90)))
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 13}})
    await clock.sleep(timedelta(seconds=10))
    snapshot = json.loads(json.dumps(cloud.snapshot()))
    restored = Cloud.restore(snapshot, PlatformClock(clock.now()))
    for one in (cloud, restored):
        assert (await ask(one, "PATCH", web, {"tags": {}})).status == 409
    await clock.sleep(timedelta(minutes=5))
    for one in (cloud, restored):
        assert (await ask(one, "POST", f"{web}/delete", {"instanceIds": ["1"]})).status == 202
    await clock.sleep(timedelta(minutes=5))
    assert restored.snapshot() == cloud.snapshot()
    assert [change.state for change in restored.changes if change.scale_set == web].count("serving") == 13


async def test_the_same_seed_gives_the_same_vms_and_another_seed_others(clock: PlatformClock, web: str) -> None:
    def ids(seed: int) -> list[str]:
        cloud = Cloud(demo_world(), clock, seed=seed)
        return [vm.vm_id for vm in cloud.scale_set(web).instances.values()]

    assert ids(1) == ids(1)
    assert not set(ids(1)) & set(ids(2))


async def test_every_write_calls_whoever_keeps_snapshots(ask: Ask, cloud: Cloud, web: str) -> None:
    kept = []
    cloud.on_change = lambda: kept.append(cloud.scale_set(web).capacity)
    await ask(cloud, "GET", web)
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    cloud.interfere.delete_vm(web, "web_0")
    assert kept == [11, 10]


async def test_serving_vms_are_counted_over_time_and_held_to_a_floor(
    ask: Ask, cloud: Cloud, clock: PlatformClock, web: str
) -> None:
    checker = ServingChecker(cloud, web)
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    await clock.sleep(timedelta(minutes=2))
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["0"]})
    counts = [
        (int((time - cloud.changes[0].time).total_seconds()), count) for time, count in serving_counts(cloud, web)
    ]
    assert counts == [(0, 10), (30, 10), (60, 11), (120, 10)]
    assert (checker.floor, checker.violations()) == (10, [])
    cloud.interfere.stop(web, "web_1")
    assert checker.violations() == [
        "2026-01-01T00:02:00+00:00: 9 VMs served, 10 have to: web_0 is deleting, web_1 is stopped"
    ]


async def test_nine_hundred_vms_are_listed_and_scaled_quickly(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    cloud = Cloud(patched_demo({"capacity": 900}, {"pageSize": 1000}), clock)
    started = time.process_time()
    first = await ask(cloud, "GET", f"{web}/virtualMachines?$expand=instanceView")
    assert len(first.json()["value"]) == 900
    again = await ask(cloud, "GET", f"{web}/virtualMachines?$expand=instanceView")
    assert again.body == first.body
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 990}})
    await clock.sleep(timedelta(minutes=5))
    assert sum(vm.serving for vm in cloud.scale_set(web).instances.values()) == 990
    # Measured at 0.1 s of CPU; nothing here may come to cost seconds.
    assert time.process_time() - started < 1
