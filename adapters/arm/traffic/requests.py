"""Requests to ``Microsoft.Network`` through the compute client, which brings the token and the endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core.exceptions import DecodeError
from azure.core.rest import HttpRequest

from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from rollout.ports.errors import Refused

Json = dict[str, Any]

#: What azure-mgmt-network 33 sends for load balancers, application gateways and network interfaces.
NETWORK_API_VERSION = "2026-03-01"

#: What it sends for the network interfaces of Uniform sets, whose routes have no newer version
#: (``list_virtual_machine_scale_set_network_interfaces``).
SCALE_SET_INTERFACES_API_VERSION = "2018-10-01"

#: No list of Teal's has more pages; one that seems to has lost its way.
MOST_PAGES = 1000


@dataclass(frozen=True)
class ArmAnswer:
    """A status, a body (``None``: empty, or ``null``), and the path and query of the header ``Location``."""

    status: int
    body: Any
    location: str = ""


class ArmRequests:
    """Sends a request to the resource that an id names. Raises ``rollout.ports.errors.AzureError``."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def get(self, resource_id: str, api_version: str = NETWORK_API_VERSION) -> Json:
        """The resource's JSON."""
        answer = await self._send("GET", resource_id, _url(resource_id, api_version))
        return dict(answer.body or {})

    async def get_if_there(self, resource_id: str) -> Json | None:
        """The resource's JSON; ``None`` where there is none."""
        answer = await self._send("GET", resource_id, _url(resource_id), missing=True)
        return None if answer.status == 404 else dict(answer.body or {})

    async def list(self, resource_id: str, api_version: str) -> list[Json]:
        """Every page of a list; empty where what it belongs to is gone."""
        url, items = _url(resource_id, api_version), list[Json]()
        for _ in range(MOST_PAGES):
            answer = await self._send("GET", resource_id, url, missing=True)
            page = answer.body or {} if answer.status != 404 else {}
            items += page.get("value") or ()
            url = page.get("nextLink") or ""
            if not url:
                return items
        raise Refused("tooManyPages", f"The list {resource_id} has more than {MOST_PAGES} pages")

    async def put(self, resource_id: str, body: Json, etag: str) -> None:
        """Replace the resource, if it is still as it was read; its operation is not waited for."""
        if not etag:
            raise Refused("etagMissing", f"Azure gave no ETag for {resource_id}: a change of it cannot be guarded")
        await self._send("PUT", resource_id, _url(resource_id), body, {"If-Match": etag})

    async def ask(self, resource_id: str) -> ArmAnswer:
        """``POST`` without a body: the answer, or with 202 where it will be."""
        return await self._send("POST", resource_id, _url(resource_id))

    async def follow(self, resource_id: str, location: str) -> ArmAnswer | None:
        """What is at a ``Location`` now: 202 while the operation goes on, ``None`` where Azure knows it no more."""
        try:
            return await self._send("GET", resource_id, location)
        except Refused:
            return None

    async def _send(
        self,
        method: str,
        resource_id: str,
        url: str,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        missing: bool = False,
    ) -> ArmAnswer:
        request = HttpRequest(method, url, headers={"Accept": "application/json", **(headers or {})}, json=body)
        with translated():
            # As a stream, so that the SDK's pipeline does not parse the body once before it is parsed here.
            response = await self._clients.of(resource_id).send_request(request, stream=True)
            content = await response.read()
            if not (missing and response.status_code == 404):
                response.raise_for_status()
            try:
                parsed = response.json() if content and response.status_code < 300 else None
            except ValueError as error:
                raise DecodeError("the answer is not JSON", response=response, error=error) from error
        return ArmAnswer(response.status_code, parsed, _path(response.headers.get("Location")))


def _url(resource_id: str, api_version: str = NETWORK_API_VERSION) -> str:
    return f"{quote(resource_id, safe='/')}?api-version={api_version}"


def _path(location: str | None) -> str:
    """Without the host: the token goes to the endpoint of the settings, wherever an answer, or a row, points to."""
    if not location:
        return ""
    parts = urlsplit(location)
    return f"{parts.path}?{parts.query}"
