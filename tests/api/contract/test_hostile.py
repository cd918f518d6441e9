"""What comes from outside is taken for text: it forges no line, steers no terminal, and is never a 500."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from api.transport.http import Request
from rollout.automation.notification import Notification
from rollout.model.findings import error
from rollout.model.rows.commands import Command, CommandKind
from rollout.model.words import plain
from rollout.ports.errors import Refused
from services.log import plainly
from triggers.image_published import image_published

FORGED = "fine\n2026-11-23 Deployment web is finished\r\x1b[2K\x9b1m\u202egnp.exe\u2066\u200f"
STEERING = set("\n\r\x1b\x9b\u202e\u2066\u200f\u2028")


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What the log of the app says."""
    logger, stream = plainly(logging.getLogger("teal")), io.StringIO()
    handler = logging.StreamHandler(stream)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield stream
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


async def test_a_comment_forges_no_line_of_the_log_and_no_words(world: Any) -> None:
    with logged() as log:
        name = (await world.start())["id"]
        answer = await world.send(
            "POST", f"deployments/{name}/stop", {"comment": FORGED}, x_ms_client_principal_name=FORGED
        )
    assert answer.status == 202
    assert answer.body["command"]["comment"] == FORGED
    assert not STEERING & set(answer.body["command"]["by"])
    lines = log.getvalue().splitlines()
    assert sum("was given stop" in line for line in lines) == 1
    assert not any(line.startswith("2026") for line in lines)
    assert not STEERING & set("".join(lines))
    assert not STEERING & set(Command(1, CommandKind.STOP, world.clock.now(), FORGED, FORGED).words)


async def test_an_event_grid_id_forges_no_line(world: Any) -> None:
    told = Notification(FORGED, FORGED, FORGED, {}, world.clock.now())
    with logged() as log:
        await image_published(world.ports, told)
    assert len(log.getvalue().splitlines()) == 1
    assert not STEERING & set(log.getvalue().rstrip("\n"))
    (shown,) = (await world.get("notifications"))["value"]
    assert not STEERING & set(shown["id"] + shown["type"] + shown["subject"] + shown["reason"])


async def test_a_traceback_is_no_place_for_forged_lines_either(world: Any) -> None:
    world.scale_sets.error = ValueError(FORGED)
    with logged() as log:
        answer = await world.send("POST", "groups/web/deployments", {})
    assert answer.status == 500
    first, *rest = log.getvalue().splitlines()
    assert first == "POST https://teal.example/api/groups/web/deployments failed"
    assert all(line.startswith("  | ") for line in rest)
    assert not STEERING & set("".join(rest))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "groups/we%0Ab", None),
        ("POST", "groups/web/deployments", {"image": FORGED}),
        ("POST", "groups/web/deployments", {FORGED: 1}),
        ("POST", "groups/web/deployments", {"onFailure": FORGED}),
        ("PUT", "groups/web", {"scaleSetId": FORGED}),
        ("POST", "vm/signal", {"vmName": FORGED, "signalType": "vmReady", "resourceGroupName": FORGED}),
        ("GET", "deployments?%0A%1B=1", None),
        ("GET", "deployments?status=%0A%1B", None),
    ],
)
async def test_a_refusal_quotes_nothing_that_steers(world: Any, method: str, path: str, body: Any) -> None:
    _, said = await world.refused(method, path, body)
    texts = [said["message"], said.get("target", ""), *(one["message"] for one in said["details"])]
    assert not STEERING & set("".join(texts))


def test_what_azure_says_and_finds_steers_nothing() -> None:
    assert not STEERING & set(str(Refused(FORGED, FORGED)))
    assert not STEERING & set(error("x", FORGED, FORGED).message + error("x", FORGED, FORGED).remedy)
    assert plain("größer → 10 %, \U0001f600") == "größer → 10 %, \U0001f600"


SET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets"
IMAGE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images"


@pytest.mark.parametrize(
    ("method", "path", "body", "target"),
    [
        ("PUT", "groups/x", {"scaleSetId": f"{SET}/."}, "scaleSetId"),
        ("PUT", "groups/x", {"scaleSetId": f"{SET}/.."}, "scaleSetId"),
        ("PUT", "groups/x", {"scaleSetId": SET.replace("/g/", "/../") + "/web"}, "scaleSetId"),
        ("PUT", "groups/x", {"scaleSetId": f"{SET}/web", "imageId": f"{IMAGE}/."}, "imageId"),
        ("PUT", "groups/x", {"scaleSetId": f"{SET}/web", "imageRule": {"imageId": f"{IMAGE}/.."}}, "imageRule.imageId"),
        ("POST", "groups/web/deployments", {"image": f"{IMAGE}/../versions/1.1.0"}, "image"),
        ("POST", "groups/web/deployments", {"image": "/SharedGalleries/./Images/a"}, "image"),
        ("POST", "vm/signal", {"vmName": "..", "signalType": "vmReady", "resourceGroupName": "g"}, "vmName"),
        (
            "POST",
            "vm/signal",
            {"vmName": "web_1", "signalType": "vmReady", "resourceGroupName": "."},
            "resourceGroupName",
        ),
    ],
)
async def test_a_segment_of_dots_names_nothing(world: Any, method: str, path: str, body: Any, target: str) -> None:
    status, said = await world.refused(method, path, body)
    assert (status, said["code"], said["target"]) == (400, "invalidValue", target)


async def test_a_batch_that_no_deployment_has_is_a_400(world: Any) -> None:
    name = (await world.start())["id"]
    status, said = await world.refused("GET", f"deployments/{name}/vms?batch=100000")
    assert (status, said["code"]) == (400, "outOfRange")


@pytest.mark.parametrize("path", ["groups", "deployments", "notifications"])
async def test_a_token_with_half_a_character_is_a_400(world: Any, path: str) -> None:
    said = json.dumps([path, "\ud800"], separators=(",", ":"))
    token = base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")
    status, told = await world.refused("GET", f"{path}?continuationToken={token}")
    assert (status, told["code"]) == (400, "invalidValue")


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://teal.example/api/groups/web", "https://teal.example/api/deployments/x"),
        ("https://teal.example/API/Groups/web/Deployments", "https://teal.example/API/deployments/x"),
        ("https://teal.example/api/groups/docs/", "https://teal.example/api/deployments/x"),
        ("http://[/api/groups/web", "http://[/api/deployments/x"),
        ("https://groups/api/groups/web", "https://groups/api/deployments/x"),
    ],
)
def test_links_lead_on_from_any_address(url: str, link: str) -> None:
    assert Request("GET", url).link("deployments/x") == link
    assert Request("GET", url).path("deployments/x") == link[link.index("/", 8) :]
