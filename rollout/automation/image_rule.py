"""Which published versions of an image a group wants."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rollout.model.azure.images import version_key
from rollout.model.image_rule import ImageRule

_Key = tuple[int, ...]

#: ``1``, ``1.2``, ``1.2.3``, ``1.x``, ``1.2.*`` or ``*``, with an operator before it or without.
_TERM = re.compile(r"(>=|<=|>|<|=)?((?:[0-9]+\.){0,2}(?:[0-9]+|[xX*]))")
_BLANK_AFTER_OPERATOR = re.compile(r"(?<=[<>=])\s+(?=[0-9])")


@dataclass(frozen=True)
class VersionRange:
    """The versions from ``low`` on and below ``below``; ``None``: there is no upper end."""

    low: _Key = (0, 0, 0)
    below: _Key | None = None

    def holds(self, version: str) -> bool:
        """True if the version, three numbers, is within the range."""
        key = version_key(version)
        return self.low <= key and (self.below is None or key < self.below)


@dataclass(frozen=True)
class Match:
    """A rule's verdict on a version, and why."""

    wanted: bool
    reason: str


def parse_versions(text: str) -> VersionRange | None:
    """The versions that all terms of ``text`` hold, or ``None`` where it is not understood or holds none.

    Terms stand apart by blanks: ``1.x``, ``1.2``, ``>=2.0``, ``>=1.2 <2``. They mean what they mean to npm
    (https://github.com/npm/node-semver#ranges): numbers left out are any, so ``1.2`` is each 1.2.z, and ``>1.2`` begins
    with 1.3.0. A gallery's versions are three numbers and no more, so this is all there is to it.
    """
    terms = _BLANK_AFTER_OPERATOR.sub("", text).split()
    found = [_TERM.fullmatch(term) for term in terms]
    ranges = [_range_of(one[1] or "=", one[2]) for one in found if one]
    if not terms or len(ranges) < len(terms):
        return None
    low = max(one.low for one in ranges)
    below = min((one.below for one in ranges if one.below is not None), default=None)
    return VersionRange(low, below) if below is None or low < below else None


def concerns(rule: ImageRule | None, image_id: str) -> bool:
    """True if the rule is about the image ``image_id``; resource ids have no case."""
    return rule is not None and rule.image_id.rstrip("/").casefold() == image_id.rstrip("/").casefold()


def match_rule(rule: ImageRule | None, image_id: str, version: str) -> Match:
    """Decide if the rule wants ``version`` of the image ``image_id``."""
    if rule is None:
        return Match(False, "The group has no image rule")
    if not concerns(rule, image_id):
        return Match(False, f"The rule is for another image, {rule.image_id}")
    if not rule.enabled:
        return Match(False, "The rule is off")
    versions = parse_versions(rule.versions)
    if versions is None:
        return Match(False, f"The rule's versions {rule.versions!r} are not understood")
    if not versions.holds(version):
        return Match(False, f"Version {version} is not one of {rule.versions}")
    return Match(True, f"Version {version} is one of {rule.versions}")


def _range_of(operator: str, text: str) -> VersionRange:
    """The versions of one term; ``text`` stands for all versions from ``low`` on and below ``after``."""
    given = [int(part) for part in text.split(".") if part.isdigit()]
    low = _fill(given)
    after = _fill([*given[:-1], given[-1] + 1]) if given else None
    if operator == ">=":
        return VersionRange(low)
    if operator == "<":
        return VersionRange(below=low)
    if operator == "<=":
        return VersionRange(below=after)
    if operator == ">":
        # Above every version there is none.
        return VersionRange(after) if after else VersionRange(below=low)
    return VersionRange(low, after)


def _fill(numbers: list[int]) -> _Key:
    return tuple([*numbers, 0, 0, 0][:3])
