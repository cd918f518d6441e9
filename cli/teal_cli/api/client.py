"""Teal's API as the command uses it: asked again while it is not up, within a time, with a token that is kept fresh."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from teal_cli.api.connection import Connection, NoAnswer, json_object
from teal_cli.api.judging import VERSION_HEADER, Answer, Verdict, backoff, judge
from teal_cli.api.tokens import Tokens
from teal_cli.ending import Ended
from teal_cli.exits import Exit, of_refusal
from teal_cli.show.plain import plain

#: How long one answer may take, in seconds. A start reads the whole scale set.
READ_SECONDS = 30.0
START_SECONDS = 120.0

#: How long is waited for the first answer of all: a cold start and a deployment of the app are over by then.
FIRST_SECONDS = 300.0


@dataclass(frozen=True)
class Who:
    """By what the command is known to Teal."""

    key: str | None = None
    tokens: Tokens | None = None

    def headers(self, fresh: bool = True) -> dict[str, str]:
        """Key and token, in headers and nowhere else; without ``fresh`` no new token is waited for."""
        headers = {"x-functions-key": self.key} if self.key else {}
        token = None if self.tokens is None else self.tokens.get() if fresh else self.tokens.kept
        return {**headers, "Authorization": f"Bearer {token}"} if token else headers


@dataclass
class Deadline:
    """The moment at which a command gives up; ``None``: never."""

    seconds: float | None
    now: Callable[[], float] = time.monotonic
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.now()

    @property
    def left(self) -> float:
        """Seconds until then."""
        return float("inf") if self.seconds is None else self.began + self.seconds - self.now()


@dataclass
class Client:
    """Asks until there is an answer, or the time is over."""

    url: str
    who: Who
    connection: Connection
    deadline: Deadline
    #: Seconds before a failed request is sent again, the first time.
    patience: float = 1.0
    #: Told in words of each request that has to be sent again, and with nothing when an answer came after all.
    told: Callable[[str], None] = lambda words: None
    sleep: Callable[[float], None] = time.sleep
    #: The last answer's version, and the deployment that a start may have made although no answer said so.
    version: str = ""
    started: str = ""
    _troubled: str = ""

    def get(self, path: str, **params: str) -> Any:
        """The body of an answer that is a success."""
        return self.ask("GET", path, params=params).body or {}

    def post(self, path: str, body: Mapping[str, Any], key: str, **params: str) -> Answer:
        """A request that may be sent again: ``key`` has it done once."""
        return self.ask("POST", path, body=body, key=key, params=params)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        key: str = "",
        params: Mapping[str, str] | None = None,
        tag: str = "",
    ) -> Answer:
        """The answer that is taken; ``Ended`` where there is none to be had. ``tag``: what is known, for a 304."""
        tries, renewed = 0, False
        while True:
            said = ""
            answer = None
            try:
                timeout = self._timeout(method)
                answer = self.once(method, path, body=body, key=key, params=params, tag=tag, timeout=timeout)
                verdict, said = judge(answer)
            except NoAnswer as error:
                verdict, said = Verdict.AGAIN, str(error)
            if answer is not None and answer.version is not None:
                self.version = answer.version
            if verdict is Verdict.TAKE:
                self._tell("")
                assert answer is not None
                return answer
            if verdict is Verdict.RENEW and self.who.tokens is not None and not renewed:
                renewed = True
                self.who.tokens.renew()
                continue
            if verdict in (Verdict.REFUSED, Verdict.RENEW, Verdict.STRANGER):
                assert answer is not None
                raise self._refused(answer, verdict, said)
            self._wait(tries, said, answer)
            tries += 1

    def once(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        body: Mapping[str, Any] | None = None,
        key: str = "",
        params: Mapping[str, str] | None = None,
        tag: str = "",
        fresh: bool = True,
    ) -> Answer:
        """One request, sent once."""
        headers = {"Accept": "application/json", **self.who.headers(fresh)}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"If-None-Match": tag} if tag else {}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        response = self.connection.send(
            method, f"{self.url}/api/{path}", headers=headers, timeout=timeout, params=params, content=content
        )
        said = json_object(response.content)
        answer = Answer(
            response.status_code,
            response.headers.get(VERSION_HEADER),
            said or None,
            _seconds(response.headers.get("retry-after")),
            response.headers.get("idempotent-replayed") == "true",
            response.headers.get("date", ""),
            response.headers.get("etag", ""),
        )
        if answer.code in ("startUncertain", "notStarted") and answer.target:
            self.started = answer.target
        return answer

    def pause(self, seconds: float) -> None:
        """Wait; ``Ended`` when the command's time is over."""
        left = self.deadline.left
        self.sleep(max(0.0, min(seconds, left)))
        if self.deadline.left <= 0:
            raise Ended(Exit.TIMED_OUT)

    def _timeout(self, method: str) -> float:
        most = START_SECONDS if method == "POST" else READ_SECONDS
        return max(0.5, min(most, self.deadline.left))

    def _wait(self, tries: int, said: str, answer: Answer | None) -> None:
        self._tell(said)
        left = self.deadline.left
        if not self.version:
            left = min(left, self.deadline.began + FIRST_SECONDS - self.deadline.now())
        wait = backoff(tries, self.patience, answer.retry_after if answer else None)
        self.sleep(max(0.0, min(wait, left)))
        if left <= wait:
            named = [MAY_HAVE_STARTED.format(self.started)] if self.started else []
            raise Ended(Exit.NO_ANSWER, f"No answer of {self.url}: {plain(said)}", *named, target=self.started)

    def _refused(self, answer: Answer, verdict: Verdict, said: str) -> Ended:
        if verdict is Verdict.STRANGER:
            return Ended(Exit.NOT_ALLOWED if answer.status < 400 and answer.status >= 300 else Exit.USAGE, plain(said))
        code = of_refusal(answer.status, answer.code)
        if verdict is Verdict.RENEW and not answer.message:
            return Ended(code, f"{self.url} does not know the key or token (401)", who_to_ask(self.who))
        words = f"{plain(said)} ({answer.code})" if answer.code else plain(said)
        lines = [plain(fault) for fault in answer.faults] if len(answer.faults) > 1 else []
        if answer.code == IN_THE_WAY and answer.target:
            lines.append(plain(f"{answer.target} is in the way: `teal watch {answer.target}`"))
        return Ended(code, words, *lines, error=answer.code, target=answer.target)

    def _tell(self, said: str) -> None:
        if said != self._troubled:
            self._troubled = said
            self.told(said)


#: The refusal that names the deployment which has the scale set.
IN_THE_WAY = "deploymentInProgress"

MAY_HAVE_STARTED = "Deployment {0} may have been started: `teal watch {0}`"


def new_key() -> str:
    """A key for what is asked once."""
    return f"teal-{uuid.uuid4()}"


def who_to_ask(who: Who) -> str:
    """What to do where nobody knows the caller."""
    if who.key is None and who.tokens is None:
        return "Set TEAL_KEY, or TEAL_RESOURCE to ask with a token (docs/command.md)"
    return "See TEAL_KEY and TEAL_RESOURCE; `teal doctor` says what is known"


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
