"""What people see: groups, the history and one deployment, as each of them comes to be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.axe import violations
from tests.dashboard.platform import PageTest, Served

pytestmark = pytest.mark.slow

COMPUTE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers/Microsoft.Compute"


@pytest.fixture(scope="module")
def history(platform: Served) -> dict[str, str]:
    """A deployment of each kind: they run at the same time."""
    ids = {
        "good": platform.start("good", image="1.1.0", comment="release 42"),
        "bad": platform.start("bad", image="1.2.0", comment="release 43"),
        "back": platform.start("back", image="1.1.0", comment="to be rolled back", gracePeriod=300),
        "busy": platform.start("busy", image="1.1.0", canary={"size": 1, "approval": True}, comment="behind a canary"),
    }
    ids["queued"] = platform.start("busy", image="1.3.0", onConflict="queue", comment="waits its turn")
    platform.until(ids["back"], lambda found: found["currentBatch"] == 2 or found["endedAt"])
    platform.ask("POST", f"deployments/{ids['back']}/rollBack", {"comment": "p95 went up"})
    scale_set = f"{platform.azure_url}{COMPUTE}/virtualMachineScaleSets/prompt?api-version=2024-07-01"
    profile = {"storageProfile": {"imageReference": {"id": f"{COMPUTE}/galleries/apps/images/web/versions/1.1.0"}}}
    platform.ask("PATCH", scale_set, {"properties": {"virtualMachineProfile": profile}})
    for name in ("good", "bad", "back"):
        platform.end(ids[name])
    platform.until(ids["busy"], lambda found: found["status"] == "awaitingApproval")
    platform.ask("GET", "groups/prompt?fresh=true")
    return ids


def test_groups_show_what_runs_who_is_needed_and_what_comes_next(page: PageTest, history: dict[str, str]) -> None:
    shown = page.open("groups")
    good = shown.get_by_role("article", name="Group good", exact=True)
    good.get_by_text("4 VMs").wait_for()
    good.get_by_text("1.1.0").wait_for()
    good.get_by_text("Last: finished").wait_for()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", good.locator("teal-since").get_attribute("title"))
    prompt = shown.get_by_role("article", name="Group prompt")
    prompt.get_by_text("Needs a roll").wait_for()
    prompt.get_by_text("weekly").wait_for()
    needs = shown.locator(".needs").filter(has=shown.get_by_role("region", name="What differs in prompt"))
    assert "4 of 4 VMs do not run the current model." in needs.inner_text()
    field = shown.get_by_role("region", name="What differs in prompt").get_by_role("row").nth(1)
    assert field.inner_text().split() == ["image", "1.1.0", "1.0.0", "4", "of", "4"]
    shown.get_by_role("heading", name="Next runs").wait_for()
    banner = shown.get_by_role("region", name="busy waiting for approval")
    assert "Batch 1 of" in banner.inner_text()
    assert re.search(r"Somebody must approve within .+, else it stops", banner.inner_text())
    attention = shown.get_by_role("button", name="Needs attention")
    count = int(re.sub(r"\D", "", attention.inner_text()))
    assert count >= 2
    assert shown.locator(".nav .n").inner_text().split()[0] == str(count)
    attention.click()
    shown.wait_for_url(re.compile("show=attention"))
    assert shown.locator("article").count() == count


def test_the_history_has_its_columns_newest_first_with_filters_in_the_address(
    page: PageTest, history: dict[str, str]
) -> None:
    shown = page.open("deployments")
    heads = [head.strip() for head in shown.locator("th").all_inner_texts()]
    wanted = ["Status", "Deployment", "Group", "Image", "Progress", "Started by", "Created at", "Ended at", "Took"]
    assert heads[:9] == wanted
    ids = shown.locator("tbody .id").all_inner_texts()
    created = [page.platform.ask("GET", f"deployments/{one}")["createdAt"] for one in ids]
    assert created == sorted(created, reverse=True)
    row = shown.get_by_role("row").filter(has_text=history["bad"])
    assert all(part in row.inner_text() for part in ("Failed", "release 43", "1.0.0", "1.2.0", "function key"))
    shown.get_by_role("group", name="Status").get_by_role("button", name="Failed").click()
    shown.get_by_label("Find a deployment").fill("release 43")
    shown.wait_for_url(re.compile("status=failed&find=release"))
    shown.reload()
    shown.locator("tbody .id").first.wait_for()
    assert shown.locator("tbody .id").all_inner_texts() == [history["bad"]]
    assert shown.title() == "Deployments – Teal"


def test_a_finished_deployment_shows_its_overview_timeline_vms_and_events(
    page: PageTest, history: dict[str, str]
) -> None:
    shown = page.open(f"deployments/{history['good']}")
    assert shown.title() == "Finished · good 1.0.0 → 1.1.0 – Teal"
    shown.get_by_text("4 VMs now on 1.1.0").first.wait_for()
    names = [name.strip() for name in shown.locator(".facts").first.locator("dt").all_inner_texts()]
    assert names[:10] == [
        *("Deployment ID", "Number of batches", "Current batch", "Status", "Started at", "Ended at", "Health check"),
        *("Grace period", "Blue VMs", "Green VMs"),
    ]
    rows = shown.get_by_role("group", name="Batches against time").get_by_role("listitem")
    spoken = [row.get_attribute("aria-label") for row in rows.all()]
    assert len(spoken) == 2
    assert all(re.match(r"Batch \d: launch .+, health .+, drain .+, delete ", one) for one in spoken)
    chart = shown.get_by_role("img", name=re.compile("VMs that serve"))
    assert "4 green and 0 blue now; never fewer than 4" in chart.get_attribute("aria-label")
    shown.get_by_text("The same as a table").click()
    assert shown.get_by_role("region", name="Batches as a table").get_by_role("row").count() == 9
    shown.get_by_role("link", name="VMs").click()
    statuses = {text.strip() for text in shown.locator(".vms tbody .st").all_inner_texts()}
    assert statuses == {"Healthy", "Deleted"}
    shown.get_by_role("link", name="Events").click()
    events = page.platform.ask("GET", f"deployments/{history['good']}/events")["value"]
    assert shown.locator(".ev code").all_inner_texts() == [event["type"] for event in events]


def test_a_failure_says_what_happened_and_leads_to_the_evidence(page: PageTest, history: dict[str, str]) -> None:
    shown = page.open(f"deployments/{history['bad']}")
    assert shown.title() == "Failed · bad 1.0.0 → 1.2.0 – Teal"
    words = shown.get_by_role("region", name="Status").inner_text()
    assert "0 of 2 green VMs healthy after 120 s" in words
    assert "batchUnhealthy" in words
    assert "4 VMs on 1.0.0, as before" in words
    assert "The group is free for the next deployment" in words
    shown.get_by_role("link", name=re.compile("^Evidence of ")).click()
    drawer = shown.get_by_role("complementary")
    drawer.get_by_role("heading", name="Serial log").wait_for()
    assert "applicationHealth" in drawer.inner_text()
    assert f"deployments/{history['bad']}/vms/" in shown.url
    shown.reload()
    drawer.get_by_role("heading", name="Readings").wait_for()
    drawer.get_by_role("link", name="Close").click()
    assert drawer.count() == 0


def test_a_roll_back_is_apart_with_when_it_began_and_why(page: PageTest, history: dict[str, str]) -> None:
    shown = page.open(f"deployments/{history['back']}")
    assert shown.title() == "Rolled back · back 1.0.0 → 1.1.0 – Teal"
    block = shown.locator(".tl-sep").inner_text()
    assert re.search(r"Rolled back from \d+ %", block)
    assert "p95 went up" in block
    shown.goto(f"{page.platform.url}/api/dashboard/deployments")
    row = shown.get_by_role("row").filter(has_text=history["back"])
    assert re.search(r"back at \d+ %", row.inner_text())


def test_a_queued_deployment_shows_its_place_and_can_be_taken_back(page: PageTest, history: dict[str, str]) -> None:
    shown = page.open(f"deployments/{history['queued']}")
    assert shown.title() == "Queued · busy 1.0.0 → 1.3.0 – Teal" or shown.title().startswith("Queued · busy")
    assert "1. in the queue" in shown.get_by_role("region", name="Status").inner_text()
    assert shown.get_by_role("button", name="Take back").get_attribute("aria-disabled") == "false"


def test_it_asks_by_its_rules_and_only_for_what_is_new(page: PageTest, history: dict[str, str]) -> None:
    asked: list[str] = []
    other = re.compile("/api/(dashboard|me)")
    page.page.on("request", lambda one: None if other.search(one.url) else asked.append(one.url))
    page.page.clock.install()
    shown = page.open("groups")
    asked.clear()
    with shown.expect_response(re.compile("status=queued")):
        shown.clock.run_for(30_100)
    assert [url.partition("/api/")[2].partition("&")[0][:28] for url in asked] == [
        "groups?include=state",
        "deployments?status=queued,pe",
    ]
    shown.goto(f"{page.platform.url}/api/dashboard/deployments")
    shown.get_by_role("heading", name="Deployments").wait_for()
    shown.locator("tbody tr").first.wait_for()
    asked.clear()
    for _ in range(3):
        with shown.expect_response(re.compile("limit=100")):
            shown.clock.run_for(30_100)
    assert [url.partition("/api/")[2] for url in asked] == ["deployments?limit=100"] * 3
    assert "Updated" in shown.locator(".fresh").inner_text()
    shown.goto(f"{page.platform.url}/api/dashboard/deployments/{history['busy']}")
    shown.get_by_role("button", name="Approve…").first.wait_for()
    asked.clear()
    with shown.expect_response(re.compile("include=")):
        shown.clock.run_for(5_100)
    assert len(asked) == 1
    assert "after=" in asked[0]


def test_focus_scroll_and_selection_stay_where_they_are(page: PageTest, history: dict[str, str]) -> None:
    shown = page.open(f"deployments/{history['busy']}")
    shown.get_by_role("listitem").first.wait_for()
    shown.evaluate("scrollTo(0, 240); document.querySelector('.tl-row').focus({preventScroll: true})")
    shown.evaluate("getSelection().selectAllChildren(document.querySelector('.facts code'))")
    before = shown.evaluate("[scrollY, document.activeElement.className, String(getSelection())]")
    updated = shown.evaluate("document.querySelector('.tl-row')")
    for _ in range(3):
        with shown.expect_response(re.compile("include=")):
            page.fresh()
        shown.wait_for_timeout(50)
    assert shown.evaluate("[scrollY, document.activeElement.className, String(getSelection())]") == before
    assert before[2] == history["busy"]
    del updated


def test_the_app_goes_and_comes_back_and_what_was_known_stays(page: PageTest, history: dict[str, str]) -> None:
    shown = page.open(f"deployments/{history['busy']}")
    shown.context.set_offline(True)
    page.fresh()
    shown.get_by_role("alert").get_by_text("Teal cannot be reached").wait_for()
    assert shown.get_by_role("button", name="Approve…").first.get_attribute("aria-disabled") == "true"
    assert "Commands wait until Teal answers again" in shown.locator("main").inner_text()
    assert shown.title().startswith("Not reached")
    shown.context.set_offline(False)
    shown.get_by_role("button", name="Try now").click()
    shown.get_by_role("alert").wait_for(state="detached")
    assert shown.get_by_role("button", name="Approve…").first.get_attribute("aria-disabled") == "false"


def test_addresses_lead_everywhere_or_say_that_nothing_is_there(page: PageTest, history: dict[str, str]) -> None:
    shown = page.open("deployments/none-20260101T000000Z-000000")
    shown.get_by_role("heading", name="There is no deployment").wait_for()
    page.open("elsewhere").get_by_role("heading", name="There is nothing here").wait_for()
    shown.goto(page.platform.url)
    shown.get_by_role("heading", name="Groups").wait_for()
    assert shown.url == f"{page.platform.url}/api/dashboard/"
    shown.get_by_role("navigation", name="Main").get_by_role("link", name="Deployments").click()
    shown.get_by_role("heading", name="Deployments").wait_for()
    shown.go_back()
    shown.get_by_role("heading", name="Groups").wait_for()


def test_what_a_vm_wrote_is_text_and_nothing_else(page: PageTest, history: dict[str, str]) -> None:
    log = "<img src=x onerror=alert(1)>\x1b[31mred\u202egnp" + "x" * 70_000

    def hostile(route: Any) -> None:
        answer = route.fetch().json()
        route.fulfill(json={**answer, "serialLog": log, "notes": ["<b>bold</b>"]})

    page.page.route("**/evidence", hostile)
    shown = page.open(f"deployments/{history['bad']}")
    shown.get_by_role("link", name=re.compile("^Evidence of ")).click()
    pre = shown.get_by_role("region", name="Serial log")
    pre.wait_for()
    assert len(pre.inner_text()) <= 64 * 1024 + 16
    assert shown.locator("aside img, aside b").count() == 0
    with shown.expect_download() as download:
        shown.get_by_role("button", name="Save").click()
    assert Path(download.value.path()).read_text() == log


@pytest.fixture
def large(page: PageTest) -> PageTest:
    """A deployment of 900 VMs with 2,000 events, as the API would tell of it."""
    known = json.loads((Path(__file__).parents[2] / "dashboard" / "test" / "captured" / "finished.json").read_text())
    example = page.platform.ask("GET", "deployments?limit=1")["value"][0]
    deployment = {
        **example,
        **{name: known["deployment"][name] for name in ("parameters", "image", "reason", "progress")},
    }
    deployment |= {"id": "edge-1", "status": "finished", "endedAt": "2026-12-01T11:34:57Z", "targetSize": 900}
    vms = [{**known["vms"][i % 20], "vmId": f"v{i}", "name": f"edge_{i}", "batch": i // 90 + 1} for i in range(900)]
    last = known["events"][-1]
    events = known["events"] + [{**last, "type": "StepRetried", "sequence": 31 + i} for i in range(1970)]
    batches = [{**known["batches"][0], "number": number} for number in range(1, 11)]
    body = {**deployment, "batches": batches, "vms": vms, "vmsSince": "x"}

    def answer(route: Any) -> None:
        after = int((re.findall(r"after=(\d+)", route.request.url) or ["0"])[0])
        part = events[after : after + 1000]
        route.fulfill(json={**body, "events": part, "next": str(after + len(part))})

    page.page.route(re.compile("/api/deployments/edge-1"), answer)
    return page


def test_nine_hundred_vms_and_two_thousand_events_are_few_rows(large: PageTest) -> None:
    shown = large.open("deployments/edge-1")
    assert shown.evaluate("document.querySelectorAll('*').length") < 1_600
    shown.get_by_role("link", name="As a table").click()
    assert shown.locator(".vms tbody tr").count() == 200
    assert "The first 200 of 900" in shown.locator("main").inner_text()
    shown.get_by_label("Find a VM").fill("edge_899")
    assert shown.locator(".vms tbody tr").count() == 1
    shown.get_by_role("link", name="Events").click()
    assert shown.locator(".ev").count() == 200
    shown.get_by_role("button", name="Earlier").click()
    assert shown.locator(".ev").count() == 200


STATES = ("groups", "deployments", "good", "bad", "back", "busy", "queued", "bad/vms", "good/events")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    platform: Served, browser: Any, history: dict[str, str], scheme: str
) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, reduced_motion="reduce")
    shown = context.new_page()
    found = []
    for state in STATES:
        name, _, tab = state.partition("/")
        path = f"deployments/{history[name]}{f'/{tab}' if tab else ''}" if name in history else name
        for width in (1280, 360) if scheme == "light" else (2000,):
            shown.set_viewport_size({"width": width, "height": 900})
            shown.goto(f"{platform.url}/api/dashboard/{path}")
            shown.locator("main h1").first.wait_for()
            found += [f"{state} at {width}: {one}" for one in violations(shown)]
            wide = shown.evaluate("document.documentElement.scrollWidth")
            found += [f"{state} is {wide} wide at {width}"] if wide > width else []
            shown.screenshot(
                path=platform.screenshots / f"{state.replace('/', '-')}-{width}-{scheme}.png", full_page=True
            )
    context.close()
    assert found == []
