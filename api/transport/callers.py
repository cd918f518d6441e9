"""Who asks: by the key that was sent, or by what App Service authentication says. Nothing else reads these headers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence

from api.transport.http import Request
from rollout.model.roles import ANY_KEY, Caller, Mode, Role
from rollout.model.words import plain

KEY_HEADER = "x-functions-key"

#: Where App Service puts what it knows of the caller, as JSON in base64. It drops what callers send under this name.
#: https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
_PRINCIPAL = "x-ms-client-principal"

#: The names of claims: those of the token, and those that App Service makes of them.
_OBJECT_ID = ("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier")
_ROLES = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
_NAMES = (
    *("preferred_username", "upn", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"),
    *("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "name"),
)
_APPLICATIONS = ("azp", "appid")

_NAME_LENGTH_MAX = 200
_ID_LENGTH_MAX = 64


def by_key(request: Request, known: Sequence[tuple[Role, bytes]]) -> Caller | None:
    """The caller whose key the Functions host has let in; ``None`` where it cannot be told which key that was.

    Where no role has a key, all keys are alike: who has one may everything.
    """
    if not known:
        return ANY_KEY
    key = _key(request)
    if key is None:
        return None
    digest = hashlib.sha256(key.encode()).digest()
    # Each is compared, whatever the others gave: the time tells nothing.
    matching = {role for role, one in known if hmac.compare_digest(one, digest)}
    roles = tuple(role for role in Role if role in matching)
    return Caller(Mode.KEYS, f"{' and '.join(roles)} key", roles) if roles else ANY_KEY


def _key(request: Request) -> str | None:
    """The key that the host looked at: the header's, else the query's, of several the first.

    Several of one kind reach the app as one text with commas between. A key's own comma cannot be told from these, so
    such a text is no key: its first part may be a role's, and the whole is nobody's.
    """
    key = request.headers.get(KEY_HEADER)
    if key is None:
        key = ",".join(value for name, value in request.params.items() if name.lower() == "code")
    return key if key and "," not in key else None


def by_principal(request: Request) -> Caller | None:
    """The caller that App Service authentication vouches for; ``None``: nobody has signed in.

    To be asked only where that is on: else these headers are anybody's.
    """
    try:
        principal = json.loads(base64.b64decode(request.headers.get(_PRINCIPAL, ""), validate=True))
        claims = [(str(claim["typ"]), str(claim["val"])) for claim in principal["claims"]]
        is_entra = principal["auth_typ"] == "aad"
    except (ValueError, KeyError, TypeError):
        return None
    object_id = _first(claims, _OBJECT_ID)[:_ID_LENGTH_MAX]
    if not is_entra or not object_id:
        return None
    name = _first(claims, _NAMES) or f"app {_first(claims, _APPLICATIONS)}".strip()
    given = {value for kind, value in claims if kind in _ROLES}
    roles = tuple(role for role in Role if role in given)
    return Caller(Mode.ENTRA, plain(name)[:_NAME_LENGTH_MAX], roles, plain(object_id))


def _first(claims: Iterable[tuple[str, str]], kinds: Sequence[str]) -> str:
    """The value of the first of these kinds that there is."""
    found = dict(reversed(list(claims)))
    return next((found[kind] for kind in kinds if found.get(kind)), "")
