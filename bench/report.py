"""The measurements as tables of plain text."""

from __future__ import annotations

from collections.abc import Sequence

from bench.cold_start import GOAL, ColdStart
from bench.command import GOAL as HELP_GOAL
from bench.command import HelpTime
from bench.deployment import Measurement, RequestCounts, Scale
from bench.package import LONGEST_IMPORT, Package
from bench.turns import MESSAGES, messages
from rollout.model.azure.scale_set import OrchestrationMode
from rollout.model.order import PART_SIZE
from rollout.model.words import counted

#: Requests that change one VM or its interface: their number grows with the set's, so they are told apart.
WRITES_OF_ONE_VM = ("put VM", "put interface")


def request_table(measured: Measurement) -> str:
    """ARM requests by kind, with the bucket that each is assumed to be charged to; writes of single VMs apart."""
    single = [one for one in measured.requests if one.kind in WRITES_OF_ONE_VM]
    others = [one for one in measured.requests if one.kind not in WRITES_OF_ONE_VM]
    tables = [_requests(f"{title(measured.scale)}, {counted(measured.batches, 'batch')}", others)]
    if single:
        tables.append(_requests("Writes of single VMs", single))
    return "\n\n".join(tables)


def _requests(caption: str, requests: Sequence[RequestCounts]) -> str:
    header = ("ARM request", "number", "429", "bucket assumed", "refill/min", "size", "highest use")
    rows = [
        (one.kind, one.passed, one.throttled, one.policy, f"{one.refill:g}", f"{one.size:g}", _use(one.highest_use))
        for one in requests
    ]
    return table(caption, header, rows)


def history_table(measured: Measurement) -> str:
    """Histories by recipe, and the recipe's share of the process's CPU."""
    header = ("recipe", "turns", "most events", "where", "largest context", "share of CPU")
    rows = [
        (
            one.recipe,
            one.turns,
            one.events_max,
            one.instance,
            f"{one.context_bytes_max / 1024:.1f} KiB",
            f"{one.cpu_seconds / measured.cpu_seconds:.1%}",
        )
        for one in measured.histories
    ]
    return table("Histories (at most 200 events)", header, rows)


def time_table(results: Sequence[Measurement]) -> str:
    """Each scale's time over the ideal poller's, and CPU over the first scale's."""
    header = ("scale", "virtual time", "ideal poller", "ratio", "orchestrator CPU", "CPU of everything")
    rows = [
        (
            title(one.scale),
            str(one.duration).partition(".")[0],
            str(one.ideal),
            f"{one.duration / one.ideal:.2f}",
            f"{one.orchestrator_cpu_seconds / results[0].orchestrator_cpu_seconds:.1f} x",
            f"{one.cpu_seconds / results[0].cpu_seconds:.1f} x",
        )
        for one in results
    ]
    return table(f"Time, and CPU over that at {results[0].scale.vms} VMs", header, rows)


def look_table(results: Sequence[Measurement]) -> str:
    """How long looks take where each request is on its way for a while, and what that makes of the deployment."""
    header = ("scale", "time of the deployment", "step", "looks", "most activities", "a look, median", "longest")
    rows = [
        (
            title(one.scale),
            str(one.duration).partition(".")[0],
            look.step,
            look.looks,
            look.activities_max,
            f"{look.median.total_seconds():.1f} s",
            f"{look.longest.total_seconds():.1f} s",
        )
        for one in results
        for look in one.looks
    ]
    milliseconds = round(results[0].scale.wire.total_seconds() * 1000)
    return table(f"Looks, each request taking {milliseconds} ms, activities none", header, rows)


def message_table(results: Sequence[Measurement]) -> str:
    """What a batch costs in Durable Functions: the one of each deployment that costs most."""
    header = ("scale", "activities", "sub-orchestrations", "timers", "messages", "most events", "orchestrator CPU")
    rows = [
        (
            title(one.scale),
            *(one.begun[kind] for kind in MESSAGES),
            messages(one.begun),
            max(history.events_max for history in one.histories),
            f"{one.orchestrator_cpu_seconds / results[0].orchestrator_cpu_seconds:.1f} x",
        )
        for one in results
    ]
    return table("Messages of a batch, and of the deployment the most events of an instance, and CPU", header, rows)


def cold_start_table(cold_starts: Sequence[ColdStart]) -> str:
    """The import of the app over that of the bare SDKs."""
    rows = [("compiled" if one.compiled else "not compiled", f"{one.ratio:.2f}", f"{GOAL}") for one in cold_starts]
    return table(
        "Cold start: import function_app over the Functions and Durable SDKs", ("modules", "ratio", "goal"), rows
    )


def package_table(package: Package | str) -> str:
    """The package beside the bare SDKs, in megabytes, and a first import of each on one core."""
    if isinstance(package, str):
        return f"The package: not measured. {package}"
    rows = [
        ("the SDKs alone", f"{package.sdks / 1e6:.1f}", f"{package.sdks_import:.1f} s", ""),
        ("wheels", f"{package.wheels / 1e6:.1f}", "", ""),
        ("the app", f"{package.app / 1e6:.1f}", f"{package.app_import:.1f} s", f"{LONGEST_IMPORT:g} s"),
    ]
    return table("The package", ("part", "MB", "import, nothing compiled, one core", "at most"), rows)


def help_table(measured: HelpTime) -> str:
    """The command's help over the bare import of what it is made with."""
    row = ("teal --help", f"{measured.ratio:.2f}", f"{HELP_GOAL}")
    return table("The command: its help over a bare `import typer`", ("command", "ratio", "goal"), [row])


def title(scale: Scale) -> str:
    """``900 VMs, Flexible, at 0.5 of Azure's limits``."""
    limits = "" if scale.throttling_factor == 1 else f" at {scale.throttling_factor:g} of Azure's limits"
    mode = "" if scale.mode is OrchestrationMode.UNIFORM else f", {scale.mode}" + ("," if limits else "")
    parts = ", never in parts" if scale.part_size > PART_SIZE else ""
    gateway = ", behind a gateway" if scale.gateway else ""
    gateway += ", written to one at a time" if scale.vm_writes == "oneAtATime" else ""
    return f"{scale.vms} VMs{mode}{gateway}{parts}{limits}"


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as what is in them; what begins with a digit is set to the right, but for the first column."""
    lines = [header, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    texts = ["  ".join([line[0].ljust(widths[0]), *map(_cell, line[1:], widths[1:])]).rstrip() for line in lines]
    return "\n".join([caption, texts[0], "-" * max(map(len, texts)), *texts[1:]])


def _use(share: float | None) -> str:
    return "not told" if share is None else f"{share:.0%}"


def _cell(text: str, width: int) -> str:
    return text.rjust(width) if text[:1].isdigit() else text.ljust(width)
