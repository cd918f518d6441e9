"""What people do: from the dialog to the end of a deployment, and everything said to one on its way."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.dashboard.axe import violations
from tests.dashboard.platform import PageTest, Served

pytestmark = pytest.mark.slow

STATUS = "document.querySelector('.hero .pill')?.innerText.trim()"


def dialog(shown: Any, group: str) -> Any:
    """The dialog, opened from the group's own button, with its plan."""
    shown.get_by_role("article", name=f"Group {group}").get_by_role("button", name="Deploy").click()
    found = shown.get_by_role("dialog")
    found.get_by_role("heading", name=f"Deploy to {group}").wait_for()
    return found


def planned(found: Any) -> None:
    """Wait until the plan of what the form says is there."""
    found.locator(".plan:not(.stale)").wait_for()
    found.locator(".roll").get_by_text("Roll deployment").wait_for()


def choose(found: Any, image: str, grace: str = "120") -> None:
    """Fill in what most of these tests want: two batches of two."""
    found.get_by_label("Image", exact=True).select_option(image)
    found.get_by_label("Batch size", exact=True).fill("50")
    found.get_by_label("Grace period").fill(grace)
    planned(found)


def roll(shown: Any, found: Any) -> str:
    """Start it; its id."""
    found.get_by_role("button", name="Roll deployment").click()
    found.wait_for(state="detached")
    shown.wait_for_url(re.compile(r"/deployments/\w+-\d"))
    return str(shown.url.rpartition("/")[2])


def confirm(shown: Any, command: str, yes: str = "") -> None:
    """Give a command, and say that it is meant."""
    shown.locator(".hero button[aria-disabled=false]").filter(has_text=f"{command}…").click()
    shown.get_by_role("dialog").get_by_role("button", name=yes or command, exact=True).click()
    shown.get_by_role("dialog").wait_for(state="detached")


def test_the_seed(page: PageTest) -> None:
    """Its sentences: two ways into the dialog, each field with its rule, Roll deployment, banner, columns, fields."""
    platform = page.platform
    shown = page.open("deployments?group=told")
    shown.get_by_role("button", name="Deploy…", exact=True).click()
    found = shown.get_by_role("dialog")
    found.get_by_role("heading", name="Deploy to told").wait_for()
    shown.keyboard.press("Escape")
    found.wait_for(state="detached")
    page.open("groups")
    found = dialog(shown, "told")
    assert found.get_by_label("Grace period").get_attribute("min") == "120"
    checks = found.get_by_role("group", name="Health check types")
    assert checks.get_by_label("applicationHealth").is_enabled()
    assert checks.get_by_label("applicationGateway not defined by the group").is_disabled()
    found.get_by_text("Advanced").click()
    assert found.get_by_label("Draining timeout").is_disabled()
    assert "vmReadyToShutdown replaces it" in found.inner_text()
    assert found.get_by_label("Min. Health").is_enabled()
    choose(found, "1.1.0")
    assert "2 batches of 2" in found.inner_text()
    assert "Replaces 4 VMs of 1.0.0 by new ones of 1.1.0 in 2 batches." in found.inner_text()
    identity = roll(shown, found)
    page.open("groups")
    banner = shown.get_by_role("region", name=re.compile("^told (in progress|pending)"))
    banner.wait_for()
    assert re.search(r"\d+ %", banner.inner_text())
    page.open("deployments")
    row = shown.get_by_role("row").filter(has_text=identity)
    assert "In progress" in row.inner_text() or "Pending" in row.inner_text()
    heads = " ".join(shown.locator("th").all_inner_texts())
    assert all(head in heads for head in ("Deployment", "Progress", "Status", "Created at", "Ended at"))
    page.open(f"deployments/{identity}")
    names = shown.locator(".facts").first.locator("dt").all_inner_texts()
    assert [name.strip() for name in names[:10]] == [
        *("Deployment ID", "Number of batches", "Current batch", "Status", "Started at", "Ended at", "Health check"),
        *("Grace period", "Blue VMs", "Green VMs"),
    ]
    seen: set[str] = set()
    page.open(f"deployments/{identity}/vms")
    for _ in range(400):
        seen |= {word.strip() for word in shown.locator(".vms tbody .st").all_inner_texts()}
        if platform.ask("GET", f"deployments/{identity}")["endedAt"]:
            break
        page.fresh()
        shown.wait_for_timeout(60)
    assert {"Running", "Healthy"} <= seen
    assert seen & {"Detached", "Draining"}
    page.open(f"deployments/{identity}/events")
    times = [one.get_attribute("datetime") for one in shown.locator(".ev time").all()]
    assert times == sorted(times)
    assert shown.locator(".ev code").last.inner_text() == "DeploymentFinished"


