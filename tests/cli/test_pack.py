"""``teal.pyz`` runs on a bare Python, and is the same bytes whenever it is pyz."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def interpreters() -> Iterator[tuple[str, Path]]:
    """Those that there are on this machine: on the path, or pyenv's. This one is always there."""
    for version in ("3.11", "3.12", "3.13"):
        managed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
        if sys.version_info[:2] == tuple(map(int, version.split("."))):
            yield version, Path(sys.base_prefix) / "bin" / f"python{version}"
        elif managed:
            yield version, managed[-1]
        elif found := shutil.which(f"python{version}"):
            yield version, Path(found)


@pytest.mark.parametrize(("version", "python"), list(interpreters()), ids=lambda value: str(value))
def test_it_runs_on_a_bare_python(pyz: Path, tmp_path: Path, version: str, python: Path) -> None:
    """``-I -S``: without the packages, the user's folder and the variables of whoever runs it."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TEAL_URL": "http://127.0.0.1:9"}
    command: list[str | Path] = [python, "-I", "-S", pyz]
    said = subprocess.run([*command, "--version"], env=environment, capture_output=True, text=True, check=True, cwd="/")
    assert said.stdout.startswith("teal "), version
    asked = subprocess.run(
        [*command, "status", "--timeout", "100ms"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert (asked.returncode, "connection refused" in asked.stderr) == (10, True), asked.stderr


def test_it_is_the_same_bytes_whenever_it_is_made(pyz: Path, tmp_path: Path) -> None:
    """Elsewhere, with another mask, and of sources with other times."""
    copy = tmp_path / "cli"
    shutil.copytree(ROOT / "cli", copy, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile)
    for path in copy.rglob("*"):
        os.utime(path, (0, 1_000_000_000))
    again = tmp_path / "other" / "name.pyz"
    command = f"umask 077; exec {sys.executable} {copy / 'pack.py'} {again}"
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    assert again.read_bytes() == pyz.read_bytes()
    digest = hashlib.sha256(pyz.read_bytes()).hexdigest()
    assert pyz.with_name("teal.pyz.sha256").read_text() == f"{digest}  teal.pyz\n"


def test_nothing_in_it_is_compiled(pyz: Path) -> None:
    with zipfile.ZipFile(pyz) as archive:
        names = archive.namelist()
    assert {"teal_cli/app.py", "typer/__init__.py", "httpx/__init__.py", "colorama/__init__.py"} <= set(names)
    assert [name for name in names if name.endswith((".so", ".pyd", ".pyc")) or name.startswith("pydantic")] == []


@pytest.mark.parametrize("old", sorted(Path.home().glob(".pyenv/versions/3.[0-9].*/bin/python")), ids=str)
def test_an_old_python_is_told_what_it_is(pyz: Path, old: Path) -> None:
    said = subprocess.run([old, pyz], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stderr.startswith("teal needs Python 3.11 or later, and this is 3.")
    assert len(said.stderr.splitlines()) == 1
