"""The command's models are those of the committed OpenAPI document."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.slow
def test_models_are_up_to_date(tmp_path: Path) -> None:
    made = tmp_path / "models.py"
    subprocess.run([BIN / "datamodel-codegen", "--output", made], cwd=ROOT / "cli", check=True, capture_output=True)
    subprocess.run([BIN / "ruff", "format", "-q", "--config", ROOT / "pyproject.toml", made], check=True)
    assert made.read_text() == (ROOT / "cli" / "teal_cli" / "api" / "models.py").read_text(), "run `make models`"


def test_the_command_imports_nothing_of_the_server_s() -> None:
    """In a process of its own: every module of the command is imported, and none of the server's."""
    code = (
        "import pkgutil, sys, teal_cli, importlib\n"
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(teal_cli.__path__, 'teal_cli.')]\n"
        "import json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "cli",
        env={"PYTHONPATH": str(ROOT / "cli")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"api", "rollout", "services", "activities", "adapters", "settings", "azure", "pydantic"}
