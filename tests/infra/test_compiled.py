"""The Bicep files as the real compiler sees them, and as far as a parser does where there is none."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_bicep

from infra.check import INFRA, MISSING, bicep_files, compiler, complaints, difference, examples, unreached


@pytest.fixture(name="bicep")
def bicep_fixture() -> str:
    """The compiler; without one the test is skipped."""
    found = compiler()
    if found is None:
        pytest.skip(MISSING)
    return found


@pytest.mark.slow
def test_the_compiler_and_its_linter_say_nothing(bicep: str) -> None:
    assert complaints(bicep) == []


@pytest.mark.slow
@pytest.mark.parametrize("example", examples(), ids=lambda path: path.stem)
def test_what_would_be_deployed_is_what_was_kept(bicep: str, example: Path) -> None:
    assert difference(bicep, example) == []


@pytest.mark.slow
def test_the_check_sees_what_is_wrong(bicep: str, tmp_path: Path) -> None:
    (tmp_path / "bicepconfig.json").write_text((INFRA / "bicepconfig.json").read_text())
    (tmp_path / "wrong.bicep").write_text("param unused string\noutput where string = 'https://management.azure.com'\n")
    ran = subprocess.run([bicep, "lint", str(tmp_path / "wrong.bicep")], capture_output=True, text=True)
    assert "no-unused-params" in ran.stderr
    assert "no-hardcoded-env-urls" in ran.stderr
    assert ran.returncode != 0


@pytest.mark.parametrize("source", bicep_files(), ids=lambda path: path.name)
def test_every_file_can_be_parsed(source: Path) -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
    root = parser.parse(source.read_bytes()).root_node
    assert not root.has_error


def test_the_template_comes_to_every_file() -> None:
    assert unreached() == set()
    assert INFRA / "modules" / "app.bicep" in unreached(INFRA / "types.bicep")


def test_the_compiled_template_is_not_kept() -> None:
    assert sorted(path.name for path in INFRA.rglob("*.json") if not path.name.endswith(".snapshot.json")) == [
        "abbreviations.json",
        "actions.json",
        "bicepconfig.json",
        "main.parameters.json",
    ]


def test_one_rule_is_off_and_one_property_is_excused() -> None:
    lines = [line.strip() for line in (INFRA / "bicepconfig.json").read_text().splitlines()]
    rules = json.loads("\n".join(line for line in lines if not line.startswith("//")))["analyzers"]["core"]["rules"]
    assert [name for name, rule in rules.items() if rule["level"] != "error"] == ["what-if-short-circuiting"]
    excused = [line.strip() for file in bicep_files() for line in file.read_text().splitlines() if "#disable" in line]
    assert excused == [
        "#disable-next-line BCP037 // API 2025-05-01 has the type, which the compiler does not know yet",
        "#disable-next-line no-explicit-any // the API checks it, and says what is wrong",
    ]
