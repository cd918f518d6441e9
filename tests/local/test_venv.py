"""Which Python `make` takes: `local/venv.sh` among Pythons and uvs that only pretend."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "local" / "venv.sh"

#: A Python that answers whether Teal runs on it, makes a venv of itself, and installs uv beside itself.
PYTHON = """#!/bin/sh
echo "$(basename "$0") $1 $2" >> "{log}"
case "$1 $2" in
  "-m venv") {venv} && mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip") {pip} && cp "{uv}" "$(dirname "$0")/uv" ;;
  *) {runs_teal} ;;
esac
"""
UV = """#!/bin/sh
echo "uv $1" >> "{log}"
{fetches} && mkdir -p .venv/bin && cp "{fetched}" .venv/bin/python
"""


class Machine:
    """A folder to work in, and a PATH with a few tools and what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.work, self.bin, self.log = folder / "work", folder / "bin", folder / "log"
        self.uv, self.fetched = folder / "uv", folder / "fetched"
        for made in (self.work, self.bin):
            made.mkdir()
        for tool in ("sh", "rm", "mkdir", "cp", "dirname", "basename", "mktemp"):
            (self.bin / tool).symlink_to(str(shutil.which(tool)))
        self.log.touch()
        self._write(self.fetched, PYTHON, runs_teal="true", venv="true", pip="true")
        self.let_uv_fetch("true")

    def let_uv_fetch(self, fetches: str) -> None:
        self._write(self.uv, UV, fetches=fetches)

    def has(self, name: str, *, runs_teal: bool = False, venv: str = "true", pip: str = "true") -> None:
        self._write(self.bin / name, PYTHON, runs_teal="true" if runs_teal else "false", venv=venv, pip=pip)

    def make(self, *arguments: str) -> tuple[int, str, list[str]]:
        """The exit code, what it said, and who was asked to do something."""
        ended = subprocess.run(
            ["sh", str(SCRIPT), "1.2.3", *arguments],
            cwd=self.work,
            env={"PATH": str(self.bin), "TMPDIR": str(self.work)},
            capture_output=True,
            text=True,
            check=False,
        )
        done = [line for line in self.log.read_text().splitlines() if " -c " not in line]
        return ended.returncode, ended.stderr.strip(), done

    def _write(self, path: Path, text: str, **how: str) -> None:
        path.write_text(text.format(log=self.log, uv=self.uv, fetched=self.fetched, **how))
        path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_python_that_fits_is_taken_though_a_newer_one_is_the_usual_one(machine: Machine) -> None:
    machine.has("python3")
    machine.has("python3.11", runs_teal=True)
    assert machine.make() == (0, "", ["python3.11 -m venv", "python -m pip"])
    assert [path.name for path in machine.work.iterdir()] == [".venv"]


def test_where_only_a_newer_one_is_there_uv_fetches_one_that_fits(machine: Machine) -> None:
    machine.has("python3")
    code, said, done = machine.make()
    assert (code, said) == (0, "")
    assert done == ["python3 -m venv", "python -m pip", "uv venv", "python -m pip"]
    assert [path.name for path in machine.work.iterdir()] == [".venv"]


def test_where_no_python_is_there_but_uv_is_that_is_enough(machine: Machine) -> None:
    shutil.copy(machine.uv, machine.bin / "uv")
    assert machine.make() == (0, "", ["uv venv", "python -m pip"])


def test_a_python_that_cannot_make_a_venv_is_passed_over(machine: Machine) -> None:
    machine.has("python3.12", runs_teal=True, venv="false")
    machine.has("python3.11", runs_teal=True)
    assert machine.make() == (0, "", ["python3.12 -m venv", "python3.11 -m venv", "python -m pip"])


@pytest.mark.parametrize(
    ("python3", "uv", "words"),
    [
        (None, "true", "Teal needs Python 3.11 or 3.12 with venv: install one (python.org), or uv"),
        ("false", "true", "Teal needs Python 3.11 or 3.12 with venv: install one (python.org), or uv"),
        ("true", "false", "uv could not fetch Python 3.12 (it comes from github.com): install Python 3.11 or 3.12"),
    ],
)
def test_where_that_fails_one_line_says_what_to_do(machine: Machine, python3: str | None, uv: str, words: str) -> None:
    machine.let_uv_fetch(uv)
    if python3 is not None:
        machine.has("python3", pip=python3)
    code, said, _ = machine.make()
    assert (code, len(said.splitlines())) == (1, 1)
    assert said.startswith(words)
    assert list(machine.work.iterdir()) == []


def test_a_python_that_is_asked_for_is_taken_or_refused(machine: Machine) -> None:
    machine.has("python3.12", runs_teal=True)
    machine.has("python3.13")
    assert machine.make("python3.12")[0] == 0
    code, said, _ = machine.make("python3.13")
    assert (code, said.splitlines()) == (
        1,
        ["Teal needs Python 3.11 or 3.12, which python3.13 is not; without PYTHON=, make looks for one itself"],
    )
    assert (machine.work / ".venv" / "bin" / "uv").exists()  # what was there before stays


def test_the_container_installs_by_a_command_that_there_is() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    made = container["postCreateCommand"].removeprefix("make ")
    assert f"\n{made}: " in (ROOT / "Makefile").read_text()
    assert container["image"].rpartition(":")[2] in ("3.11", "3.12")
    assert container["forwardPorts"] == [7071, 7072]
