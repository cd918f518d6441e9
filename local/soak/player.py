"""Play a run to its end, leave it alone until all is quiet, and hold it to every promise."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

from adapters.tables.store import store_over
from adapters.tables.table import Table
from local.clock import run_virtual
from local.durable.faults import DurableFaults
from local.durable.host import InstanceEnded, UnknownInstance
from local.durable.instances import RuntimeStatus
from local.durable.options import HostOptions
from local.durable.queries import InstanceFilter
from local.durable.timestamps import fast_timestamps
from local.soak.breakage import BREAKAGE, count_struck
from local.soak.calls import call_at_random
from local.soak.exemptions import exempt, traits
from local.soak.forecasts import ForecastError, forecast_errors
from local.soak.guests import speak
from local.soak.interference import ACTS
from local.soak.scene import GROUP, SoakScene
from local.soak.script import OUTAGES, SENSIBLE, Script, ScriptStep, Seed, write_script
from local.soak.worlds import DEALLOCATED, PROTECTED, Setting, world_of
from local.virtual import VirtualPlatform
from local.virtual.checkers import CHECKERS, checker_name, violations

#: Everything that waits for a person, drains, bakes, is kept or backs off is over by then.
LONG_ENOUGH = timedelta(days=4)

#: Once all is quiet, what comes late may still do harm, and the watchdog looks some more times: every ten minutes.
AFTERWARDS = timedelta(minutes=45)

#: The timers that cost a run a third of its time: only some runs have them.
EACH_MINUTE = frozenset({"groupStates", "schedules"})

#: The orchestrations that have not ended.
UNDER_WAY = InstanceFilter(statuses=frozenset(status for status in RuntimeStatus if not status.is_ended))

Tell = Callable[[str], None]


@dataclass
class RunOutcome:
    """What became of a run: the promises that it broke, in words, and what there was to count."""

    seed: Seed
    problems: list[str] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    forecasts: list[ForecastError] = field(default_factory=list)


def play(
    seed: Seed,
    tell: Tell = lambda line: None,
    script: Script | None = None,
    table: Callable[[str], Table] | None = None,
) -> RunOutcome:
    """Play the seed's run, or another ``script`` of it.

    ``tell`` hears what is done and, at the end, the story of each deployment. ``table`` gives the tables in which rows
    are kept.
    """
    outcome = RunOutcome(seed)
    script = script or write_script(seed)
    tell(f"{seed.half} seed {seed.number}: {script.setting}")
    try:
        with fast_timestamps():
            run_virtual(_play(script, outcome, tell, table))
    except Exception as error:
        outcome.problems.append(f"the run itself failed: {type(error).__name__}: {error}")
    return outcome


async def _play(script: Script, outcome: RunOutcome, tell: Tell, table: Callable[[str], Table] | None) -> None:
    options = HostOptions(disabled=frozenset() if script.setting.asked else EACH_MINUTE)
    platform = VirtualPlatform(world_of(script.setting), faults=DurableFaults(), options=options)
    platform.settings = replace(
        platform.settings,
        part_size=script.setting.part_size,
        poll_interval=timedelta(seconds=script.setting.poll_interval),
    )
    if table is not None:
        platform.store = store_over(table)
    async with platform:
        _set_aside(platform, script.setting)
        await platform.clock.sleep(timedelta(minutes=10))

        def tell_when(line: str) -> None:
            tell(f"{platform.clock.now():%d %H:%M:%S}  {line}")

        scene = SoakScene(platform, script.setting, tell_when)
        async with _company(scene):
            for number, step in enumerate(script.steps):
                await scene.sleep(step.after)
                tell_when(str(step))
                await _carry_out(scene, step, script.seed.dice(f"step {number}"))
            _mend(scene)
            await _come_to_rest(scene)
        await _judge(scene, outcome, tell)


def _set_aside(platform: VirtualPlatform, setting: Setting) -> None:
    """Stop, or protect, the first VMs before anything is deployed."""
    scale_set_id = str(platform.world.groups[0]["scaleSetId"])
    for vm, what in zip(platform.cloud.scale_set(scale_set_id).active(), setting.aside, strict=False):
        if what == PROTECTED:
            platform.cloud.interfere.protect(scale_set_id, vm.vm_id, {"protectFromScaleSetActions": True})
        else:
            platform.cloud.interfere.stop(scale_set_id, vm.vm_id, deallocate=what == DEALLOCATED)


@asynccontextmanager
async def _company(scene: SoakScene) -> Any:
    """Who acts by themselves meanwhile: whoever starts hosts again, and the VMs."""
    company = [asyncio.ensure_future(scene.keep_alive())]
    if scene.setting.signals:
        company.append(asyncio.ensure_future(speak(scene)))
    try:
        yield
    finally:
        for one in company:
            one.cancel()
            with suppress(asyncio.CancelledError):
                await one


async def _carry_out(scene: SoakScene, step: ScriptStep, dice: Random) -> None:
    if step.kind in ACTS:
        scene.injected[step.kind] += ACTS[step.kind](scene, scene.platform.cloud.interfere, dice)
    elif step.kind in BREAKAGE:
        BREAKAGE[step.kind](scene, dice)
    else:
        await STEPS[step.kind](scene, step.with_, dice)


async def _deploy(scene: SoakScene, asked: dict[str, Any], dice: Random) -> None:
    # A host that dies, or an Azure that is busy, is no answer to rely on; nothing of it may be a 500.
    reply = await scene.ask("POST", f"/api/groups/{GROUP}/deployments", asked, 202, 409, 422, 502, 503)
    if reply is not None and reply.status == 202:
        scene.traits |= traits(asked, scene.setting, reply.body)


async def _retry(scene: SoakScene, asked: dict[str, Any], dice: Random) -> None:
    rows = await scene.deployments()
    if rows:
        await _deploy(scene, {**asked, "retryOf": rows[0].id}, dice)


async def _say(scene: SoakScene, what: dict[str, Any], dice: Random) -> None:
    rows = await scene.deployments()
    if what["nth"] >= len(rows):
        return
    path = f"/api/deployments/{rows[what['nth']].id}"
    command = what["command"]
    if command == SENSIBLE:
        reply = await scene.ask("GET", path, None, 200, 503)
        said = reply.body.get("canBe", []) if reply is not None else []
        possible = [one["command"] for one in said if one["possible"]]
        if not possible:
            return
        command = dice.choice(possible)
    scene.tell(f"  {command}")
    body = {"all": True} if what["all"] and command == "approve" else {}
    await scene.ask("POST", f"{path}/{command}", body, 202, 409, 503)


async def _take_back(scene: SoakScene, what: dict[str, Any], dice: Random) -> None:
    rows = await scene.deployments()
    if rows:
        await scene.ask("DELETE", f"/api/groups/{GROUP}/queue/{rows[0].id}", {}, 202, 409, 503)


async def _wait(scene: SoakScene, what: dict[str, Any], dice: Random) -> None:
    await _until_quiet(scene, timedelta(hours=what["hours"]))


async def _kill(scene: SoakScene, what: dict[str, Any], dice: Random) -> None:
    scene.injected["hostKilled"] += 1
    await scene.platform.restart_host()


async def _sleep(scene: SoakScene, what: dict[str, Any], dice: Random) -> None:
    scene.injected["hostAsleep"] += 1
    await scene.platform.sleep(timedelta(seconds=dice.choice([30, 600, 7200, 86_400])))


async def _set_clock(scene: SoakScene, what: dict[str, Any], dice: Random) -> None:
    """The app's clock is set, and Azure's is not."""
    scene.injected["clockSet"] += 1
    scene.platform.host_clock.step(timedelta(seconds=dice.choice([-3600, -40, 40, 3600])))


async def _suspend(scene: SoakScene, what: dict[str, Any], dice: Random) -> None:
    """Somebody suspends a deployment's orchestration through Durable Functions, and resumes it later."""
    names = [one.id for one in scene.platform.host.durable.instances() if not one.status.is_ended]
    if not names:
        return
    name = dice.choice(names)
    with suppress(UnknownInstance, InstanceEnded):
        scene.platform.host.durable.suspend(name, "by hand")
        scene.injected["suspended"] += 1
        await scene.sleep(timedelta(seconds=dice.choice([20, 300, 1800])))
        scene.platform.host.durable.resume(name, "by hand")


