"""Every setting: one frozen class, read once from the environment (the app settings of a function app)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

#: Azure refills the bucket of a set's high-cost reads with 10 requests a minute
#: (https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits), so nothing may read it more often.
SHORTEST_POLL_INTERVAL = timedelta(seconds=6)

#: As long as anybody may want to look back: ten years.
MOST_DAYS = 3650


#: The scopes of a setting that is there and names none: no resource is at or below them.
NOTHING = ("",)


def _setting(variable: str, default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"variable": variable, "help": help_text})


@dataclass(frozen=True)
class Settings:
    """What an operator can set. README.md lists them, and a test holds that list to this class."""

    tables_endpoint: str = _setting(
        "TEAL_TABLES_ENDPOINT",
        "",
        "The Table Storage account, `https://{account}.table.core.windows.net`, read with the app's identity",
    )
    tables_connection: str = _setting(
        "TEAL_TABLES_CONNECTION", "", "A connection string instead of the endpoint; for Azurite"
    )
    client_id: str = _setting("AZURE_CLIENT_ID", "", "The client id of the app's user-assigned managed identity")
    arm_endpoint: str = _setting(
        "TEAL_ARM_ENDPOINT", "https://management.azure.com", "Azure Resource Manager; another one for a sovereign cloud"
    )
    poll_interval: timedelta = _setting(
        "TEAL_POLL_INTERVAL",
        timedelta(seconds=15),
        "Seconds between two looks at a scale set; at least 6, which is what Azure's throttling allows",
    )
    history_days: int = _setting(
        "TEAL_HISTORY_DAYS",
        30,
        "Days after which the Durable history of what has ended, and notifications, are forgotten; at least 1",
    )
    rows_days: int = _setting(
        "TEAL_ROWS_DAYS",
        365,
        "Days after its end for which a deployment can be read; at least 1. What something still needs stays longer",
    )

    allowed_scopes: str = _setting(
        "TEAL_ALLOWED_SCOPES",
        "",
        "Resource ids, with commas between: only scale sets and galleries at or below one of them may be used; "
        "blanks and commas alone allow nothing",
    )

    @property
    def scopes(self) -> tuple[str, ...]:
        """Each of ``allowed_scopes``. One that names nothing, a variable that was left empty say, allows nothing."""
        named = tuple(scope.strip() for scope in self.allowed_scopes.split(",") if scope.strip())
        return named if named or not self.allowed_scopes else NOTHING

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
        for days, variable in ((settings.history_days, "TEAL_HISTORY_DAYS"), (settings.rows_days, "TEAL_ROWS_DAYS")):
            if not 1 <= days <= MOST_DAYS:
                raise ValueError(f"{variable} must be from 1 to {MOST_DAYS} days")
        for scope in settings.scopes:
            if scope and (not scope.startswith("/") or scope == "/"):
                raise ValueError(f"TEAL_ALLOWED_SCOPES must hold resource ids, not {scope!r}")
        return settings


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
