"""Bearer tokens: who gives one here, how long it is kept, and how it is renewed.

A federated login cannot renew by itself: its id token lives five minutes on GitHub and ten in Azure Pipelines.
So the command fetches a fresh id token and exchanges it, wherever the pipeline gives one out.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from teal_cli.ending import Ended
from teal_cli.environment import setting
from teal_cli.exits import Exit

#: A token is renewed so long before it expires.
MARGIN = 300.0

#: How long ``az`` may take: 10 to 15 seconds are common.
AZ_SECONDS = 60

#: What Entra wants to be the audience of a pipeline's id token.
AUDIENCE = "api://AzureADTokenExchange"

#: The Azure CLI's own application id, which the API's registration has to know.
AZ_ID = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

#: What may stand in a command line for ``az``; on Windows it goes through a shell.
_SAFE = re.compile(r"[A-Za-z0-9_.:/\-]+")


@dataclass(frozen=True)
class Token:
    """A bearer token, and when it expires in seconds since 1970; ``None``: not known."""

    value: str
    expires_on: float | None


#: A way to a token.
Source = Callable[[], Token]


class Web(Protocol):
    """What sources need of HTTP: status and JSON of a request, or ``None`` where nothing answered."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]] | None: ...


class Tokens:
    """One token, kept until five minutes before it expires."""

    def __init__(self, source: Source, now: Callable[[], float] = time.time) -> None:
        self._source = source
        self._now = now
        self._kept: Token | None = None

    def get(self) -> str:
        """The token, renewed if it is about to expire."""
        kept = self._kept
        if kept is None or (kept.expires_on is not None and kept.expires_on - MARGIN <= self._now()):
            try:
                self._kept = self._source()
            except Ended:
                # An old one that is still good is better than none.
                if kept is None or (kept.expires_on or 0) <= self._now():
                    raise
        assert self._kept is not None
        return self._kept.value

    @property
    def kept(self) -> str | None:
        """The last one, good or not."""
        return self._kept.value if self._kept is not None else None

    def renew(self) -> str:
        """A fresh one: the last was refused."""
        self._kept = None
        return self.get()


def token_source(environment: Mapping[str, str], web: Web) -> Source | None:
    """The way to a token that is there; ``None``: a key is all, or nothing is asked for."""
    given = setting(environment, "TEAL_TOKEN")
    if given is not None:
        _check_header("TEAL_TOKEN", given)
        return lambda: Token(given, None)
    resource = setting(environment, "TEAL_RESOURCE")
    if resource is None:
        return None
    identity = _identity(environment)
    if identity is not None:
        for id_token in (_github(environment, web), _azure_pipelines(environment, web)):
            if id_token is not None:
                return _exchange(environment, web, identity, resource, id_token)
    return lambda: az_token(resource, setting(environment, "TEAL_TENANT"))


