"""Function keys, looked at as the Functions host does.

Source: azure-functions-host, ``AuthenticationLevelHandler.cs`` (which key), ``SecretManager.cs`` (what it opens),
``AuthUtility.cs`` and ``HostController.cs`` (what is needed).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qsl, quote, urlsplit

from local.durable.answers import HttpCall

_HEADER, _PARAMETER = "x-functions-key", "code"


class Level(Enum):
    """What a key opens, and what a function asks for: ``FUNCTION``, its own key or one of the host's."""

    ANONYMOUS = "anonymous"
    FUNCTION = "function"
    ADMIN = "admin"


@dataclass(frozen=True)
class Keys:
    """Every key of an app, by name: the master, the host's, the extensions' (``system``), those of each function."""

    master: str
    host: Mapping[str, str] = field(default_factory=dict)
    system: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def opens(self, call: HttpCall, function: str, level: Level) -> bool:
        """Whether the call's key opens a function of this level. An extension's key opens none."""
        if level is Level.ANONYMOUS:
            return True
        key = _key(call)
        if _same(key, self.master):
            return True
        if level is Level.ADMIN or _is_one_of(key, self.system):
            return False
        return _is_one_of(key, self.host) or _is_one_of(key, self.functions.get(function, {}))

    def opens_extension(self, call: HttpCall, extension: str) -> bool:
        """Whether the call's key opens the webhook of an extension: its own, or the master."""
        key = _key(call)
        return _same(key, self.master) or _same(key, self.system.get(_name(extension), ""))

    def key_of(self, extension: str) -> str:
        """What Azure itself sends to the webhook of an extension."""
        return self.system.get(_name(extension), self.master)

    def signed(self, path: str, extension: str) -> str:
        """The path and query of such a webhook, with that key."""
        return f"{path}{'&' if '?' in path else '?'}{_PARAMETER}={quote(self.key_of(extension), safe='')}"


def _name(extension: str) -> str:
    return f"{extension}_extension"


def _key(call: HttpCall) -> str:
    """The header's first value, empty or not; without the header, the query's first."""
    if _HEADER in call.headers:
        return call.first(_HEADER)
    query = parse_qsl(urlsplit(call.target).query, keep_blank_values=True)
    return next((value for name, value in query if name.lower() == _PARAMETER), "")


def _is_one_of(key: str, known: Mapping[str, str]) -> bool:
    return any(_same(key, one) for one in known.values())


def _same(key: str, known: str) -> bool:
    return bool(key and known) and hmac.compare_digest(key.encode(), known.encode())
