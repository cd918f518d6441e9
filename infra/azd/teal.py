"""The app as the hooks ask it: with the key of the function that they call, or a token where it wants tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from infra.azd.arm import Arm, ArmError
from infra.azd.values import Values
from infra.azd.web import Answer, Request, Send, Stopped, Tokens

SITES = "2025-03-01"


@dataclass
class Teal:
    """The app of an azd environment."""

    values: Values
    arm: Arm
    send: Send
    tokens: Tokens
    _keys: dict[str, str] = field(default_factory=dict, repr=False)

    async def exists(self) -> bool:
        """Whether the app was ever made."""
        return bool(self.values.app_id) and await self.arm.find(self.values.app_id, SITES) is not None

    async def functions(self) -> frozenset[str]:
        """The names of the functions that Azure knows of it."""
        found = await self.arm.list(f"{self.values.app_id}/functions", SITES)
        return frozenset(str(one["name"]).rpartition("/")[2] for one in found)

    async def health(self) -> Answer:
        """What the app says of itself, which needs no key."""
        return await self.send(Request("GET", f"{self.values.url}/api/health"))

    async def call(self, function: str, method: str, path: str, body: Any = None) -> Answer:
        """Call a function of the app.

        :raises Stopped: there is no key for it.
        """
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **await self._credentials(function)}
        return await self.send(Request(method, f"{self.values.url}/api/{path}", headers, content))

    async def _credentials(self, function: str) -> dict[str, str]:
        if self.values.entra_client_id:
            token = await self.tokens(f"api://{self.values.entra_client_id}/.default")
            return {"Authorization": f"Bearer {token}"}
        if function not in self._keys:
            self._keys[function] = await self._key(function)
        return {"x-functions-key": self._keys[function]}

    async def _key(self, function: str) -> str:
        try:
            keys = await self.arm.post(f"{self.values.app_id}/functions/{function}/listkeys", SITES)
        except ArmError as error:
            raise Stopped(f"The key of the function {function} cannot be read: {error}") from error
        if not keys:
            raise Stopped(f"The function {function} has no key yet: try again in a minute")
        return str(keys.get("default") or next(iter(keys.values())))
