"""Route templates against paths."""

from __future__ import annotations

import pytest

from local.functions.routes import RouteError, best_match, clashes, parse_route


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("groups", "/groups", {}),
        ("groups", "/Groups/", {}),
        ("groups", "/groups/a", None),
        ("groups/{id}", "/groups/a%20b", {"id": "a b"}),
        ("groups/{id}", "/groups/a%2Fb", {"id": "a/b"}),
        ("groups/{id}", "/groups", None),
        ("groups/{id}/vms", "/groups/a/VMS", {"id": "a"}),
        ("n/{x:int}", "/n/12", {"x": "12"}),
        ("n/{x:int}", "/n/twelve", None),
        ("n/{x:guid}", "/n/0b6f1c8e-2c52-4d4e-8d0f-6f2f0a3b9f11", {"x": "0b6f1c8e-2c52-4d4e-8d0f-6f2f0a3b9f11"}),
        ("n/{x?}", "/n", {}),
        ("n/{x?}", "/n/1", {"x": "1"}),
        ("n/{x:int?}", "/n/a", None),
        ("f/{*rest}", "/f", {"rest": ""}),
        ("f/{*rest}", "/f/a/b%20c", {"rest": "a/b c"}),
        ("", "/", {}),
    ],
)
def test_a_template_matches_or_not(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert parse_route(template).match(path) == expected


@pytest.mark.parametrize("template", ["a{b}", "{a?}/b", "{*a}/b", "{a:even}", "{a}/{A}", "{a=1}", "{"])
def test_what_is_not_understood_is_refused(template: str) -> None:
    with pytest.raises(RouteError):
        parse_route(template)


@pytest.mark.parametrize(
    ("path", "winner"),
    [("/a/b", "a/b"), ("/a/7", "a/{x:int}"), ("/a/c", "a/{x}"), ("/a/b/c", "{*rest}"), ("/z", "{*rest}")],
)
def test_the_most_definite_route_wins(path: str, winner: str) -> None:
    templates = ["{*rest}", "a/{x}", "a/{x:int}", "a/b"]
    match = best_match([(parse_route(one), index) for index, one in enumerate(templates)], path)
    assert match is not None
    assert templates[match[0]] == winner


def test_no_route_is_no_match() -> None:
    assert best_match([(parse_route("a"), 0)], "/b") is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a/{x}", "A/{y}", True),
        ("a/{x}", "a/{x:int}", False),
        ("a/{x:int}", "a/{x:alpha}", False),
        ("a/{x}", "b/{x}", False),
        ("a", "a/{x}", False),
    ],
)
def test_routes_clash_if_neither_is_more_definite(one: str, other: str, expected: bool) -> None:
    assert clashes(parse_route(one), parse_route(other)) is expected
