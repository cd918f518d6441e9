"""What Azure does not allow: each refusal ends a deployment with its code, and with everything put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.azure.world import Fault, World
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

QUOTA = (
    "Operation could not be completed as it results in exceeding approved standardDSv5Family Cores quota. "
    "Additional details - Current Limit: 20, Current Usage: 20, Additional Required: 4."
)


def refusal(call: int, status: int, code: str, message: str) -> Fault:
    """The n-th PATCH is refused: the first changes the image, the second the capacity."""
    body = {"error": {"code": code, "message": message}}
    return Fault.model_validate({"method": "PATCH", "calls": [call], "status": status, "body": body})


@pytest.mark.parametrize(
    ("call", "status", "code", "message"),
    [
        (2, 409, "OperationNotAllowed", QUOTA),
        (2, 409, "SkuNotAvailable", "The requested VM size is currently not available in location 'eastus2'."),
        (2, 403, "AuthorizationFailed", "The client does not have authorization to perform action 'write'."),
        (1, 409, "OperationNotAllowed", "The Virtual Machine Scale Set reached its limit of 10 models"),
        (1, 403, "RequestDisallowedByPolicy", "Resource 'web' was disallowed by policy."),
    ],
)
def test_what_azure_refuses_fails_the_deployment_with_azures_code_and_leaves_all_as_it_was(
    play: Play, either_world: SmallWorld, call: int, status: int, code: str, message: str
) -> None:
    async def story(stage: Any) -> None:
        stage.platform.cloud.faults.add(refusal(call, status, code, message))
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code) == (Status.FAILED, code)
        assert row.error.message.endswith(f"Azure refused: {message}")
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.0.0"] * 2, "1.0.0", 2)

    play(story, either_world(2))


def test_vms_that_autoscale_adds_in_the_middle_take_green_places(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        await stage.until(deployment, "BatchHealthy", 1)
        stage.platform.cloud.interfere.autoscale(stage.scale_set_id, 1)
        row = await stage.platform.ended(deployment)
        assert (row.status, stage.versions(), stage.capacity()) == (Status.FINISHED, ["1.1.0"] * 4, 4)

    play(story, either_world(4))


def test_a_blue_vm_that_repairs_replace_in_the_middle_comes_back_green(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        await stage.until(deployment, "BatchLaunched", 1)
        vms = stage.platform.cloud.scale_set(stage.scale_set_id).active()
        blue = [vm for vm in vms if str(vm.image["id"]).endswith("1.0.0")]
        stage.platform.cloud.interfere.repair(stage.scale_set_id, blue[-1].vm_id)
        row = await stage.platform.ended(deployment)
        assert (row.status, stage.versions(), stage.capacity()) == (Status.FINISHED, ["1.1.0"] * 4, 4)

    play(story, either_world(4), exempt=["never_fewer_serving"])


def test_throttling_is_waited_out_as_long_as_azure_says_and_is_one_fact(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        body = {"error": {"code": "OperationNotAllowed", "message": "The server rejected the request: too many"}}
        stage.platform.cloud.faults.add(
            Fault.model_validate(
                {"method": "PATCH", "calls": [2, 3, 4], "status": 429, "body": body, "headers": {"Retry-After": "90"}}
            )
        )
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FINISHED
        events = await stage.platform.events(deployment)
        (retried,) = [event for event in events if event.type == "StepRetried"]
        assert retried.message == (
            "Batch 1 of 1: launch_green was tried again 3 times; "
            "at last because: Azure is busy: The server rejected the request: too many"
        )
        (started,) = [event for event in events if event.type == "BatchStarted"]
        assert (retried.at - started.at).total_seconds() >= 3 * 90

    play(story, either_world(2))
