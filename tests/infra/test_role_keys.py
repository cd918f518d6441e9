"""The roles' keys are made, rotated and ended: the script against a stand-in of ARM's routes of keys and settings."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.azd.tokens import any_token
from infra.azd.web import Stopped, SystemClock
from infra.role_keys import AT_ONCE, digest_of, keys_of, main, parse_known
from local.access import Access
from local.clock import run_virtual
from local.functions.keys import Keys
from local.virtual import VirtualPlatform
from rollout.model.roles import NEEDS, Role, functions_of

APP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/teal"


class Hasty(SystemClock):
    """A clock by which no wait takes time."""

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(0)


@dataclass
class Site:
    """A function app in Azure. ``absent_looks``: how often it lists no functions; ``late``: reads until keys show.

    Of each ``busy_every`` requests one is answered by 429; 0: none. ``together``: writes of keys are answered once so
    many have come at one time.
    """

    keys: dict[str, dict[str, str]] = field(
        default_factory=lambda: {name: {"default": f"default-{name}"} for name in [*NEEDS, "imagePublished"]}
    )
    settings: dict[str, str] = field(default_factory=lambda: {"OTHER": "kept"})
    absent_looks: int = 0
    late: int = 0
    busy_every: int = 0
    fails: tuple[str, int] = ("", 0)
    written: list[str] = field(default_factory=list)
    together: int = 0
    most_at_once: int = 0
    _reads: dict[str, int] = field(default_factory=dict)
    _requests: int = 0
    _at_once: int = 0
    _lock: Any = field(default_factory=threading.Lock)
    _together: Any = field(default_factory=threading.Condition)

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        with self._lock:
            self._requests += 1
            url = urlsplit(target)
            assert parse_qs(url.query)["api-version"] == ["2024-11-01"]
            if self.busy_every and self._requests % self.busy_every == 0:
                return 429, {"error": {"code": "TooManyRequests"}}
            path = url.path.removeprefix(APP)
            if self.fails[0] and re.fullmatch(self.fails[0], f"{method} {path}"):
                return self.fails[1], {"error": {"code": "Forbidden", "message": f"{body}"}}
            return self._answer(method, path, body, url.query)

    def _answer(self, method: str, path: str, body: Any, query: str) -> tuple[int, Any]:
        match method, path.strip("/").split("/"):
            case "GET", ["functions"]:
                return self._listed("skip" in query)
            case "POST", ["functions", function, "listkeys"]:
                self._reads[function] = self._reads.get(function, 0) + 1
                shown = self.keys[function]
                new = self._reads[function] <= self.late
                return 200, {name: value for name, value in shown.items() if not (new and name.startswith("teal-"))}
            case "PUT", ["functions", function, "keys", name]:
                assert set(body) == {"properties"}
                assert set(body["properties"]) == {"name", "value"}
                assert body["properties"]["name"] == name
                self.keys[function][name] = body["properties"]["value"]
                self.written.append(f"key {function} {name}")
                self._reads[function] = 0
                return 201, {"properties": body["properties"]}
            case "DELETE", ["functions", function, "keys", name]:
                self.written.append(f"delete {function} {name}")
                return (204, None) if self.keys[function].pop(name, None) else (404, None)
            case "POST", ["config", "appsettings", "list"]:
                return 200, {"properties": dict(self.settings)}
            case "PUT", ["config", "appsettings"]:
                self.settings = dict(body["properties"])
                self.written.append("settings")
                return 200, {"properties": self.settings}
        return 404, {"error": {"code": "NotFound"}}

    def _listed(self, is_second: bool) -> tuple[int, Any]:
        """Two pages."""
        if self.absent_looks:
            self.absent_looks -= 1
            return 200, {"value": []}
        names = [{"name": f"teal/{name}"} for name in self.keys]
        if is_second:
            return 200, {"value": names[10:]}
        return 200, {"value": names[:10], "nextLink": f"{self.url}{APP}/functions?api-version=2024-11-01&skip=10"}

    url: str = ""

    def run(self, *arguments: str) -> int:
        command, *rest = arguments
        environment = {"ARM_ACCESS_TOKEN": "token"}
        return main([command, "--app", APP, "--arm", self.url, *rest], environment, Hasty())

    def come(self, is_write: bool) -> None:
        with self._together:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._together.notify_all()
            if is_write:
                assert self._together.wait_for(lambda: self.most_at_once >= self.together, timeout=10)

    def go(self) -> None:
        with self._together:
            self._at_once -= 1

    @property
    def known(self) -> list[tuple[str, str]]:
        return parse_known(self.settings.get("TEAL_ROLE_KEYS", ""))

    def values(self, role: Role) -> set[str]:
        """Every value of a role's keys, on whichever function."""
        pattern = re.compile(rf"teal-{role}(-\d+)?")
        return {value for keys in self.keys.values() for name, value in keys.items() if pattern.fullmatch(name)}


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            site.come("/keys/" in self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            assert self.headers["Authorization"] == "Bearer token"
            status, body = site.answer(self.command, self.path, json.loads(content) if content else None)
            site.go()
            text = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            if status == 429:
                self.send_header("Retry-After", "3")
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


def test_each_role_gets_one_key_on_each_of_its_functions(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.run("make") == 0
    for role in Role:
        (value,) = site.values(role)
        have = {name for name, keys in site.keys.items() if keys.get(f"teal-{role}") == value}
        assert have == set(functions_of(role))
        assert (str(role), digest_of(value)) in site.known
    assert len(site.known) == len(Role)
    assert site.settings["OTHER"] == "kept"
    assert all(keys["default"].startswith("default-") for keys in site.keys.values())
    assert site.written[0] == "settings", "a key that the app does not know yet would be an administrator's"
    said = capsys.readouterr()
    assert said.out.strip() == f"TEAL_ROLE_KEYS={site.settings['TEAL_ROLE_KEYS']}"
    assert not any(value in said.out + said.err for role in Role for value in site.values(role))


def test_again_it_makes_only_what_is_missing(site: Site) -> None:
    assert site.run("make", "--roles", "reader,vm") == 0
    site.written.clear()
    assert site.run("make", "--roles", "reader,vm") == 0
    assert site.written == []
    del site.keys["list_groups"]["teal-reader"]
    site.keys["get_group"]["teal-reader"] = "somebody's"
    assert site.run("make", "--roles", "reader") == 0
    assert sorted(site.written) == ["key get_group teal-reader", "key list_groups teal-reader"]
    assert len(site.values(Role.READER)) == 1
    assert {role for role, _ in site.known} == {"reader", "vm"}


def test_it_waits_for_functions_and_for_keys_and_sends_again_what_azure_was_too_busy_for(site: Site) -> None:
    site.absent_looks, site.late, site.busy_every = 3, 2, 4
    assert site.run("make") == 0
    assert all(len(site.values(role)) == 1 for role in Role)


def test_five_keys_are_made_at_a_time(site: Site) -> None:
    site.together = AT_ONCE
    assert site.run("make", "--roles", "reader") == 0
    assert site.most_at_once == AT_ONCE == 5


def test_an_app_that_was_not_deployed_is_named(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    del site.keys["signal_vm"]
    assert site.run("make") == 1
    assert "does not list signal_vm: deploy the app first" in capsys.readouterr().err
    assert site.written == []


def test_what_is_refused_is_told_without_what_was_sent(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.fails = (r"PUT /functions/get_me/keys/.*", 403)
    assert site.run("make", "--roles", "reader") == 1
    said = capsys.readouterr().err
    assert "/functions/get_me/keys/teal-reader is refused: 403 Forbidden" in said
    assert "value" not in said
    site.fails = ("", 0)
    assert site.run("make", "--roles", "reader") == 0
    assert len(site.values(Role.READER)) == 1


def test_a_key_that_azure_never_tells_of_is_a_failure(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.late = 10_000
    assert site.run("make", "--roles", "vm") == 1
    assert "has not taken over the keys of signal_vm" in capsys.readouterr().err


def lets_in(site: Site, key: str, function: str = "get_me") -> tuple[int, str]:
    """Who has this key to the app, whose host and setting are the site's."""

    async def story() -> tuple[int, str]:
        access = Access(Keys("master", functions=site.keys), role_keys=site.settings["TEAL_ROLE_KEYS"])
        async with VirtualPlatform(access=access) as platform:
            me = await platform.request("GET", "/api/me", None, {"x-functions-key": key})
            return me.status, me.body["name"] if me.body else ""

    found: tuple[int, str] = run_virtual(story())
    return found


def test_a_key_is_rotated_while_the_old_one_still_opens_and_then_ends(site: Site) -> None:
    assert site.run("make") == 0
    (old,) = site.values(Role.DEPLOYER)
    others = [pair for pair in site.known if pair[0] != "deployer"]
    site.written.clear()

    assert site.run("rotate", "deployer") == 0
    assert site.written[0] == "settings"
    (new,) = site.values(Role.DEPLOYER) - {old}
    assert {lets_in(site, key) for key in (old, new)} == {(200, "deployer key")}
    assert site.run("rotate", "deployer") == 1, "the first rotation has not ended"

    site.written.clear()
    assert site.run("finish", "deployer") == 0
    assert site.written[-1] == "settings"
    assert site.values(Role.DEPLOYER) == {new}
    assert lets_in(site, old) == (401, "")
    assert lets_in(site, new) == (200, "deployer key")
    assert sorted(site.known) == sorted([*others, ("deployer", digest_of(new))])
    assert site.run("finish", "deployer") == 1
    # The next goes on from there.
    assert site.run("rotate", "deployer") == 0
    assert {name for name in site.keys["start_deployment"] if "deployer" in name} == {
        "teal-deployer-2",
        "teal-deployer-3",
    }


def test_a_rotation_that_broke_off_is_completed_with_the_same_key(site: Site) -> None:
    assert site.run("make", "--roles", "deployer") == 0
    site.fails = (r"PUT /functions/stop_deployment/keys/.*", 409)
    assert site.run("rotate", "deployer") == 1
    begun = site.keys["get_me"]["teal-deployer-2"]
    assert site.run("finish", "deployer") == 1
    site.fails = ("", 0)
    assert site.run("rotate", "deployer") == 0
    assert site.keys["stop_deployment"]["teal-deployer-2"] == begun
    assert len(site.values(Role.DEPLOYER)) == 2
    assert len(site.known) == 2


def test_of_several_values_the_one_that_the_app_knows_counts() -> None:
    found = {name: {"teal-vm": "known" if name == "signal_vm" else "x"} for name in functions_of(Role.VM)}
    assert keys_of(Role.VM, found, [digest_of("known")]).values == {"teal-vm": "known"}
    readers: dict[str, dict[str, str]] = {name: {"teal-reader": "often"} for name in functions_of(Role.READER)}
    readers["get_me"] = {"teal-reader": "rare", "teal-reader-x": "no key of a role", "teal-reader-2": "second"}
    keys = keys_of(Role.READER, readers, [])
    assert (keys.names, keys.values["teal-reader"]) == (["teal-reader", "teal-reader-2"], "often")
    assert keys.missing("teal-reader") == ["get_me"]
    assert keys_of(Role.READER, readers, [digest_of("rare")]).values["teal-reader"] == "rare"


def sign_in(folder: Path, program: str, answer: str) -> dict[str, str]:
    """A login that answers so, and the environment in which it is the only one."""
    script = folder / program
    script.write_text(f"#!/bin/sh\n{answer}\n")
    script.chmod(0o755)
    return {"PATH": str(folder)}


async def test_a_token_is_azds_else_azs_unless_one_is_given(tmp_path: Path) -> None:
    scope = "https://arm/.default"
    assert await any_token({"ARM_ACCESS_TOKEN": "given"})(scope) == "given"
    with pytest.raises(Stopped, match="nobody is signed in"):
        await any_token({"PATH": str(tmp_path)})(scope)
    environment = sign_in(tmp_path, "az", """echo '{"accessToken": "of az"}'""")
    assert await any_token(environment)(scope) == "of az"
    sign_in(
        tmp_path, "azd", """test "$5" = --scope && test "$6" = https://arm/.default && echo '{"token": "of azd"}'"""
    )
    assert await any_token(environment)(scope) == "of azd"
    sign_in(tmp_path, "azd", "exit 1")
    assert await any_token(environment)(scope) == "of az"
