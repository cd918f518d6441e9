"""The two storages, by one contract; and what only a file can do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.state import MemoryState, StateFile, Storage


@pytest.fixture(params=["memory", "file"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    make: Callable[[], Storage] = MemoryState if request.param == "memory" else lambda: StateFile(tmp_path / "state.db")
    made = make()
    yield made
    made.close()


def test_an_unknown_space_is_empty(storage: Storage) -> None:
    assert storage.load("nothing") == {}


def test_what_is_saved_is_loaded_in_the_order_of_its_keys(storage: Storage) -> None:
    storage.save("space", {"b": [1, {"x": None}], "a": "text"})
    storage.save("space", {"c": 0, "b": False})
    assert list(storage.load("space").items()) == [("a", "text"), ("b", False), ("c", 0)]


def test_none_deletes(storage: Storage) -> None:
    storage.save("space", {"a": 1, "b": 2})
    storage.save("space", {"a": None, "unknown": None})
    assert storage.load("space") == {"b": 2}


def test_spaces_are_apart(storage: Storage) -> None:
    storage.save("one", {"a": 1})
    storage.save("two", {"a": 2})
    assert (storage.load("one"), storage.load("two")) == ({"a": 1}, {"a": 2})


def test_what_is_saved_is_not_shared_with_who_saved_it(storage: Storage) -> None:
    value = {"list": [1]}
    storage.save("space", {"a": value})
    value["list"].append(2)
    storage.load("space")["a"]["list"].append(3)
    assert storage.load("space") == {"a": {"list": [1]}}


def test_a_save_that_fails_changes_nothing(storage: Storage) -> None:
    storage.save("space", {"a": 1})
    with pytest.raises(TypeError):
        storage.save("space", {"a": 2, "b": {1, 2}})
    assert storage.load("space") == {"a": 1}


def test_a_file_is_read_by_the_next_state(tmp_path: Path) -> None:
    first = StateFile(tmp_path / "state.db")
    first.save("space", {"a": 1})
    first.close()
    second = StateFile(tmp_path / "state.db")
    assert second.load("space") == {"a": 1}
    second.close()


def test_a_killed_process_leaves_whole_saves(tmp_path: Path) -> None:
    """The other process saves pairs for ever and says so; killed at any moment, the pair in the file is a pair."""
    path = tmp_path / "state.db"
    code = (
        "import itertools, sys; from local.state import StateFile; state = StateFile(sys.argv[1])\n"
        "for number in itertools.count(1):\n"
        "    state.save('space', {'left': number, 'right': number, 'padding': 'x' * 50_000})\n"
        "    print(number, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [int(process.stdout.readline()) for _ in range(30)]
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split("\n")
    process.wait()
    process.stdout.close()
    last = max([said[-1], *(int(json.loads(line)) for line in rest if line)])
    state = StateFile(path)
    left, right = (state.load("space")[key] for key in ("left", "right"))
    state.close()
    assert left == right >= last
