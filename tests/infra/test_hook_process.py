"""A hook as azd runs it: a process, tokens of the command ``azd``, and HTTP."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.check import INFRA
from local.azure.cloud import Cloud
from local.azure.server import serve
from local.clock import Clock
from tests.infra.azd import SUBSCRIPTION, world

HOOKS = sorted((INFRA / "hooks").glob("*.py"))

AZD = """#!/bin/sh
[ "$*" = "auth token --output json --scope $TEAL_ARM_ENDPOINT/.default" ] || { echo "unexpected: $*" >&2; exit 1; }
echo '{"token": "made-by-azd", "expiresOn": "2030-01-01T00:00:00Z"}'
"""


def test_there_is_one_file_for_each_hook_and_nothing_to_install() -> None:
    assert [path.stem for path in HOOKS] == [
        "postdeploy",
        "postdown",
        "predeploy",
        "predown",
        "prepackage",
        "preprovision",
    ]
    lines = (INFRA / "hooks" / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


@pytest.mark.slow
@pytest.mark.parametrize("hook", [path for path in HOOKS if path.stem != "prepackage"], ids=lambda path: path.stem)
def test_outside_of_azd_it_says_so_in_one_line(hook: Path) -> None:
    ran = subprocess.run([sys.executable, "-I", "-S", hook], env={}, capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stderr.splitlines() == [
        "Teal: AZURE_ENV_NAME and AZURE_SUBSCRIPTION_ID must be set: this is run by azd (`azd up`), in its environment"
    ]


@pytest.mark.slow
async def test_it_speaks_to_azure_with_a_token_of_azd(tmp_path: Path) -> None:
    azd = tmp_path / "azd"
    azd.write_text(AZD)
    azd.chmod(azd.stat().st_mode | stat.S_IXUSR)
    cloud = Cloud(world(), Clock())
    server = await serve(cloud)
    subscription = SUBSCRIPTION.rpartition("/")[2]
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "AZURE_ENV_NAME": "dev",
        "AZURE_SUBSCRIPTION_ID": subscription,
        "TEAL_ARM_ENDPOINT": server.url,
    }
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(INFRA / "hooks" / "preprovision.py")),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
    finally:
        await server.close()
    assert (process.returncode, errors) == (0, b"")
    assert output.decode().splitlines() == [
        f"Registering Microsoft.EventGrid in the subscription {subscription}",
        "Teal does not run yet, so no deployment does",
    ]
    assert [entry.path for entry in cloud.audit] == [f"{SUBSCRIPTION}/providers/Microsoft.EventGrid/register"]
