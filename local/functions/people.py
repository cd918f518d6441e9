"""App Service authentication, as far as an app sees it: it says who calls, and lets nobody else say so.

https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities. Tokens are not looked at: who
sends ``Authorization: Bearer ada``, or the cookie that ``/.auth/login/aad?as=ada`` sets, is Ada.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, unquote

from local.durable.answers import HttpAnswer, HttpCall, json_answer

_HEADERS = "x-ms-client-principal"
_COOKIE = "AppServiceAuthSession"
_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


@dataclass(frozen=True)
class Person:
    """Somebody who may sign in, or an app: its id in Entra, its name, and its app roles."""

    object_id: str
    name: str
    roles: tuple[str, ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        """What the app is told."""
        claims = [(_OBJECT_ID, self.object_id), ("preferred_username", self.name)]
        claims += [("roles", role) for role in self.roles]
        principal = {
            "auth_typ": "aad",
            "name_typ": "preferred_username",
            "role_typ": _ROLE,
            "claims": [{"typ": kind, "val": value} for kind, value in claims],
        }
        return {
            _HEADERS: base64.b64encode(json.dumps(principal).encode()).decode(),
            f"{_HEADERS}-id": self.object_id,
            f"{_HEADERS}-name": self.name,
            f"{_HEADERS}-idp": "aad",
        }


@dataclass(frozen=True)
class People:
    """Everybody who may sign in, by what stands for the token; ``unlisted``: who is not offered as a choice."""

    known: Mapping[str, Person]
    unlisted: Mapping[str, Person] = field(default_factory=dict)

    def vouched(self, call: HttpCall) -> HttpCall:
        """The call with what is known of its sender, and without what it says of itself."""
        person = self._person(call)
        kept = {name: value for name, value in call.headers.items() if not name.startswith(_HEADERS)}
        return replace(call, headers={**kept, **(person.headers if person else {})})

    def answer(self, call: HttpCall) -> HttpAnswer | None:
        """What the paths below ``/.auth`` answer; ``None``: the path is the app's."""
        if not f"{call.path}/".casefold().startswith("/.auth/"):
            return None
        match call.method, call.path.strip("/").casefold().split("/"):
            case "GET", [_, "login", "aad"]:
                return self._sign_in(call)
            case "GET", [_, "logout"]:
                return _moved(call.query.get("post_logout_redirect_uri", "/"), "")
            case "GET", [_, "me"]:
                person = self._person(call)
                return json_answer(200, [{"user_id": person.name}] if person else [])
        return HttpAnswer(404)

    def _person(self, call: HttpCall) -> Person | None:
        token = _token(call)
        return self.known.get(token) or self.unlisted.get(token)

    def _sign_in(self, call: HttpCall) -> HttpAnswer:
        """Signed in as whom the query names; without one, the choice as a page."""
        name = call.query.get("as", "")
        back = call.query.get("post_login_redirect_uri", "/")
        if name in self.known:
            return _moved(back, name)
        rows = "".join(
            f'<p><a href="?as={quote(token)}&amp;post_login_redirect_uri={quote(back)}">{quote(token)}</a></p>'
            for token in self.known
        )
        page = f"<!doctype html><title>Sign in</title><h1>Sign in as</h1>{rows}"
        return HttpAnswer(200, {"Content-Type": "text/html; charset=utf-8"}, page.encode())


def _moved(back: str, token: str) -> HttpAnswer:
    """On to a path of the app's own; the cookie is set, or taken away."""
    own = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
    age = "" if token else "; Max-Age=0"
    return HttpAnswer(
        302, {"Location": own}, cookies=(f"{_COOKIE}={quote(token)}; Path=/; HttpOnly; SameSite=Lax{age}",)
    )


def _token(call: HttpCall) -> str:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        return token.strip()
    try:
        cookie = SimpleCookie(call.headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return ""
    return unquote(cookie.value) if cookie else ""
