"""A state file says who wrote it, and is refused, unchanged, where its histories cannot be replayed any more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.recording import REPLAY, default_version
from local.state import StateFile
from local.state_mark import StateError, digest, notes, open_state

ROOT = Path(__file__).parents[2]
OWN = {"version": default_version(), "recipes": notes()[default_version()]}


def written(path: Path, platform: dict[str, Any]) -> bytes:
    """Make a state file that holds something; its bytes."""
    state = StateFile(path)
    state.save("azure", {"snapshot": {"sets": []}})
    state.save("platform", platform)
    state.close()
    return path.read_bytes()


def test_what_is_recorded_of_each_version_is_noted() -> None:
    """``make histories`` does both. Where they differ, state files would be gone on from that cannot be."""
    assert notes() == {folder.name: digest(folder) for folder in REPLAY.iterdir() if folder.is_dir()}
    assert default_version() in notes()


def test_digest_tells_what_was_recorded_otherwise(tmp_path: Path) -> None:
    seen = set()
    for name, text in (("a.json", "[1]"), ("a.json", "[2]"), ("b.json", "[2]")):
        (tmp_path / name).write_text(text)
        seen.add(digest(tmp_path))
    assert len(seen) == 3


def test_fresh_file_is_marked_and_gone_on_from(tmp_path: Path) -> None:
    path = tmp_path / "demo.state"
    state = open_state(path)
    state.save("azure", {"snapshot": 1})
    state.close()
    again = open_state(path)
    assert again.load("platform") == {"writer": OWN}
    assert again.load("azure") == {"snapshot": 1}
    again.close()


@pytest.mark.parametrize(
    ("platform", "writer"),
    [
        ({"writer": {**OWN, "recipes": "000000000000"}}, f"Teal {OWN['version']} (recipes 000000000000)"),
        ({"writer": {"version": "9.0.0", "recipes": OWN["recipes"]}}, f"Teal 9.0.0 (recipes {OWN['recipes']})"),
        ({"now": "2026-01-01T00:00:00.000Z"}, f"a version before Teal {OWN['version']} (recipes {OWN['recipes']})"),
        ({}, "which left no mark"),
    ],
)
def test_file_of_other_recipes_is_refused_and_left_as_it_is(
    tmp_path: Path, platform: dict[str, Any], writer: str
) -> None:
    path = tmp_path / "demo.state"
    before = written(path, platform)
    with pytest.raises(StateError) as refused:
        open_state(path)
    assert str(path) in str(refused.value)
    assert writer in str(refused.value)
    assert "\n" not in str(refused.value)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["demo.state"]


def test_what_is_no_state_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("do not lose this\n" * 100)
    with pytest.raises(StateError, match=r"notes\.txt is no state file"):
        open_state(path)
    assert path.read_text() == "do not lose this\n" * 100


@pytest.mark.slow
def test_platform_does_not_start_on_a_file_of_other_recipes(tmp_path: Path) -> None:
    path = tmp_path / "demo.state"
    before = written(path, {"writer": {"version": "0.9.0", "recipes": "000000000000"}})
    command = (sys.executable, "-m", "local", "--port", "0", "--azure-port", "0", "--state", str(path))
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    own = f"{OWN['version']} (recipes {OWN['recipes']})"
    assert ended.stderr == (
        f"The platform cannot start: {path} was written by Teal 0.9.0 (recipes 000000000000); "
        f"Teal {own} cannot go on from it: give --state another file\n"
    )
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["demo.state"]


def test_notes_are_in_order_of_versions() -> None:
    assert list(json.loads((ROOT / "local" / "recipes.json").read_text())) == sorted(notes())
