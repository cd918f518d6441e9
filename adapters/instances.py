"""``Instances`` over the client of the Durable Functions SDK (azure-functions-durable 1.7)."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

from azure.durable_functions import DurableOrchestrationClient, OrchestrationRuntimeStatus
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from rollout.model.codec import Json
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy

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
_LIVE = [status for status, state in _STATES.items() if state is not InstanceState.ENDED]
_OVER = [status for status, state in _STATES.items() if state is InstanceState.ENDED]

#: What people know it by.
NAME = "Durable Functions"


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

    async def wake(self, instance_id: str, event: str) -> None:
        """Nothing depends on an event, so whatever goes wrong is passed over.

        The SDK raises for an instance that is absent or over (404, 410), where there is nobody to wake; where Durable
        Functions does not answer, the next look finds what the event would have told of.
        """
        with suppress(Exception):
            await self._client.raise_event(instance_id, event)

    async def terminate(self, instance_id: str, reason: str) -> None:
        """The SDK raises for an instance that is absent (404), and takes one that has ended (410)."""
        try:
            await self._client.terminate(instance_id, reason)
        except Exception as error:
            if await self.state(instance_id) is not InstanceState.ABSENT:
                raise Busy("DurableExtension", str(error) or type(error).__name__, by=NAME) from error

    async def children(self, deployment_id: str) -> tuple[str, ...]:
        """The ids begin with the deployment's (``rollout.model.names``), which the extension finds by their prefix.

        It answers one page of 100, and the SDK follows no other; a deployment has a handful. Azure Storage may also cut
        a page short: whoever asks must not depend on seeing all.
        """
        prefix = f"{deployment_id}:"
        query = self._client.get_status_by(runtime_status=_LIVE, instance_id_prefix=prefix)
        found = [status.instance_id for status in await _asked(query)]
        return tuple(sorted(one for one in found if one is not None and one.startswith(prefix)))

    async def purge(self, created_from: datetime, created_to: datetime) -> int:
        """As the port has it; the extension takes no purge without ``created_from``."""
        answer = await _asked(self._client.purge_instance_history_by(created_from, created_to, _OVER))
        deleted: int = answer.instances_deleted
        return deleted

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
            raise Busy("DurableExtension", f"the status of {instance_id} could not be read: {said}", by=NAME)
        return None


async def _asked(answer: Awaitable[T]) -> T:
    """The SDK raises bare ``Exception`` for an answer it did not expect, and aiohttp's errors for none."""
    try:
        return await answer
    except Exception as error:
        raise Busy("DurableExtension", str(error) or type(error).__name__, by=NAME) from error
