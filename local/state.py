"""What the local platform keeps when its process ends: named spaces of JSON values under text keys.

``MemoryState`` keeps it for as long as the object lives (a new host on the same object sees what the killed one had
saved); ``StateFile`` keeps it in one SQLite file. A ``save`` is one transaction: a process killed with ``kill -9`` has
saved all of it or nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

#: Any JSON value, as ``json.loads`` returns it.
Json = Any


class Storage(Protocol):
    """Spaces of JSON values under text keys."""

    def load(self, space: str) -> dict[str, Json]:
        """Everything in ``space``, in the order of its keys."""

    def save(self, space: str, changes: Mapping[str, Json | None]) -> None:
        """Set the keys of ``changes`` in one step; ``None`` deletes a key."""

    def close(self) -> None:
        """Let go of what the storage holds open."""


class MemoryState:
    """A ``Storage`` in memory. Values are kept as text, so that nothing is shared with those who saved them."""

    def __init__(self) -> None:
        self._spaces: dict[str, dict[str, str]] = {}

    def load(self, space: str) -> dict[str, Json]:
        return {key: json.loads(text) for key, text in sorted(self._spaces.get(space, {}).items())}

    def save(self, space: str, changes: Mapping[str, Json | None]) -> None:
        # All is made text before anything is changed: a value that is no JSON must not leave half a save behind.
        texts = {key: None if value is None else json.dumps(value) for key, value in changes.items()}
        values = self._spaces.setdefault(space, {})
        for key, text in texts.items():
            if text is None:
                values.pop(key, None)
            else:
                values[key] = text

    def close(self) -> None:
        """Nothing is held open."""


class StateFile:
    """A ``Storage`` in one SQLite file at ``path``, made if it does not exist.

    The write-ahead log is not synced at every commit: a killed process loses nothing, a power cut may lose the newest
    commits, but never a part of one (https://www.sqlite.org/pragma.html#pragma_synchronous).
    """

    def __init__(self, path: Path | str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS state"
            " (space TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID"
        )

    def load(self, space: str) -> dict[str, Json]:
        rows = self._connection.execute("SELECT key, value FROM state WHERE space = ? ORDER BY key", (space,))
        return {key: json.loads(value) for key, value in rows}

    def save(self, space: str, changes: Mapping[str, Json | None]) -> None:
        texts = [(space, key, json.dumps(value)) for key, value in changes.items() if value is not None]
        deleted = [(space, key) for key, value in changes.items() if value is None]
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", texts)
            self._connection.executemany("DELETE FROM state WHERE space = ? AND key = ?", deleted)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
