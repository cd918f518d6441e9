"""What is recorded: the same every time, and what this version does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.clock import run_virtual
from local.durable.actions import OrchestratorAnswer
from local.recording import REPLAY, ROWS, WAIT, Recorder, default_version, moments, play, record, shape
from local.virtual.scenarios import SCENARIOS


def recipes(folder: Path) -> set[str]:
    """The ways that the recipes go, without the waits, whose length is Azure's."""
    files = [path for path in folder.glob("*.json") if path.name != ROWS]
    recorded = [one for path in files for one in json.loads(path.read_text(encoding="utf-8"))]
    return {shape(one) for one in recorded if one["recipe"] != WAIT}


def columns(folder: Path) -> set[tuple[str, str]]:
    """Every table's columns."""
    rows = moments(folder).values()
    return {(table, column) for kept in rows for (table, _, _), found in kept.items() for column in found}


@pytest.mark.slow
def test_recording_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    names = ("failed", "unchanged")
    record(tmp_path / "one", names)
    record(tmp_path / "two", names)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["failed.json", ROWS, "unchanged.json"]
    assert [(tmp_path / "one" / name).read_bytes() for name in files] == [
        (tmp_path / "two" / name).read_bytes() for name in files
    ]


def test_rows_are_read_as_they_were_at_each_moment(tmp_path: Path) -> None:
    recording = run_virtual(play("kept"))
    record(tmp_path, ("kept",))
    read = moments(tmp_path)
    assert list(read) == ["kept: kept", "kept: end"]
    assert [sum(table == "Holds" for table, _, _ in rows) for rows in read.values()] == [1, 0]
    for moment, rows in recording.rows.items():
        assert sorted(map(table_and_columns, read[f"kept: {moment}"].items())) == sorted(
            map(table_and_columns, rows.items())
        )


def table_and_columns(item: tuple[tuple[str, str, str], Any]) -> tuple[str, str]:
    """A row without its keys and without ids, which are others at each recording."""
    (table, _, _), columns = item
    return table, re.sub(r"\b[0-9a-f]{6}\b", "", str(columns))


def test_recipe_that_raises_is_not_recorded() -> None:
    with pytest.raises(RuntimeError, match="deploy_group failed: boom"):
        Recorder().hear("deploy_group", "{}", OrchestratorAnswer(actions=(), is_done=False, error="boom"))


def test_every_scenario_is_recorded_and_no_file_is_empty() -> None:
    """One whose executions all went as others did has rows alone."""
    folder = REPLAY / default_version()
    files = [path for path in folder.glob("*.json") if path.name != ROWS]
    assert {moment.partition(":")[0] for moment in moments(folder)} == set(SCENARIOS)
    assert {path.stem for path in files} <= set(SCENARIOS)
    assert all(json.loads(path.read_text(encoding="utf-8")) for path in files)


@pytest.mark.slow
def test_this_version_does_what_is_recorded_of_it(tmp_path: Path) -> None:
    """CONTRIBUTING.md, "Recorded histories", says what to do where it does not."""
    record(tmp_path)
    kept = REPLAY / default_version()
    assert recipes(tmp_path) == recipes(kept)
    assert columns(tmp_path) == columns(kept)
