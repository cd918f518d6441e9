"""The route that serves the page: its shell at every address, its files for good."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from api.dashboard import UP, answer_dashboard
from api.transport.http import Answer, Request

URL = "https://teal.example/api/dashboard"
SCRIPT = "assets/main-ABCD2345.js"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(f'<!doctype html><script type="module" src="{UP}{SCRIPT}"></script>')
    (tmp_path / SCRIPT).write_text("code")
    (tmp_path / f"{SCRIPT}.gz").write_bytes(gzip.compress(b"code"))
    return tmp_path


def ask(folder: Path, address: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer_dashboard(Request("GET", URL + address, named), folder)


@pytest.mark.parametrize(
    ("address", "script"),
    [
        ("/", SCRIPT),
        ("", f"dashboard/{SCRIPT}"),
        ("/groups", SCRIPT),
        ("/deployments?status=failed", SCRIPT),
        ("/deployments/web-1/vms/x#log", f"../../../{SCRIPT}"),
        ("/deployments/a%2Fb", f"../{SCRIPT}"),
    ],
)
def test_the_shell_answers_every_address_and_finds_its_files(built: Path, address: str, script: str) -> None:
    answer = ask(built, address)
    assert answer.status == 200
    assert f'src="{script}"' in answer.content.decode()
    assert answer.all_headers["Cache-Control"] == "no-store"
    assert answer.all_headers["Content-Type"] == "text/html; charset=utf-8"


def test_the_policy_lets_in_the_pages_own_files_and_nothing_else(built: Path) -> None:
    directives = dict(part.split(" ", 1) for part in ask(built, "/").all_headers["Content-Security-Policy"].split("; "))
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "lit-html",
    }


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [
        ("gzip, deflate, br", True),
        ("br, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("", False),
    ],
)
def test_files_are_kept_for_good_and_packed_where_that_is_accepted(built: Path, accepts: str, packed: bool) -> None:
    answer = ask(built, f"/{SCRIPT}", accept_encoding=accepts)
    headers = answer.all_headers
    shell = ask(built, "/groups", accept_encoding=accepts)
    assert (gzip.decompress(shell.content) if packed else shell.content).startswith(b"<!doctype html>")
    assert shell.all_headers.get("Content-Encoding") == headers.get("Content-Encoding")
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (headers["Content-Type"], headers["Vary"]) == ("text/javascript; charset=utf-8", "Accept-Encoding")
    assert headers.get("Content-Encoding") == ("gzip" if packed else None)
    assert (gzip.decompress(answer.content) if packed else answer.content) == b"code"


@pytest.mark.parametrize("name", ["assets/none.js", "assets/../index.html", "assets/%2e%2e/index.html", f"{SCRIPT}.gz"])
def test_no_other_file_is_served(built: Path, name: str) -> None:
    answer = ask(built, f"/{name}")
    assert answer.status == 404
    assert b"code" not in answer.content


def test_a_page_that_was_built_anew_is_served(built: Path) -> None:
    ask(built, "/")
    (built / "index.html").write_text("another")
    assert ask(built, "/").content == b"another"


def test_without_a_build_it_says_how_to_build_it(tmp_path: Path) -> None:
    answer = ask(tmp_path / "none", "/deployments/x")
    assert answer.status == 503
    assert "make page" in answer.content.decode()
    assert 'href="../../docs"' in answer.content.decode()
