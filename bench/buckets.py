"""How near a deployment came to the bottom of each of Azure's buckets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from local.azure.arm import throttling
from local.azure.arm.messages import ArmRequest, ArmResponse
from local.azure.arm.throttling import Limit, Policy
from local.azure.cloud import Cloud

_HEADER = "x-ms-ratelimit-remaining-resource"


class MeteredCloud(Cloud):
    """A simulated Azure that notes the lowest count that its answers ever gave for each policy.

    ``wire``: how long each request is on its way.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.lowest: dict[str, int] = {}
        self.wire = timedelta(0)

    def begin(self) -> None:
        """Count from now on."""
        self._state.requests.clear()
        self.lowest.clear()

    async def handle(self, request: ArmRequest) -> ArmResponse:
        """Answer as ever, and look at what is left."""
        if self.wire:
            await self.clock.sleep(self.wire)
        response = await super().handle(request)
        for policy, count in re.findall(r"Microsoft\.Compute/(\w+);(\d+)", response.headers.get(_HEADER, "")):
            self.lowest[policy] = min(int(count), self.lowest.get(policy, int(count)))
        return response

    def highest_use(self, policy: str) -> float | None:
        """The largest share of the policy's bucket that was ever taken out of it; 1 is empty.

        ``None``: answers do not tell, as those of the network provider do not.
        """
        if policy not in self.lowest:
            return None
        size = max(1, int(tightest(POLICIES[policy]).size * self.world.platform.throttling_factor))
        return 1 - self.lowest[policy] / size


def tightest(policy: Policy) -> Limit:
    """The smaller of a policy's two buckets: that of the resource, where there is one."""
    return policy.resource or policy.subscription


#: Every policy of the simulated Azure by its name.
POLICIES: Mapping[str, Policy] = {one.name: one for one in vars(throttling).values() if isinstance(one, Policy)}
