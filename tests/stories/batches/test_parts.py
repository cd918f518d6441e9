"""Stories of looks that are read in parts, side by side: whatever becomes of a part, the deployment ends the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import Fault, World
from local.durable.errors import HostKilled
from local.durable.faults import ActivityFault, ActivityLoss, Delivery, DurableFaults
from local.virtual.checkers.end_state import end_state
from rollout.model.status import Color, Status
from settings import Settings

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

VMS = 3

#: Of three VMs each is a part of its own; of the other size nothing is dealt out.
IN_PARTS, AT_ONCE = Settings(part_size=1), Settings(part_size=VMS)

GOOD = {"image": "1.1.0", "batchSizePercentage": 100, "gracePeriod": 300, "bakeTime": 60}
BAD = {"image": "1.2.0", "batchSizePercentage": 100, "gracePeriod": 120}
NAMES = ("read_batch_health", "read_baking_health", "inspect_sick")
PARTS = {"read_*": GOOD, "inspect_sick": BAD}

FAULTS = {
    "delivered twice": ActivityFault(ActivityLoss.TWICE),
    "lost before its effect": ActivityFault(ActivityLoss.BEFORE_EFFECT),
    "lost after its effect": ActivityFault(ActivityLoss.AFTER_EFFECT),
    "again at a later look": ActivityFault(ActivityLoss.LATE, after=timedelta(seconds=20)),
    "again ten minutes later": ActivityFault(ActivityLoss.LATE, after=timedelta(minutes=10)),
}


@pytest.fixture
def deploy(play: Play, flexible_world: SmallWorld) -> Callable[..., Any]:
    """Play one deployment of a few VMs; what it left behind, and how often each activity was delivered.

    The host is killed at those deliveries of parts, counted from 1, that ``kills`` names.
    """

    def run(
        asked: dict[str, Any], *rules: ActivityFault, settings: Settings = IN_PARTS, kills: tuple[int, ...] = ()
    ) -> Any:
        faults, delivered = DurableFaults(activities=rules), Counter[str]()

        async def story(stage: Any) -> Any:
            def see(delivery: Delivery) -> None:
                delivered[delivery.name] += 1
                if delivery.name in NAMES and sum(delivered[name] for name in NAMES) in kills:
                    stage.platform.host.durable.kill()

            faults.on_delivery = see
            deployment = await stage.platform.start(**asked)
            for _ in range(len(kills) + 1):
                try:
                    await stage.platform.ended(deployment)
                except HostKilled:
                    await stage.platform.restart_host()
            assert len(stage.platform.hosts) == 1 + len(kills)
            await stage.sleep(minutes=30)
            return await end_state(stage.platform, deployment)

        ended = play(story, flexible_world(VMS), faults=faults, settings=settings)
        assert all(faults.struck[rule.loss] for rule in rules)
        return ended, delivered

    return run


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """The ends of deployments that were not read in parts, by image."""
    return {}


def _expected(undisturbed: dict[str, Any], deploy: Callable[..., Any], asked: dict[str, Any]) -> Any:
    if asked["image"] not in undisturbed:
        undisturbed[asked["image"]], delivered = deploy(asked, settings=AT_ONCE)
        assert not delivered.keys() & set(NAMES)
    return undisturbed[asked["image"]]


@pytest.mark.parametrize(("asked", "names"), [(GOOD, NAMES[:2]), (BAD, NAMES[::2])], ids=["good", "bad"])
def test_deployment_in_parts_ends_as_one_that_reads_all_at_once(
    deploy: Callable[..., Any], undisturbed: dict[str, Any], asked: dict[str, Any], names: tuple[str, ...]
) -> None:
    ended, delivered = deploy(asked)
    assert ended == _expected(undisturbed, deploy, asked)
    assert [delivered[name] % VMS for name in NAMES] == [0, 0, 0]
    assert {name for name in NAMES if delivered[name]} == set(names)


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("part", PARTS)
def test_part_badly_delivered_leads_to_the_same_end(
    deploy: Callable[..., Any], undisturbed: dict[str, Any], part: str, kind: str
) -> None:
    rule = ActivityFault(FAULTS[kind].loss, activity=part, after=FAULTS[kind].after)
    assert deploy(PARTS[part], rule)[0] == _expected(undisturbed, deploy, PARTS[part])


@pytest.mark.parametrize("asked", [GOOD, BAD], ids=["good", "bad"])
def test_host_killed_between_two_parts_finishes_the_same(
    deploy: Callable[..., Any], undisturbed: dict[str, Any], asked: dict[str, Any]
) -> None:
    ended, _ = deploy(asked, kills=(2, 6, 8))
    assert ended == _expected(undisturbed, deploy, asked)


@pytest.mark.parametrize(
    "fault",
    [{"status": 429, "headers": {"Retry-After": "90"}}, {"status": 503}, {"loseRequest": True}],
    ids=["throttled", "out of order", "lost"],
)
def test_part_that_azure_does_not_answer_is_asked_for_again_and_no_other(
    play: Play, flexible_world: SmallWorld, fault: dict[str, Any]
) -> None:
    """A view that is not answered is asked for once more, so two answers are bad; not where Azure says when to ask."""

    async def story(stage: Any) -> None:
        views = Fault.model_validate({"method": "GET", "path": "instanceView$", "calls": [2, 3, 4, 5], **fault})
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchLaunched")
        stage.platform.cloud.faults.add(views)
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FINISHED
        greens = [vm for vm in await stage.platform.store.vms.list(deployment) if vm.color is Color.GREEN]
        assert [vm.status for vm in greens] == ["healthy"] * VMS
        (retried,) = [one for one in await stage.platform.events(deployment) if one.type == "StepRetried"]
        assert "VMs could not be read" in retried.message

    play(story, flexible_world(VMS), settings=IN_PARTS)
