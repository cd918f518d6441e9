"""What happens in a week: versions are published, people deploy and command, the app is away, its clock is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from local.azure.world.images import Behavior
from local.soak.requests import choose_parameters
from local.soak.year.scene import YearScene
from rollout.model.rows.commands import CommandKind

WEEK = timedelta(days=7)

#: How long the app is away, and by how much its clock is wrong for a while; the short ones come most often.
OUTAGES = (*(timedelta(hours=hours) for hours in (1, 1, 2, 6, 24)), timedelta(days=3), timedelta(days=10))
STEPS = tuple(timedelta(seconds=seconds) for seconds in (1, -1, 20, -20, 90, -90, 3600, -3600))

#: Of versions, how many are never healthy; and how many are kept of an image.
BAD = 0.2
VERSIONS_KEPT = 5


@dataclass(frozen=True)
class Happening:
    """Something that happens so long after a week's begin."""

    at: timedelta
    kind: str
    group: str = ""
    draw: int = 0


def week(number: int, groups: list[str]) -> list[Happening]:
    """What happens in the week of this number, in order."""
    return sorted(_week(Random(f"year {number}"), groups), key=lambda one: one.at)


def _week(dice: Random, groups: list[str]) -> Iterator[Happening]:
    def some(kind: str, group: str = "") -> Happening:
        return Happening(timedelta(seconds=dice.randint(0, 5 * 86400)), kind, group, dice.randint(0, 2**32))

    for group in groups:
        if dice.random() < 0.6:
            yield some("publish", group)
        if dice.random() < 0.3:
            yield some("deploy", group)
        for _ in range(dice.choice([0, 0, 1, 3])):
            yield some("say", group)
    yield some("look")
    if dice.random() < 0.4:
        yield some("outage")
    if dice.random() < 0.4:
        yield some("step")


async def happen(scene: YearScene, one: Happening) -> None:
    """Let it happen."""
    await _ACTS[one.kind](scene, one, Random(one.draw))


async def _publish(scene: YearScene, one: Happening, dice: Random) -> None:
    """A pipeline publishes a version, and deletes the oldest that are neither in a model nor under way."""
    scene.publish(one.group, Behavior(never_healthy=dice.random() < BAD), VERSIONS_KEPT)


async def _deploy(scene: YearScene, one: Happening, dice: Random) -> None:
    asked = choose_parameters(dice, scene.setting(one.group)) | {"image": "latest", "onConflict": "queue"}
    asked = {name: value for name, value in asked.items() if name not in ("healthCheckTypes", "tolerateUnhealthy")}
    headers = {"Idempotency-Key": f"{one.draw}"}
    await scene.ask(
        "POST", f"/api/groups/{scene.named(one.group)}/deployments", asked, 202, 409, 422, 503, keyed=headers
    )


async def _say(scene: YearScene, one: Happening, dice: Random) -> None:
    """Any command, soon after a deployment of the group began, if one does within some days."""
    if row := await scene.next_start(one.group, timedelta(hours=30)):
        await scene.sleep(timedelta(seconds=dice.randint(1, 600)))
        await scene.ask("POST", f"/api/deployments/{row}/{dice.choice(list(CommandKind))}", {}, 202, 409, 503)


async def _look(scene: YearScene, one: Happening, dice: Random) -> None:
    for path in ("groups", "deployments?status=failed", "notifications", "health?deep=true", "dangers"):
        await scene.ask("GET", f"/api/{path}", None, 200, 404, 503)


async def _outage(scene: YearScene, one: Happening, dice: Random) -> None:
    await scene.be_away(dice.choices(OUTAGES, weights=[6, 6, 6, 6, 4, 2, 1])[0])


async def _step(scene: YearScene, one: Happening, dice: Random) -> None:
    """The clock is wrong for some hours."""
    by = dice.choice(STEPS)
    scene.step(by)
    await scene.sleep(timedelta(minutes=dice.randint(5, 300)))
    scene.step(-by)


_ACTS = {"publish": _publish, "deploy": _deploy, "say": _say, "look": _look, "outage": _outage, "step": _step}
