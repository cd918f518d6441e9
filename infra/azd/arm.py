"""Azure Resource Manager, from outside: requests that are repeated while Azure is busy, and lists to their end."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from infra.azd.web import Answer, Clock, Request, Send, Stopped, Tokens

PUBLIC = "https://management.azure.com"

#: How often a request is tried that Azure is too busy for, or that got no answer (0).
TRIES = 6
_BUSY = (0, 408, 429, 500, 502, 503, 504)

#: How long anything is waited for, and how long between two looks.
PATIENCE = timedelta(minutes=10)
PAUSE = timedelta(seconds=5)


class ArmError(Exception):
    """Azure refused a request."""

    def __init__(self, request: Request, answer: Answer) -> None:
        said = answer.json()
        error = (said.get("error") or said) if isinstance(said, dict) else {}
        self.where = f"{request.method} {request.url.partition('?')[0]}"
        self.status = answer.status
        self.code = str(error.get("code") or answer.status)
        self.message = str(error.get("message") or answer.body.decode(errors="replace")[:500])
        super().__init__(f"{self.where}: {self.code}: {self.message}")

    @property
    def is_busy(self) -> bool:
        """Whether Azure was too busy, or did not answer, however often it was asked."""
        return self.status in _BUSY


class Arm:
    """Resource Manager, as whoever the tokens are of. Paths begin with a slash."""

    def __init__(self, send: Send, tokens: Tokens, clock: Clock, endpoint: str = PUBLIC) -> None:
        self.clock = clock
        self._send = send
        self._tokens = tokens
        self._token = ""
        self._asking = asyncio.Lock()
        self._endpoint = endpoint.rstrip("/")

    async def get(self, path: str, version: str, **query: str) -> Any:
        """A resource.

        :raises ArmError: Azure refuses it.
        """
        return (await self._request("GET", path, version, query)).json()

    async def find(self, path: str, version: str) -> Any | None:
        """A resource; ``None`` where there is none."""
        try:
            return await self.get(path, version)
        except ArmError as error:
            if error.status == 404:
                return None
            raise

    async def list(self, path: str, version: str, **query: str) -> list[Any]:
        """All items of a list, over all its pages."""
        page = (await self._request("GET", path, version, query)).json()
        items = list(page.get("value", ()))
        while page.get("nextLink"):
            page = (await self._to("GET", page["nextLink"], None)).json()
            items += page.get("value", ())
        return items

    async def put(self, path: str, version: str, body: Any) -> Any:
        """Make or change a resource."""
        return (await self._request("PUT", path, version, {}, body)).json()

    async def post(self, path: str, version: str, body: Any = None) -> Any:
        """Do something with a resource."""
        return (await self._request("POST", path, version, {}, body)).json()

    async def delete(self, path: str, version: str) -> bool:
        """Delete a resource, and wait until it is gone; whether there was one."""
        try:
            answer = await self._request("DELETE", path, version, {})
        except ArmError as error:
            if error.status == 404:
                return False
            raise
        if answer.status == 202:
            await self.until_gone(path, version)
        return answer.status != 204

    async def until_gone(self, path: str, version: str) -> None:
        """Wait until there is no such resource."""
        deadline = self.clock.now() + PATIENCE
        while await self.find(path, version) is not None:
            if self.clock.now() >= deadline:
                raise Stopped(f"{path} is still there {PATIENCE} after it was deleted")
            await self.clock.sleep(PAUSE)

    async def _request(self, method: str, path: str, version: str, query: dict[str, str], body: Any = None) -> Answer:
        options = "".join(f"&{name}={_quoted(text)}" for name, text in query.items())
        return await self._to(method, f"{self._endpoint}{_quoted(path)}?api-version={version}{options}", body)

    async def _to(self, method: str, url: str, body: Any) -> Answer:
        content = b"" if body is None else json.dumps(body).encode()
        for number in range(1, TRIES + 1):
            request = Request(method, url, await self._headers(), content)
            answer = await self._send(request)
            if answer.status == 401 and number == 1:
                self._token = ""  # It may have run out meanwhile.
            elif answer.status in _BUSY and number < TRIES:
                await self.clock.sleep(_delay(answer, number))
            else:
                break
        if answer.status == 0 or answer.status >= 400:
            raise ArmError(request, answer)
        return answer

    async def _headers(self) -> dict[str, str]:
        """The headers of a request. A token is asked for once: that takes a program half a second."""
        async with self._asking:
            self._token = self._token or await self._tokens(f"{self._endpoint}/.default")
        return {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}


def _delay(answer: Answer, number: int) -> timedelta:
    asked = answer.headers.get("retry-after", "")
    return timedelta(seconds=min(int(asked), 300) if asked.isdecimal() else 2**number)


def _quoted(text: str) -> str:
    return quote(text, safe="/$'()")
