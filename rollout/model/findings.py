"""Findings for and against a deployment, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rollout.model.words import plain


class Severity(StrEnum):
    """An error refuses the deployment; a warning and an info are told to whoever starts it."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """One of them: a code that documentation names, a sentence, and what to do. ``target`` is the field at fault."""

    severity: Severity
    code: str
    message: str
    remedy: str
    target: str = ""

    def __post_init__(self) -> None:
        """Names in it are others': of images, VMs, locks."""
        object.__setattr__(self, "message", plain(self.message))
        object.__setattr__(self, "remedy", plain(self.remedy))


def refuses(findings: Iterable[Finding]) -> bool:
    """Whether any of the findings refuses the deployment."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def first_error(findings: Iterable[Finding]) -> Finding | None:
    """The finding to tell first."""
    return next((finding for finding in findings if finding.severity is Severity.ERROR), None)


def error(code: str, message: str, remedy: str, target: str = "") -> Finding:
    """A finding that refuses."""
    return Finding(Severity.ERROR, code, message, remedy, target)


def warning(code: str, message: str, remedy: str, target: str = "") -> Finding:
    """A finding that whoever starts the deployment should know of."""
    return Finding(Severity.WARNING, code, message, remedy, target)


def info(code: str, message: str, remedy: str, target: str = "") -> Finding:
    """A finding that says what will be."""
    return Finding(Severity.INFO, code, message, remedy, target)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then warnings, as they were found."""
    return tuple(sorted(findings, key=lambda finding: list(Severity).index(finding.severity)))


def describe(findings: Iterable[Finding]) -> str:
    """The refusing findings as one sentence."""
    return "; ".join(finding.message for finding in findings if finding.severity is Severity.ERROR)
