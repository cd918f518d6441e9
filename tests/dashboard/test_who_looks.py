"""The page where the app wants to know who looks: by a key, and by Entra."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.platform import PageTest, served

pytestmark = pytest.mark.slow

WORLD = Path(__file__).parent / "small.json"
KEYS = {"roles": {"reader": "read-it", "approver": "approve-it", "deployer": "deploy-it"}}
PEOPLE = {
    "ada": {"oid": "6d3a9c1e-52a8-4f0b-9a51-0c6f1f8f8d10", "name": "ada@example.com", "roles": ["deployer"]},
    "bob": {"oid": "7d3a9c1e-52a8-4f0b-9a51-0c6f1f8f8d10", "name": "bob@example.com", "roles": []},
}


def unlock(shown: Any, key: str) -> None:
    """Give a key to the dialog that asks for one."""
    asks = shown.get_by_role("dialog")
    asks.get_by_label("Key").fill(key)
    asks.get_by_role("button", name="Open").click()


def test_a_key_opens_the_page_for_its_role(built: None, browser: Any, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(KEYS))
    with served(WORLD, 60, "--keys", str(tmp_path / "keys.json")) as platform:
        context = browser.new_context()
        tested = PageTest(context.new_page(), platform)
        shown = tested.page
        shown.goto(f"{platform.url}/api/dashboard/groups")
        unlock(shown, "wrong")
        shown.get_by_text("This key does not open the app.").wait_for()
        unlock(shown, "read-it")
        shown.get_by_text("reader key: reader").wait_for()
        deploy = shown.get_by_role("article", name="Group web").get_by_role("button", name="Deploy")
        assert deploy.get_attribute("aria-disabled") == "true"
        assert deploy.get_attribute("title") == "Your role, reader, may not: this takes the role deployer"
        assert shown.evaluate("[sessionStorage.getItem('teal.key'), localStorage.length]") == ["read-it", 0]
        shown.evaluate("sessionStorage.setItem('teal.key', 'deploy-it')")
        shown.reload()
        deploy.click()
        shown.get_by_role("dialog").get_by_label("Image", exact=True).wait_for()
        context.close()
        assert tested.faults == []


def test_entra_signs_in_once_and_comes_back_to_the_same_address(built: None, browser: Any, tmp_path: Path) -> None:
    (tmp_path / "people.json").write_text(json.dumps({"people": PEOPLE}))
    with served(WORLD, 60, "--entra", str(tmp_path / "people.json")) as platform:
        context = browser.new_context()
        tested = PageTest(context.new_page(), platform)
        shown = tested.page
        address = f"{platform.url}/api/dashboard/deployments?status=failed"
        shown.goto(address)
        shown.get_by_role("heading", name="Sign in as").wait_for()
        shown.get_by_role("link", name="ada").click()
        shown.get_by_text("ada@example.com: deployer").wait_for()
        assert shown.url == address
        shown.get_by_role("heading", name="Deployments").wait_for()
        shown.context.clear_cookies()
        shown.reload()
        shown.get_by_text("ask its administrator for a role").first.wait_for()
        assert shown.url == address
        context.close()
        assert tested.faults == []
