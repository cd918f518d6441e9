"""Every setting: one frozen class, read once from the environment (the app settings of a function app)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from rollout.model.order import PART_SIZE
from rollout.model.roles import Mode, Role

#: Azure refills the bucket of a set's high-cost reads with 10 requests a minute
#: (https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits), so nothing may read it more often.
SHORTEST_POLL_INTERVAL = timedelta(seconds=6)

#: What nobody guesses, whoever has a key that was made of it.
SHORTEST_SECRET = 32

#: A scale set has no more.
MOST_VMS = 1000

#: As long as anybody may want to look back: ten years.
MOST_DAYS = 3650


#: The scopes of a setting that is there and names none: no resource is at or below them.
NOTHING = ("",)


def _setting(variable: str, default: Any, help_text: str, counts: str, *, secret: bool = False) -> Any:
    """A setting. ``counts``: from when on a change of it counts, for what waits already, too."""
    return field(default=default, repr=not secret, metadata={"variable": variable, "help": help_text, "counts": counts})


#: Every change of an app setting restarts the app; nothing that waits has kept the value of before.
_RESTART = "from the restart, for everything"
_REQUEST = "from the next request"
_PURGE = "from the next night's purge, for what is there already, too"


@dataclass(frozen=True)
class Settings:
    """What an operator can set. README.md lists them, and a test holds that list to this class."""

    tables_endpoint: str = _setting(
        "TEAL_TABLES_ENDPOINT",
        "",
        "The Table Storage account, `https://{account}.table.core.windows.net`, read with the app's identity",
        _RESTART,
    )
    tables_connection: str = _setting(
        "TEAL_TABLES_CONNECTION", "", "A connection string instead of the endpoint; for Azurite", _RESTART, secret=True
    )
    client_id: str = _setting(
        "AZURE_CLIENT_ID", "", "The client id of the app's user-assigned managed identity", _RESTART
    )
    arm_endpoint: str = _setting(
        "TEAL_ARM_ENDPOINT",
        "https://management.azure.com",
        "Azure Resource Manager; another one for a sovereign cloud",
        _RESTART,
    )
    poll_interval: timedelta = _setting(
        "TEAL_POLL_INTERVAL",
        timedelta(seconds=15),
        "Seconds between two looks at a scale set; at least 6, which is what Azure's throttling allows",
        "from the next look, of what is under way, too",
    )
    part_size: int = _setting(
        "TEAL_PART_SIZE",
        PART_SIZE,
        "VMs of a Flexible set whose health one activity reads; a look at more of them is dealt out to several. "
        "From 1 to 1000",
        "from the next look, of what is under way, too",
    )
    history_days: int = _setting(
        "TEAL_HISTORY_DAYS",
        30,
        "Days after which the Durable history of what has ended, and notifications, are forgotten; at least 1",
        _PURGE,
    )
    rows_days: int = _setting(
        "TEAL_ROWS_DAYS",
        365,
        "Days after its end for which a deployment can be read; at least 1. What something still needs stays longer",
        _PURGE,
    )

    allowed_scopes: str = _setting(
        "TEAL_ALLOWED_SCOPES",
        "",
        "Resource ids, with commas between: only scale sets and galleries at or below one of them may be used; "
        "blanks and commas alone allow nothing",
        "from the next request, the next look at what is queued or followed, and the next time of a schedule; "
        "a deployment that has begun goes on",
    )

    auth_mode: str = _setting(
        "TEAL_AUTH_MODE",
        "keys",
        "How callers are known: `keys`, by the function key that they send, or `entra`, as people and apps of Entra ID",
        _REQUEST,
    )
    role_keys: str = _setting(
        "TEAL_ROLE_KEYS",
        "",
        "Whose key is whose: `reader=` or another role and the SHA-256 of its key in hexadecimal, with commas between; "
        "a role may have several. Any other key is an administrator's",
        _REQUEST,
    )
    signal_secret: str = _setting(
        "TEAL_SIGNAL_SECRET",
        "",
        "What the keys that VMs send with their signals are made of: 32 characters or more. Two with a comma between, "
        "the new one first, while VMs change over; without it a function key is enough",
        _REQUEST,
        secret=True,
    )
    auth_enabled: str = _setting(
        "WEBSITE_AUTH_ENABLED",
        "",
        "`True` where App Service authentication is on; App Service sets it, nobody else may",
        _REQUEST,
    )

    @property
    def scopes(self) -> tuple[str, ...]:
        """Each of ``allowed_scopes``. One that names nothing, a variable that was left empty say, allows nothing."""
        named = tuple(scope.strip() for scope in self.allowed_scopes.split(",") if scope.strip())
        return named if named or not self.allowed_scopes else NOTHING

    @property
    def mode(self) -> Mode:
        """``auth_mode``, checked."""
        return Mode(self.auth_mode)

    @property
    def known_keys(self) -> tuple[tuple[Role, bytes], ...]:
        """Each of ``role_keys``: a role, and the digest of a key that is its."""
        pairs = [pair.strip().partition("=") for pair in self.role_keys.split(",") if pair.strip()]
        return tuple((Role(role.strip()), bytes.fromhex(digest.strip())) for role, _, digest in pairs)

    @property
    def signal_secrets(self) -> tuple[str, ...]:
        """Each of ``signal_secret``."""
        return tuple(secret.strip() for secret in self.signal_secret.split(",") if secret.strip())

    @property
    def is_authenticated(self) -> bool:
        """Whether something in front of the app makes sure that callers are who they say, and strips forged headers."""
        return self.mode is Mode.KEYS or self.auth_enabled.lower() == "true"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the environment. Raises ``ValueError`` that names the variable at fault."""
        given = {
            f.name: _parse(f.metadata["variable"], f.default, environment[f.metadata["variable"]])
            for f in fields(cls)
            if environment.get(f.metadata["variable"])
        }
        settings = cls(**given)
        if settings.poll_interval < SHORTEST_POLL_INTERVAL:
            raise ValueError("TEAL_POLL_INTERVAL must be at least 6 seconds")
        if not 1 <= settings.part_size <= MOST_VMS:
            raise ValueError(f"TEAL_PART_SIZE must be from 1 to {MOST_VMS}")
        for days, variable in ((settings.history_days, "TEAL_HISTORY_DAYS"), (settings.rows_days, "TEAL_ROWS_DAYS")):
            if not 1 <= days <= MOST_DAYS:
                raise ValueError(f"{variable} must be from 1 to {MOST_DAYS} days")
        for scope in settings.scopes:
            if scope and (not scope.startswith("/") or scope == "/"):
                raise ValueError(f"TEAL_ALLOWED_SCOPES must hold resource ids, not {scope!r}")
        _check_access(settings)
        return settings


def _check_access(settings: Settings) -> None:
    """Raise ``ValueError`` where the roles are not to be read. What it says holds no key, nor its digest."""
    if settings.auth_mode not in list(Mode):
        raise ValueError(f"TEAL_AUTH_MODE must be {' or '.join(Mode)}, not {settings.auth_mode!r}")
    if len(settings.signal_secrets) > 2 or any(len(one) < SHORTEST_SECRET for one in settings.signal_secrets):
        raise ValueError(f"TEAL_SIGNAL_SECRET must be one or two secrets of {SHORTEST_SECRET} characters or more")
    try:
        digests = [digest for _, digest in settings.known_keys]
    except ValueError:
        digests = [b""]
    if any(len(digest) != 32 for digest in digests):
        shape = "role=digest, with commas between: the digest is a SHA-256 of 64 hexadecimal digits"
        raise ValueError(f"TEAL_ROLE_KEYS must be {shape}, the role one of {', '.join(Role)}")


def _parse(variable: str, default: Any, text: str) -> Any:
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"{variable} must be a whole number, not {text!r}") from None
    if not isinstance(default, timedelta):
        return text
    try:
        return timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        raise ValueError(f"{variable} must be a number of seconds, not {text!r}") from None
