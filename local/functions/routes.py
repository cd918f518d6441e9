"""Routes of HTTP functions: ASP.NET Core route templates, as far as the Functions host's documentation shows them.

``{x}``, ``{x:int}`` and other simple constraints, ``{x?}``, ``{*rest}``. Literals are compared without regard to
case. Of two templates that match, the one whose segments are more definite wins: literal, constrained, free,
catch-all. Source: https://learn.microsoft.com/aspnet/core/fundamentals/routing
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

_PARAMETER = re.compile(r"\{(?P<rest>\*{0,2})(?P<name>\w+)(:(?P<constraint>\w+))?(?P<optional>\?)?\}")
_CONSTRAINTS = {
    "int": re.compile(r"[+-]?\d+"),
    "long": re.compile(r"[+-]?\d+"),
    "alpha": re.compile(r"[a-zA-Z]*"),
    "bool": re.compile(r"true|false", re.IGNORECASE),
    "guid": re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
}


class RouteError(ValueError):
    """The template is not one that this host understands."""


@dataclass(frozen=True)
class Segment:
    """One part of a template: a literal in lower case, or a parameter."""

    literal: str | None = None
    parameter: str = ""
    constraint: str | None = None
    is_optional: bool = False
    is_rest: bool = False

    @property
    def rank(self) -> int:
        """How definite the segment is; the lowest wins."""
        if self.literal is not None:
            return 0
        if self.is_rest:
            return 3
        return 1 if self.constraint else 2

    def accepts(self, text: str) -> bool:
        """Whether the decoded path segment ``text`` fits."""
        if self.literal is not None:
            return text.casefold() == self.literal
        return self.constraint is None or bool(_CONSTRAINTS[self.constraint].fullmatch(text))


@dataclass(frozen=True)
class RouteTemplate:
    """A template, parsed."""

    template: str
    segments: tuple[Segment, ...]

    @property
    def first_literal(self) -> str | None:
        """The first segment in lower case, if it is a literal."""
        return self.segments[0].literal if self.segments else None

    @property
    def rank(self) -> tuple[int, ...]:
        """By this the matching routes are ordered; the lowest wins."""
        return tuple(segment.rank for segment in self.segments)

    def match(self, path: str) -> dict[str, str] | None:
        """The decoded parameters of a path below the prefix, or None; absent optional ones are left out."""
        parts = [part for part in path.strip("/").split("/") if part]
        values: dict[str, str] = {}
        for position, segment in enumerate(self.segments):
            if segment.is_rest:
                values[segment.parameter] = unquote("/".join(parts[position:]))
                return values
            if position >= len(parts):
                return values if all(one.is_optional for one in self.segments[position:]) else None
            text = unquote(parts[position])
            if not segment.accepts(text):
                return None
            if segment.literal is None:
                values[segment.parameter] = text
        return values if len(parts) <= len(self.segments) else None


def parse_route(template: str) -> RouteTemplate:
    """The route of a template; raise ``RouteError``."""
    segments = tuple(_parse_segment(template, part) for part in template.strip("/").split("/") if part)
    for position, segment in enumerate(segments):
        is_last = position == len(segments) - 1
        if (segment.is_rest or segment.is_optional) and not is_last:
            raise RouteError(f"in the route '{template}' only the last part may be optional or a catch-all")
    names = [segment.parameter.casefold() for segment in segments if segment.parameter]
    if len(names) != len(set(names)):
        raise RouteError(f"the route '{template}' has two parameters of one name")
    return RouteTemplate(template, segments)


def clashes(one: RouteTemplate, other: RouteTemplate) -> bool:
    """Whether some path would match both and neither is more definite."""
    if one.rank != other.rank:
        return False
    pairs = zip(one.segments, other.segments, strict=True)
    return all(left.literal == right.literal and left.constraint == right.constraint for left, right in pairs)


def best_match(routes: Iterable[tuple[RouteTemplate, int]], path: str) -> tuple[int, dict[str, str]] | None:
    """The index given with the most definite route that matches ``path``, and the parameters."""
    found = [(route.rank, index, values) for route, index in routes if (values := route.match(path)) is not None]
    if not found:
        return None
    _, index, values = min(found, key=lambda match: match[0])
    return index, values


def _parse_segment(template: str, part: str) -> Segment:
    if "{" not in part and "}" not in part:
        return Segment(literal=part.casefold())
    match = _PARAMETER.fullmatch(part)
    if match is None:
        raise RouteError(f"in the route '{template}' the part '{part}' is not understood by the local host")
    constraint = match["constraint"]
    if constraint is not None and constraint not in _CONSTRAINTS:
        raise RouteError(f"in the route '{template}' the constraint '{constraint}' is not known to the local host")
    return Segment(
        parameter=match["name"],
        constraint=constraint,
        is_optional=bool(match["optional"]),
        is_rest=bool(match["rest"]),
    )
