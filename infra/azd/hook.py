"""The frame of every hook: what azd knows, the clients, and an end that people can read."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.azd.arm import Arm, ArmError
from infra.azd.teal import Teal
from infra.azd.tokens import azd_token
from infra.azd.values import Values
from infra.azd.web import Clock, Send, Stopped, SystemClock, Tokens, send

#: Runs a program to its end: its exit code, and what it wrote to stdout.
Program = Callable[[Sequence[str]], Awaitable[tuple[int, str]]]


async def run_program(command: Sequence[str]) -> tuple[int, str]:
    """Run a program of this machine; what it says on stderr is for whoever runs azd."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


@dataclass
class Place:
    """Where a hook runs."""

    values: Values
    arm: Arm
    teal: Teal
    clock: Clock
    say: Callable[[str], None]
    program: Program


Step = Callable[[Place], Coroutine[Any, Any, None]]


def place(
    environment: Mapping[str, str],
    *,
    sender: Send = send,
    tokens: Tokens = azd_token,
    clock: Clock | None = None,
    say: Callable[[str], None] = print,
    program: Program = run_program,
) -> Place:
    """Make the clients for an azd environment.

    :raises Stopped: a value of it cannot be meant.
    """
    values = Values.read(environment)
    clock = clock or SystemClock()
    arm = Arm(sender, tokens, clock, values.endpoint)
    return Place(values, arm, Teal(values, arm, sender, tokens), clock, say, program)


def run(step: Step) -> None:
    """Run a hook as azd does, and end the process: with 1 where azd is not to go on."""
    try:
        asyncio.run(step(place(os.environ)))
    except Stopped as why:
        sys.exit(f"Teal: {why}")
    except ArmError as error:
        sys.exit(f"Teal: Azure refused a request. {error}{_remedy(error)}")


def _remedy(error: ArmError) -> str:
    if error.code == "ScopeLocked":
        return " Take that lock away, then do this again."
    if error.status != 403:
        return ""
    return " Whoever runs azd needs Owner, or Contributor with User Access Administrator (docs/azure.md#rights)."
