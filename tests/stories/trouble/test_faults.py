"""Whatever is lost, repeated or late, a deployment ends the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from function_app import ACTIVITIES
from local.azure.world import Fault, World
from local.durable.errors import HostKilled
from local.durable.faults import ActivityFault, ActivityLoss, Delivery, DurableFaults, TurnFault, TurnLoss
from local.virtual.checkers.end_state import end_state
from rollout.model.rows.deployment import Batch
from rollout.model.status import Status
from rollout.ports.errors import Busy
from rollout.ports.store import Batches

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

RECIPES = ["deploy_group", "replace_batch", "wait_until_done"]

GOOD = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300}
BAD = {"image": "1.2.0", "batchSizePercentage": 50, "gracePeriod": 120}

#: The activities that only one of the two deployments carries out.
ONLY_GOOD = {"detach_blue", "terminate_blue", "verify_end"}
ONLY_BAD = {"raise_epoch", "save_evidence", "discard_green", "restore_image"}
ACTIVITY_NAMES = [*(getattr(body, "__name__") for body in ACTIVITIES), "record_event"]  # noqa: B009
CARRIED_OUT = [
    *(pytest.param(name, GOOD, id=f"{name}-good") for name in ACTIVITY_NAMES if name not in ONLY_BAD),
    *(pytest.param(name, BAD, id=f"{name}-bad") for name in ACTIVITY_NAMES if name not in ONLY_GOOD),
]

TEN_MINUTES = timedelta(minutes=10)
ACTIVITY_FAULTS = {
    "delivered twice": ActivityFault(ActivityLoss.TWICE),
    "lost before its effect": ActivityFault(ActivityLoss.BEFORE_EFFECT),
    "lost after its effect": ActivityFault(ActivityLoss.AFTER_EFFECT),
    "again ten minutes later": ActivityFault(ActivityLoss.LATE, after=TEN_MINUTES),
    "again in the next step": ActivityFault(ActivityLoss.LATE, after=timedelta(seconds=40)),
}


@pytest.fixture
def deploy(play: Play, small_world: SmallWorld) -> Callable[..., Any]:
    """Play one deployment of two VMs, with ``faults`` and Azure's ``world_faults``; what it left behind."""

    def run(
        parameters: dict[str, Any],
        faults: DurableFaults | None = None,
        *world_faults: Fault,
        exempt: tuple[str, ...] = (),
    ) -> Any:
        async def story(stage: Any) -> Any:
            for fault in world_faults:
                stage.platform.cloud.faults.add(fault)
            deployment = await stage.platform.start(**parameters)
            await stage.platform.ended(deployment)
            await stage.quiet()
            await stage.sleep(minutes=30)
            return await end_state(stage.platform, deployment)

        return play(story, small_world(2), faults=faults, exempt=exempt)

    return run


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """The ends of deployments to which nothing happened, by image."""
    return {}


def _expected(undisturbed: dict[str, Any], deploy: Callable[..., Any], parameters: dict[str, Any]) -> Any:
    image = parameters["image"]
    if image not in undisturbed:
        undisturbed[image] = deploy(parameters)
    return undisturbed[image]


def test_the_undisturbed_ends_are_the_ones_meant(deploy: Callable[..., Any]) -> None:
    good, bad = deploy(GOOD), deploy(BAD)
    assert (good["deployment"]["status"], good["model"], good["capacity"]) == ("finished", "1.1.0", 2)
    assert (bad["deployment"]["status"], bad["model"], bad["capacity"]) == ("failed", "1.0.0", 2)


@pytest.mark.sweep
@pytest.mark.parametrize("kind", ACTIVITY_FAULTS)
@pytest.mark.parametrize(("activity", "parameters"), CARRIED_OUT)
def test_activity_badly_delivered_leads_to_the_same_end(
    deploy: Callable[..., Any], undisturbed: dict[str, Any], activity: str, kind: str, parameters: dict[str, Any]
) -> None:
    fault = ACTIVITY_FAULTS[kind]
    rule = ActivityFault(fault.loss, activity=activity, after=fault.after)
    assert deploy(parameters, DurableFaults(activities=[rule])) == _expected(undisturbed, deploy, parameters)


@pytest.mark.parametrize("parameters", [GOOD, BAD], ids=["good", "bad"])
@pytest.mark.parametrize("kind", ACTIVITY_FAULTS)
def test_every_activity_badly_delivered_leads_to_the_same_end(
    deploy: Callable[..., Any], undisturbed: dict[str, Any], kind: str, parameters: dict[str, Any]
) -> None:
    faults = DurableFaults(activities=[ACTIVITY_FAULTS[kind]])
    assert deploy(parameters, faults) == _expected(undisturbed, deploy, parameters)


