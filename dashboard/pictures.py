"""Make the README's pictures anew: ``make pictures``. They are taken of a deployment on the local platform.

``docs/pictures/failed.webp``, ``plan.webp``: one picture each. ``roll.webp``: a deployment from the dialog to its end.
"""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.dashboard.platform import Served, served

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 860
#: So many seconds pass in one, and between two frames of the animation.
SPEED = 60
FRAME_SECONDS = 0.9
FRAMES_MAX = 34


def main() -> None:
    """All three."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with served(ROOT / "local" / "worlds" / "demo.json", SPEED) as platform, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        view: Any = {"width": WIDTH, "height": HEIGHT}
        page = browser.new_context(viewport=view, device_scale_factor=1, reduced_motion="reduce").new_page()
        animate(page, platform)
        plan(page, platform)
        failed(page, platform)
        browser.close()


def animate(page: Any, platform: Served) -> None:
    """From the dialog to the end."""
    frames = [*dialog(page, platform)]
    page.get_by_role("button", name="Roll deployment").click()
    page.wait_for_url(re.compile("/deployments/web-"))
    for _ in range(FRAMES_MAX):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_timeout(FRAME_SECONDS * 1000)
        frames.append(shot(page))
        if "Finished" in page.title():
            break
    small = [frame.resize((WIDTH * 3 // 4, HEIGHT * 3 // 4), Image.Resampling.LANCZOS) for frame in frames]
    lengths = [1800, 1800, *[450] * (len(small) - 3), 4000]
    options: Any = {"save_all": True, "append_images": small[1:], "duration": lengths, "loop": 0, "quality": 62}
    small[0].save(FOLDER / "roll.webp", method=6, **options)


def dialog(page: Any, platform: Served) -> list[Image.Image]:
    """The dialog as it opens, and with its plan."""
    page.goto(f"{platform.url}/api/dashboard/groups")
    page.get_by_role("article", name="Group web").get_by_role("button", name="Deploy").click()
    page.locator(".plan:not(.stale) .figs").wait_for()
    first = shot(page)
    page.get_by_label("Image", exact=True).select_option("1.1.0")
    page.get_by_label("Grace period").fill("300")
    page.wait_for_timeout(600)
    page.locator(".plan:not(.stale) .tl").wait_for()
    return [first, shot(page)]


def plan(page: Any, platform: Served) -> None:
    """A plan with what speaks against it."""
    page.goto(f"{platform.url}/api/dashboard/groups")
    page.get_by_role("article", name="Group api").get_by_role("button", name="Deploy").click()
    page.get_by_label("Image", exact=True).select_option("1.4.0")
    page.get_by_label("Grace period").fill("300")
    page.wait_for_timeout(600)
    page.locator(".plan:not(.stale) .tl").wait_for()
    shot(page).save(FOLDER / "plan.webp", quality=80, method=6)


def failed(page: Any, platform: Served) -> None:
    """A failure: what happened, what is left, what to do; and what a sick VM wrote."""
    identity = platform.start("web", image="1.2.0", batchSizePercentage=20, gracePeriod=300, comment="release 43")
    platform.end(identity)
    page.goto(f"{platform.url}/api/dashboard/deployments/{identity}")
    page.get_by_role("link", name=re.compile("^Evidence of ")).click()
    page.set_viewport_size({"width": WIDTH, "height": 1120})
    page.get_by_role("region", name="Serial log").wait_for()
    shot(page).save(FOLDER / "failed.webp", quality=80, method=6)


def shot(page: Any) -> Image.Image:
    """What the window shows."""
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


if __name__ == "__main__":
    main()
