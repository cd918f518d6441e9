"""Azure Resource Manager with the standard library alone: tokens, and requests that are sent again where that helps."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

#: How often a request is sent, and how long between two, where Azure says nothing.
TRIES, BETWEEN_SECONDS = 30, 5.0
LONGEST_WAIT_SECONDS = 120.0
ANSWERS_WITHIN_SECONDS = 60.0


class ArmError(Exception):
    """Azure refused, or did not answer. The text holds nothing of what was sent."""


class Arm:
    """``token`` is asked once, and again where Azure takes the token no more; ``wait`` sleeps."""

    def __init__(self, endpoint: str, token: Callable[[], str], wait: Callable[[float], None]) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._token = token
        self._wait = wait
        self._known = ""

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The answer's JSON; what is not there is deleted already. Raises ``ArmError``."""
        address = path if path.startswith(f"{self._endpoint}/") else f"{self._endpoint}{path}"
        for number in range(TRIES):
            try:
                return self._send(method, address, body)
            except urllib.error.HTTPError as error:
                if error.code == 404 and method == "DELETE":
                    return {}
                if error.code == 401 and number == 0:
                    self._known = ""
                elif error.code not in (408, 429) and error.code < 500:
                    raise ArmError(f"{method} {_plain(path)} is refused: {error.code} {_code(error)}") from None
                else:
                    self._wait(_pause(error.headers.get("Retry-After")))
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                self._wait(BETWEEN_SECONDS)
        raise ArmError(f"{method} {_plain(path)}: Azure is busy or does not answer. Run this again later")

    def list(self, path: str) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        while path:
            page = self.call("GET", path)
            yield from page.get("value", ())
            path = page.get("nextLink") or ""

    def _send(self, method: str, address: str, body: Any) -> dict[str, Any]:
        self._known = self._known or self._token()
        content = b"" if body is None and method == "POST" else None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._known}", "Content-Type": "application/json"}
        request = urllib.request.Request(address, content, headers, method=method)
        with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN_SECONDS) as answer:
            text = answer.read()
        read = json.loads(text) if text else {}
        return read if isinstance(read, dict) else {}


def access_token(endpoint: str, environment: Mapping[str, str]) -> str:
    """A token for ``endpoint``: of ``ARM_ACCESS_TOKEN``, else of azd's login, else of az's. Raises ``ArmError``."""
    if given := environment.get("ARM_ACCESS_TOKEN"):
        return given
    ways = (
        ("token", ["azd", "auth", "token", "--output", "json", "--scope", f"{endpoint}/.default"]),
        ("accessToken", ["az", "account", "get-access-token", "--output", "json", "--resource", endpoint]),
    )
    for field, command in ways:
        program = shutil.which(command[0], path=environment.get("PATH"))
        if program is None:
            continue
        done = subprocess.run(
            [program, *command[1:]], env=dict(environment), capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return str(json.loads(done.stdout)[field])
    raise ArmError("nobody is signed in: azd auth login, or az login")


def _pause(retry_after: str | None) -> float:
    try:
        return min(max(float(retry_after or BETWEEN_SECONDS), 0.0), LONGEST_WAIT_SECONDS)
    except ValueError:
        return BETWEEN_SECONDS


def _plain(path: str) -> str:
    return path.partition("?")[0]


def _code(error: urllib.error.HTTPError) -> str:
    """ARM's code. Its message is left out: it may repeat what was sent."""
    try:
        said = json.loads(error.read())
        return str((said.get("error") or said).get("code") or "")[:100]
    except (ValueError, AttributeError):
        return ""
