"""What comes to an open page by itself: the prompt, after somebody has written to a scale set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.platform import PageTest, served

pytestmark = pytest.mark.slow

WORLD = Path(__file__).parent / "small.json"
COMPUTE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers/Microsoft.Compute"
SPEED = 4
#: The timer looks at most once a minute: what is shown before that has come from Event Grid.
BEFORE_THE_TIMER = 50 / SPEED


def test_a_write_to_a_set_makes_the_prompt_appear_at_the_next_refresh(built: None, browser: Any) -> None:
    with served(WORLD, SPEED) as platform:
        context = browser.new_context()
        tested = PageTest(context.new_page(), platform)
        shown = tested.open("groups")
        tested.until("document.querySelector('article')?.innerText.includes('All current')", BEFORE_THE_TIMER)
        assert shown.locator(".needs").count() == 0
        image = {"id": f"{COMPUTE}/galleries/apps/images/web/versions/1.1.0"}
        model = {"virtualMachineProfile": {"storageProfile": {"imageReference": image}}}
        scale_set = f"{platform.azure_url}{COMPUTE}/virtualMachineScaleSets/web?api-version=2024-07-01"
        platform.ask("PATCH", scale_set, {"properties": model})
        tested.until("document.querySelector('.needs') !== null", BEFORE_THE_TIMER)
        assert "4 of 4 VMs do not run the current model." in shown.locator(".needs").inner_text()
        field = shown.get_by_role("region", name="What differs in web").get_by_role("row").nth(1)
        assert field.inner_text().split() == ["image", "1.1.0", "1.0.0", "4", "of", "4"]
        assert shown.title() == "Groups – Teal"
        context.close()
        assert tested.faults == []