@pytest.mark.sweep
@pytest.mark.parametrize("parameters", [GOOD, BAD], ids=["good", "bad"])
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("loss", TurnLoss)
def test_turn_lost_leads_to_the_same_end(
    deploy: Callable[..., Any], undisturbed: dict[str, Any], loss: TurnLoss, recipe: str, parameters: dict[str, Any]
) -> None:
    faults = DurableFaults(turns=[TurnFault(loss, orchestrator=recipe)])
    assert deploy(parameters, faults) == _expected(undisturbed, deploy, parameters)


#: What may happen to a write to Azure. A failed operation did what it did.
AZURE_FAULTS: dict[str, dict[str, Any]] = {
    "request lost": {"loseRequest": True},
    "response lost": {"loseResponse": True},
    "throttled": {"status": 429, "headers": {"Retry-After": "120"}},
    "conflict": {"status": 409, "body": {"error": {"code": "Conflict", "message": "a concurrent request"}}},
    "stale": {"status": 412},
    "out of order": {"status": 500},
    "operation failed": {"operationStatus": "Failed"},
    "operation canceled": {"operationStatus": "Canceled"},
    "slow": {"operationDelay": 90},
}
#: Both deployments change the image and launch, then launch or change the image again; the good one deletes twice.
WRITES = [
    *(pytest.param(parameters, "PATCH", call) for parameters in (GOOD, BAD) for call in (1, 2, 3)),
    *(pytest.param(GOOD, "POST", call) for call in (1, 2)),
    pytest.param(BAD, "POST", 1),
]


@pytest.mark.sweep
@pytest.mark.parametrize("kind", AZURE_FAULTS)
@pytest.mark.parametrize(("parameters", "method", "call"), WRITES)
def test_write_to_azure_that_goes_wrong_leads_to_the_same_end(
    deploy: Callable[..., Any],
    undisturbed: dict[str, Any],
    method: str,
    call: int,
    kind: str,
    parameters: dict[str, Any],
) -> None:
    fault = Fault.model_validate({"method": method, "calls": [call], **AZURE_FAULTS[kind]})
    assert deploy(parameters, None, fault) == _expected(undisturbed, deploy, parameters)


@pytest.mark.parametrize("kind", ["request lost", "throttled", "out of order"])
def test_azure_that_answers_every_fourth_request_badly_leads_to_the_same_end(
    deploy: Callable[..., Any], undisturbed: dict[str, Any], kind: str
) -> None:
    fault = Fault.model_validate({"calls": list(range(12, 1000, 4)), **AZURE_FAULTS[kind]})
    assert deploy(GOOD, None, fault) == _expected(undisturbed, deploy, GOOD)


@pytest.mark.parametrize("begin", [12, 15, 20, 24, 30])
@pytest.mark.parametrize("kind", ["request lost", "out of order"])
def test_azure_that_does_not_answer_for_half_an_hour_is_waited_for(play: Play, kind: str, begin: int) -> None:
    """While a batch is judged its grace period goes on: only what Azure says later counts."""

    async def story(stage: Any) -> None:
        platform = stage.platform
        deployment = await platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=3600)
        await stage.sleep(seconds=begin * 10)
        platform.cloud.faults.add(Fault.model_validate(AZURE_FAULTS[kind]))
        await stage.sleep(minutes=30)
        platform.cloud.faults.clear()
        assert (await platform.ended(deployment)).status is Status.FINISHED

    play(story)


@pytest.mark.parametrize("parameters", [GOOD, BAD], ids=["good", "bad"])
@pytest.mark.parametrize("first", range(1, 6))
def test_host_killed_at_every_fifth_delivery_finishes_the_same(
    play: Play,
    small_world: SmallWorld,
    deploy: Callable[..., Any],
    undisturbed: dict[str, Any],
    parameters: dict[str, Any],
    first: int,
) -> None:
    faults = DurableFaults()

    async def story(stage: Any) -> Any:
        platform = stage.platform

        def kill(delivery: Delivery) -> None:
            if delivery.number % 5 == first % 5:
                platform.host.durable.kill()

        faults.on_delivery = kill
        deployment = await platform.start(**parameters)
        for _ in range(1000):
            try:
                await platform.ended(deployment)
                break
            except HostKilled:
                await platform.restart_host()
        faults.on_delivery = None
        await stage.quiet()
        return await end_state(platform, deployment)

    assert play(story, small_world(2), faults=faults) == _expected(undisturbed, deploy, parameters)


