"""Autoscale settings of Azure Monitor.

``Microsoft.Insights/autoscaleSettings``: https://learn.microsoft.com/rest/api/monitor/autoscale-settings. The bounds of
a profile are text on the wire. A setting has no ETag, so a write reads it once more just before, and changes in it
nothing but the bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from azure.core.rest import HttpRequest

from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.pages import read_json, read_pages
from adapters.arm.resource_ids import ScaleSetId, subscription_of
from rollout.model.azure.scale_set import ScaleSet
from rollout.model.codec import Json
from rollout.model.rows.holds import HoldKind, Process
from rollout.ports.errors import Refused

API_VERSION = "2022-10-01"

#: Reads of Resource Manager that come back a minute; Azure Monitor documents no limit of its own for these.
REFILL_PER_MINUTE = 1500

BOUNDS = ("minimum", "maximum", "default")

#: What a PUT carries; the rest is Azure's to say.
_WRITABLE = ("location", "tags", "properties")


class AutoscaleSettings:
    """The settings that have a scale set as their target, wherever in its subscription they are."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def of(self, scale_set: ScaleSet) -> tuple[Process, ...]:
        """The set's settings; one that says why not, where they may not be read.

        Who may not list the subscription's may well list the resource group's: the portal puts them there.
        """
        subscription = f"/subscriptions/{quote(subscription_of(scale_set.id), safe='')}"
        group = f"{subscription}/resourceGroups/{quote(ScaleSetId.parse(scale_set.id).resource_group, safe='')}"
        why = ""
        for scope in (subscription, group):
            try:
                return await self._below(scope, scale_set)
            except Refused as refused:
                if refused.code == "MissingSubscriptionRegistration":
                    return ()  # Nobody has used Azure Monitor in this subscription yet.
                why = f"{refused.code}: {refused.message}"
        return (Process(HoldKind.AUTOSCALE, scale_set.id, {}, unreadable=why),)

    async def write(self, process: Process) -> None:
        """Change the bounds of the profiles that are still there."""
        url = f"{quote(process.resource_id, safe='/')}?api-version={API_VERSION}"
        setting, _ = await read_json(self._clients, process.resource_id, url)
        properties = setting.get("properties") or {}
        profiles = [_with_bounds(profile, process.value) for profile in properties.get("profiles") or ()]
        body = {name: setting[name] for name in _WRITABLE if setting.get(name) is not None}
        body["properties"] = {**properties, "profiles": profiles}
        with translated():
            answer = await self._clients.of(process.resource_id).send_request(HttpRequest("PUT", url, json=body))
            answer.raise_for_status()

    async def _below(self, scope: str, scale_set: ScaleSet) -> tuple[Process, ...]:
        url = f"{scope}/providers/Microsoft.Insights/autoscaleSettings?api-version={API_VERSION}"
        pages = await read_pages(self._clients, scale_set.id, url, REFILL_PER_MINUTE)
        return tuple(_process(item) for item in pages.items if _target(item) == scale_set.id.lower().rstrip("/"))


def _target(setting: Mapping[str, Any]) -> str:
    return str((setting.get("properties") or {}).get("targetResourceUri") or "").lower().rstrip("/")


def _process(setting: Mapping[str, Any]) -> Process:
    properties = setting["properties"]
    profiles = {profile["name"]: _bounds(profile) for profile in properties.get("profiles") or ()}
    return Process(HoldKind.AUTOSCALE, setting["id"], profiles, active=properties.get("enabled") is not False)


def _bounds(profile: Mapping[str, Any]) -> Json:
    return {name: int(profile["capacity"][name]) for name in BOUNDS}


def _with_bounds(profile: Json, wanted: Json) -> Json:
    bounds = wanted.get(profile["name"])
    if bounds is None:
        return profile
    return {**profile, "capacity": {**profile["capacity"], **{name: str(bounds[name]) for name in BOUNDS}}}
