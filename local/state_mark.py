"""Which version of Teal wrote a state file, and whether this one can go on from it.

A state file holds histories, and only recipes that go the ways of those that wrote them can replay them. How each
version's go is recorded (``tests/replay``), and ``make histories`` notes in ``recipes.json`` what that comes to. A file
is marked with its writer's version and note; where ``recipes.json`` does not have the two, the recipes go other ways
now, or they are a later version's.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from local.durable.options import HostJson
from local.state import StateFile, Storage
from rollout.model.codec import decode, encode

ROOT = Path(__file__).resolve().parents[1]

#: By version, what its recorded histories and rows come to.
NOTES = Path(__file__).with_name("recipes.json")


class StateError(Exception):
    """A state file that the platform cannot go on from."""


@dataclass(frozen=True)
class Mark:
    """Who writes a state file: the version, and how its recipes go."""

    version: str
    recipes: str

    def __str__(self) -> str:
        return f"{self.version} (recipes {self.recipes})"


def open_state(path: Path) -> StateFile:
    """The state in the file, marked as this version's. ``StateError``: this version cannot go on from it."""
    try:
        state = StateFile(path)
    except sqlite3.DatabaseError as error:
        raise StateError(f"{path} is no state file: {error}") from error
    try:
        _mark(state, path)
    except BaseException:
        state.close()
        raise
    return state


def _mark(storage: Storage, path: Path) -> None:
    """Nothing is written into a file that is refused."""
    known = notes()
    version = HostJson.read(ROOT / "host.json").default_version or ""
    own = Mark(version, known[version])
    saved = storage.load("platform")
    if "writer" in saved:
        writer = decode(Mark, saved["writer"])
        if known.get(writer.version) != writer.recipes:
            raise _refusal(path, f"Teal {writer}", own)
    elif saved or storage.load("azure"):
        raise _refusal(path, f"a version before Teal {own}, which left no mark", own)
    storage.save("platform", {"writer": encode(own)})


def _refusal(path: Path, writer: str, own: Mark) -> StateError:
    return StateError(f"{path} was written by {writer}; Teal {own} cannot go on from it: give --state another file")


def notes() -> dict[str, str]:
    """What is noted of each version."""
    known: dict[str, str] = json.loads(NOTES.read_text(encoding="utf-8"))
    return known


def note(version: str, folder: Path) -> None:
    """Note what has been recorded of a version: state files that its recipes wrote before are refused from now on."""
    NOTES.write_text(json.dumps(notes() | {version: digest(folder)}, indent=2) + "\n", encoding="utf-8")


def digest(folder: Path) -> str:
    """What the recorded histories and rows of a folder come to, in twelve digits."""
    whole = hashlib.sha256()
    for path in sorted(folder.glob("*.json")):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:12]
