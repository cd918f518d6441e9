"""How long to wait before reading a scale set again.

Azure counts the list of a Uniform set's VMs as a high-cost read: a bucket of 30 requests for each set that is refilled
with 10 a minute. Lists of a Flexible set's VMs share one bucket of 900, refilled with 300, with everything in the
subscription (https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits). One list of a large set
takes a request for every page. Azure's answers say how many requests are left; what an empty bucket gets back is only
assumed, and assumed to be half of what Azure documents: people, autoscale and monitoring read the same set.
"""

from __future__ import annotations

from datetime import timedelta

from rollout.model.azure.scale_set import VmList

MINUTE = timedelta(minutes=1)

#: A list that takes no more than this part of a minute's refill is no danger to the bucket, even where Azure says
#: nothing of what is left: 2 pages of a Uniform set.
CHEAP_SHARE = 0.2

#: Half of the 25 reads a second that Resource Manager gives back
#: (https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling).
PER_VIEW = timedelta(seconds=1) / 12.5


def until_next_look(interval: timedelta, listed: VmList) -> timedelta:
    """The poll interval, or longer where a list costs so much that repeating it so soon would empty the bucket.

    1 page, interval 15 s: 15 s. 10 pages of a Uniform set of which Azure would answer 20 more: 60 s, the pace of the
    refill. 10 pages with 8 left: 60 s too, as the 2 that are missing come within a minute. 10 pages with 0 left, or
    with nothing said of what is left: 120 s. 10 pages of a Flexible set: 15 s; and 500 of its VMs one by one: 40 s.
    """
    pace = _sure(listed.refill) if listed.remaining is None else listed.refill
    return max(interval, listed.requests * MINUTE / pace, listed.views * PER_VIEW, before_next_step(listed))


def before_next_step(listed: VmList, more_vms: int = 0) -> timedelta:
    """How long the next step must not read the set: nothing while the bucket can answer it, or until it can.

    10 pages with 10 left: 0 s. 10 pages with 8 left: 60 s. 10 pages with nothing said of what is left: 120 s.
    ``more_vms``: how many more VMs there will be by then.
    """
    pages = _pages(listed, more_vms)
    if listed.remaining is None:
        return timedelta(0) if _is_cheap(pages, listed) else until_refilled(pages, listed.refill)
    return until_refilled(max(0, pages - listed.remaining), listed.refill)


def before_another_look(interval: timedelta, listed: VmList) -> timedelta:
    """How long before a step reads again what this one has just read, to see what has changed.

    A small set at once: its VMs may be healthy as soon as they are launched. A large one when the next look is due:
    the same list twice in one moment would cost the bucket a minute's refill and tell nothing.
    """
    return timedelta(0) if _is_cheap(listed.requests, listed) else until_next_look(interval, listed)


def until_refilled(requests: int, refill: int) -> timedelta:
    """How long it takes at most until so many requests have come back, where ``refill`` are documented a minute.

    Of 10 a minute 5 are sure: 1 to 5 requests take a minute, 6 to 10 two. Whole minutes, because Azure refills once a
    minute and does not say when in it.
    """
    return -(-requests // _sure(refill)) * MINUTE


def _sure(refill: int) -> int:
    """What is counted on to come back a minute into a bucket that is too empty for the next list."""
    return refill // 2


def _is_cheap(pages: int, listed: VmList) -> bool:
    return pages <= CHEAP_SHARE * listed.refill


def _pages(listed: VmList, more_vms: int) -> int:
    """What the next list will cost: 900 VMs on 9 pages and 90 more of them make 10."""
    vms = len(listed.vms)
    return -(-listed.requests * (vms + more_vms) // vms) if vms else listed.requests
