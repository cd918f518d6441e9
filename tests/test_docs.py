"""The documents say what the code does."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from pathlib import Path

from rollout.codec import encode
from rollout.deployment import Parameters
from settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_readme_lists_every_setting_with_its_default() -> None:
    for field in dataclasses.fields(Settings):
        default = field.default
        shown = str(round(default.total_seconds())) if isinstance(default, timedelta) else str(default)
        cell = f"`{shown}`" if shown else ""
        assert f"| `{field.metadata['variable']}` | {cell} | {field.metadata['help']} |" in README


def test_readme_lists_every_parameter_with_its_default() -> None:
    defaults = {name: value for name, value in encode(Parameters("")).items() if isinstance(value, int)}
    for name, value in defaults.items():
        assert f"| `{name}` | {value} |" in README
    rows = set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE))
    assert set(encode(Parameters(""))) <= rows


def test_every_link_between_documents_leads_somewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert broken == []


def test_readme_names_no_document_or_folder_that_is_not_there() -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_.]*|[a-z_]+\.py)`", README)
    assert [name for name in named if not (ROOT / name).exists()] == []
