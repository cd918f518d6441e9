"""``python -m local``: start everything on this machine, print where, and stop everything at Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path

from local.access import AccessError, read_access
from local.azure.real_input import world_of_scale_set
from local.azure.world import World, WorldError, demo_world, load_world
from local.azurite import AzuriteError
from local.platform import TLS_PORT, Options, Platform, run_platform
from local.state_mark import StateError


def main() -> int:
    """Run until Ctrl-C. 0: stopped as asked; 2: it could not start, and says why."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("teal").setLevel(logging.INFO)
    try:
        options = Options(
            _world(arguments),
            arguments.port,
            arguments.azure_port,
            arguments.speed,
            arguments.state,
            arguments.tls,
            read_access(arguments.keys, arguments.entra),
        )
        asyncio.run(_run(options))
    except (WorldError, AccessError, AzuriteError, StateError, OSError) as error:
        print(f"The platform cannot start: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local", description="Teal and everything it needs, on this machine"
    )
    parser.add_argument("--port", type=int, default=7071, help="where the Functions host listens (7071)")
    parser.add_argument("--azure-port", type=int, default=7072, help="where the simulated Azure listens (7072)")
    parser.add_argument("--speed", type=_positive, default=60.0, help="how many seconds pass in one (60)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep everything here, and go on from it")
    parser.add_argument(
        "--tls", type=Path, metavar="FILE", help="serve Azure over TLS too, for `az`; its certificate is written here"
    )
    parser.add_argument("--keys", type=Path, metavar="FILE", help="ask for the function keys of this file")
    parser.add_argument("--entra", type=Path, metavar="FILE", help="know the people of this file, as Entra ID would")
    world = parser.add_mutually_exclusive_group()
    world.add_argument("--world", type=Path, metavar="FILE", help="what there is in Azure (docs/world.md)")
    world.add_argument(
        "--scale-set", type=Path, metavar="FILE", help="the JSON of a real scale set, as `az vmss show` prints it"
    )
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def _world(arguments: argparse.Namespace) -> World:
    if arguments.world is not None:
        return load_world(arguments.world)
    if arguments.scale_set is not None:
        return world_of_scale_set(arguments.scale_set)
    return demo_world()


async def _run(options: Options) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with run_platform(options) as platform:
        print(_welcome(platform, options), flush=True)
        if _may_open(sys.stdout.isatty(), os.environ):
            webbrowser.open(platform.url)
        await stop.wait()
        print("Stopping", flush=True)


def _welcome(platform: Platform, options: Options) -> str:
    groups = [str(group["id"]) for group in platform.cloud.world.groups]
    group = groups[0] if groups else "<group>"
    kept = f"kept in {options.state}" if options.state else "gone at the end; --state FILE keeps it"
    who = f" -H '{options.access.example}'" if options.access.example else ""
    return f"""
Teal runs on this machine. One second is {options.speed:g} of the simulated Azure's; its state is {kept}.

  Deployments    {platform.url}/api/dashboard/
  API            {platform.url}/api          groups: {", ".join(groups) or "none"}
  Azure (ARM)    {platform.azure_url}{_tls_line(options)}{_access_line(options)}

Deploy, and watch:

  curl -X POST {platform.url}/api/groups/{group}/deployments -H 'content-type: application/json'{who} \\
    -d '{{"image": "1.1.0", "batchSizePercentage": 20, "gracePeriod": 300}}'
  curl {platform.url}/api/groups/{group}/deployments{who}

Ctrl-C stops everything.
"""


def _may_open(is_terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether somebody sits in front of a screen: the page is opened for them.

    >>> _may_open(True, {"DISPLAY": ":0"}), _may_open(True, {"DISPLAY": ":0", "CI": "true"}), _may_open(True, {})
    (True, False, False)
    """
    has_screen = sys.platform == "darwin" or "DISPLAY" in environment or "WAYLAND_DISPLAY" in environment
    return is_terminal and has_screen and "CI" not in environment


def _access_line(options: Options) -> str:
    told = options.access.told
    return f"\n  Callers        {told}" if told else ""


def _tls_line(options: Options) -> str:
    if options.tls is None:
        return ""
    return f"          over TLS: https://localhost:{TLS_PORT}, certificate in {options.tls}"


if __name__ == "__main__":
    sys.exit(main())
