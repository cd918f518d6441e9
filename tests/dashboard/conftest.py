"""The page in a real browser, on a running platform. Without a browser these tests are left out, and that is said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.platform import PageTest, Served, served

HERE = Path(__file__).parent
REQUIRED = os.environ.get("TEAL_PAGE_TESTS") == "required"


def chromium() -> str | None:
    """The browser that is there: ``CHROMIUM``, or what Debian and Google call it."""
    given = os.environ.get("CHROMIUM")
    return given or shutil.which("chromium") or shutil.which("google-chrome")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a browser where there is none, unless it is required."""
    if chromium() or REQUIRED:
        return
    out = [item for item in items if HERE in item.path.parents]
    items[:] = [item for item in items if HERE not in item.path.parents]
    config.hook.pytest_deselected(items=out)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line where they were left out."""
    if not chromium() and not REQUIRED:
        terminalreporter.write_line(
            "The page's tests were left out: there is no Chromium (apt-get install chromium, or CHROMIUM=/its/path)"
        )


@pytest.fixture(scope="session")
def built() -> None:
    """The page, built from what is in the folder; `make test` has built it before several processes want it at once."""
    dashboard = HERE.parents[1] / "dashboard"
    if "PYTEST_XDIST_WORKER" in os.environ and (dashboard / "dist" / "index.html").exists():
        return
    subprocess.run(["npm", "run", "--silent", "build"], cwd=dashboard, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def platform(built: None) -> Iterator[Served]:
    """A platform with a few small sets, for all tests of a module."""
    with served(HERE / "world.json") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all tests of a module: while Playwright is there, its event loop keeps others from running."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(platform: Served, browser: Any) -> Iterator[PageTest]:
    """A page of its own for each test, which may break the policy nowhere and log no fault."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    tested = PageTest(context.new_page(), platform)
    yield tested
    context.close()
    assert tested.faults == [], json.dumps(tested.faults)
