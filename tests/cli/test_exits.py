"""One table of exit codes makes the help and the docs, and every refusal of the API has its place in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from teal_cli.exits import MEANINGS, OF_STATUS, Exit, help_text, markdown, of_refusal

ROOT = Path(__file__).parents[2]


def test_every_code_has_a_meaning_and_the_help_shows_it() -> None:
    assert set(MEANINGS) == set(Exit)
    assert all(f"{code.value:>3}  {meaning.says}" in help_text() for code, meaning in MEANINGS.items())


def test_the_docs_have_the_table() -> None:
    assert markdown() in (ROOT / "docs" / "command.md").read_text()


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (400, "invalidValue", Exit.USAGE),
        (404, "groupNotFound", Exit.USAGE),
        (413, "bodyTooLarge", Exit.USAGE),
        (415, "unsupportedMediaType", Exit.USAGE),
        (422, "idempotencyKeyReused", Exit.USAGE),
        (422, "preflightFailed", Exit.REFUSED),
        (422, "azureRefused", Exit.REFUSED),
        (409, "deploymentInProgress", Exit.CONFLICT),
        (412, "whatever", Exit.CONFLICT),
        (401, "", Exit.NOT_ALLOWED),
        (403, "roleMissing", Exit.NOT_ALLOWED),
        (500, "internalError", Exit.NO_ANSWER),
        (503, "azureBusy", Exit.NO_ANSWER),
    ],
)
def test_a_refusal_has_its_code(status: int, code: str, exit_code: Exit) -> None:
    assert of_refusal(status, code) is exit_code


def test_the_ends_are_those_of_the_api() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    status = document["components"]["schemas"]["Deployment"]["properties"]["status"]
    known = status.get("x-known-values") or document["components"]["schemas"]["Status"]["x-known-values"]
    assert set(OF_STATUS) <= set(known)
    assert set(known) - set(OF_STATUS) == {
        *("queued", "pending", "inProgress", "paused", "awaitingApproval", "baking", "stopping", "rollingBack")
    }
