"""How a local Durable host behaves: what host.json says, and what only a stand-in has to be told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class HostJson:
    """The part of host.json that the stand-in follows.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-host-json and the Durable Functions page of it.
    """

    route_prefix: str = "api"
    hub_name: str = "TestHubName"
    default_version: str | None = None
    max_concurrent_activities: int = 10

    @classmethod
    def read(cls, path: Path) -> HostJson:
        """The settings of the file at ``path``; the defaults if there is none."""
        return cls.parse(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else cls()

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> HostJson:
        """The settings of a host.json that was read already."""
        extensions = document.get("extensions", {})
        durable = extensions.get("durableTask", {})
        return cls(
            route_prefix=extensions.get("http", {}).get("routePrefix", cls.route_prefix).strip("/"),
            hub_name=durable.get("hubName", cls.hub_name),
            default_version=durable.get("defaultVersion"),
            max_concurrent_activities=durable.get("maxConcurrentActivityFunctions", cls.max_concurrent_activities),
        )


@dataclass(frozen=True)
class HostOptions:
    """What may vary between runs of the same app.

    ``seed`` gives ids and delays: the same seed, the same histories. Latencies are drawn evenly from zero to their
    maximum: the turn's decides how many completions one turn takes, the delivery's in which order they come.
    ``redelivery`` is when lost work is delivered again. ``cross_check`` runs the SDK's rule for new actions beside the
    host's, at twice the cost. Without ``timers`` no timer trigger fires by itself; of
    those in ``disabled`` none does either, as with the app setting ``AzureWebJobs.{name}.Disabled``
    (https://learn.microsoft.com/azure/azure-functions/disable-function).
    """

    seed: int = 0
    turn_latency_max: timedelta = timedelta(0)
    delivery_latency_max: timedelta = timedelta(0)
    redelivery: timedelta = timedelta(seconds=30)
    cross_check: bool = False
    timers: bool = True
    disabled: frozenset[str] = frozenset()


#: Nobody asks each minute whether sets need a roll: where nothing is told of that, it costs a third of the time.
QUIET = HostOptions(disabled=frozenset({"groupStates"}))
