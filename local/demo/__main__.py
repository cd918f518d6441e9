"""``python -m local.demo``: play the demo. 0: all went as told; 1: it did not; 2: no start; 130: ^C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from pathlib import Path

import aiohttp

from local.azure.world import WorldError, demo_world, load_world
from local.azurite import AzuriteError
from local.demo.acts import ACTS, Act, differences
from local.demo.screen import Screen
from local.demo.stage import Refused, Stage
from local.platform import Options, run_platform

#: What a shell says of a program that ^C ended.
INTERRUPTED = 130


def main() -> int:
    """Play it on a platform of its own, which is gone at the end."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    screen = Screen(sys.stdout, colors=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    begun = time.monotonic()
    try:
        code = asyncio.run(_until_interrupted(screen, arguments))
    except (AzuriteError, WorldError, OSError) as error:
        print(f"The demo cannot start: {error}", file=sys.stderr)
        return 2
    ending = "Stopped" if code == INTERRUPTED else f"It took {time.monotonic() - begun:.0f} s"
    screen.say(f"{ending}, and left nothing behind. Next: `make run`, or `make rehearse SET=my-set.json`.")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description="A good deployment, and a bad one")
    parser.add_argument("--speed", type=float, default=60.0, help="how many seconds pass in one (60)")
    parser.add_argument("--stay", action="store_true", help="leave everything running after it, until ^C")
    parser.add_argument("--world", type=Path, metavar="FILE", help="play it with the first group of this world")
    return parser


async def _until_interrupted(screen: Screen, arguments: argparse.Namespace) -> int:
    """Play, and give the platform the time to stop in order when somebody has enough."""
    playing = asyncio.create_task(_play(screen, arguments))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, playing.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        return await playing
    screen.say()
    return INTERRUPTED


async def _play(screen: Screen, arguments: argparse.Namespace) -> int:
    world = demo_world() if arguments.world is None else load_world(arguments.world)
    screen.say("Starting Teal and a simulated Azure on this machine")
    async with (
        run_platform(Options(world, port=0, azure_port=0, speed=arguments.speed)) as platform,
        aiohttp.ClientSession() as session,
    ):
        stage = Stage(platform, session, screen)
        screen.say(f"  API    {platform.url}/api")
        if await stage.has_page():
            screen.say(f"  Page   {platform.url}/api/dashboard/")
        screen.say(f"  {await stage.describe()}. A second here is {arguments.speed:g} of theirs.")
        as_told = [await _play_act(act, stage, screen) for act in ACTS]
        screen.say()
        if arguments.stay:
            screen.say("Everything goes on running; ^C stops it.")
            await asyncio.Event().wait()
        return 0 if all(as_told) else 1


async def _play_act(act: Act, stage: Stage, screen: Screen) -> bool:
    """Play one, and say whether all went as told."""
    screen.say()
    screen.title(act.title)
    try:
        outcome = await stage.play(act)
    except Refused as error:
        screen.verdict(f"  Not as told: {error}", good=False)
        return False
    found = differences(act, outcome)
    for words in found:
        screen.verdict(f"  Not as told: {words}", good=False)
    if not found:
        screen.verdict(f"  As told. {act.closing}", good=True)
    screen.say(f"  Fewest VMs that served at any time: {outcome.serving_least} of {outcome.serving_before}")
    return not found


if __name__ == "__main__":
    sys.exit(main())
