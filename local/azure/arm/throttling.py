"""Azure's request limits: token buckets per resource and per subscription, refilled every minute.

Numbers: https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits (2024-05), refill per minute and
size. Where the page says nothing of a kind of request, the table below says what is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from local.azure.arm.buckets import Bucket, RequestCount
from local.azure.arm.errors import Throttled
from local.azure.arm.resources import CloudState

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Limit:
    """A bucket that holds ``size`` tokens and gets ``refill`` a minute."""

    refill: int
    size: int


@dataclass(frozen=True)
class Policy:
    """The two buckets that a request is charged to; ``None``: no such bucket."""

    name: str
    resource: Limit | None
    subscription: Limit


CREATE_SCALE_SET = Policy("VMScaleSetCreate", Limit(4, 12), Limit(125, 375))
UPDATE_SCALE_SET = Policy("VMScaleSetUpdate", Limit(4, 12), Limit(500, 1500))
#: Also for POST …/delete of instances, which the page does not name: assumed.
DELETE_SCALE_SET = Policy("VMScaleSetDelete", Limit(4, 12), Limit(175, 525))
GET_SCALE_SET = Policy("VMScaleSetLowCostGet", Limit(12, 36), Limit(800, 2400))
#: Lists of sets are charged to the subscription alone.
LIST_SETS = Policy("VMScaleSetList", None, Limit(360, 1080))
#: Also for the list of a set's VMs, page by page: assumed. Older headers charged it to `HighCostGetVMScaleSet3Min`.
LIST_SCALE_SETS = Policy("VMScaleSetHighCostGet", Limit(10, 30), Limit(360, 1080))
UPDATE_INSTANCE = Policy("VMScaleSetVMUpdate", Limit(4, 12), Limit(500, 1500))
DELETE_INSTANCE = Policy("VMScaleSetVMDelete", Limit(4, 12), Limit(500, 1500))
GET_INSTANCE = Policy("VMScaleSetVMGet", Limit(12, 36), Limit(2000, 6000))
GET_OPERATION = Policy("GetOperation", Limit(15, 45), Limit(5000, 15000))
DELETE_VIRTUAL_MACHINE = Policy("VMDelete", Limit(4, 12), Limit(500, 1500))
GET_VIRTUAL_MACHINE = Policy("VMGet", Limit(12, 36), Limit(8000, 24000))
LIST_VIRTUAL_MACHINES = Policy("VMList", None, Limit(300, 900))
#: The network provider takes 1000 writes and 10000 reads in five minutes; that it counts them in buckets is assumed.
#: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling#network-throttling
READ_NETWORK = Policy("NetworkRead", None, Limit(2000, 10000))
WRITE_NETWORK = Policy("NetworkWrite", None, Limit(200, 1000))
#: From older headers (2000 in 3 minutes, 10000 in 30): assumed to be a bucket too.
GET_GALLERY = Policy("GetGalleryImageVersion", None, Limit(600, 2000))
#: From a recorded header (375 in 3 minutes, 1200 in 30); that deletions have a bucket of the same size is assumed.
WRITE_VERSION = Policy("CreateUpdateGalleryImageVersion", None, Limit(40, 375))
DELETE_VERSION = Policy("DeleteGalleryImageVersion", None, Limit(40, 375))
#: Usages, autoscale settings and what Resource Manager itself answers: assumed, generous.
GET_OTHER = Policy("Get", None, Limit(1500, 4500))
WRITE_OTHER = Policy("Put", None, Limit(600, 1800))


class Throttling:
    """Charges requests to the buckets of a state."""

    def __init__(self, state: CloudState, factor: float) -> None:
        self._state = state
        self._factor = factor

    def charge(self, kind: str, policy: Policy, subscription: str, resource: str) -> dict[str, str]:
        """Take a token from each bucket of a request, and return the header that says how many are left.

        :raises Throttled: 429, a bucket is empty; nothing is taken then.
        """
        count = self._state.requests.setdefault(f"{kind} [{policy.name}]", RequestCount(policy.name))
        buckets = list(self._buckets(policy, subscription, resource))
        for bucket, limit in buckets:
            if bucket.tokens < 1:
                count.throttled += 1
                retry_after = bucket.filled_at + MINUTE - self._state.now
                raise Throttled(policy.name, limit.size, retry_after, _remaining(policy, 0))
        for bucket, _ in buckets:
            bucket.tokens -= 1
        count.passed += 1
        return _remaining(policy, *(bucket.tokens for bucket, _ in buckets))

    def _buckets(self, policy: Policy, subscription: str, resource: str) -> list[tuple[Bucket, Limit]]:
        scopes = [(policy.subscription, subscription)]
        if policy.resource:
            scopes.append((policy.resource, resource))
        return [(self._bucket(f"{policy.name}/{scope}".lower(), limit), limit) for limit, scope in scopes]

    def _bucket(self, key: str, limit: Limit) -> Bucket:
        now, size = self._state.now, max(1, int(limit.size * self._factor))
        bucket = self._state.buckets.setdefault(key, Bucket(size, now))
        minutes = (now - bucket.filled_at) // MINUTE
        refill = max(1, int(limit.refill * self._factor))
        bucket.tokens = min(size, bucket.tokens + minutes * refill)
        bucket.filled_at += minutes * MINUTE
        return bucket


def _remaining(policy: Policy, *tokens: int) -> dict[str, str]:
    """What is left in each bucket, as a list with commas, which is how it was recorded; the names are assumed.

    What a write says besides of its queue may well be 0, as recorded, and forbids nothing.
    """
    if policy in (READ_NETWORK, WRITE_NETWORK):
        return {
            f"x-ms-ratelimit-remaining-subscription-global-{'reads' if policy is READ_NETWORK else 'writes'}": str(
                min(tokens)
            )
        }
    told = [f"{policy.name};{tokens[-1]}"]
    told += [f"{policy.name}Subscription;{tokens[0]}"] if len(tokens) > 1 else []
    told += ["VmssQueuedVMOperations;0"] if policy in (UPDATE_SCALE_SET, DELETE_SCALE_SET, UPDATE_INSTANCE) else []
    return {"x-ms-ratelimit-remaining-resource": ",".join(f"Microsoft.Compute/{each}" for each in told)}
