"""The package: what is in it, what is not, and that Microsoft's worker library finds every function in it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.package import LONGEST_IMPORT
from function_app import app
from infra.package import FILES, ROOT, SITE_PACKAGES, bill_of_materials, is_built_remotely, lay_out, main, parts, size
from local.functions.index import index_app

INDEX = Path(__file__).with_name("index_package.py")

PINS = re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def prebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with wheels for Python 3.12, whatever Python runs the tests."""
    folder = tmp_path_factory.mktemp("package") / "dist"
    lay_out(folder, wheels=True)
    return folder


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Microsoft's worker library by itself: nothing else that is installed here can be imported from there."""
    found = importlib.util.find_spec("azure_functions_runtime")
    assert found is not None
    assert found.origin is not None
    folder = tmp_path_factory.mktemp("library")
    shutil.copytree(Path(found.origin).parent, folder / "azure_functions_runtime")
    return folder


def python_312() -> str | None:
    """The Python that is deployed to, if this machine has one."""
    if sys.version_info[:2] == (3, 12):
        return getattr(sys, "_base_executable", sys.executable)
    beside = sorted(map(str, Path(sys.base_prefix).parent.glob("*3.12*/bin/python3.12")))
    found = [os.environ.get("TEAL_PYTHON312", ""), shutil.which("python3.12") or "", *beside]
    return next((path for path in found if path and _runs(path)), None)


def _runs(path: str) -> bool:
    return subprocess.run([path, "-c", ""], capture_output=True).returncode == 0


def indexed(python: str, package: Path, library: Path) -> dict[str, Any]:
    """What an interpreter that knows nothing else finds in the package."""
    command = [python, "-I", str(INDEX), str(package), str(library)]
    if taskset := shutil.which("taskset"):
        command = [taskset, "--cpu-list", "0", *command]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def expected() -> dict[str, str]:
    """The functions of the app, with their triggers, as the local host finds them."""
    return {function.name: function.trigger for function in index_app(app)}


def test_the_package_is_the_app_and_nothing_else(tmp_path: Path) -> None:
    lay_out(tmp_path / "dist", wheels=False)
    names = {path.name for path in (tmp_path / "dist").iterdir()} - {"dashboard"}
    assert names == {*(f"{name}.py" if (ROOT / f"{name}.py").is_file() else name for name in parts()), *FILES}
    assert {"function_app", "settings", "rollout", "api", "adapters", "activities", "orchestrators"} <= set(parts())
    assert not {"tests", "local", "bench", "infra", "cli", "node_modules"} & set(parts())
    files = [path.relative_to(tmp_path / "dist") for path in (tmp_path / "dist").rglob("*") if path.is_file()]
    # A .funcignore would switch azd's own exclusions off.
    assert [path for path in files if path.name == ".funcignore" or path.suffix in (".pyc", ".md", ".ts")] == []


def test_what_was_there_before_is_gone(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "stale.py").write_text("")
    lay_out(tmp_path / "dist", wheels=False)
    assert not (tmp_path / "dist" / "stale.py").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


def test_azd_takes_the_folder_as_it_is_laid_out() -> None:
    text = (ROOT / "azure.yaml").read_text()
    assert re.search(r"^    dist: dist$", text, re.MULTILINE)
    assert not is_built_remotely()
    assert 'azd: ">= 1.31.2"' in text
    hooks = re.findall(r"^    run: (infra/hooks/(\w+)\.py)$", text, re.MULTILINE)
    assert [name for _, name in hooks] == [
        "prepackage",
        "preprovision",
        "predeploy",
        "postdeploy",
        "predown",
        "postdown",
    ]


@pytest.mark.slow
def test_the_wheels_are_those_that_are_pinned_for_the_python_of_azure(prebuilt: Path) -> None:
    found = {(one["name"], one["version"]) for one in bill_of_materials(prebuilt)["components"]}
    assert found == set(PINS)
    binaries = [path.name for path in (prebuilt / SITE_PACKAGES).rglob("*.so")]
    assert len(binaries) >= 10
    assert [name for name in binaries if "cpython-312-x86_64-linux-gnu" not in name and "abi3" not in name] == []
    assert size(prebuilt) < 80e6


@pytest.mark.slow
def test_the_python_of_azure_finds_every_function_within_the_time_that_it_has(prebuilt: Path, library: Path) -> None:
    python = python_312()
    if python is None:
        pytest.skip("No Python 3.12 on this machine: name one in $TEAL_PYTHON312")
    answer = indexed(python, prebuilt, library)
    assert answer["python"] == [3, 12]
    assert {name for name, trigger in expected().items() if trigger in answer["functions"].get(name, ())} == set(
        expected()
    )
    assert set(answer["functions"]) == set(expected())
    assert answer["seconds"] < LONGEST_IMPORT


@pytest.mark.slow
def test_the_requirements_alone_are_enough(tmp_path: Path, library: Path) -> None:
    """As the service builds it: the package without wheels, and what its requirements.txt names for this Python."""
    package = tmp_path / "dist"
    lay_out(package, wheels=False)
    uv = Path(sys.executable).with_name("uv")
    target = ["--python", sys.executable, "--target", str(package / SITE_PACKAGES)]
    requirements = ["-r", str(package / "requirements.txt")]
    subprocess.run([str(uv), "pip", "install", "--quiet", *target, *requirements], check=True)
    answer = indexed(getattr(sys, "_base_executable", sys.executable), package, library)
    assert set(answer["functions"]) == set(expected())


@pytest.mark.slow
def test_the_command_says_what_it_made_and_leaves_its_bill_of_materials_beside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "dist")]) == 0
    assert re.search(r"dist: \d+\.\d MB, prebuilt for Python 3\.12, dist\.cdx\.json says", capsys.readouterr().out)
    materials = json.loads((tmp_path / "dist.cdx.json").read_text())
    assert (materials["bomFormat"], materials["specVersion"]) == ("CycloneDX", "1.6")
    assert len(materials["components"]) == len(PINS)
    assert all(one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}" for one in materials["components"])
