"""How long the page takes from a refresh's answer to the painted screen, and what an open page asks in an hour.

In headless Chromium, of a deployment that was recorded, with 10 and with 900 VMs. ``None`` where there is no browser,
or the page is not built.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

from api.dashboard import BUILT, answer_dashboard
from api.http import Request

RECORDED = Path(__file__).parents[1] / "dashboard" / "test" / "captured" / "finished.json"
URL = "http://teal.example/api/dashboard/deployments/web-1"
REFRESHES = 24
#: The first ones warm the browser up.
WARM_UP = 6
#: Seconds between two requests: of a deployment that is followed, and of one without news for ten minutes.
CLOSE, QUIET = 5, 30

#: Marks each answer about the deployment, and the frame after the one in which it was drawn.
_WATCH = """
window.took = [];
const asked = window.fetch;
window.fetch = async (...all) => {
  const answer = await asked(...all);
  if (!String(all[0]).includes('include=')) return answer;
  const read = answer.text.bind(answer);
  answer.text = async () => {
    const text = await read();
    const start = performance.now();
    requestAnimationFrame(() => requestAnimationFrame(() => window.took.push(performance.now() - start)));
    return text;
  };
  return answer;
};
"""


@dataclass(frozen=True)
class Painted:
    """``milliseconds`` from a refresh's answer to the screen, and how large the answer is."""

    vms: int
    milliseconds: float
    answer_bytes: int


def measure_page() -> tuple[Painted, ...] | None:
    """At 10 and at 900 VMs."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or not BUILT.exists():
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = tuple(_measure(browser, vms) for vms in (10, 900))
        browser.close()
    return found


def _measure(browser: Any, vms: int) -> Painted:
    page = browser.new_page()
    # Each refresh brings something new: every second VM is another than before.
    body = _details(vms)
    bodies = cycle((body, {**body, "vms": [_other(vm) if i % 2 else vm for i, vm in enumerate(body["vms"])]}))
    page.add_init_script(_WATCH)
    page.route("**/*", lambda route: _answer(route, bodies))
    page.goto(URL)
    page.locator(".tl-row").first.wait_for()
    for number in range(REFRESHES):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        while page.evaluate("window.took.length") < number + 2:
            page.wait_for_timeout(5)
    times: list[float] = page.evaluate(f"window.took.slice({WARM_UP})")
    page.close()
    return Painted(vms, median(times), len(json.dumps(body, separators=(",", ":"))))


def _details(vms: int) -> dict[str, Any]:
    """The recorded deployment, with as many VMs."""
    known = json.loads(RECORDED.read_text())
    each = len(known["vms"])
    many = [{**known["vms"][i % each], "vmId": f"v{i}", "name": f"web_{i}"} for i in range(vms * 2)]
    batches = len(known["batches"])
    placed = [{**vm, "batch": i * batches // len(many) + 1} for i, vm in enumerate(many)]
    deployment = {**known["deployment"], "canBe": [], "targetSize": vms, "servingFloor": vms, "rollBack": None}
    return {**deployment, "batches": known["batches"], "vms": placed, "events": known["events"], "next": "30"}


def _other(vm: dict[str, Any]) -> dict[str, Any]:
    return {**vm, "status": "unhealthy", "reason": "applicationHealth: unhealthy"}


def _answer(route: Any, bodies: Iterator[dict[str, Any]]) -> None:
    url = route.request.url
    if "/dashboard" in url:
        answer = answer_dashboard(Request("GET", url))
        route.fulfill(status=answer.status, headers=answer.all_headers, body=answer.content)
        return
    if re.search(r"/deployments/web-1\?", url):
        route.fulfill(json=next(bodies))
        return
    route.fulfill(status=404, body="")


def page_table(found: tuple[Painted, ...] | None) -> str:
    """The measurements in words."""
    if found is None:
        return "The page: not measured, there is no Chromium or no build"
    few, many = found
    lines = [f"The page, {one.vms} VMs: {one.milliseconds:.0f} ms from an answer to the screen" for one in found]
    lines.append(f"{many.vms} over {few.vms} VMs: {many.milliseconds / few.milliseconds:.2f}")
    lines.append(
        f"An open deployment asks {3600 // CLOSE} times an hour, {3600 // QUIET} where nothing happens; what has not "
        f"changed is a 304. All of it is {few.answer_bytes / 1024:.0f} KiB, {many.answer_bytes / 1024:.0f} KiB"
    )
    return "\n".join(lines)
