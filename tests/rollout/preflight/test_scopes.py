"""Which resources may be used."""

from __future__ import annotations

import pytest

from rollout.preflight.scopes import is_allowed

WEB = "/subscriptions/A/resourceGroups/web/providers/Microsoft.Compute/virtualMachineScaleSets/web"


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ([], True),
        ([WEB], True),
        ([WEB.upper() + "/"], True),
        (["/subscriptions/a"], True),
        (["/subscriptions/b", "/subscriptions/a/resourcegroups/WEB"], True),
        (["/subscriptions/a/resourceGroups/we"], False),
        (["/subscriptions/a/resourceGroups/web2"], False),
        ([WEB + "/virtualMachines/1"], False),
        (["/subscriptions/b"], False),
    ],
)
def test_a_scope_holds_for_all_below_it_by_whole_segments(scopes: list[str], allowed: bool) -> None:
    assert is_allowed(WEB, scopes) is allowed
