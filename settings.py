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
        return settings


def _parse(variable: str, default: Any, text: str) -> Any:
    if not isinstance(default, timedelta):
        return text
    try:
        return timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        raise ValueError(f"{variable} must be a number of seconds, not {text!r}") from None
