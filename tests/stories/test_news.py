"""What a page is told of a deployment that goes forth and back, by asking as a page does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rollout.codec import decode_time
from rollout.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
Worlds = Callable[..., Any]

ASKED: dict[str, Any] = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300, "drainingTimeout": 120}
ALL = "include=batches,vms,events,commands"


class Page:
    """Somebody who asks every few seconds, and puts together what is told."""

    def __init__(self, stage: Any, deployment_id: str) -> None:
        self.stage, self.path = stage, f"/api/deployments/{deployment_id}"
        self.after, self.mark, self.tag, self.unchanged = "", "", "", 0
        self.deployment: Any = {}
        self.batches: dict[int, Any] = {}
        self.vms: dict[tuple[str, int, str], Any] = {}
        self.events: list[Any] = []

    async def refresh(self) -> None:
        query = ALL + (f"&after={self.after}&vmsSince={self.mark}" if self.after else "")
        headers = {"If-None-Match": self.tag}
        answer = await self.stage.platform.host.request("GET", f"{self.path}?{query}", headers=headers, body=b"")
        if answer.status == 304:
            self.unchanged += 1
            return
        assert answer.status == 200, answer.body
        self.tag = {name.lower(): value for name, value in answer.headers.items()}["etag"]
        self.deployment = answer.json()
        self.after, self.mark = self.deployment["next"], self.deployment["vmsSince"]
        self.batches |= {batch["number"]: batch for batch in self.deployment["batches"]}
        self.vms |= {(vm["vmId"], vm["batch"], vm["color"]): vm for vm in self.deployment["vms"]}
        self.events += self.deployment["events"]


async def followed(stage: Any, deployment_id: str) -> Page:
    """Ask until the end, and say rollBack once the first batch is over."""
    page, said = Page(stage, deployment_id), False
    while True:
        ended = (await stage.platform.row(deployment_id)).status.ended
        await page.refresh()
        if ended:
            return page
        if not said and any(event["type"] == "BatchTerminated" for event in page.events):
            await stage.say(deployment_id, "rollBack", comment="it is slow")
            said = True
        await stage.sleep(seconds=3)


def test_what_a_page_puts_together_is_what_is_there(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        page = await followed(stage, await stage.platform.start(**ASKED))
        assert page.unchanged > 10
        shown = page.deployment
        assert shown["status"] == Status.ROLLED_BACK
        for part, known in (("batches", page.batches), ("vms", page.vms), ("events", page.events)):
            whole = (await stage.platform.get(f"{page.path}/{part}")).body["value"]
            assert sorted(map(str, whole)) == sorted(map(str, known.values() if isinstance(known, dict) else known))
        back = shown["rollBack"]
        assert back["reason"].endswith("by function key: it is slow")
        assert (back["by"], back["percent"]) == ("function key", 50)
        assert [one["heeded"]["as"] for one in shown["commands"]] == ["done"]

        counts = [event["data"]["serving"] for event in page.events if "serving" in event["data"]]
        assert counts[0] == {"previousImage": 4, "newImage": 0}
        assert {"previousImage": 2, "newImage": 2} in counts
        assert counts[-1] == shown["serving"] == {"previousImage": 4, "newImage": 0}
        assert min(one["previousImage"] + one["newImage"] for one in counts) >= shown["servingFloor"] == 4

        goes_back = [batch for batch in page.batches.values() if batch["back"]]
        said = [event["message"] for event in page.events if event["batch"] in {one["number"] for one in goes_back}]
        assert any("1 VM of 1.0.0 launched" in words for words in said), said
        assert any("1 VM of 1.1.0 detached" in words for words in said)
        assert not [words for words in said if "green" in words or "blue" in words]

        first = page.batches[1]
        assert [one["name"] for one in first["phases"]] == ["launch", "health", "detach", "drain", "delete"]
        times = [one["startedAt"] for one in first["phases"]] + [first["phases"][-1]["endedAt"]]
        assert times == sorted(times)
        assert (times[0], times[-1], first["floor"]) == (first["startedAt"], first["endedAt"], 4)
        drained = decode_time(first["deletingAt"]) - decode_time(first["detachedAt"])
        assert drained >= timedelta(seconds=int(str(ASKED["drainingTimeout"])))

    play(story, either_world(4))