def test_a_deployment_from_the_dialog_to_its_end_by_the_keyboard_alone(page: PageTest) -> None:
    shown = page.open("groups")
    button = shown.get_by_role("article", name="Group desk").get_by_role("button", name="Deploy")
    button.focus()
    shown.keyboard.press("Enter")
    found = shown.get_by_role("dialog")
    image = found.get_by_label("Image", exact=True)
    image.wait_for()
    image.focus()
    shown.keyboard.type("1.1")
    shown.keyboard.press("Tab")
    planned(found)
    assert found.get_by_role("region", name="What will happen").get_by_text("1.1.0").count() > 0
    for _ in range(60):
        if shown.evaluate("document.activeElement.classList.contains('roll')"):
            break
        shown.keyboard.press("Tab")
    shown.keyboard.press("Enter")
    shown.wait_for_url(re.compile("/deployments/desk-"))
    page.until(f"{STATUS} === 'Finished'")
    page.open("groups")
    button.focus()
    shown.keyboard.press("Enter")
    found.wait_for()
    shown.keyboard.press("Escape")
    found.wait_for(state="detached")
    assert shown.evaluate("document.activeElement.innerText").strip() == "Deploy…"


def test_what_failed_is_retried_with_more_time(page: PageTest) -> None:
    shown = page.open("groups")
    found = dialog(shown, "fail")
    choose(found, "1.2.0")
    first = roll(shown, found)
    page.until(f"{STATUS} === 'Failed'")
    shown.get_by_role("button", name=re.compile("^Retry with 4 min")).click()
    found.get_by_role("heading", name="Retry on fail").wait_for()
    planned(found)
    assert found.get_by_label("Grace period").input_value() == "240"
    second = roll(shown, found)
    assert page.platform.ask("GET", f"deployments/{second}")["retryOf"] == first
    assert page.platform.ask("GET", f"deployments/{second}")["gracePeriod"] == 240
    confirm(shown, "Stop")
    page.until(f"{STATUS} === 'Stopped'")
    page.open("deployments?group=fail")
    assert shown.get_by_role("row").filter(has_text=second).get_by_role("button", name="Retry…").count() == 1
    assert shown.get_by_role("row").filter(has_text=first).get_by_role("button", name="Same again…").count() == 1


def test_a_canary_is_approved_and_what_waits_is_taken_back(page: PageTest) -> None:
    shown = page.open("groups")
    found = dialog(shown, "gate")
    found.get_by_text("Advanced").click()
    found.get_by_label("A canary first").check()
    found.get_by_label("then ask for approval").check()
    choose(found, "1.1.0")
    assert "Somebody is asked on the way." in found.inner_text()
    identity = roll(shown, found)
    page.until(f"{STATUS} === 'Waiting for approval'")
    waits = page.platform.start("gate", image="1.3.0", onConflict="queue")
    confirm(shown, "Approve")
    page.until(f"{STATUS} === 'Finished' || {STATUS} === 'In progress'")
    commands = page.platform.ask("GET", f"deployments/{identity}/commands")["value"]
    assert [one["command"] for one in commands] == ["approve"]
    page.open(f"deployments/{waits}")
    if page.platform.ask("GET", f"deployments/{waits}")["status"] == "queued":
        confirm(shown, "Take back")
        page.until(f"{STATUS} === 'Stopped'")


def test_it_is_paused_goes_on_and_is_rolled_back(page: PageTest) -> None:
    identity = page.platform.start("steer", image="1.1.0", gracePeriod=300)
    shown = page.open(f"deployments/{identity}")
    page.until(f"{STATUS} === 'In progress' && document.querySelector('.tl-row.cur')")
    shown.locator(".hero").get_by_role("button", name="Pause…").click()
    asks = shown.get_by_role("dialog")
    assert "Nothing new begins until somebody resumes" in asks.inner_text()
    asks.get_by_label("Comment").fill("the database is slow")
    asks.get_by_role("button", name="Pause", exact=True).click()
    page.until(f"{STATUS} === 'Paused'")
    confirm(shown, "Resume")
    page.until(f"{STATUS} === 'In progress'")
    confirm(shown, "Roll back")
    page.until(f"{STATUS} === 'Rolled back'")
    said = page.platform.ask("GET", f"deployments/{identity}/commands")["value"]
    assert [one["command"] for one in said] == ["pause", "resume", "rollBack"]
    assert said[0]["comment"] == "the database is slow"


def test_a_lost_answer_a_second_click_and_a_reload_start_one(page: PageTest) -> None:
    shown = page.open("groups")
    lost = {"count": 0}

    def lose(route: Any) -> Any:
        if route.request.method == "POST" and "dryRun" not in route.request.url and lost["count"] == 0:
            lost["count"] += 1
            route.fetch()
            return route.abort()
        return route.continue_()

    shown.route("**/groups/told/deployments*", lose)
    found = dialog(shown, "told")
    found.get_by_label("Comment").fill("once")
    found.get_by_label("Comment").blur()
    choose(found, "1.3.0")
    found.get_by_role("button", name="Roll deployment").dblclick()
    found.get_by_role("alert").get_by_text("it is done once").wait_for()
    kept = json.loads(shown.evaluate("sessionStorage.getItem('teal.acts')"))
    assert [one["body"]["comment"] for one in kept] == ["once"]
    shown.reload()
    shown.get_by_text("was sent again, and is done").wait_for()
    assert shown.evaluate("sessionStorage.getItem('teal.acts')") is None
    started = page.platform.ask("GET", "groups/told/deployments")["value"]
    assert [one["comment"] for one in started].count("once") == 1