@pytest.mark.parametrize(("percentage", "status"), [(50, Status.FINISHED), (51, Status.FAILED)])
def test_hardware_that_azure_never_has_counts_as_unhealthy(
    play: Play, small_world: SmallWorld, percentage: int, status: Status
) -> None:
    async def story(stage: Any) -> None:
        never = Fault.model_validate({"method": "PATCH", "calls": list(range(2, 60)), "allocationFailures": 1})
        stage.platform.cloud.faults.add(never)
        deployment = await stage.platform.start(
            image="1.1.0", batchSizePercentage=50, gracePeriod=120, batchMinHealthyPercentage=percentage
        )
        row = await stage.platform.ended(deployment)
        assert row.status is status
        assert (stage.capacity(), stage.serving()) == (4, 4)

    play(story, small_world(4))


@pytest.mark.parametrize("kind", ACTIVITY_FAULTS)
def test_no_write_cancels_another_where_azure_lets_the_later_one_win(
    play: Play, small_world: SmallWorld, kind: str
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD)
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * 2, 2)

    # A deletion takes no If-Match: two runs at the same instant both ask for it, and the second is what is carried out.
    exempt = ["writes_never_overlap"] if kind == "delivered twice" else []
    faults = DurableFaults(activities=[ACTIVITY_FAULTS[kind]])
    play(story, small_world(2, concurrentWrites="preempt"), faults=faults, exempt=exempt)


@pytest.mark.parametrize("activity", ["launch_green", "judge_batch", "detach_blue", "terminate_blue"])
def test_activity_that_comes_again_in_the_next_batch_changes_nothing(
    play: Play, small_world: SmallWorld, deploy: Callable[..., Any], undisturbed: dict[str, Any], activity: str
) -> None:
    moved_on: list[bool] = []
    late = ActivityFault(
        ActivityLoss.LATE, activity=activity, instance="*:batch-1:*", delivery=1, until=lambda: bool(moved_on)
    )

    async def story(stage: Any) -> Any:
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchLaunched", batch=2)
        moved_on.append(True)
        await stage.platform.ended(deployment)
        return await end_state(stage.platform, deployment)

    assert play(story, small_world(2), faults=DurableFaults(activities=[late])) == _expected(undisturbed, deploy, GOOD)


@pytest.mark.parametrize("late", [False, True], ids=["at once", "and once more later"])
def test_what_a_batch_said_before_it_was_terminated_stays_said(play: Play, small_world: SmallWorld, late: bool) -> None:
    """The deployment goes on numbering after the batch's last event, which the batch could not tell it."""
    gone: list[bool] = []
    again = ActivityFault(ActivityLoss.LATE, activity="record_event", instance="*:batch-1", until=lambda: bool(gone))

    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD, onFailure="rollBack")
        await stage.until(deployment, "BatchHealthy", batch=1)
        said = await stage.platform.events(deployment)
        stage.platform.host.durable.terminate(f"{deployment}:batch-1", "by hand")
        await stage.until(deployment, "DeploymentRollingBack")
        gone.append(True)
        row = await stage.platform.ended(deployment)
        assert (row.status, stage.versions()) == (Status.ROLLED_BACK, ["1.0.0"] * 2)
        events = await stage.platform.events(deployment)
        assert events[: len(said)] == said

    faults = DurableFaults(activities=[again] if late else [])
    play(story, small_world(2), faults=faults, exempt=["no_step_fails"])


@pytest.mark.parametrize("is_changed", [False, True])
def test_plan_that_was_written_in_part_is_completed_or_given_up(
    play: Play, small_world: SmallWorld, is_changed: bool
) -> None:
    """If the set changes between two attempts to write the plan, a VM must not end up in two batches."""

    async def story(stage: Any) -> None:
        platform = stage.platform
        platform.store = replace(platform.store, batches=FailsOnce(platform.store.batches))
        deployment = await platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        await stage.sleep(seconds=5)
        if is_changed:
            platform.cloud.interfere.delete_vm(stage.scale_set_id, "web_0")
        row = await platform.ended(deployment)
        if is_changed:
            assert (row.status, row.error.code if row.error else "") == (Status.FAILED, "planInterrupted")
            assert platform.cloud.audit == []
        else:
            assert (row.status, stage.versions()) == (Status.FINISHED, ["1.1.0"] * 4)

    others = ["never_fewer_serving", "rows_as_the_set"] if is_changed else []
    play(story, small_world(4), exempt=["no_step_fails", *others])


class FailsOnce:
    """The batches table, whose first ``put`` fails."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._has_failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)

    async def put(self, deployment_id: str, batches: Sequence[Batch]) -> None:
        if not self._has_failed:
            self._has_failed = True
            raise Busy("OperationTimedOut", "Table Storage does not answer")
        await self._batches.put(deployment_id, batches)
