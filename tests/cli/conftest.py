"""The real command, as a process, against the local platform over HTTP: one for all tests, with a group for each."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.cli.front import Front
from tests.cli.running import Teal

ROOT = Path(__file__).parents[2]

#: How many seconds of the platform pass in one: a deployment of two VMs takes a second.
SPEED = 150

_COMPUTE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers/Microsoft.Compute"
_SETS = 40


def world(sets: int = _SETS) -> dict[str, Any]:
    """Many small scale sets of one image: 1.1.0 is good, and 1.2.0 never becomes healthy."""
    names = [f"set{number}" for number in range(sets)]
    quick = {"bootTime": 5, "healthyAfter": 5}
    return {
        "scaleSets": [
            {"name": name, "resourceGroup": "demo", "capacity": 2, "image": "apps/web/1.0.0"} for name in names
        ],
        "galleries": [
            {
                "name": "apps",
                "resourceGroup": "demo",
                "images": [
                    {
                        "name": "web",
                        "versions": [
                            {"name": "1.0.0", "behavior": quick},
                            {"name": "1.1.0", "behavior": quick},
                            {"name": "1.2.0", "behavior": {**quick, "neverHealthy": True}},
                        ],
                    }
                ],
            }
        ],
    }


def definition(name: str) -> dict[str, Any]:
    """The group of a scale set: two VMs in one batch, unless a test says otherwise."""
    return {
        "scaleSetId": f"{_COMPUTE}/virtualMachineScaleSets/{name}",
        "imageId": f"{_COMPUTE}/galleries/apps/images/web",
        "healthCheckTypes": ["vmState", "applicationHealth"],
        "drainingTimeout": 0,
        # A busy machine must not make a healthy VM late.
        "defaults": {"gracePeriod": 14400, "batchSize": 2},
    }


def register(server: str, name: str) -> None:
    """Make a scale set a group."""
    body = json.dumps(definition(name)).encode()
    asked = Request(f"{server}/api/groups/{name}", body, {"Content-Type": "application/json"}, method="PUT")
    urlopen(asked, timeout=30).close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the platform listens."""
    path = tmp_path_factory.mktemp("world") / "world.json"
    path.write_text(json.dumps(world()))
    with serve("--world", str(path), "--speed", str(SPEED)) as running:
        yield running.url


class serve:
    """``python -m local``, until the block ends."""

    def __init__(self, *arguments: str, port: int = 0) -> None:
        self._arguments = ("--port", str(port), "--azure-port", "0", *arguments)

    def __enter__(self) -> serve:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", *self._arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "TEAL_POLL_INTERVAL": "6"},
        )
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if "Ctrl-C stops everything" in line:
                break
        found = re.search(r"API +(http://\S+)/api", said)
        if found is None:
            self.__exit__()
            raise AssertionError(f"the platform does not start: {said}")
        self.url = found[1]
        return self

    def __exit__(self, *raised: object) -> None:
        self.process.terminate()
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="session")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command as one file, as `make command` makes it."""
    target = tmp_path_factory.mktemp("pack") / "teal.pyz"
    subprocess.run([sys.executable, ROOT / "cli" / "pack.py", target], check=True, capture_output=True)
    return target


_numbers = count()


@pytest.fixture
def group(server: str) -> Iterator[str]:
    """A group that no other test uses. It goes with the test: Teal's timers look at every group that there is."""
    name = f"set{next(_numbers)}"
    register(server, name)
    yield name
    with suppress(HTTPError):  # A deployment may be under way.
        urlopen(Request(f"{server}/api/groups/{name}", method="DELETE"), timeout=30).close()


@pytest.fixture
def teal(server: str, tmp_path: Path) -> Teal:
    """The command, which finds the platform."""
    return Teal({"TEAL_URL": server}, tmp_path)


@pytest.fixture
def front(server: str) -> Iterator[Front]:
    """What stands between the command and the platform, and may go wrong."""
    with Front(server) as standing:
        yield standing
