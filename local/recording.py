"""Record what this version of Teal leaves behind: histories of its recipes, and rows of its tables.

``make histories`` writes them below ``tests/replay``, into a folder named after ``defaultVersion`` in host.json. The
tests replay each with the recipes, and read each with the code, of the day (CONTRIBUTING.md says what to do when they
cannot). What they come to is noted in ``local/recipes.json``, for the state files. Everything is played in virtual
time, so that recording twice gives the same bytes.

With ``--stories 300`` it records nothing: it plays the random deployments of seeds 0 to 299 (``local.soak``), writes
all that is said and all rows into one file, and prints its hash, to be compared with that of another version.

A file of histories is a list of executions, a line each::

    {"recipe": "wait_until_done",         the orchestrator's name
     "turns": [[2, 1], [9, 2]],           of each turn: how many events it was given, how many actions it answered
     "context": {"history": [...], ...},  all that the host gave it in the last turn, but for the
                                          input, which the history's start has too
     "actions": [...],                    all that it answered then
     "output": null}                      what it returned, if it had come to its end

An execution is one generation of one instance. Each turn of it is given the history of the turn before and more, so the
last one's holds them all. Of executions that went the same way the
longest is kept, so a scenario may have no file of histories.

The file of rows is a list of ``[scenario, moment, table, partition key, row key, columns]``: those of the scenario's
first moment, then what has changed up to the next one. ``null`` in the place of columns: the row was deleted.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

from adapters.tables.store import store_over
from local.clock import run_virtual
from local.durable.actions import OrchestratorAnswer
from local.durable.history import HistoryEventType
from local.durable.options import HostJson
from local.state import Json
from local.state_mark import note
from local.virtual import VirtualPlatform
from local.virtual.memory import MemoryTable
from local.virtual.scenarios import SCENARIOS, ScenarioScene, scenario_world

ROOT = Path(__file__).resolve().parents[1]

#: A folder for each version of the recipes.
REPLAY = ROOT / "tests" / "replay"

#: The file of a folder that holds the rows; every other one is a scenario's histories.
ROWS = "rows.json"

#: The recipe that only repeats a step.
WAIT = "wait_until_done"

#: Deployments' ids end in six random digits. The recorded ones are counted instead.
_RANDOM_ID = re.compile(r"(\d{8}T\d{6}Z-)([0-9a-f]{6})\b")


#: Rows by table, partition key and row key.
Rows = dict[tuple[str, str, str], Json]


@dataclass(frozen=True)
class Recording:
    """What was recorded of one scenario: its executions in the order in which they began, and its rows by moment."""

    executions: list[Json]
    rows: dict[str, Rows]


class Recorder:
    """Hears of the calls of orchestrators, and keeps of each execution the longest history and its answer."""

    def __init__(self) -> None:
        self.executions: dict[str, Json] = {}

    def hear(self, name: str, context: str, answer: OrchestratorAnswer) -> None:
        """One call. ``RuntimeError``: the recipe raised, of which there is nothing to keep."""
        if answer.error is not None:
            raise RuntimeError(f"{name} failed: {answer.error}")
        given = json.loads(context)
        began = given["history"][1]["OrchestrationInstance"]
        kept = self.executions.setdefault(began["ExecutionId"], {"recipe": name, "turns": []})
        kept["turns"].append([len(given["history"]), len(answer.actions)])
        if given.pop("input") != json.loads(given["history"][1]["Input"]):
            raise RuntimeError(f"{name} has another input than it began with")
        kept |= {"context": given, "actions": list(answer.actions), "output": json.loads(answer.output or "null")}


class Tables:
    """Tables in memory whose rows can be copied."""

    def __init__(self) -> None:
        self._tables: dict[str, MemoryTable] = {}

    def table(self, name: str) -> MemoryTable:
        """The table of this name."""
        return self._tables.setdefault(name, MemoryTable())

    def rows(self) -> Rows:
        """Every row's columns."""
        return {
            (name, key.partition, key.row): dict(columns)
            for name, table in sorted(self._tables.items())
            for key, columns in table.rows().items()
        }


def default_version() -> str:
    """The version that new instances get, which names the folder."""
    version = HostJson.read(ROOT / "host.json").default_version
    if version is None:
        raise ValueError("host.json has no defaultVersion")
    return version


async def play(name: str) -> Recording:
    """Play a scenario and record it."""
    platform, tables, recorder = VirtualPlatform(scenario_world()), Tables(), Recorder()
    platform.store = store_over(tables.table)
    rows: dict[str, Rows] = {}
    async with platform:
        platform.host.durable.listen(recorder.hear)
        scene = ScenarioScene(platform, lambda moment: rows.update({moment: tables.rows()}), tables.table)
        await SCENARIOS[name](scene)
        scene.keep("end")
        platform.host.raise_errors()
    return Recording(list(recorder.executions.values()), rows)


