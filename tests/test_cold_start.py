"""What a cold start loads: a fresh interpreter imports the app, and what it should not have loaded is named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]

#: Needed by few invocations, and slow to load; ``local`` is not deployed at all.
LATE = ("azure.mgmt", "azure.identity", "azure.data", "pydantic", "local", "hypothesis", "pytest")

#: What the SDKs of the Functions runtime load themselves is not the app's doing: aiohttp is among it.
SDKS = "import azure.functions, azure.durable_functions"


def loaded_by(statement: str) -> set[str]:
    """The modules of a fresh interpreter after it ran ``statement``."""
    program = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    names: list[str] = json.loads(answer.stdout.splitlines()[-1])
    return set(names)


def within(module: str, packages: tuple[str, ...]) -> bool:
    """Whether a module is one of these packages, or in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_the_app_loads_neither_azure_s_clients_nor_pydantic() -> None:
    app, sdks = loaded_by("import function_app"), loaded_by(SDKS)
    offenders = sorted(module for module in app - sdks if within(module, (*LATE, "aiohttp")))
    assert offenders == []
    assert not any(within(module, LATE) for module in sdks)


def test_the_check_sees_what_is_loaded() -> None:
    assert within("azure.mgmt.compute", LATE)
    assert not within("azure.management", LATE)
    assert {"azure.functions", "azure.durable_functions", "rollout.steps.pacing"} <= loaded_by("import function_app")
