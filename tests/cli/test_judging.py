"""What an answer means."""

from __future__ import annotations

import pytest

from teal_cli.api.judging import Answer, Verdict, backoff, judge


def answer(status: int, code: str = "", version: str | None = "0.1.0") -> Answer:
    body = {"error": {"code": code, "message": "why"}} if code else {"id": "x"} if status < 300 else None
    return Answer(status, version, body)


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (answer(200), Verdict.TAKE),
        (answer(202), Verdict.TAKE),
        (answer(304), Verdict.TAKE),
        (answer(304, version=None), Verdict.STRANGER),
        (answer(422, "preflightFailed"), Verdict.REFUSED),
        (answer(404, "deploymentNotFound"), Verdict.REFUSED),
        (answer(403, "roleMissing"), Verdict.REFUSED),
        (answer(409, "deploymentInProgress"), Verdict.REFUSED),
        (answer(409, "requestInProgress"), Verdict.AGAIN),
        (answer(401, version=None), Verdict.RENEW),
        (answer(401, "unauthenticated"), Verdict.RENEW),
        (answer(429, version=None), Verdict.AGAIN),
        (answer(500, "internalError"), Verdict.AGAIN),
        (answer(503, "azureBusy"), Verdict.AGAIN),
        # A host that starts, or a gateway before it.
        (answer(404, version=None), Verdict.AGAIN),
        (answer(502, version=None), Verdict.AGAIN),
        (answer(503, version=None), Verdict.AGAIN),
        # Somebody else's.
        (answer(200, version=None), Verdict.STRANGER),
        (answer(302, version=None), Verdict.STRANGER),
        (answer(400, version=None), Verdict.STRANGER),
        (Answer(200, "0.1.0", None), Verdict.STRANGER),
    ],
)
def test_the_verdict_on_an_answer(given: Answer, verdict: Verdict) -> None:
    said, reason = judge(given)
    assert said is verdict
    assert bool(reason) == (verdict is not Verdict.TAKE)


def test_tries_come_more_and_more_rarely_and_as_the_server_says() -> None:
    assert [backoff(tries, 1.0, None) for tries in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff(0, 1.0, 15.0) == 15.0
    assert backoff(0, 1.0, 86400.0) == 120.0
    assert backoff(5000, 1.0, None) == 30.0
