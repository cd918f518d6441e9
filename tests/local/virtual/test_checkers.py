"""Each promise can be broken: by whoever writes to the simulated Azure, to the rows or to the host what may not be."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmRequest
from local.azure.world import Fault, World, demo_world, parse_world
from local.clock import run_virtual
from local.virtual import Absence, VirtualPlatform
from local.virtual.checkers import CHECKERS, checker_name, violations
from local.virtual.checkers.absences import only_watched_time_counts
from local.virtual.checkers.azure import overlaps
from local.virtual.checkers.watched import WatchedSet
from rollout.lifecycle.queue import entry_of
from rollout.model.events import EventType
from rollout.model.names import deployment_id
from rollout.model.rows.danger import MODEL_NAMES_BAD_IMAGE, DangerRecord
from rollout.model.rows.deployment import Deployment, Intent, IntentKind, Problem, VmRecord
from rollout.model.rows.holds import Hold
from rollout.model.status import Color, Status
from settings import Settings

MINUTE = timedelta(minutes=1)

Break = Callable[[VirtualPlatform, WatchedSet, Deployment], Awaitable[Any]]

GOOD: dict[str, Any] = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300, "drainingTimeout": 30}


def balanced_world(**scale_set: Any) -> World:
    """Two VMs behind a load balancer, of which Teal is told nothing by Event Grid."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"][0] |= {"capacity": 2, "backendPools": ["front/web"], **scale_set}
    document["scaleSets"], document["groups"] = document["scaleSets"][:1], document["groups"][:1]
    document["groups"][0]["healthCheckTypes"] = ["vmState", "applicationHealth", "loadBalancer"]
    document["loadBalancers"] = [{"name": "front", "resourceGroup": "demo", "pools": ["web"]}]
    return parse_world({**document, "eventSubscriptions": []})


def broken(disturb: Break, asked: dict[str, Any] | None = None, aside: str = "") -> set[str]:
    """Which promises are broken once a deployment is over and ``disturb`` has had its way."""

    async def main() -> list[str]:
        async with VirtualPlatform(balanced_world()) as platform:
            scale_set_id = str(platform.world.groups[0]["scaleSetId"])
            if aside:
                platform.cloud.interfere.stop(scale_set_id, aside)
            watched = WatchedSet.begin(platform, scale_set_id, "web")
            row = await platform.ended(await platform.start(**{**GOOD, **(asked or {})}))
            await platform.clock.sleep(timedelta(hours=1))
            assert await violations(watched) == []
            await disturb(platform, watched, row)
            return await violations(watched)

    return {words.partition(":")[0] for words in run_virtual(main())}


async def change(platform: VirtualPlatform, row: Deployment, **fields: Any) -> None:
    """Write fields of a deployment's row."""
    await platform.store.deployments.change(row.id, lambda current: replace(current, **fields))


