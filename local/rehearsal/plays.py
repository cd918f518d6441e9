"""Plays deployments to a copy of a set in virtual time, and looks at what they did."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from local.azure.quota import cores
from local.checkers import CHECKERS, Watched, image_version, violations
from local.checkers.watched import run_version
from local.rehearsal.copies import Copy
from local.rehearsal.figures import figures
from local.rehearsal.outcome import Found, Kind, Run
from local.virtual import Reply, VirtualPlatform
from rollout.status import Status

#: Right after each of these Teal is killed once.
KILLED_AT = ("DeploymentPlanned", "BatchStarted", "BatchLaunched", "BatchDetached", "BatchTerminated")

#: How long nothing of Teal runs then.
DOWN = timedelta(minutes=2)

#: How often is looked whether it is time for something, and for how long at most.
LOOK = timedelta(seconds=2)
LONGEST = timedelta(days=14)

#: By then the VMs that a deployment deleted last are gone.
AFTERWARDS = timedelta(minutes=10)


class Refused(ValueError):
    """Teal refuses a group or a deployment. ``findings``: why; none where the request itself is at fault."""

    def __init__(self, reply: Reply) -> None:
        error = reply.body["error"]
        super().__init__(error["message"])
        self.findings = [Found.of(detail) for detail in error["details"]] if error["code"] == "preflightFailed" else []


@asynccontextmanager
async def platform_of(copy: Copy) -> AsyncIterator[VirtualPlatform]:
    """The copy's world with its group registered. ``Refused``: it cannot be."""
    async with VirtualPlatform(copy.world) as platform:
        reply = await platform.put(f"/api/groups/{copy.group_id}", dict(copy.group))
        if reply.status >= 400:
            raise Refused(reply)
        yield platform


async def dry_run(copy: Copy, asked: Mapping[str, Any]) -> Any:
    """What the dry run of a deployment of the good image answers."""
    async with platform_of(copy) as platform:
        body = {**asked, "image": copy.images.good}
        reply = await platform.post(f"/api/groups/{copy.group_id}/deployments?dryRun=true", body)
        if reply.status != 200:
            raise Refused(reply)
        return reply.body


async def play(copy: Copy, kind: Kind, asked: Mapping[str, Any]) -> Run:
    """One deployment to its end, and what it left."""
    async with platform_of(copy) as platform:
        watched = Watched.begin(platform, copy.scale_set_id, copy.group_id)
        since = platform.clock.now()
        image = copy.images.bad if kind is Kind.BAD else copy.images.good
        reply = await platform.post(f"/api/groups/{copy.group_id}/deployments", {**asked, "image": image})
        if reply.status != 202:
            raise Refused(reply)
        deployment = str(reply.body["id"])
        kills = await _follow(platform, deployment, KILLED_AT if kind is Kind.KILLED else ())
        row = await platform.ended(deployment, LONGEST)
        await platform.clock.sleep(AFTERWARDS)
        checks = (*asked.get("healthCheckTypes", ()),) or copy.group["healthCheckTypes"]
        return Run(
            kind=kind,
            status=row.status,
            reason=row.reason,
            time=(row.ended_at or platform.clock.now()) - row.created_at,
            figures=figures(platform.cloud, copy.scale_set_id, since, platform.clock.now()),
            cores_per_vm=None if copy.size.lower() == "mix" else cores(copy.size),
            left=Counter(run_version(vm.image) for vm in watched.vms()),
            model=image_version(platform, copy.scale_set_id),
            story=tuple(await platform.story(deployment)),
            kills=kills,
            promises=len(CHECKERS),
            broken=tuple(await violations(watched, _nobody_could_know(platform, copy, checks))),
        )


async def _follow(platform: VirtualPlatform, deployment: str, killed_at: Sequence[str]) -> int:
    """Until the end: kill Teal after each of these events, and approve whatever it asks; how often it was killed."""
    waiting, seen = list(killed_at), 0
    end = platform.clock.now() + LONGEST
    while platform.clock.now() < end:
        row = await platform.row(deployment)
        if row.ended_at is not None:
            break
        if row.status is Status.AWAITING_APPROVAL:
            await platform.post(f"/api/deployments/{deployment}/approve", {"all": True})
        for event in await platform.events(deployment, after=seen):
            seen = event.sequence
            if waiting and event.type == waiting[0]:
                waiting.pop(0)
                platform.host.kill()
                await platform.clock.sleep(DOWN)
                await platform.restart_host()
        await platform.clock.sleep(LOOK)
    return len(killed_at) - len(waiting)


def _nobody_could_know(platform: VirtualPlatform, copy: Copy, checks: Sequence[str]) -> frozenset[str]:
    """Which promises are void: where what gives VMs their traffic is not asked, fewer may serve than before."""
    kinds = {"loadBalancer": platform.world.load_balancers, "applicationGateway": platform.world.application_gateways}
    decide = {kind for kind, balancers in kinds.items() if balancers} or {"applicationHealth"}
    return frozenset() if decide & set(checks) else frozenset({"never_fewer_serving"})