def _identity(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Client and tenant of a federated login."""
    client = setting(environment, "AZURE_CLIENT_ID") or setting(environment, "AZURESUBSCRIPTION_CLIENT_ID")
    tenant = setting(environment, "AZURE_TENANT_ID") or setting(environment, "AZURESUBSCRIPTION_TENANT_ID")
    return (client, tenant) if client and tenant else None


def _github(environment: Mapping[str, str], web: Web) -> Callable[[], str] | None:
    url = setting(environment, "ACTIONS_ID_TOKEN_REQUEST_URL")
    own = setting(environment, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not own:
        return None

    def fetch() -> str:
        joined = f"{url}{'&' if '?' in url else '?'}audience={quote(AUDIENCE, safe='')}"
        answer = web("GET", joined, {"Authorization": f"Bearer {own}"})
        return _said(answer, "value", "GitHub gives no id token", "the job needs `permissions: id-token: write`")

    return fetch


def _azure_pipelines(environment: Mapping[str, str], web: Web) -> Callable[[], str] | None:
    url = setting(environment, "SYSTEM_OIDCREQUESTURI")
    own = setting(environment, "SYSTEM_ACCESSTOKEN")
    connection = setting(environment, "TEAL_SERVICE_CONNECTION") or setting(
        environment, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"
    )
    if not url or not own or not connection:
        return None

    def fetch() -> str:
        joined = f"{url}?api-version=7.1&serviceConnectionId={quote(connection, safe='')}"
        headers = {"Authorization": f"Bearer {own}", "Content-Type": "application/json"}
        remedy = "map SYSTEM_ACCESSTOKEN: $(System.AccessToken) into the step, and authorize the service connection"
        return _said(web("POST", joined, headers), "oidcToken", "Azure Pipelines gives no id token", remedy)

    return fetch


def _exchange(
    environment: Mapping[str, str], web: Web, identity: tuple[str, str], resource: str, id_token: Callable[[], str]
) -> Source:
    authority = (setting(environment, "AZURE_AUTHORITY_HOST") or "https://login.microsoftonline.com").rstrip("/")
    client, tenant = identity

    def fetch() -> Token:
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "scope": f"{resource.rstrip('/')}/.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": id_token(),
        }
        answer = web("POST", f"{authority}/{quote(tenant, safe='')}/oauth2/v2.0/token", {}, form)
        value = _said(answer, "access_token", "Entra gives no token", _remedy(answer))
        assert answer is not None
        return Token(value, time.time() + _seconds(answer[1].get("expires_in"), 3600.0))

    return fetch


def az_token(resource: str, tenant: str | None) -> Token:
    """What ``az account get-access-token`` gives."""
    for name, value in (("TEAL_RESOURCE", resource), ("TEAL_TENANT", tenant or "x")):
        if not _SAFE.fullmatch(value):
            raise Ended(Exit.USAGE, f"{name} has characters that it cannot have; api://{{client id}} is meant")
    program = shutil.which("az")
    if program is None:
        raise Ended(Exit.NOT_ALLOWED, "No token: set TEAL_TOKEN or TEAL_KEY, or install the Azure CLI and `az login`")
    command = [program, "account", "get-access-token", "--resource", resource, "--output", "json"]
    command += ["--tenant", tenant] if tenant else []
    if sys.platform == "win32":
        command = ["cmd", "/c", *command]
    try:
        done = subprocess.run(command, capture_output=True, timeout=AZ_SECONDS, stdin=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired:
        raise Ended(Exit.NOT_ALLOWED, f"`az` is slow: no token within {AZ_SECONDS} s. Try again") from None
    except OSError:
        raise Ended(Exit.NOT_ALLOWED, "`az` cannot be started; set TEAL_TOKEN or TEAL_KEY") from None
    said = _json(done.stdout)
    if done.returncode != 0 or not isinstance(said.get("accessToken"), str):
        raise Ended(Exit.NOT_ALLOWED, f"`az` gives no token: {az_words(done.stderr.decode(errors='replace'))}")
    expires = said.get("expires_on")
    return Token(said["accessToken"], float(expires) if isinstance(expires, int | float | str) and expires else None)


#: What Entra's codes mean for whoever reads the line.
_ENTRA = {
    "AADSTS65001": f"the API's app registration must pre-authorize the Azure CLI, {AZ_ID}",
    "AADSTS700024": "the pipeline's id token has expired: give AZURE_CLIENT_ID and AZURE_TENANT_ID to this step",
    "AADSTS700213": "no federated credential of the client fits this pipeline's subject",
    "AADSTS70021": "no federated credential of the client fits this pipeline's subject",
    "AADSTS50020": "another account is signed in: set TEAL_TENANT to the API's tenant",
    "AADSTS500011": "TEAL_RESOURCE names no application of this tenant",
    "AADSTS7000215": "the client's secret is not right",
}


def az_words(text: str) -> str:
    """Entra's code with what it means, or the first line. Never more: an answer may hold tokens."""
    for code in re.findall(r"AADSTS\d+", text):
        if code in _ENTRA:
            return f"{code}, {_ENTRA[code]}"
    if "az login" in text:
        return "nobody is signed in: `az login`"
    first = next((line.strip() for line in text.splitlines() if line.strip()), "it does not say why")
    return re.sub(r"[A-Za-z0-9_\-.]{60,}", "…", first)[:200]


def _remedy(answer: tuple[int, dict[str, Any]] | None) -> str:
    described = str(answer[1].get("error_description", "")) if answer else ""
    return az_words(described) if described else "see AZURE_CLIENT_ID and AZURE_TENANT_ID"


def _said(answer: tuple[int, dict[str, Any]] | None, field: str, fault: str, remedy: str) -> str:
    if answer is None:
        raise Ended(Exit.NO_ANSWER, f"{fault}: no answer")
    status, body = answer
    if status >= 300 or not isinstance(body.get(field), str):
        raise Ended(Exit.NOT_ALLOWED, f"{fault} ({status}): {remedy}")
    return str(body[field])


def _json(text: bytes) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _seconds(given: Any, otherwise: float) -> float:
    try:
        return float(given)
    except (TypeError, ValueError):
        return otherwise


def _check_header(name: str, value: str) -> None:
    if not (value.isascii() and value.isprintable()):
        raise Ended(Exit.USAGE, f"{name} holds characters that no header may have: give it on one line, in ASCII")


def function_key(environment: Mapping[str, str]) -> str | None:
    """The key that goes with every request, in a header and nowhere else."""
    key = setting(environment, "TEAL_KEY")
    if key is not None:
        _check_header("TEAL_KEY", key)
    return key
