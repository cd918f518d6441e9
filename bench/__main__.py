"""`python -m bench [--quick|--looks|--slow]`: requests, histories, CPU and time, by the number of VMs.

What each column means is in docs/performance.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bench.cold_start import measure_imports
from bench.command import measure_help
from bench.deployment import Measurement, Scale, measure
from bench.package import measure_package
from bench.page import measure_page, page_table
from bench.report import (
    cold_start_table,
    help_table,
    history_table,
    look_table,
    message_table,
    package_table,
    request_table,
    time_table,
)
from local.clock import run_virtual
from rollout.model.azure.scale_set import OrchestrationMode

SMALL = (Scale(10, 20), Scale(10, 20, mode=OrchestrationMode.FLEXIBLE))
SCALES = (
    *SMALL,
    Scale(100, 10),
    Scale(100, 10, gateway=True),
    Scale(100, 100, gateway=True),
    Scale(100, 100, gateway=True, vm_writes="oneAtATime"),
    Scale(100, 10, mode=OrchestrationMode.FLEXIBLE, gateway=True),
    Scale(900, 10),
    Scale(900, 10, throttling_factor=0.5),
    Scale(900, 10, mode=OrchestrationMode.FLEXIBLE),
    Scale(900, 10, throttling_factor=0.5, mode=OrchestrationMode.FLEXIBLE),
)

#: A day of virtual time, and minutes of a processor.
SLOW = (Scale(900, 10, gateway=True, vm_writes="oneAtATime"),)

#: What a request to Azure takes from the same region.
WIRE = timedelta(milliseconds=100)
WIRED = [
    Scale(vms, percentage, mode=mode, wire=WIRE, bake=timedelta(minutes=5))
    for vms, percentage in ((10, 20), (100, 10), (900, 10))
    for mode in OrchestrationMode
]
#: As it was before looks were read in parts.
WIRED.append(replace(WIRED[-1], part_size=1000))


def main() -> None:
    """Run the measurements and print each as soon as it is there."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Teal in virtual time.")
    parser.add_argument("--quick", action="store_true", help="10 VMs only")
    parser.add_argument("--looks", action="store_true", help="only how long looks take, and what a batch costs")
    parser.add_argument("--slow", action="store_true", help="only 900 VMs that are written to one at a time")
    asked = parser.parse_args()
    if asked.looks:
        print(_looks(WIRED))
        return
    if asked.slow:
        print(time_table(_measured(SLOW)))
        return
    results = _measured(SMALL if asked.quick else SCALES)
    print(_looks(WIRED[:2] if asked.quick else WIRED), end="\n\n")
    cold_start, package = cold_start_table(measure_imports()), package_table(measure_package())
    page, command = page_table(measure_page()), help_table(measure_help())
    print(time_table(results), cold_start, package, page, command, sep="\n\n")


def _measured(scales: Sequence[Scale]) -> list[Measurement]:
    results: list[Measurement] = []
    for scale in scales:
        results.append(run_virtual(measure(scale)))
        print(request_table(results[-1]), history_table(results[-1]), sep="\n\n", end="\n\n")
    return results


def _looks(scales: Sequence[Scale]) -> str:
    results = [run_virtual(measure(scale)) for scale in scales]
    return "\n\n".join([look_table(results), message_table(results)])


if __name__ == "__main__":
    main()