def me(roles: list[str], *allowed: str) -> dict[str, Any]:
    acts = ("start", "retry", "takeBack", "pause", "resume", "stop", "rollBack", "approve")
    may = {act: {"allowed": act in allowed, "needs": "approver" if act == "approve" else "deployer"} for act in acts}
    return {"mode": "keys", "name": f"{roles[0]} key", "recordedAs": f"{roles[0]} key", "roles": roles, "may": may}


def test_a_reader_sees_no_live_button_and_why(page: PageTest) -> None:
    identity = page.platform.start("good", image="1.3.0", canary={"size": 1, "approval": True})
    page.page.route("**/api/me", lambda route: route.fulfill(json=me(["reader"])))
    shown = page.open(f"deployments/{identity}")
    page.until("document.querySelector('.hero .bs .b[aria-disabled=true]')")
    buttons = shown.locator(".hero .bs > button.b")
    assert buttons.count() == 3
    assert {one.get_attribute("aria-disabled") for one in buttons.all()} == {"true"}
    assert "Your role, reader, may not: this takes the role deployer" in shown.locator(".hero").inner_text()
    page.open("groups")
    page.until("document.querySelector('.who')")
    deploy = shown.get_by_role("article", name="Group desk").get_by_role("button", name="Deploy")
    assert deploy.get_attribute("aria-disabled") == "true"
    deploy.click(force=True)
    assert shown.get_by_role("dialog").count() == 0
    page.platform.ask("POST", f"deployments/{identity}/stop", {})


def test_it_asks_for_a_key_and_keeps_it_for_the_tab(page: PageTest) -> None:
    def locked(route: Any) -> Any:
        if route.request.headers.get("x-functions-key") == "right":
            return route.continue_()
        return route.fulfill(status=401, body="")

    page.page.route(re.compile("/api/(?!dashboard)"), locked)
    shown = page.page
    shown.goto(f"{page.platform.url}/api/dashboard/groups")
    asks = shown.get_by_role("dialog")
    asks.get_by_label("Key").fill("wrong")
    asks.get_by_role("button", name="Open").click()
    asks.get_by_text("This key does not open the app.").wait_for()
    asks.get_by_label("Key").fill("right")
    asks.get_by_role("button", name="Open").click()
    shown.get_by_role("article", name="Group desk").wait_for()
    assert asks.count() == 0
    assert shown.evaluate("[sessionStorage.getItem('teal.key'), localStorage.length]") == ["right", 0]


def test_in_entra_mode_it_signs_in_once_and_then_says_why_it_does_not_help(page: PageTest) -> None:
    envelope = {"error": {"code": "unauthenticated", "message": "Sign in", "details": []}}
    asked: list[str] = []

    def sign_in(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(status=302, headers={"location": "/api/dashboard/deployments?status=failed"})

    page.page.route(re.compile("/api/(?!dashboard)"), lambda route: route.fulfill(status=401, json=envelope))
    page.page.route("**/.auth/login/aad**", sign_in)
    page.page.goto(f"{page.platform.url}/api/dashboard/deployments?status=failed")
    page.page.get_by_text("ask its administrator for a role").first.wait_for()
    assert len(asked) == 1
    assert asked[0].endswith("post_login_redirect_uri=%2Fapi%2Fdashboard%2Fdeployments%3Fstatus%3Dfailed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_dialogs(platform: Served, browser: Any, scheme: str) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, reduced_motion="reduce")
    shown = context.new_page()
    identity = platform.start("steer", image="1.1.0", canary={"size": 1, "approval": True})
    try:
        shown.goto(f"{platform.url}/api/dashboard/groups")
        found = dialog(shown, "bad")
        found.get_by_text("Advanced").click()
        choose(found, "1.3.0")
        assert violations(shown) == []
        folder = platform.screenshots
        shown.screenshot(path=folder / f"deploy-1280-{scheme}.png")
        shown.set_viewport_size({"width": 360, "height": 900})
        assert violations(shown) == []
        shown.screenshot(path=folder / f"deploy-360-{scheme}.png")
        shown.set_viewport_size({"width": 1280, "height": 900})
        shown.goto(f"{platform.url}/api/dashboard/deployments/{identity}")
        shown.locator(".hero").get_by_role("button", name="Stop…").click()
        shown.get_by_role("dialog").get_by_text("Nothing more is replaced").wait_for()
        assert violations(shown) == []
        shown.screenshot(path=folder / f"stop-1280-{scheme}.png")
    finally:
        context.close()
        platform.ask("POST", f"deployments/{identity}/stop", {})
        platform.end(identity)
