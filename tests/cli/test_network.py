"""What goes wrong between the command and Teal, and what the command makes of it."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import register, serve, world
from tests.cli.front import DROP, Front, Reply, Request
from tests.cli.running import Started, Teal

pytestmark = pytest.mark.slow

SECRET = "s3cr3t-k3y"


def in_turn(*replies: Reply | None) -> Callable[[Request], Reply | None]:
    """These, one after the other, and then what Teal says."""
    left = list(replies)
    return lambda request: left.pop(0) if left else None


def test_without_a_server_it_is_10_within_the_timeout(teal: Teal) -> None:
    began = time.monotonic()
    ran = teal.given(TEAL_URL="http://127.0.0.1:9")("status", "--timeout", "1s")
    assert ran.code == 10
    assert time.monotonic() - began < 5
    assert "connection refused" in ran.err
    waits = teal.given(TEAL_URL="http://127.0.0.1:9")("watch", "web-20261123T081500Z-1a2b3c", "--timeout", "1s")
    assert (waits.code, "web-20261123T081500Z-1a2b3c" in waits.err) == (10, True)


def test_whatever_goes_wrong_on_the_way_does_not_end_the_wait(teal: Teal, group: str, front: Front) -> None:
    trouble = (
        Reply(404),
        Reply(503, headers={"Content-Type": "text/html"}),
        Reply(502),
        DROP,
        Reply(429, headers={"Retry-After": "1"}),
        Reply(
            500, {"error": {"code": "internalError", "message": "a fault", "details": []}}, {"x-teal-version": "0.1.0"}
        ),
        Reply(503, {"error": {"code": "azureBusy", "message": "busy", "details": []}}, {"x-teal-version": "0.1.0"}),
    )
    front.rule = in_turn(*(one for reply in trouble for one in (reply, None)))
    ran = teal.given(TEAL_URL=front.url)("deploy", group, "--image", "1.1.0", "--wait", "--output", "json")
    assert (ran.code, ran.record["status"]) == (0, "finished"), ran.err
    assert "the app is not up yet (404 of its host); trying again" in ran.err
    assert "the connection was lost; trying again" in ran.err
    starts = {request.headers["idempotency-key"] for request in front.asked("POST", "/deployments")}
    assert len(starts) == 1, "every try of the start has the same key"
    assert len(teal.newest(group)) == 1


def test_a_start_whose_answer_is_lost_starts_one_deployment(teal: Teal, group: str, front: Front) -> None:
    """The request arrives, and the answer does not."""
    lost: list[Request] = []

    def lose(request: Request) -> Reply | None:
        if request.method == "POST" and not lost:
            lost.append(request)
            front.forward(request)
            return DROP
        return None

    front.rule = lose
    ran = teal.given(TEAL_URL=front.url)("deploy", group, "--image", "1.1.0", "--wait")
    assert (ran.code, len(lost)) == (0, 1), ran.err
    assert len(teal.newest(group)) == 1


def test_a_deployment_that_was_started_is_named_where_no_answer_comes_any_more(
    teal: Teal, group: str, front: Front
) -> None:
    front.rule = lambda request: Reply(503) if request.method == "GET" else None
    ran = teal.given(TEAL_URL=front.url)("deploy", group, "--image", "1.1.0", "--wait", "--timeout", "3s")
    assert ran.code == 10, ran.err
    assert f"Deployment {group}-" in ran.err
    assert "was started, and goes on" in ran.err


def test_a_wrong_key_is_9_and_is_not_shown(teal: Teal, group: str, front: Front) -> None:
    def check(request: Request) -> Reply | None:
        known = request.headers.get("x-functions-key") == "good" or request.path == "/api/health"
        return None if known else Reply(401)

    front.rule = check
    wrong = teal.given(TEAL_URL=front.url, TEAL_KEY=f" {SECRET}\n")
    for arguments in (("status", "--verbose"), ("deploy", group, "--image", "1.1.0"), ("doctor",)):
        ran = wrong(*arguments)
        assert ran.code == 9, ran.err
        assert SECRET not in ran.out + ran.err
    assert {one.headers["x-functions-key"] for one in front.seen} == {SECRET}, "without the blanks and the line end"
    assert teal.given(TEAL_URL=front.url)("status").code == 9
    assert teal.given(TEAL_URL=front.url, TEAL_KEY="good")("status").code == 0
    broken = teal.given(TEAL_KEY=f"two\nlines-{SECRET}")("status")
    assert (broken.code, SECRET in broken.err) == (2, False)


def test_what_is_not_teal_is_told(teal: Teal, front: Front) -> None:
    other = teal.given(TEAL_URL=front.url)
    front.rule = lambda request: Reply(200, {"hello": "world"})
    assert "is not Teal" in other("status").err
    front.rule = lambda request: Reply(302, headers={"Location": "https://login.example/"})
    ran = other("status")
    assert (ran.code, "sign in" in ran.err) == (9, True)


@contextmanager
def az(folder: Path) -> Iterator[tuple[Path, Path]]:
    """An ``az`` that hands out the token in a file, and notes each call."""
    program, token, calls = folder / "az", folder / "token", folder / "calls"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {calls}\n'
        f'printf \'{{"accessToken": "%s", "expires_on": %s}}\' "$(cat {token})" "$(($(date +%s) + 3600))"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    yield token, calls


def test_a_token_that_expires_in_the_middle_is_renewed_once(
    teal: Teal, group: str, front: Front, tmp_path: Path
) -> None:
    with az(tmp_path) as (token, calls):
        good = ["first"]
        token.write_text("first")

        def check(request: Request) -> Reply | None:
            if "include=events" in request.path and good == ["first"]:
                good[:] = ["second"]
                token.write_text("second")
            return None if request.headers.get("authorization") == f"Bearer {good[0]}" else Reply(401)

        front.rule = check
        path = f"{tmp_path}:{os.environ['PATH']}"
        asks = teal.given(TEAL_URL=front.url, TEAL_RESOURCE="api://teal", PATH=path)
        ran = asks("deploy", group, "--image", "1.1.0", "--wait")
        assert ran.code == 0, ran.err
        assert calls.read_text().splitlines() == ["account get-access-token --resource api://teal --output json"] * 2
        good[:] = ["third"]
        refused = asks("status", group)
        assert refused.code == 9, "a fresh token is refused: not allowed"
        assert "second" not in refused.err


def test_a_pipeline_s_own_id_token_is_exchanged(teal: Teal, front: Front) -> None:
    def provide(request: Request) -> Reply | None:
        if request.path.startswith("/github"):
            assert "audience=api%3A%2F%2FAzureADTokenExchange" in request.path
            return Reply(200, {"value": "id-token"} if request.headers["authorization"] == "Bearer run" else {})
        if request.path.startswith("/azure"):
            assert (request.method, "serviceConnectionId=conn" in request.path) == ("POST", True)
            return Reply(200, {"oidcToken": "id-token"})
        if request.path == "/tenant/oauth2/v2.0/token":
            assert b"client_assertion=id-token" in request.body
            assert b"scope=api%3A%2F%2Fteal%2F.default" in request.body
            return Reply(200, {"access_token": "exchanged", "expires_in": 3600})
        return None if request.headers.get("authorization") == "Bearer exchanged" else Reply(401)

    front.rule = provide
    login = {
        "TEAL_URL": front.url,
        "TEAL_RESOURCE": "api://teal",
        "AZURE_CLIENT_ID": "client",
        "AZURE_TENANT_ID": "tenant",
        "AZURE_AUTHORITY_HOST": front.url,
    }
    github = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{front.url}/github?x=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "run"}
    pipelines = {
        "SYSTEM_OIDCREQUESTURI": f"{front.url}/azure",
        "SYSTEM_ACCESSTOKEN": "job",
        "TEAL_SERVICE_CONNECTION": "conn",
    }
    for given in (github, pipelines):
        ran = teal.given(**login, **given)("status")
        assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"SSL_CERT_FILE": "/nowhere.pem"}, "SSL_CERT_FILE"),
        ({"REQUESTS_CA_BUNDLE": "/nowhere.pem"}, "REQUESTS_CA_BUNDLE"),
        ({"ALL_PROXY": f"socks://u:{SECRET}@x"}, "ALL_PROXY"),
        ({"https_proxy": f"what://{SECRET}"}, "https_proxy"),
        ({"NO_PROXY": "[::1]"}, "NO_PROXY"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(teal: Teal, variables: dict[str, str], named: str) -> None:
    ran = teal.given(**variables)("status")
    assert (ran.code, named in ran.err, SECRET in ran.err) == (2, True, False), ran.err


def test_a_server_that_restarts_in_the_middle_is_waited_for(teal: Teal, tmp_path: Path) -> None:
    """The real platform is killed and started again on its port, from its state file."""
    file = tmp_path / "world.json"
    file.write_text(json.dumps(world(1)))
    arguments = ("--world", str(file), "--state", str(tmp_path / "state"), "--speed", "300")
    with serve(*arguments) as first:
        register(first.url, "set0")
        started = _start(teal.given(TEAL_URL=first.url))
        started.until("Batch 1 of 2: 1 green VM launched")
        first.process.kill()
    try:
        started.until("connection refused; trying again")
        with serve(*arguments, port=int(first.url.rpartition(":")[2])):
            assert started.end() == 0, started.text
            assert "Batch 2 of 2: 1 VM deleted" in started.text
    finally:
        started.kill()


def _start(teal: Teal) -> Started:
    return teal.start("deploy", "set0", "--image", "1.1.0", "--batch-size", "1", "--wait")
