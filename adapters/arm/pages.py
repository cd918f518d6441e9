"""Lists of VMs, read page by page, and what is read by the hundred, as bare JSON.

This goes through the client's ``send_request``: its own methods make model objects of all that a page holds, which
costs thirty times the CPU of the JSON alone, half a second at 900 VMs, at every poll.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from azure.core.rest import AsyncHttpResponse, HttpRequest

from adapters.arm.answers import json_of
from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.reading import Json
from rollout.ports.errors import Busy, Refused
from rollout.steps.pacing import until_refilled

#: What azure-mgmt-compute 39 itself sends with a request for VMs; tests hold the two together.
VM_API_VERSION = "2026-04-01"

MINUTE = timedelta(minutes=1)

#: A set has at most 1,000 VMs, so a list this long has lost its way.
MOST_PAGES = 1000


@dataclass(frozen=True)
class Pages:
    """The items of all pages, how many pages there were, and what the last one said is left of the bucket."""

    items: tuple[Json, ...]
    requests: int
    remaining: int | None


async def read_pages(
    clients: ComputeClients, scale_set_id: str, url: str, refill: int, share_min: float = 0.0
) -> Pages:
    """Follow ``nextLink`` to the end. ``refill``: what Azure gives back a minute into the bucket of this list.

    Raises ``Busy`` with the time until all pages can be read again: a list that was throttled at a later page begins
    again at the first, and Azure's ``Retry-After`` speaks of one request. Heeding only that, a list of ten pages would
    be refused for ever. ``share_min``: where less of the bucket is left after the first page, ``Busy``.
    """
    items: list[Json] = []
    for requests in range(1, MOST_PAGES + 1):
        try:
            page, headers = await read_json(clients, scale_set_id, url)
        except Busy as busy:
            raise _whole_list_later(busy, until_refilled(requests, refill) if requests > 1 else None) from busy
        left = _remaining(headers)
        if requests == 1 and share_min and left is not None and left < share_min * 3 * refill:
            raise Busy("LittleLeft", f"{left} more lists of the VMs of {scale_set_id} would be answered", MINUTE)
        items += page.get("value") or ()
        if not page.get("nextLink"):
            return Pages(tuple(items), requests, left)
        url = page["nextLink"]
    raise Refused("tooManyPages", f"The list of the VMs of {scale_set_id} has more than {MOST_PAGES} pages")


async def read_json(clients: ComputeClients, resource_id: str, url: str) -> tuple[Json, Mapping[str, str]]:
    """The body and the headers of one GET."""
    with translated():
        response = await _get(clients, resource_id, url)
        response.raise_for_status()
        return json_of(response), response.headers


async def find_json(clients: ComputeClients, resource_id: str, url: str) -> Json | None:
    """The body of one GET; ``None`` where what it asks for is not there."""
    with translated():
        response = await _get(clients, resource_id, url)
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        response.raise_for_status()
        return json_of(response)


async def _get(clients: ComputeClients, resource_id: str, url: str) -> AsyncHttpResponse:
    request = HttpRequest("GET", url, headers={"Accept": "application/json"})
    # As a stream, so that the SDK's pipeline does not parse the body once before it is parsed here.
    response = await clients.of(resource_id).send_request(request, stream=True)
    await response.read()
    return response


def _whole_list_later(busy: Busy, refilled: timedelta | None) -> Busy:
    if busy.retry_after is None or refilled is None:
        return busy
    return Busy(busy.code, busy.message, max(busy.retry_after, refilled))


def _remaining(headers: Mapping[str, str]) -> int | None:
    """How many more requests of the answered kind Azure would take now; ``None`` where it does not say.

    ``x-ms-ratelimit-remaining-resource: Microsoft.Compute/HighCostGetVMScaleSet3Min;177,…`` names every policy that the
    request was charged to, with what it has left: the least of them decides
    (https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/troubleshooting-throttling-errors).
    """
    counts = re.findall(r";\s*(\d+)\s*(?:,|$)", headers.get("x-ms-ratelimit-remaining-resource", ""))
    return min(map(int, counts), default=None)
