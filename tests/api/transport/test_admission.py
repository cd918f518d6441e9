"""Who is let in: the HTTP triggers with roles' keys, and with people."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from api.routes import open_routes, routes
from rollout.model.roles import NEEDS, Role
from rollout.model.rows.commands import CommandKind
from settings import Settings

ROOT = Path(__file__).parents[3]
START = "groups/web/deployments"
OID = "6d3a9c1e-52a8-4f0b-9a51-0c6f1f8f8d10"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


KEYS = Settings(role_keys=",".join(f"{role}={digest(f'{role}-secret')}" for role in Role))
ENTRA = Settings(auth_mode="entra", auth_enabled="True")


def signed_in(*roles: str) -> dict[str, str]:
    """What App Service sets for Ada."""
    claims = [("oid", OID), ("preferred_username", "ada@example.com"), *(("roles", role) for role in roles)]
    content = {"auth_typ": "aad", "claims": [{"typ": kind, "val": value} for kind, value in claims]}
    return {"x_ms_client_principal": base64.b64encode(json.dumps(content).encode()).decode()}


def test_what_is_open_is_for_anyone_and_nothing_else_is() -> None:
    assert all(NEEDS[route.name] is None for route in open_routes())
    assert all(NEEDS[route.name] is not None for route in routes(Settings()))


async def test_a_roles_key_opens_what_is_its_and_is_recorded(world: Any) -> None:
    world.behind(KEYS)
    status, error = await world.refused("POST", START, {"image": "1.1.0"}, x_functions_key="reader-secret")
    assert (status, error["code"], error["target"]) == (403, "roleMissing", "deployer")
    assert error["message"].startswith("reader key is reader, and start_deployment needs deployer")
    assert await world.deployments() == ()
    answer = await world.send("POST", START, {"image": "1.1.0"}, x_functions_key="deployer-secret")
    assert (answer.status, answer.body["startedBy"]) == (202, "deployer key")
    name = answer.body["id"]
    stopped = await world.send("POST", f"deployments/{name}/stop", x_functions_key="another")
    assert (stopped.status, stopped.body["command"]["by"]) == (202, "function key")


async def test_a_dry_run_is_a_deployers(world: Any) -> None:
    world.behind(KEYS)
    plan = ("POST", f"{START}?dryRun=true", {"image": "1.1.0"})
    assert (await world.refused(*plan, x_functions_key="approver-secret"))[1]["target"] == "deployer"
    assert (await world.send(*plan, x_functions_key="deployer-secret")).status == 200


async def test_a_doubled_key_is_nobodys(world: Any) -> None:
    world.behind(KEYS)
    status, error = await world.refused("GET", "groups", x_functions_key="reader-secret,another")
    assert (status, error["code"], error["target"]) == (401, "unauthenticated", "x-functions-key")


async def test_a_body_is_not_looked_at_before_it_is_known_who_sent_it(world: Any) -> None:
    world.behind(KEYS)
    status, error = await world.refused("PUT", "groups/web?nonsense=1", b"{", x_functions_key="reader-secret")
    assert (status, error["code"]) == (403, "roleMissing")


async def test_a_person_is_recorded_with_the_object_id(world: Any) -> None:
    world.behind(ENTRA)
    answer = await world.send("POST", START, {"image": "1.1.0"}, **signed_in("deployer"))
    assert (answer.status, answer.body["startedBy"]) == (202, f"ada@example.com ({OID})")


async def test_who_has_not_signed_in_is_a_401_and_who_has_no_role_a_403(world: Any) -> None:
    world.behind(ENTRA)
    status, error = await world.refused("GET", "groups", x_functions_key="whatever")
    assert (status, error["code"], error["target"]) == (401, "unauthenticated", "Authorization")
    status, error = await world.refused("GET", "me", **signed_in())
    assert (status, error["code"], error["target"]) == (403, "roleMissing", "reader")
    assert error["message"].startswith(f"ada@example.com ({OID}) has no role")


@pytest.mark.parametrize("value", ["", "False", "0"])
async def test_where_nobody_is_authenticated_only_health_answers(world: Any, value: str) -> None:
    world.behind(Settings(auth_mode="entra", auth_enabled=value))
    for route in world.routes:
        path = re.sub(r"\{\w+\}", "web", route.path)
        answer = await world.send(route.method, path, **signed_in("administrator"))
        if route.name == "get_health":
            assert answer.status == 200
            continue
        assert (answer.status, answer.body["error"]["code"]) == (503, "authenticationOff"), route.name
        assert int(answer.headers["Retry-After"]) > 0


async def test_me_says_who_asks_and_what_they_may(world: Any) -> None:
    me = await world.get("me")
    assert (me["mode"], me["name"], me["recordedAs"], me["roles"]) == (
        "keys",
        "function key",
        "function key",
        ["administrator"],
    )
    assert all(permission["allowed"] for permission in me["may"].values())
    world.behind(ENTRA)
    me = (await world.send("GET", "me", **signed_in("approver"))).body
    assert (me["mode"], me["name"], me["recordedAs"]) == ("entra", "ada@example.com", f"ada@example.com ({OID})")
    assert me["may"]["approve"] == {"allowed": True, "needs": "approver"}
    assert me["may"]["start"] == {"allowed": False, "needs": "deployer"}
    assert {str(kind) for kind in CommandKind} <= set(me["may"])


async def test_the_log_says_who_changed_a_group_and_who_was_refused(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "teal")
    world.behind(ENTRA)
    body = {"scaleSetId": world.scale_set_id}
    assert (await world.send("PUT", "groups/web", body, **signed_in("deployer"))).status == 403
    assert (await world.send("PUT", "groups/web", body, **signed_in("administrator"))).status == 200
    assert (await world.send("DELETE", "groups/web", **signed_in("administrator"))).status == 204
    who = f"ada@example.com ({OID})"
    assert [record.message for record in caplog.records if record.name == "teal"] == [
        f"Refused: {who} is deployer, and put_group needs administrator",
        f"Group web was put by {who}",
        f"Group web was deleted by {who}",
    ]


def test_only_one_module_reads_what_app_service_says_of_callers() -> None:
    folders = ("api", "activities", "adapters", "services", "orchestrators", "rollout")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")] + [ROOT / "function_app.py"]
    assert [path.name for path in files if "x-ms-client-principal" in path.read_text().lower()] == ["callers.py"]
