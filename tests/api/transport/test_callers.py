"""Who asks: read from a request's headers, of which most can be forged."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from api.transport.callers import by_key, by_principal
from api.transport.http import Request
from rollout.model.roles import ANY_KEY, Caller, Mode, Role

URL = "https://teal.example/api/groups"
KNOWN = tuple(
    (role, hashlib.sha256(key.encode()).digest())
    for role, key in ((Role.READER, "r"), (Role.DEPLOYER, "d"), (Role.DEPLOYER, "d-new"), (Role.APPROVER, "d"))
)
OID = "6d3a9c1e-52a8-4f0b-9a51-0c6f1f8f8d10"


def sent(header: str | None, **params: str) -> Request:
    return Request("GET", URL, {} if header is None else {"x-functions-key": header}, params=params)


@pytest.mark.parametrize(
    ("request_", "roles"),
    [
        (sent("r"), (Role.READER,)),
        (sent("d"), (Role.DEPLOYER, Role.APPROVER)),
        (sent("d-new"), (Role.DEPLOYER,)),
        (sent(None, code="r"), (Role.READER,)),
        (sent(None, CODE="r"), (Role.READER,)),
        # The host looks at the header alone, whatever the address says.
        (sent("r", code="another"), (Role.READER,)),
        (sent("another", code="r"), (Role.ADMINISTRATOR,)),
        (sent("another"), (Role.ADMINISTRATOR,)),
        (sent("R"), (Role.ADMINISTRATOR,)),
    ],
)
def test_a_keys_role_is_known_and_any_other_key_is_an_administrators(request_: Request, roles: Any) -> None:
    caller = by_key(request_, KNOWN)
    assert caller is not None
    assert (caller.mode, caller.roles) == (Mode.KEYS, roles)


@pytest.mark.parametrize(
    "request_",
    [
        sent("r,another"),
        sent("another, r"),
        sent(None, code="r,x"),
        sent(None, code="r", CODE="x"),
        sent(None),
        sent(""),
        sent("", code="r"),
    ],
)
def test_where_it_cannot_be_told_which_key_let_the_caller_in_nobody_is_an_administrator(request_: Request) -> None:
    assert by_key(request_, KNOWN) is None


def test_without_roles_keys_there_is_nothing_to_tell_apart() -> None:
    assert by_key(sent(None), ()) == by_key(sent("a,b"), ()) == ANY_KEY


def test_a_roles_key_is_recorded_as_that_and_any_other_as_a_function_key() -> None:
    names = [by_key(sent(key), KNOWN) for key in ("r", "d", "other")]
    assert [caller.recorded_as for caller in names if caller] == [
        "reader key",
        "deployer and approver key",
        "function key",
    ]


def principal(claims: Any, auth_type: str = "aad") -> Request:
    content = json.dumps({"auth_typ": auth_type, "claims": claims, "name_typ": "n", "role_typ": "roles"}).encode()
    return Request("GET", URL, {"x-ms-client-principal": base64.b64encode(content).decode()})


def claims(**values: str) -> list[dict[str, str]]:
    return [{"typ": kind, "val": value} for kind, value in values.items()]


def test_a_person_is_known_by_what_app_service_makes_of_the_token() -> None:
    mapped = [
        {"typ": "http://schemas.microsoft.com/identity/claims/objectidentifier", "val": OID},
        {"typ": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "val": "approver"},
        {"typ": "roles", "val": "deployer"},
        {"typ": "roles", "val": "emperor"},
        {"typ": "name", "val": "Ada"},
        {"typ": "preferred_username", "val": "ada@example.com"},
    ]
    known = Caller(Mode.ENTRA, "ada@example.com", (Role.DEPLOYER, Role.APPROVER), OID)
    assert by_principal(principal(mapped)) == known
    assert known.recorded_as == f"ada@example.com ({OID})"


def test_an_app_is_known_by_its_id_and_what_steers_a_terminal_is_shown() -> None:
    app = by_principal(principal(claims(oid=OID, azp="1234", roles="deployer")))
    assert app == Caller(Mode.ENTRA, "app 1234", (Role.DEPLOYER,), OID)
    odd = by_principal(principal(claims(oid=OID, name="Ada\n\x1b[2K" + "x" * 500)))
    assert odd is not None
    assert odd.name.startswith("Ada\\n\\x1b[2Kx")
    assert len(odd.name) == 200
    assert odd.roles == ()


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", URL),
        Request("GET", URL, {"x-ms-client-principal": "not base64!"}),
        Request("GET", URL, {"x-ms-client-principal": base64.b64encode(b"[1]").decode()}),
        Request("GET", URL, {"x-ms-client-principal": base64.b64encode(b'{"auth_typ":"aad","claims":3}').decode()}),
        Request("GET", URL, {"x-ms-client-principal-name": "ada", "x-ms-client-principal-id": OID}),
        principal(["odd"]),
        principal(claims(name="Ada", roles="administrator")),
        principal(claims(oid=OID, roles="administrator"), auth_type="github"),
    ],
)
def test_who_has_no_object_id_of_entra_is_nobody(request_: Request) -> None:
    assert by_principal(request_) is None
