"""What the docs and the recipes call is there: every command and option that they name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from teal_cli.app import app

ROOT = Path(__file__).parents[2]
COMMANDS: dict[str, Any] = dict(getattr(get_command(app), "commands"))  # noqa: B009 - the type is typer's own
OPTIONS = {
    option for command in COMMANDS.values() for one in command.params for option in one.opts + one.secondary_opts
}

FILES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(path for path in (ROOT / "pipelines").rglob("*") if path.suffix in (".sh", ".yml", ".hcl", ".tf")),
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_commands_and_options_that_are_named_are_there(path: Path) -> None:
    text = path.read_text()
    calls = re.findall(r"(?:^|[`$] ?|exec |--from \./cli )teal ([a-z][a-z-]*)([^`\n#|]*)", text, re.MULTILINE)
    assert [name for name, _ in calls if name not in COMMANDS] == []
    named = {option for _, rest in calls for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", rest)}
    assert named - OPTIONS == set()


def test_the_docs_name_every_command() -> None:
    text = (ROOT / "docs" / "command.md").read_text()
    assert [name for name in COMMANDS if not re.search(rf"\b{name}\b", text)] == []