async def nothing(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
    """Leave all as it is."""


def test_an_orderly_deployment_breaks_none() -> None:
    assert broken(nothing) == broken(nothing, {"image": "1.2.0"}) == set()


def test_a_step_that_was_tried_again_where_nothing_was_wrong_is_found() -> None:
    async def retried(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        (event, *_) = await platform.events(row.id)
        assert row.ended_at is not None
        again = replace(event, sequence=row.sequence + 1, at=row.ended_at, type=EventType.STEP_RETRIED)
        await platform.store.events.put(row.id, again)
        await change(platform, row, sequence=row.sequence + 1)

    assert broken(retried) == {"no_step_fails"}


@pytest.mark.parametrize("code", ["stepFailed", "internalError"])
def test_a_step_that_failed_where_nothing_was_wrong_is_found(code: str) -> None:
    async def failed(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        await change(platform, row, error=Problem(code, "it did not work"))

    assert broken(failed) == {"no_step_fails"}


def test_a_step_may_fail_where_something_was_wrong() -> None:
    async def excused(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        await change(platform, row, error=Problem("stepFailed", "it did not work"))
        platform.cloud.faults.add(Fault(status=503))
        await platform.get("/api/groups/web/images")

    async def killed(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        await change(platform, row, error=Problem("stepFailed", "it did not work"))
        await platform.restart_host()

    assert broken(excused) == broken(killed) == set()


def test_an_activity_that_raised_is_found() -> None:
    async def raised(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        platform.host.durable.failures.append("Activity function 'judge_batch' failed: KeyError: 3")

    assert broken(raised) == {"no_activity_raises"}


def test_a_skipped_vm_that_was_deleted_is_found() -> None:
    async def deleted(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        (skipped,) = await platform.store.vms.list(row.id, 0)
        intent = Intent(IntentKind.DELETE, 1, 9, platform.clock.now(), vm_ids=(skipped.vm_id,))
        await platform.store.intents.put(row.id, intent)

    assert broken(deleted, {"stoppedVms": "skip"}, aside="web_0") == {"skipped_vms_stand"}


def test_a_vm_that_a_roll_back_left_without_a_reason_is_found() -> None:
    async def rolled_back(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        await change(platform, row, status=Status.ROLLED_BACK, settled=False)

    assert "rolled_back_is_explained" in broken(rolled_back)


def test_a_failed_deployment_that_calls_a_bad_model_settled_is_found() -> None:
    async def bad_model(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        await change(platform, row, status=Status.FAILED)

    assert {"settled_is_in_order", "settled_was_put_in_order", "good_image"} <= broken(bad_model)


def test_a_settled_set_with_more_vms_than_meant_is_found() -> None:
    async def surplus(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        await change(platform, row, target_size=1)

    assert broken(surplus) == {"settled_is_in_order"}


def test_an_end_with_more_vms_than_there_were_is_found() -> None:
    async def more(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        watched.size -= 1

    assert broken(more) == {"as_many_vms_as_before"}


def test_a_finished_deployment_with_a_vm_on_another_image_is_found() -> None:
    async def another(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        platform.cloud.scale_set(watched.scale_set_id).active()[0].image = {"id": "/another"}

    assert broken(another) == {"finished_is_on_the_image"}


def test_a_settled_set_of_which_something_is_held_is_found() -> None:
    async def held(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        now = platform.clock.now()
        await platform.store.holds.put(Hold(watched.scale_set_id, row.id, (), now, keep_until=now + timedelta(days=1)))

    assert broken(held) == {"settled_is_in_order"}


def test_an_image_that_failed_and_is_called_restored_is_found() -> None:
    async def claimed(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        await change(platform, row, image=replace(row.image, previous=row.image.pinned, unknown="nobody knows"))

    assert "nothing_restored_that_failed" in broken(claimed, {"image": "1.2.0"})
    assert "nothing_restored_that_failed" not in broken(claimed)


def test_a_bad_image_in_the_model_that_nobody_tells_or_that_is_told_and_not_there_is_found() -> None:
    async def told(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        bad = DangerRecord(
            watched.scale_set_id, MODEL_NAMES_BAD_IMAGE, row.created_at, row.id, "bad", image=row.image.pinned
        )
        await platform.store.dangers.put(bad)

    async def untold(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        event = (await platform.events(row.id))[-2]
        await platform.store.events.put(row.id, replace(event, type=EventType.IMAGE_NOT_RESTORED))

    assert "bad_image_is_told" in broken(told, {"image": "1.2.0"})
    assert "bad_image_is_told" in broken(untold)
    assert "bad_image_is_told" not in broken(told)


def test_a_write_that_says_the_model_s_profile_as_it_was_is_found() -> None:
    async def say_again(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        profile = platform.cloud.scale_set(row.scale_set_id).profile
        body = json.dumps({"properties": {"virtualMachineProfile": {"storageProfile": profile["storageProfile"]}}})
        url = f"{row.scale_set_id}?api-version=2024-07-01"
        answer = await platform.cloud.handle(ArmRequest("PATCH", url, body=body.encode()))
        assert answer.status == 200
        await platform.clock.sleep(timedelta(hours=1))

    assert broken(say_again) == {"no_profile_written_as_it_was"}


def test_a_vm_that_was_not_put_back_into_its_pools_is_found() -> None:
    async def out(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        # As if the pool had never been written: others who do this are seen, and it is theirs.
        pool = next(iter(next(iter(next(iter(watched.places.values())).values()))))
        vm = platform.cloud.scale_set(watched.scale_set_id).active()[0]
        acts = platform.cloud.interfere.acts
        platform.cloud.interfere.set_down(watched.scale_set_id, vm.vm_id, pool)
        platform.cloud.interfere.acts = acts

    assert broken(out, {"image": "1.2.0"}) == {"never_fewer_serving", "vms_in_their_pools", "settled_is_in_order"}


def test_a_vm_that_others_took_out_of_its_pools_is_theirs() -> None:
    async def out(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        pool = next(iter(next(iter(next(iter(watched.places.values())).values()))))
        vm = platform.cloud.scale_set(watched.scale_set_id).active()[0]
        platform.cloud.interfere.set_down(watched.scale_set_id, vm.vm_id, pool)

    assert broken(out, {"image": "1.2.0"}) == {"never_fewer_serving"}


def test_a_turn_that_was_jumped_and_an_end_that_left_the_queue_to_itself_are_found() -> None:
    async def jumped(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        for minute, epoch in ((1, 9), (2, 8)):
            at = row.created_at + timedelta(minutes=minute)
            waited = replace(row, id=deployment_id("web", at, "aaaaaa"), created_at=at, queued_at=at, epoch=epoch)
            await platform.store.deployments.add(waited)

    async def stayed(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        await platform.store.queue.add(entry_of(row))

    assert "queue_in_order" in broken(jumped)
    assert broken(stayed) == {"queue_has_an_end"}


def test_a_vm_that_went_after_the_end_and_is_not_told_is_found() -> None:
    async def untold(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        (green, *_) = [one for one in await platform.store.vms.list(row.id) if one.color is Color.GREEN]
        gone = replace(green, reason="Deleted", updated_at=platform.clock.now())
        await platform.store.vms.put(row.id, [gone])

    assert "told_after_the_end" in broken(untold)


def test_a_vm_that_a_later_deployment_deleted_and_the_one_before_it_shows_is_found() -> None:
    async def taken_over(platform: VirtualPlatform, row: Deployment) -> list[VmRecord]:
        assert (await platform.ended(await platform.start(**GOOD))).continues == row.id
        return [one for one in await platform.store.vms.list(row.id) if one.color is Color.BLUE]

    async def shown(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        before = await taken_over(platform, row)
        await platform.store.vms.put(row.id, [replace(one, reason="") for one in before])

    async def miscounted(platform: VirtualPlatform, watched: WatchedSet, row: Deployment) -> None:
        await taken_over(platform, row)
        await change(platform, row, blue_vms=2)

    bad: dict[str, Any] = {"image": "1.2.0", "gracePeriod": 120}
    assert broken(shown, bad) == {"deletions_are_told", "told_after_the_end"}
    assert broken(miscounted, bad) == {"told_after_the_end"}


@pytest.mark.parametrize(("began", "told"), [("00:10:47.000016Z", 0), ("00:10:46.999Z", 1)])
def test_an_operation_that_began_while_another_went_on_is_found(began: str, told: int) -> None:
    first = {"started_at": "2026-01-01T00:10:00Z", "ends_at": "2026-01-01T00:10:47Z"}
    second = {"started_at": f"2026-01-01T{began}", "ends_at": "2026-01-01T00:11:00Z"}
    assert len(overlaps([first, second])) == told


#: Half of the new VMs are sick until the grace period is over, nobody answers, blue VMs drain, new ones are watched.
LONG: dict[str, Any] = {
    "image": "1.3.0",
    "batchSizePercentage": 50,
    "batchMinHealthyPercentage": 50,
    "tolerateUnhealthy": True,
    "approvals": [1],
    "actionOnTimeout": "approve",
    **dict.fromkeys(("gracePeriod", "drainingTimeout", "bakeTime", "waitTimeout"), 480),
}


def test_whatever_ends_by_time_in_which_the_app_was_away_is_found() -> None:
    async def main() -> set[str]:
        async with VirtualPlatform(balanced_world(capacity=4), settings=Settings(poll_interval=MINUTE)) as platform:
            watched = WatchedSet.begin(platform, str(platform.world.groups[0]["scaleSetId"]), "web")
            row = await platform.ended(await platform.start(**LONG))
            found = list[str]()
            for end in await platform.events(row.id):
                platform.absences = [Absence(end.at - timedelta(seconds=475), end.at - timedelta(seconds=5))]
                found += await only_watched_time_counts(watched)
            platform.absences = [Absence(row.created_at - timedelta(hours=1), row.created_at)]
            assert await only_watched_time_counts(watched) == []
            return {words.split()[1] for words in found}

    assert run_virtual(main()) == {"BatchHealthy", "DeploymentApproved", "BatchTerminated", "Baked"}


def test_an_exemption_that_is_no_promise_is_refused() -> None:
    async def main() -> None:
        async with VirtualPlatform(balanced_world()) as platform:
            watched = WatchedSet.begin(platform, str(platform.world.groups[0]["scaleSetId"]), "web")
            await violations(watched, frozenset({"never_fewer_severing"}))

    with pytest.raises(ValueError, match="there is no checker never_fewer_severing"):
        run_virtual(main())


def test_every_promise_has_a_name_of_its_own() -> None:
    names = [checker_name(checker) for checker in CHECKERS]
    assert len(names) == len(set(names))
