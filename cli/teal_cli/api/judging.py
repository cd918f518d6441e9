"""What an answer means: a success, a refusal, or a reason to ask again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

#: Every answer of Teal's has it; the Functions host's own, and those of what lies between, do not.
VERSION_HEADER = "x-teal-version"


class Verdict(Enum):
    """What to do with an answer."""

    TAKE = auto()
    REFUSED = auto()
    AGAIN = auto()
    RENEW = auto()
    STRANGER = auto()


@dataclass(frozen=True)
class Answer:
    """An answer as it came. ``body`` is ``None`` where it is no JSON object."""

    status: int
    version: str | None
    body: dict[str, Any] | None
    retry_after: float | None = None
    replayed: bool = False
    date: str = ""
    tag: str = ""

    @property
    def code(self) -> str:
        """The API's code, of a refusal."""
        return str(self._error.get("code", ""))

    @property
    def message(self) -> str:
        """What the API says of a refusal."""
        return str(self._error.get("message", ""))

    @property
    def target(self) -> str:
        """The field or deployment that it is about."""
        return str(self._error.get("target", ""))

    @property
    def faults(self) -> list[str]:
        """Each fault of a refusal with its remedy."""
        said = []
        for detail in self._error.get("details", []):
            remedy = str(detail.get("remedy", ""))
            said.append(f"{detail.get('code', '')}: {detail.get('message', '')}" + (f". {remedy}" if remedy else ""))
        return said

    @property
    def _error(self) -> dict[str, Any]:
        error = (self.body or {}).get("error", {})
        return error if isinstance(error, dict) else {}


def judge(answer: Answer) -> tuple[Verdict, str]:
    """The verdict on an answer, with its reason in words."""
    ours = answer.version is not None
    if answer.status == 401:
        return Verdict.RENEW, "the key or token is not accepted (401)"
    if answer.status == 429:
        return Verdict.AGAIN, "asked too often (429)"
    if answer.status >= 500:
        said = answer.message or "the app is not up" if answer.status in (502, 503, 504) else answer.message
        return Verdict.AGAIN, f"{said or 'a fault of the server'} ({answer.status})"
    if answer.status == 404 and not ours:
        return Verdict.AGAIN, "the app is not up yet (404 of its host)"
    if answer.code == "requestInProgress":
        return Verdict.AGAIN, answer.message
    if answer.status == 403:
        return Verdict.REFUSED, answer.message or "not allowed (403)"
    if ours and answer.status == 304:
        return Verdict.TAKE, ""
    if not ours or (answer.status < 300 and answer.body is None) or 300 <= answer.status < 400:
        return Verdict.STRANGER, _stranger(answer)
    if answer.status < 300:
        return Verdict.TAKE, ""
    return Verdict.REFUSED, answer.message or f"refused ({answer.status})"


def _stranger(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return f"it leads to another page ({answer.status}), to sign in perhaps: give a key or a token"
    return f"what answers at TEAL_URL is not Teal ({answer.status}, and no {VERSION_HEADER})"


def backoff(tries: int, base: float, said: float | None) -> float:
    """Seconds until the next try: twice as long each time, half a minute at most; what the server said is kept."""
    wait: float = min(30.0, base * 2.0 ** min(tries, 10))
    return max(wait, min(said, 120.0)) if said is not None else wait
