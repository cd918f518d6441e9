"""Rooms and words: how many modules lie beside each other, and that a name means one thing."""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ("rollout", "orchestrators", "services", "activities", "adapters", "api", "triggers", "local", "bench")
MOVED = ROOT / "docs" / "moved.md"


def product() -> Iterator[Path]:
    for package in PRODUCT:
        yield from (ROOT / package).rglob("*.py")
    yield from ROOT.glob("*.py")


def test_no_folder_has_more_than_22_modules_beside_each_other() -> None:
    folders = defaultdict[str, int](int)
    beside = (path for room in ("cli", "infra") for path in (ROOT / room).rglob("*.py"))
    for path in (*product(), *beside, *(ROOT / "tests").rglob("test_*.py")):
        if path.name != "__init__.py":
            folders[str(path.parent.relative_to(ROOT))] += 1
    assert {folder: modules for folder, modules in folders.items() if modules > 22} == {}


def test_no_two_public_classes_have_one_name() -> None:
    found = defaultdict[str, list[str]](list)
    for path in product():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_nothing_is_exported_again() -> None:
    again = [
        f"{path.relative_to(ROOT)}: {alias.name}"
        for path in product()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    ]
    assert again == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("local.__main__", "main"),
        ("local.virtual", "VirtualPlatform"),
        ("local.clock", "run_virtual"),
        ("local.azure.world", "load_world"),
        ("local.azure.world", "parse_world"),
        ("local.azure.world", "demo_world"),
        ("local.azure.real_input", "world_of_scale_set"),
        ("local.durable.timestamps", "fast_timestamps"),
    ],
)
def test_what_others_import_stays_where_it_is(module: str, name: str) -> None:
    assert callable(getattr(importlib.import_module(module), name))


def test_every_moved_module_is_where_the_table_says_and_no_more_where_it_was() -> None:
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \|$", MOVED.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 200
    assert [old for old, _ in rows if (ROOT / old).exists()] == []
    assert [new for _, new in rows if not (ROOT / new).exists()] == []


def test_tests_lie_as_what_they_test_does() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    themes = {"stories", "contract", "replay", "dashboard", "cli", "infra", "scripts", "bench"}
    strays = [str(one) for one in folders if one.parts and one.parts[0] not in themes and not (ROOT / one).is_dir()]
    assert strays == []


def test_modules_of_the_app_begin_with_what_they_are_or_do() -> None:
    indirect = ("What", "Whether", "As", "So", "Of")
    app = [path for room in PRODUCT[:7] for path in (ROOT / room).rglob("*.py")]
    first = {str(path.relative_to(ROOT)): ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "" for path in app}
    assert {name: words for name, words in first.items() if words.split(" ")[0] in indirect} == {}
