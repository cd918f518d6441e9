"""The key of a start: the same whenever the same job asks for the same, and another one otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from teal_cli.environment import Pipeline
from teal_cli.wait.keys import attempt_key, start_key

RUN = Pipeline("github", "42", "o/r/deploy.yml/deploy", "1", "0123", "o/r")
BODY = {"image": "1.1.0", "batchSize": 2}


def test_a_key_is_that_of_its_job_in_every_attempt() -> None:
    again = replace(RUN, attempt="2")
    assert start_key(RUN, "", "web", BODY) == start_key(again, "", "web", dict(reversed(BODY.items())))
    assert attempt_key("k", RUN) == "k"
    assert attempt_key("k", again) == "k-attempt-2"
    assert attempt_key("k", None) == "k"


@pytest.mark.parametrize(
    "other",
    [
        start_key(replace(RUN, provider="azure"), "", "web", BODY),
        start_key(replace(RUN, run="43"), "", "web", BODY),
        start_key(replace(RUN, job="other"), "", "web", BODY),
        start_key(RUN, "matrix", "web", BODY),
        start_key(RUN, "", "api", BODY),
        start_key(RUN, "", "web", {**BODY, "image": "1.2.0"}),
        start_key(None, "", "web", BODY),
    ],
)
def test_whatever_differs_makes_another_key(other: str) -> None:
    assert other != start_key(RUN, "", "web", BODY)
    assert len(other) < 255
    assert other.isascii()
    assert other.isprintable()
