"""Who may import whom: the table of docs/architecture.md, held against the code."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: What is deployed, but for the composition root and the settings.
PACKAGES = ("rollout", "orchestrators", "services", "activities", "adapters", "api", "triggers")


@dataclass(frozen=True)
class Room:
    """A row of the table: what the modules of a package may import besides the standard library and themselves.

    ``exceptions`` are the files, and only those, that may import more.
    """

    name: str
    may: tuple[str, ...]
    exceptions: dict[str, tuple[str, ...]]


def rooms() -> Iterator[Room]:
    """The rows of the table."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.partition("## Who may import whom")[2].partition("\n## ")[0]
    for name, may, more in re.findall(r"^\| `([\w.]+)` \| (.+?) \| (.*?) ?\|$", table, re.MULTILINE):
        exceptions = {file: tuple(_names(names)) for file, names in re.findall(r"([\w/]+\.py): ([^;]+)", more)}
        yield Room(name, tuple(_names(may)), exceptions)


def _names(cell: str) -> list[str]:
    return re.findall(r"`([\w.]+)`", cell)


ROOMS = tuple(rooms())


def imports(path: Path) -> Iterator[str]:
    """The modules that a file names in its imports, at whatever depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


def within(module: str, allowed: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in allowed)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def files_of(room: Room) -> list[Path]:
    """The files of a room that are in no room within it."""
    inner = tuple(other.name for other in ROOMS if other.name.startswith(f"{room.name}."))
    folder = ROOT.joinpath(*room.name.split("."))
    return [path for path in sorted(folder.rglob("*.py")) if not within(module_of(path), inner)]


def room_of(module: str) -> str:
    """The innermost room that a module is in; empty where it is in none."""
    return max((room.name for room in ROOMS if within(module, (room.name,))), key=len, default="")


def allowed(module: str, names: tuple[str, ...]) -> bool:
    """Whether a module is in one of these rooms, packages or libraries. A room does not stand for those within it."""
    room = room_of(module)
    if room in names:
        return True
    within_another = room.split(".")[0] in {each.name for each in ROOMS}
    return not within_another and within(module, names)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_imports_what_the_table_says(room: Room) -> None:
    files = files_of(room)
    assert files
    strangers = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files
        for module in imports(path)
        if module.split(".")[0] not in sys.stdlib_module_names
        and room_of(module) != room.name
        and not allowed(module, (*room.may, *room.exceptions.get(path.name, ())))
    ]
    assert strangers == []


def test_every_package_is_in_a_room_of_the_table() -> None:
    assert {room.name.split(".")[0] for room in ROOMS} == set(PACKAGES)
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py"]
    assert [str(path) for path in paths if not room_of(module_of(path))] == []


def test_every_arrow_of_the_table_is_gone_along() -> None:
    unused = [
        f"{room.name} → {name}"
        for room in ROOMS
        for name in room.may
        if not any(allowed(module, (name,)) for path in files_of(room) for module in imports(path))
    ]
    assert unused == []


def test_nobody_imports_local_or_the_composition_root_but_local() -> None:
    deployed = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")] + [ROOT / "settings.py"]
    assert [str(path) for path in deployed if any(within(m, ("local", "function_app")) for m in imports(path))] == []
    assert not any(within(module, ("local",)) for module in imports(ROOT / "function_app.py"))


def test_the_core_has_no_clock_and_no_io() -> None:
    forbidden = {"asyncio", "logging", "os", "random", "secrets", "socket", "time", "uuid", "urllib"}
    found = {
        f"{p.name}: {m}" for p in (ROOT / "rollout").rglob("*.py") for m in imports(p) if m.split(".")[0] in forbidden
    }
    recipes = {f"{p.name}: {m}" for p in (ROOT / "orchestrators").rglob("*.py") for m in imports(p) if m in forbidden}
    assert found | recipes == set()
