"""`make demo`: what it says, how it ends, and what it leaves. That all goes as told, tests/docs sees in the README."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from local.azure.world import demo_world
from local.clock import run_virtual
from local.demo.acts import ACTS, BAD, GOOD, Act, Outcome, differences
from local.demo.animation import draw, record
from local.demo.screen import Screen

ROOT = Path(__file__).parents[3]

#: Faster than the demo's own.
SPEED = "600"

AS_TOLD = {
    GOOD: Outcome("finished", None, 10, 10, {"1.1.0": 10}, "1.1.0"),
    BAD: Outcome("failed", "batchUnhealthy", 10, 12, {"1.1.0": 10}, "1.1.0"),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_went_as_told_has_no_difference(act: Act) -> None:
    assert differences(act, AS_TOLD[act]) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"status": "finished", "error": None}, "it ended as finished, not failed (batchUnhealthy)"),
        ({"error": "groupUnhealthy"}, "it ended as failed (groupUnhealthy), not failed (batchUnhealthy)"),
        ({"images": {"1.1.0": 9}}, "of the VMs 9 run 1.1.0, not 10 1.1.0"),
        ({"images": {"1.1.0": 8, "1.2.0": 2}}, "of the VMs 8 run 1.1.0, 2 run 1.2.0, not 10 1.1.0"),
        ({"images": {}}, "of the VMs there are none, not 10 1.1.0"),
        ({"model": "1.2.0"}, "the set's model names 1.2.0, not 1.1.0"),
        ({"serving_least": 9}, "only 9 VMs served at one time, of 10"),
    ],
)
def test_each_difference_is_told(changed: dict[str, Any], words: str) -> None:
    assert differences(BAD, replace(AS_TOLD[BAD], **changed)) == [words]


VMS = [
    {"name": "web_0", "color": "blue", "batch": 1, "status": "detached"},
    {"name": "web_1", "color": "blue", "batch": 2, "status": "running"},
    {"name": "web_2", "color": "green", "batch": 1, "status": "unhealthy"},
    {"name": "web_3", "color": "green", "batch": 1, "status": "deleted"},
]
EVENT = {"type": "BatchFailed", "message": "0 of 1 healthy"}


def test_in_a_file_there_are_lines_and_nothing_else() -> None:
    out = io.StringIO()
    screen = Screen(out, colors=False)
    screen.vms(VMS, "waiting")
    screen.event(timedelta(seconds=75), EVENT)
    assert out.getvalue() == "  01:15  BatchFailed: 0 of 1 healthy\n"


def test_on_a_terminal_the_vms_are_drawn_below_and_drawn_over() -> None:
    out = io.StringIO()
    screen = Screen(out, colors=True)
    screen.vms(VMS, "waiting")
    screen.event(timedelta(seconds=75), EVENT)
    drawn, _, line = out.getvalue().partition("\r\x1b[2K")
    assert re.sub(r"\x1b\[\d+m", "", drawn) == "         ○●✗  waiting"
    assert line == "  \x1b[2m01:15\x1b[0m  \x1b[31mBatchFailed: 0 of 1 healthy\x1b[0m\n"


@pytest.mark.slow
def test_the_readme_s_picture_is_of_what_happens_and_loads_nothing() -> None:
    picture = (ROOT / "docs" / "demo.svg").read_text(encoding="utf-8")
    assert picture == draw(run_virtual(record())), "make animation"
    assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)|url\(|href|<script", picture) == []


@dataclass
class Demo:
    """A demo in a folder of its own; ``mark`` is in the environment of all that it starts."""

    process: subprocess.Popen[str]
    folder: Path
    mark: str

    def left(self) -> list[str]:
        """Processes and files that are left of it."""
        everything = subprocess.run(["ps", "eww", "-A"], capture_output=True, text=True, check=True).stdout
        processes = [line for line in everything.splitlines() if self.mark in line]
        return processes + [str(path) for path in self.folder.iterdir()]


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[Demo]:
    mark = f"TEAL_TEST_MARK={uuid.uuid4()}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "TMPDIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.demo", "--speed", SPEED, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env=environment | dict([mark.split("=")]),
    )
    try:
        yield Demo(process, folder, mark)
    finally:
        process.kill()
        process.wait()


def small_world(path: Path, **behavior: Any) -> str:
    """The demo's with two VMs, and another behaviour of 1.2.0; its path from a folder beside it."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"][0]["capacity"] = 2
    document["galleries"][0]["images"][0]["versions"][2]["behavior"] |= behavior
    path.write_text(json.dumps(document))
    return f"../{path.name}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.mark.slow
def test_it_ends_with_1_where_the_bad_image_is_not_bad(tmp_path: Path, folder: Path) -> None:
    with demo(folder, "--world", small_world(tmp_path / "world.json", neverHealthy=False)) as running:
        said, _ = running.process.communicate(timeout=120)
        assert running.process.returncode == 1
        assert running.left() == []
    assert re.search(r"API +http://127\.0\.0\.1:\d+/api\n", said)
    assert re.search(r"\nIt took \d+ s, and left nothing behind\.", said)
    assert "Not as told: it ended as finished, not failed (batchUnhealthy)" in said
    assert "Not as told: the set's model names 1.2.0, not 1.1.0" in said
    assert said.count("As told.") == 1


@pytest.mark.slow
def test_ctrl_c_stops_it_in_the_middle_and_leaves_nothing(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        assert running.process.stdout is not None
        for line in running.process.stdout:
            if "BatchStarted" in line:
                break
        assert any("azurite" in line for line in running.left())
        running.process.send_signal(signal.SIGINT)
        said, _ = running.process.communicate(timeout=30)
        assert running.process.returncode == 130
        assert running.left() == []
    assert "Stopped, and left nothing behind." in said
