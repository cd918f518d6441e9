"""Who may import whom: the table of docs/architecture.md, held against the code."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Rule:
    """What the modules of a package may import besides the standard library and themselves.

    ``exceptions`` are the files, and only those, that may import more.
    """

    package: str
    may: tuple[str, ...]
    exceptions: dict[str, tuple[str, ...]]


RULES = (
    Rule("rollout", (), {}),
    Rule("orchestrators", ("rollout",), {"steps.py": ("azure.durable_functions",)}),
    Rule("groundwork", ("rollout",), {}),
    Rule("activities", ("rollout", "groundwork"), {}),
    Rule("adapters", ("rollout", "settings", "azure"), {}),
    Rule(
        "api",
        ("rollout", "groundwork", "settings", "pydantic", "pydantic_core"),
        {"doors.py": ("azure.functions", "azure.durable_functions"), "calendar.py": ("cronsim",)},
    ),
)


def imports(path: Path) -> Iterator[str]:
    """The modules that a file names in its imports, at whatever depth."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


def within(module: str, allowed: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in allowed)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.package)
def test_a_package_imports_what_the_table_says(rule: Rule) -> None:
    files = sorted((ROOT / rule.package).rglob("*.py"))
    assert files
    strangers = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files
        for module in imports(path)
        if module.split(".")[0] not in sys.stdlib_module_names
        and not within(module, (rule.package, *rule.may, *rule.exceptions.get(path.name, ())))
    ]
    assert strangers == []


def test_nobody_imports_local_or_the_composition_root_but_local() -> None:
    deployed = [path for rule in RULES for path in (ROOT / rule.package).rglob("*.py")] + [ROOT / "settings.py"]
    assert [str(path) for path in deployed if any(within(m, ("local", "function_app")) for m in imports(path))] == []
    assert not any(within(module, ("local",)) for module in imports(ROOT / "function_app.py"))


def test_the_documented_table_is_this_one() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    for rule in RULES:
        allowed = ", ".join(f"`{name}`" for name in rule.may) or "nothing"
        more = "; ".join(f"{file}: {', '.join(f'`{n}`' for n in names)}" for file, names in rule.exceptions.items())
        assert f"| `{rule.package}` | {allowed} | {more} |" in text


def test_the_core_has_no_clock_and_no_io() -> None:
    forbidden = {"asyncio", "logging", "os", "random", "secrets", "socket", "time", "uuid", "urllib"}
    found = {
        f"{p.name}: {m}" for p in (ROOT / "rollout").rglob("*.py") for m in imports(p) if m.split(".")[0] in forbidden
    }
    recipes = {f"{p.name}: {m}" for p in (ROOT / "orchestrators").rglob("*.py") for m in imports(p) if m in forbidden}
    assert found | recipes == set()
