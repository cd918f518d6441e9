"""Which versions a rule wants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.automation.image_rule import match_rule, parse_versions
from rollout.model.azure.images import version_key
from rollout.model.image_rule import ImageRule

IMAGE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/galleries/g/images/web"

numbers = st.integers(0, 30)
names = st.builds("{}.{}.{}".format, numbers, numbers, numbers)


@pytest.mark.parametrize(
    ("text", "holds", "not_held"),
    [
        ("*", ["0.0.0", "9.9.9"], []),
        ("x", ["0.0.0", "9.9.9"], []),
        ("1", ["1.0.0", "1.99.9"], ["0.9.9", "2.0.0"]),
        ("1.x", ["1.0.0", "1.99.9"], ["0.9.9", "2.0.0"]),
        ("1.2.*", ["1.2.0", "1.2.9"], ["1.1.9", "1.3.0"]),
        ("1.2.3", ["1.2.3"], ["1.2.2", "1.2.4"]),
        ("=1.2.3", ["1.2.3"], ["1.2.4"]),
        (">=2.0", ["2.0.0", "10.0.0"], ["1.99.99"]),
        (">1.2", ["1.3.0"], ["1.2.0", "1.2.9"]),
        (">1.2.3", ["1.2.4"], ["1.2.3"]),
        ("<=1.2", ["1.2.9", "0.0.0"], ["1.3.0"]),
        ("<2", ["1.99.99"], ["2.0.0"]),
        (">=1.2 <2", ["1.2.0", "1.10.0"], ["1.1.9", "2.0.0"]),
        (" >= 1.2  < 2 ", ["1.2.0"], ["2.0.0"]),
        ("1.x >=1.5", ["1.5.0"], ["1.4.9", "2.5.0"]),
    ],
)
def test_ranges(text: str, holds: list[str], not_held: list[str]) -> None:
    versions = parse_versions(text)
    assert versions is not None
    assert [name for name in [*holds, *not_held] if versions.holds(name)] == holds


@pytest.mark.parametrize(
    "text",
    ["", " ", "latest", "1.2.3.4", ">=", "~1.2", "^1", "1.2 - 2", "1.x.3", "v1", "-1", ">=2 <1", "1.x 2.x", ">*", "<0"],
)
def test_what_is_not_understood_or_holds_no_version(text: str) -> None:
    assert parse_versions(text) is None


@given(names, names)
def test_the_operators_order_as_versions_do(bound: str, name: str) -> None:
    def holds(operator: str) -> bool:
        versions = parse_versions(f"{operator}{bound}")
        return versions is not None and versions.holds(name)

    left, right = version_key(name), version_key(bound)
    assert (holds("<"), holds("<="), holds("="), holds(">="), holds(">")) == (
        left < right,
        left <= right,
        left == right,
        left >= right,
        left > right,
    )


@given(st.text(max_size=12))
def test_any_text_is_understood_or_refused(text: str) -> None:
    versions = parse_versions(text)
    assert versions is None or versions.below is None or versions.low < versions.below


@pytest.mark.parametrize(
    ("rule", "wanted", "reason"),
    [
        (ImageRule(IMAGE), True, "Version 1.2.3 is one of *"),
        (ImageRule(IMAGE.upper() + "/", "1.x"), True, "Version 1.2.3 is one of 1.x"),
        (ImageRule(IMAGE, ">=2.0"), False, "Version 1.2.3 is not one of >=2.0"),
        (ImageRule(IMAGE, enabled=False), False, "The rule is off"),
        (ImageRule(IMAGE, "newest"), False, "The rule's versions 'newest' are not understood"),
        (None, False, "The group has no image rule"),
        (ImageRule(f"{IMAGE}2"), False, f"The rule is for another image, {IMAGE}2"),
    ],
)
def test_a_rule_says_why(rule: ImageRule | None, wanted: bool, reason: str) -> None:
    match = match_rule(rule, IMAGE, "1.2.3")
    assert (match.wanted, match.reason) == (wanted, reason)
