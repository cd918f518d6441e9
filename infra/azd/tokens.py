"""Tokens of whoever is signed in on this machine, by the commands that people sign in with."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence

from infra.azd.web import Stopped, Tokens


async def azd_token(scope: str) -> str:
    """A token of whoever is logged in to azd. The Azure CLI has another login, which is not asked."""
    try:
        code, output, errors = await _run(_azd(scope))
    except FileNotFoundError:
        raise Stopped("azd is not on the PATH: https://aka.ms/azd-install") from None
    if code:
        raise Stopped(f"azd has no token for {scope}: {errors.strip()}; try `azd auth login`")
    return str(json.loads(output)["token"])


def any_token(environment: Mapping[str, str]) -> Tokens:
    """Tokens of ``ARM_ACCESS_TOKEN``, else of azd's login, else of az's, as ``environment`` has them."""

    async def token(scope: str) -> str:
        if given := environment.get("ARM_ACCESS_TOKEN"):
            return given
        for field, command in (("token", _azd(scope)), ("accessToken", _az(scope))):
            program = shutil.which(command[0], path=environment.get("PATH"))
            if program is None:
                continue
            code, output, _ = await _run([program, *command[1:]], environment)
            if code == 0:
                return str(json.loads(output)[field])
        raise Stopped("nobody is signed in: azd auth login, or az login")

    return token


def _azd(scope: str) -> list[str]:
    return ["azd", "auth", "token", "--output", "json", "--scope", scope]


def _az(scope: str) -> list[str]:
    return ["az", "account", "get-access-token", "--output", "json", "--scope", scope]


async def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=None if environment is None else dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode or 0, output.decode(), errors.decode(errors="replace")