def record(folder: Path, names: Sequence[str] = tuple(SCENARIOS)) -> None:
    """Record the scenarios into ``folder``: a file of histories each, and one of all rows. What was there goes."""
    recordings = {name: run_virtual(play(name)) for name in names}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    chosen = _longest(one for recording in recordings.values() for one in recording.executions)
    rows: list[Json] = []
    for name, recording in recordings.items():
        kept = [one for one in recording.executions if chosen[shape(one)] is one]
        if kept:
            write(folder / f"{name}.json", kept)
        rows += [[name, *line] for line in _changes(recording.rows)]
    write(folder / ROWS, rows)


def moments(folder: Path) -> dict[str, Rows]:
    """All rows of each recorded moment of a folder, by the names of scenario and moment."""
    found: dict[str, Rows] = {}
    now: Rows = {}
    playing = ""
    for scenario, moment, table, partition, row, columns in json.loads((folder / ROWS).read_text(encoding="utf-8")):
        now = now.copy() if scenario == playing else {}
        playing = scenario
        now[table, partition, row] = columns
        found[f"{scenario}: {moment}"] = now
    return {moment: {key: kept for key, kept in rows.items() if kept is not None} for moment, rows in found.items()}


def _changes(moments: dict[str, Rows]) -> Iterator[Json]:
    """What is otherwise at each moment than at the one before."""
    before: Rows = {}
    for moment, rows in moments.items():
        for key in sorted(before.keys() | rows.keys()):
            if before.get(key) != rows.get(key):
                yield [moment, *key, rows.get(key)]
        before = rows


def write(path: Path, lines: Iterable[Json]) -> None:
    """Write a JSON list, an item a line, with counted ids in the place of random ones."""
    text = ",\n".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) for line in lines)
    path.write_text(f"[\n{_counted_ids(text)}\n]\n", encoding="utf-8")


def _longest(executions: Iterable[Json]) -> dict[str, Json]:
    """Of all executions that went the same way the one with the longest history, the first of such."""
    found: dict[str, Json] = {}
    for one in executions:
        way = shape(one)
        if way not in found or len(one["context"]["history"]) > len(found[way]["context"]["history"]):
            found[way] = one
    return found


def shape(execution: Json) -> str:
    """The way that an execution went: what happened in each turn, without ids, times and values.

    A wait looks again and again; how often makes no difference.
    """
    turns: list[str] = []
    for event in execution["context"]["history"]:
        if event["EventType"] == HistoryEventType.ORCHESTRATOR_STARTED:
            turns.append("")
        turns[-1] += f"{event['EventType']}{event.get('Name', '')} "
    asked = [f"{action['actionType']}{action.get('functionName', '')}" for action in execution["actions"]]
    way = [*turns, *asked]
    if execution["recipe"] == WAIT:
        way = list(dict.fromkeys(way))
    return json.dumps([execution["recipe"], way, execution["output"] is None])


def _counted_ids(text: str) -> str:
    """The text with each random end of a deployment's id as a number, in the order in which they come."""
    numbers: dict[str, str] = {}

    def count(match: re.Match[str]) -> str:
        return match[1] + numbers.setdefault(match[0], f"{len(numbers) + 1:06x}")

    counted = _RANDOM_ID.sub(count, text)
    for found, number in numbers.items():
        # A row's key ends in the digits too, and a request with a key remembers them.
        counted = re.sub(f'(?<=["-]){found[-6:]}"', f'{number}"', counted)
    return counted


def main() -> None:
    """Record this version's histories and rows in the place of those that are there."""
    parser = argparse.ArgumentParser(
        prog="python -m local.recording", description="Record histories and rows of this version"
    )
    parser.add_argument("--into", type=Path, default=REPLAY / default_version(), help="the folder (tests/replay/…)")
    parser.add_argument("--stories", type=int, metavar="N", help="tell the stories of N random deployments instead")
    options = parser.parse_args()
    if options.stories:
        _tell_stories(options.stories)
        return
    folder: Path = options.into
    record(folder)
    if folder.resolve().parent == REPLAY:
        note(folder.name, folder)
    files = list(folder.glob("*.json"))
    print(f"{folder}: {len(files)} files, {sum(file.stat().st_size for file in files)} bytes")


def _tell_stories(seeds: int) -> None:
    # The random deployments are played with parts of this module.
    from local.soak.stories import write_stories

    path = Path(gettempdir()) / f"stories-{seeds}.txt"
    print(f"{write_stories(seeds, path)}  {path}")


if __name__ == "__main__":
    main()
