"""What a rehearsal found: of one set its findings, its plan and its runs; and whether that is as it should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from local.rehearsal.figures import Figures


class Kind(StrEnum):
    """What is played."""

    GOOD = "a good image"
    BAD = "an image that never becomes healthy"
    KILLED = "a good image, Teal killed"


@dataclass(frozen=True)
class Found:
    """A finding of the preflight: ``error`` refuses."""

    severity: str
    code: str
    message: str
    remedy: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Found:
        """From an answer of the API; the details of a refusal have no severity."""
        return cls(body.get("severity", "error"), body["code"], body["message"], body.get("remedy") or "")


@dataclass(frozen=True)
class Run:
    """A deployment that was played: ``left`` are the VMs by image after it, ``broken`` the promises it broke."""

    kind: Kind
    status: str
    reason: str
    time: timedelta
    figures: Figures
    cores_per_vm: int | None
    left: Mapping[str, int]
    model: str
    story: tuple[str, ...]
    kills: int
    promises: int
    broken: tuple[str, ...]

    @property
    def went_live(self) -> bool:
        """Whether an image that never becomes healthy was taken for good."""
        return self.kind is Kind.BAD and self.status == "finished" and self.figures.serving_before > 0

    @property
    def kept_serving(self) -> bool:
        """Whether never fewer VMs served than before."""
        return self.figures.serving_least >= self.figures.serving_before

    @property
    def as_it_should(self) -> bool:
        """Whether Teal did what it has to: the good image is everywhere, the other nowhere, no promise broken."""
        ends = ("failed", "rolledBack") if self.kind is Kind.BAD and self.figures.serving_before else ("finished",)
        return not self.broken and (self.status in ends or self.went_live)


@dataclass(frozen=True)
class Plan:
    """What the dry run said."""

    number_of_batches: int
    vms_per_batch: tuple[int, ...]
    basis: str


@dataclass(frozen=True)
class Rehearsal:
    """All about one set. ``group`` is how it was registered, ``asked`` what the runs ask for, ``followed`` what was put
    right on the copy so that it could be played; without runs, nothing could be.
    """

    name: str
    facts: str
    group: Mapping[str, Any]
    asked: Mapping[str, Any]
    findings: tuple[Found, ...]
    followed: tuple[str, ...] = ()
    plan: Plan | None = None
    runs: tuple[Run, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether a finding refuses a deployment to the set as it is."""
        return any(found.severity == "error" for found in self.findings)

    @property
    def verdict(self) -> str:
        """One sentence for whoever reads no further."""
        if not self.runs:
            return "Teal would refuse to deploy to this set; nothing could be played."
        if odd := [run for run in self.runs if not run.as_it_should]:
            return f"Not as it should be: {odd[0].kind} ended as {odd[0].status}: {odd[0].reason}"
        if any(run.went_live for run in self.runs):
            return "Beware: nothing tells whether a VM of this set works, so an image that does not work went live."
        begin = "Teal would refuse this set as it is. With the remedies" if self.refused else "Ready:"
        if not all(run.kept_serving for run in self.runs):
            begin = "Beware: fewer VMs served for a time, because what gives them traffic is not asked. Else"
            return f"{begin} the good image went everywhere, and the other nowhere."
        return f"{begin} the good image went everywhere, the other nowhere, and never fewer VMs served than before."


def exit_code(rehearsals: tuple[Rehearsal, ...]) -> int:
    """1: a set is refused, or a run did not go as it should; else 0."""
    bad = any(one.refused or not all(run.as_it_should for run in one.runs) for one in rehearsals)
    return 1 if bad else 0
