"""The documents say what the code does."""

from __future__ import annotations

import ast
import dataclasses
import re
from datetime import timedelta
from pathlib import Path

from local.virtual.checkers import CHECKERS, checker_name
from rollout.model.codec import camel_case, encode
from rollout.model.parameters import Parameters
from rollout.model.request import StartRequest
from settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def document(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_readme_is_short() -> None:
    assert len(README.split()) <= 900


def test_readme_counts_the_random_runs_and_promises_that_there_were() -> None:
    asked = dict(re.findall(r"(\w+) (\d+)", re.findall(r"\n    checks: (.*)\n", document("performance.md"))[-1]))
    promises = re.findall(r"\| \[`(\w+)`\]\((\S+?)\) \| ([\d,]+) \|", README)
    assert {name: count.replace(",", "") for name, _, count in promises} == {name: asked[name] for name, *_ in promises}
    names = {checker_name(checker): checker for checker in CHECKERS}
    for name, path, _ in promises:
        assert names[name].__code__.co_filename == str(ROOT / path)
    assert f"; {len(CHECKERS) - len(promises)} promises more" in README


def test_every_document_is_in_the_index() -> None:
    listed = set(re.findall(r"\]\(([a-z_/]+\.md|adr/)", document("README.md")))
    there = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert there - listed == set()


def test_every_setting_is_listed_with_its_default() -> None:
    for field in dataclasses.fields(Settings):
        default = field.default
        shown = str(round(default.total_seconds())) if isinstance(default, timedelta) else str(default)
        cell = f"`{shown}`" if shown else ""
        told = field.metadata
        assert told["counts"].startswith("from the ")
        assert f"| `{told['variable']}` | {cell} | {told['help']} | {told['counts']} |" in document("settings.md")


def test_every_parameter_is_listed_with_its_default() -> None:
    listed = document("deploying.md")
    defaults = {
        name: value
        for name, value in encode(Parameters("")).items()
        if isinstance(value, int) and not isinstance(value, bool)
    }
    defaults.pop("allocationTimeout")  # the grace period's
    for name, value in defaults.items():
        assert f"| `{name}` | {value} |" in listed
    rows = set(re.findall(r"^\| `(\w+)` \|", listed, re.MULTILINE))
    assert {camel_case(field.name) for field in dataclasses.fields(StartRequest)} <= rows


def test_every_link_between_documents_leads_somewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert broken == []


def headings(path: Path) -> set[str]:
    """What a link into a document may name: its headings, as GitHub names them."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def test_every_link_into_a_document_leads_to_a_heading() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{path.relative_to(ROOT)}: {target}#{anchor}"
        for path in documents
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", path.read_text(encoding="utf-8"))
        if anchor not in headings((path.parent / target) if target else path)
    ]
    assert broken == []


def test_readme_names_no_document_or_folder_that_is_not_there() -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_.]*|[a-z_]+\.py)`", README)
    assert [name for name in named if not (ROOT / name).exists()] == []


def failure_codes() -> set[str]:
    """The codes that a failed step or a lost deployment gets, read from the calls of ``failed`` and ``Problem``."""
    found = set()
    for folder in ("activities", "orchestrators", "rollout"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                    continue
                first = node.args[0]
                if node.func.id in ("failed", "Problem") and isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def test_every_failure_code_is_explained_with_what_to_do() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| (`.+?`) \| .+ \| .+ \|$", text, re.MULTILINE)
    documented = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    codes = failure_codes()
    assert {"batchUnhealthy", "groupUnhealthy", "orchestratorLost"} <= codes
    assert codes - documented == set()


def test_the_readme_shows_every_picture() -> None:
    pictures = {f"docs/pictures/{path.name}" for path in (ROOT / "docs" / "pictures").iterdir()}
    assert pictures <= set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README))
    assert sum((ROOT / picture).stat().st_size for picture in pictures) < 1_000_000
