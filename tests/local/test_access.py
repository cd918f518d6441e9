"""Every role at every operation, in both modes: made from the table, against the local host."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.routes import open_routes, routes
from api.transport.route import Route
from local.access import Access, AccessError, KeysFile, PeopleFile, access, read_access
from local.clock import run_virtual
from local.durable.answers import HttpAnswer
from local.functions.keys import Keys
from local.virtual import VirtualPlatform
from rollout.model.roles import ALWAYS_KEYED, NEEDS, Caller, Mode, Role, decide
from settings import Settings

ROUTES: tuple[Route, ...] = (*routes(Settings()), *open_routes())
SECRETS = {role: f"{role}-secret" for role in Role}
OID = "6d3a9c1e-52a8-4f0b-9a51-0c6f1f8f8d10"

KEYS = KeysFile(function_keys={"default": "host"}, roles=SECRETS)
PEOPLE = PeopleFile.model_validate(
    {
        "people": {
            **{role: {"oid": OID, "name": f"{role}@example.com", "roles": [role]} for role in Role},
            "both": {"oid": OID, "name": "ada@example.com", "roles": ["deployer", "approver"]},
            "guest": {"oid": OID, "name": "guest@example.com"},
        }
    }
)


def may(role: Role, function: str) -> bool:
    return decide(Caller(Mode.KEYS, "", (role,)), function).allowed


async def ask(platform: VirtualPlatform, route: Route, headers: Mapping[str, str], query: str = "") -> HttpAnswer:
    """A call of a route that changes nothing even where it is let in: it names nothing that there is."""
    path = re.sub(r"\{\w+\}", "nothing", route.path)
    return await platform.host.request(route.method, f"/api/{path}{query}", headers=headers)


def code(answer: HttpAnswer) -> str:
    return str(answer.json()["error"]["code"]) if answer.body else ""


def let_in(answer: HttpAnswer) -> bool:
    """Whether it was looked at what was asked for."""
    return answer.status not in (401, 403)


def play(told: Access, story: Any, **settings: Any) -> None:
    async def main() -> None:
        async with VirtualPlatform(access=told, settings=replace(told.settings(), **settings)) as platform:
            await story(platform)

    run_virtual(main())


def test_a_roles_key_opens_what_the_role_may_and_the_host_refuses_the_rest() -> None:
    async def story(platform: VirtualPlatform) -> None:
        for role, secret in SECRETS.items():
            for route in ROUTES:
                answer = await ask(platform, route, {"x-functions-key": secret})
                assert let_in(answer) == may(role, route.name), (role, route.name, answer)
                if not let_in(answer):
                    assert (answer.status, answer.body) == (401, b""), (role, route.name)

    play(access(KEYS), story)


def test_a_roles_key_that_the_host_lets_in_everywhere_is_refused_by_teal() -> None:
    wide = KEYS.model_copy(update={"function_keys": {"default": "host", **SECRETS}})

    async def story(platform: VirtualPlatform) -> None:
        for role, secret in SECRETS.items():
            for route in ROUTES:
                answer = await ask(platform, route, {}, f"?code={secret}")
                assert let_in(answer) == may(role, route.name), (role, route.name, answer)
                if not let_in(answer):
                    assert (answer.status, code(answer)) == (403, "roleMissing"), (role, route.name)

    play(access(wide), story)


@pytest.mark.parametrize("key", ["", "wrong"])
def test_without_a_key_only_what_is_for_anyone_is_open(key: str) -> None:
    async def story(platform: VirtualPlatform) -> None:
        for route in ROUTES:
            answer = await ask(platform, route, {"x-functions-key": key} if key else {})
            assert let_in(answer) == (NEEDS[route.name] is None), route.name

    play(access(KEYS), story)


def test_a_persons_role_opens_what_the_role_may_and_vms_go_on_with_a_key() -> None:
    async def story(platform: VirtualPlatform) -> None:
        for role in Role:
            for route in ROUTES:
                answer = await ask(platform, route, {"Authorization": f"Bearer {role}"})
                if route.name in ALWAYS_KEYED:
                    assert (answer.status, answer.body) == (401, b"")
                    continue
                assert let_in(answer) == may(role, route.name), (role, route.name, answer)
                if not let_in(answer):
                    assert (answer.status, code(answer)) == (403, "roleMissing"), (role, route.name)

    play(access(KEYS, PEOPLE), story)


def test_in_entra_mode_keys_open_only_what_vms_call() -> None:
    async def story(platform: VirtualPlatform) -> None:
        for secret in (*SECRETS.values(), "host", platform.access.own_headers["x-functions-key"]):
            for route in ROUTES:
                answer = await ask(platform, route, {"x-functions-key": secret})
                if route.name in ALWAYS_KEYED:
                    assert let_in(answer) == (secret not in SECRETS.values() or secret in _secrets_for(route.name))
                elif NEEDS[route.name] is not None:
                    assert (answer.status, code(answer)) == (401, "unauthenticated"), route.name

    play(access(KEYS, PEOPLE), story)


def _secrets_for(function: str) -> Iterator[str]:
    yield from (secret for role, secret in SECRETS.items() if may(role, function))


def test_who_has_no_role_is_told_so_and_two_roles_count_both() -> None:
    async def story(platform: VirtualPlatform) -> None:
        for route in ROUTES:
            needs = NEEDS[route.name]
            if needs is None or route.name in ALWAYS_KEYED:
                continue
            answer = await ask(platform, route, {"Authorization": "Bearer guest"})
            assert (answer.status, code(answer)) == (403, "roleMissing")
            answer = await ask(platform, route, {"Authorization": "Bearer both"})
            assert let_in(answer) == (needs is not Role.ADMINISTRATOR), route.name

    play(access(None, PEOPLE), story)


def forged() -> dict[str, str]:
    claims = [{"typ": "oid", "val": OID}, {"typ": "roles", "val": "administrator"}, {"typ": "name", "val": "Eve"}]
    principal = json.dumps({"auth_typ": "aad", "claims": claims}).encode()
    return {
        "X-MS-CLIENT-PRINCIPAL": base64.b64encode(principal).decode(),
        "X-MS-CLIENT-PRINCIPAL-NAME": "Eve",
        "X-MS-CLIENT-PRINCIPAL-ID": OID,
        "X-MS-CLIENT-PRINCIPAL-IDP": "aad",
    }


START: dict[str, Any] = {"image": "1.1.0", "gracePeriod": 300}


def test_what_a_caller_says_of_itself_is_not_believed_in_any_mode() -> None:
    async def with_people(platform: VirtualPlatform) -> None:
        path = "/api/groups/web/deployments"
        assert (await platform.request("POST", path, START, forged())).status == 401
        reader = {**forged(), "Authorization": "Bearer reader"}
        assert (await platform.request("POST", path, START, reader)).status == 403
        deployer = {**forged(), "Authorization": "Bearer deployer"}
        started = await platform.request("POST", path, START, deployer)
        assert (started.status, started.body["startedBy"]) == (202, f"deployer@example.com ({OID})")

    async def with_keys(platform: VirtualPlatform) -> None:
        path = "/api/groups/web/deployments"
        assert (await platform.request("POST", path, START, forged())).status == 401
        started = await platform.request("POST", path, START, {**forged(), "x-functions-key": "deployer-secret"})
        assert (started.status, started.body["startedBy"]) == (202, "deployer key")

    play(access(None, PEOPLE), with_people)
    play(access(KEYS), with_keys)


def test_where_authentication_is_off_nothing_but_health_answers_and_what_is_under_way_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(platform: VirtualPlatform) -> None:
        started = await platform.start(**START)
        off = replace(platform.settings, auth_mode="entra", auth_enabled="")
        platform.settings = off
        await platform.restart_host()
        for route in ROUTES:
            answer = await ask(platform, route, {**forged(), **platform.access.own_headers})
            expected = (200, "") if route.name == "get_health" else (503, "authenticationOff")
            assert (answer.status, code(answer) if answer.status >= 400 else "") == expected, route.name
        assert (await platform.ended(started)).status == "finished"

    play(access(KEYS), story)
    told = [record for record in caplog.records if "App Service authentication is off" in record.message]
    assert len(told) > 5
    assert {record.levelname for record in told} == {"ERROR"}


def test_two_keys_of_one_request_are_nobodys_and_an_old_key_ends_with_its_hash() -> None:
    old, new = "reader-old", "reader-new"
    both = {name: {"old": old, "new": new} for name, needs in NEEDS.items() if needs is Role.READER}
    digests = {key: hashlib.sha256(key.encode()).hexdigest() for key in (old, new)}

    async def doubled(platform: VirtualPlatform) -> None:
        for query in (f"?code={old}&code=x", f"?code={old},x", f"?code={old}&CODE=x"):
            answer = await platform.host.request("GET", f"/api/me{query}")
            assert answer.status == 401, query

    async def rotating(platform: VirtualPlatform) -> None:
        for key in (old, new):
            me = await platform.request("GET", "/api/me", None, {"x-functions-key": key})
            assert (me.status, me.body["name"]) == (200, "reader key")

    told = Access(Keys("m", functions=both), role_keys=f"reader={digests[old]},reader={digests[new]}")
    play(told, doubled)
    play(told, rotating)


def test_files_of_keys_and_people_are_read_or_refused_by_name(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text('{"masterKey": "m", "functionKeys": {"default": "d"}, "systemKeys": {}, "roles": {"vm": "v"}}')
    told = read_access(keys, None)
    assert told.keys is not None
    assert (told.keys.master, told.keys.functions) == ("m", {"signal_vm": {"teal-vm": "v"}})
    assert told.environment["TEAL_ROLE_KEYS"].startswith("vm=")
    keys.write_text('{"roles": {"king": "v"}, "more": 1}')
    with pytest.raises(AccessError, match=r"keys\.json: .*more"):
        read_access(keys, None)
    assert read_access(None, None) == Access()
    assert Settings.from_environment(Access().environment) == Settings()
