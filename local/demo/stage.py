"""Plays an act over HTTP, as any client would, and sees what became of the set."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from typing import Any

import aiohttp

from local.azure.serving import serving_counts
from local.demo.acts import ASKED, Act, Outcome
from local.demo.screen import Screen
from local.platform import Platform
from rollout.codec import decode_time

#: Real seconds between two looks at a deployment.
LOOK = 0.2


class Refused(RuntimeError):
    """The API refused what the demo asked for; the text is its answer."""


class Stage:
    """The first group of a running platform's world."""

    def __init__(self, platform: Platform, session: aiohttp.ClientSession, screen: Screen) -> None:
        self._platform = platform
        self._session = session
        self._screen = screen
        group = platform.cloud.world.groups[0]
        self._group = str(group["id"])
        self._scale_set_id = str(group["scaleSetId"])

    async def describe(self) -> str:
        """The group, its VMs and what they run, in words."""
        vms = self._platform.cloud.scale_set(self._scale_set_id).active()
        return f"Group {self._group}: {len(vms)} VMs on image {_version(await self._model())}"

    async def play(self, act: Act) -> Outcome:
        """Deploy the act's image, tell what happens until the end, and see what is there then."""
        since = self._platform.clock.now()
        before = self._serving(since)[0]
        row = await self._follow(await self._start(act))
        vms = self._platform.cloud.scale_set(self._scale_set_id).active()
        error = row["error"]
        return Outcome(
            status=row["status"],
            error=None if error is None else error["code"],
            serving_before=before,
            serving_least=min(self._serving(since)),
            images=Counter(_version(vm.image["id"]) for vm in vms),
            model=_version(await self._model()),
        )

    async def has_page(self) -> bool:
        """Whether the dashboard is there."""
        async with self._session.get(f"{self._platform.url}/api/dashboard/") as answer:
            return answer.status == 200

    async def _start(self, act: Act) -> str:
        url = f"{self._platform.url}/api/groups/{self._group}/deployments"
        async with self._session.post(url, json={"image": act.image, **ASKED}) as answer:
            body = await answer.json()
            if answer.status != 202:
                raise Refused(f"{answer.status} {body}")
            return str(body["id"])

    async def _follow(self, deployment: str) -> Any:
        """Tell a deployment's events until it is over; its row then."""
        path, after = f"/api/deployments/{deployment}", 0
        while True:
            row = await self._get(path)
            events = (await self._get(f"{path}/events?after={after}"))["value"]
            for event in events:
                self._screen.event(decode_time(event["at"]) - decode_time(row["createdAt"]), event)
                after = event["sequence"]
            if row["endedAt"] is not None and not events:
                return row
            self._screen.vms((await self._get(f"{path}/vms"))["value"], row["reason"])
            await asyncio.sleep(LOOK)

    async def _get(self, path: str) -> Any:
        async with self._session.get(f"{self._platform.url}{path}") as answer:
            body = await answer.json()
            if answer.status != 200:
                raise Refused(f"GET {path}: {answer.status} {body}")
            return body

    async def _model(self) -> str:
        """The image that the set's model names, as Azure tells it."""
        url = f"{self._platform.azure_url}{self._scale_set_id}?api-version=2026-04-01"
        async with self._session.get(url, headers={"Authorization": "Bearer local"}) as answer:
            body = await answer.json()
            return str(body["properties"]["virtualMachineProfile"]["storageProfile"]["imageReference"]["id"])

    def _serving(self, since: datetime) -> list[int]:
        """How many VMs served at ``since``, and at each change after it."""
        counts = serving_counts(self._platform.cloud, self._scale_set_id)
        before = [count for time, count in counts if time <= since] or [0]
        return [before[-1], *(count for time, count in counts if time > since)]


def _version(image_id: str) -> str:
    return image_id.rpartition("/")[2]
