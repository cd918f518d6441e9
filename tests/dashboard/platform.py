"""A platform for the page's tests, and the page on it as a test uses it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

ROOT = Path(__file__).parents[2]

#: So many seconds pass in one: a deployment of ten minutes takes four.
SPEED = 150

#: Of the browser's own words, those that say nothing against the page: a test lets the API refuse or vanish.
_EXPECTED = re.compile(r"Failed to load resource|net::ERR_")

ENDS = ("finished", "failed", "stopped", "rolledBack")


class Served:
    """A running platform, and its API as tests arrange things with it."""

    def __init__(self, url: str, azure_url: str) -> None:
        self.url = url
        self.azure_url = azure_url
        #: Where tests leave pictures, to be looked at.
        self.screenshots = ROOT / "dashboard" / "screenshots"
        self.screenshots.mkdir(parents=True, exist_ok=True)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request; of a refusal the error."""
        url = path if path.startswith("http") else f"{self.url}/api/{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            return json.loads(error.read() or b"null")

    def start(self, group: str, **body: Any) -> str:
        """Start a deployment; its id."""
        answer = self.ask(
            "POST", f"groups/{group}/deployments", {"batchSizePercentage": 50, "gracePeriod": 120, **body}
        )
        assert "id" in answer, answer
        return str(answer["id"])

    def until(self, deployment: str, reached: Callable[[Any], bool]) -> Any:
        """Look until a deployment has come as far."""
        for _ in range(900):
            found = self.ask("GET", f"deployments/{deployment}")
            if reached(found):
                return found
            time.sleep(0.1)
        raise AssertionError(f"it did not come so far: {found['status']}, {found['reason']}")

    def end(self, deployment: str) -> Any:
        """Look until it is over."""
        return self.until(deployment, lambda found: found["status"] in ENDS)


@contextmanager
def served(world: Path, speed: int = SPEED, *more: str) -> Iterator[Served]:
    """A platform in a process of its own."""
    command = [sys.executable, "-u", "-m", "local", "--port", "0", "--azure-port", "0"]
    command += ["--speed", str(speed), "--world", str(world), *more]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        said = ""
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        api, azure = re.search(r"API +(http://\S+)/api", said), re.search(r"\(ARM\) +(http://\S+)", said)
        assert api is not None, said
        assert azure is not None, said
        yield Served(api[1], azure[1])
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


class PageTest:
    """A page in the browser. ``faults`` are what it did against its policy, and what it logged as an error."""

    def __init__(self, page: Any, platform: Served) -> None:
        self.page = page
        self.platform = platform
        self.faults: list[str] = []
        page.expose_function("violated", lambda words: self.faults.append(words))
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) => "
            "window.violated(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`))"
        )
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._logged)

    def _logged(self, message: Any) -> None:
        if message.type in ("error", "warning") and not _EXPECTED.search(message.text):
            self.faults.append(message.text)

    def open(self, path: str = "") -> Any:
        """Go there, and wait until something is shown."""
        self.page.goto(f"{self.platform.url}/api/dashboard/{path}")
        self.page.locator("main h1").first.wait_for()
        return self.page

    def fresh(self) -> None:
        """Ask anew, as a tab that is shown again does."""
        self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def until(self, condition: str, seconds: float = 60) -> None:
        """Wait for something in the page, which asks anew meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.page.evaluate(condition):
                return
            self.fresh()
            self.page.wait_for_timeout(250)
        raise AssertionError(f"{condition} did not become true: {self.page.locator('main').inner_text()[:2000]}")