#: What a step of the script does, where it is not in the tables of what breaks and who interferes.
STEPS: dict[str, Callable[[SoakScene, dict[str, Any], Random], Awaitable[None]]] = {
    "deploy": _deploy,
    "retry": _retry,
    "say": _say,
    "takeBack": _take_back,
    "untilQuiet": _wait,
    "calls": call_at_random,
    **dict(zip(OUTAGES, (_kill, _sleep, _suspend, _set_clock), strict=True)),
}


def _mend(scene: SoakScene) -> None:
    """Let nothing go wrong from now on, and take back what would last for ever."""
    count_struck(scene)
    scene.platform.cloud.faults.clear()
    faults = scene.platform.faults
    faults.activities, faults.turns, faults.on_delivery = (), (), None
    for act in scene.undo:
        act()


async def _come_to_rest(scene: SoakScene) -> None:
    """Leave all alone until nothing more comes, though what comes late (an event of the gallery) begins anew."""
    for _ in range(3):
        await _until_quiet(scene, LONG_ENOUGH)
        await scene.sleep(AFTERWARDS)
        if await _is_quiet(scene):
            return


async def _until_quiet(scene: SoakScene, within: timedelta) -> None:
    """Wait until nothing is under way, nobody has the lock and nothing is held; not longer than ``within``."""
    deadline = scene.platform.clock.now() + within
    while scene.platform.clock.now() < deadline:
        await scene.sleep(timedelta(minutes=1))
        if await _is_quiet(scene):
            return


async def _is_quiet(scene: SoakScene) -> bool:
    store = scene.platform.store
    lock = await store.locks.get(scene.scale_set_id)
    if (lock is not None and lock.owner) or scene.platform.host.durable.select(UNDER_WAY):
        return False
    return await store.holds.get(scene.scale_set_id) is None


async def _judge(scene: SoakScene, outcome: RunOutcome, tell: Tell) -> None:
    outcome.injected = Counter({kind: times for kind, times in scene.injected.items() if times})
    rows = await scene.deployments()
    warned = {finding.code for row in rows for finding in row.findings}
    spared = exempt({*outcome.injected, *scene.traits, *warned})
    asked = [name for name in map(checker_name, CHECKERS) if name not in spared]
    outcome.checks.update(asked)
    outcome.problems += [*scene.unexpected, *await violations(scene.watched, spared)]
    outcome.ends.update(str(row.status) for row in rows)
    for row in rows:
        outcome.forecasts += forecast_errors(row, await scene.platform.events(row.id))
    for row in reversed(rows):
        tell(f"\n{row.id}: {row.status} ({row.reason})")
        for line in await scene.platform.story(row.id):
            tell(f"  {line}")
    for line in _remains(scene):
        tell(line)


def _remains(scene: SoakScene) -> Iterator[str]:
    """What there is in the end."""
    yield ""
    for vm in scene.vms():
        yield f"{vm.name} ({vm.vm_id[:8]}) {str(vm.image.get('id')).rpartition('/')[2]} serving: {vm.serving}"
