"""The words and numbers of the page, the same in text and in HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from local.rehearsal.outcome import Found, Kind, Rehearsal, Run

#: How a finding of each severity is called.
SEVERITIES: Mapping[str, str] = {"error": "refuses", "warning": "warns", "info": "says"}

#: What the page cannot know.
ASSUMED = (
    "What Azure's JSON does not tell is made up: the VMs, how long they boot, the images' other versions, and the "
    "balancers behind the pools that the set names, whose probes are taken to work. Quota, locks, autoscale settings "
    "and roles are not in it: a dry run against Azure itself looks at them."
)


def headings(runs: Sequence[Run]) -> list[str]:
    """Of each run, what was played."""
    return [f"{run.kind} {_times(run.kills)} (kill -9)" if run.kind is Kind.KILLED else str(run.kind) for run in runs]


def rows(runs: Sequence[Run]) -> Iterator[tuple[str, list[str]]]:
    """The lines of the table: what, and of each run how much."""
    yield "ended as", [run.status for run in runs]
    yield "time", [clock(run.time) for run in runs]
    yield "fewest VMs that served", [f"{run.figures.serving_least} of {run.figures.serving_before}" for run in runs]
    yield "surge, VMs", [f"+{run.figures.surge}" for run in runs]
    yield "surge, cores", [_cores(run) for run in runs]
    yield "surge, VM-hours", [f"{run.figures.surge_hours:.1f}" for run in runs]
    yield "left, VMs", [images(run.left) for run in runs]
    yield "left, the set's model", [run.model for run in runs]
    yield "promises kept", [f"{run.promises - len(run.broken)} of {run.promises}" for run in runs]


def remarks(rehearsal: Rehearsal) -> Iterator[str]:
    """What has to be known to read the table."""
    checks = ", ".join(rehearsal.group["healthCheckTypes"])
    asked = ", ".join(f"{name}: {value}" for name, value in rehearsal.asked.items()) or "Teal's defaults"
    yield f"The group checks {checks}. Asked for: {asked}."
    if rehearsal.followed:
        yield f"Played as if the remedies had been followed: {', '.join(rehearsal.followed)}."
    if rehearsal.plan is not None:
        vms = ", ".join(str(count) for count in rehearsal.plan.vms_per_batch)
        yield f"Planned: {counted(rehearsal.plan.number_of_batches, 'batch', 'es')}, of {vms or 'no'} VMs."
    for run in rehearsal.runs:
        if run.went_live:
            yield (
                "The image that never becomes healthy went live, and nobody noticed: give the set the Application "
                "Health extension, a probe or a gateway (docs/health.md), and rehearse again."
            )
        yield from (f"A broken promise ({run.kind}): {words}" for words in run.broken)


def finding(found: Found) -> tuple[str, str, str]:
    """How severe, what, and what to do."""
    return SEVERITIES.get(found.severity, found.severity), f"{found.code}: {found.message}", found.remedy


def images(counts: Mapping[str, int]) -> str:
    """VMs by image."""
    return ", ".join(f"{count} on {image}" for image, count in sorted(counts.items())) or "none"


def clock(duration: timedelta) -> str:
    """Hours, minutes and seconds.

    >>> clock(timedelta(minutes=83, seconds=5))
    '1:23:05'
    """
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def counted(count: int, what: str, plural: str = "s") -> str:
    """So many of it.

    >>> counted(1, "VM"), counted(2, "VM")
    ('1 VM', '2 VMs')
    """
    return f"{count} {what}{'' if count == 1 else plural}"


def _cores(run: Run) -> str:
    return "not known" if run.cores_per_vm is None else f"+{run.figures.surge * run.cores_per_vm}"


def _times(count: int) -> str:
    return "once" if count == 1 else counted(count, "time")
