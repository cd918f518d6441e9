"""``Instances`` over the client of the Durable Functions SDK (azure-functions-durable 1.7)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from azure.durable_functions import DurableOrchestrationClient, OrchestrationRuntimeStatus
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from rollout.codec import Json
from rollout.errors import Busy
from rollout.ports import InstanceState

T = TypeVar("T")

_STATES = {
    OrchestrationRuntimeStatus.Pending: InstanceState.RUNNING,
    OrchestrationRuntimeStatus.Running: InstanceState.RUNNING,
    OrchestrationRuntimeStatus.ContinuedAsNew: InstanceState.RUNNING,
    OrchestrationRuntimeStatus.Suspended: InstanceState.SUSPENDED,
    OrchestrationRuntimeStatus.Completed: InstanceState.ENDED,
    OrchestrationRuntimeStatus.Failed: InstanceState.ENDED,
    OrchestrationRuntimeStatus.Canceled: InstanceState.ENDED,
    OrchestrationRuntimeStatus.Terminated: InstanceState.ENDED,
}


class DurableInstances:
    """The orchestrations of the task hub that one invocation's client speaks to.

    Every method raises ``Busy`` where the extension does not do as asked, whatever the SDK raised: it speaks to the
    host's own process, so trying again is what there is to do.
    """

    def __init__(self, client: DurableOrchestrationClient) -> None:
        self._client = client

    async def start(self, recipe: str, instance_id: str, order: Json) -> None:
        """Start a recipe. ``instance_id`` must be new: the extension replaces an ended instance without a word."""
        await _asked(self._client.start_new(recipe, instance_id, order))

    async def state(self, instance_id: str) -> InstanceState:
        """What the instance is doing."""
        status = await self._status(instance_id)
        if status is None or status.runtime_status is None:
            return InstanceState.ABSENT
        return _STATES[status.runtime_status]

    async def describe(self, instance_id: str) -> Json | None:
        """The SDK's own JSON of the status; it holds neither history nor URLs unless asked for them."""
        status = await self._status(instance_id)
        if status is None:
            return None
        described: Json = status.to_json()
        described.pop("history", None)
        return described

    async def _status(self, instance_id: str) -> DurableOrchestrationStatus | None:
        status = await _asked(self._client.get_status(instance_id))
        if status:
            return status
        # The SDK makes a status of any answer. 404 has no body; the body of a 400 or 500 becomes attributes, and
        # taking those for an absent instance would end a deployment that runs.
        said = {name: value for name, value in vars(status).items() if not name.startswith("_") and value}
        if said:
            raise Busy("DurableExtension", f"the status of {instance_id} could not be read: {said}")
        return None


async def _asked(answer: Awaitable[T]) -> T:
    """The SDK raises bare ``Exception`` for an answer it did not expect, and aiohttp's errors for none."""
    try:
        return await answer
    except Exception as error:
        raise Busy("DurableExtension", str(error) or type(error).__name__) from error
