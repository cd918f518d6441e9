"""What the bench measures is what has happened; its figures of time are nobody's promise, and not looked at here."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bench.cold_start import ColdStart
from bench.command import HelpTime
from bench.deployment import Measured, Scale, measure
from bench.package import Package
from bench.report import (
    cold_start_table,
    help_table,
    history_table,
    package_table,
    request_table,
    table,
    time_table,
)
from local.clock import run_virtual
from rollout.scale_set import OrchestrationMode

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Four VMs, replaced in two batches, at half of Azure's limits."""
    return run_virtual(measure(Scale(4, 50, throttling_factor=0.5)))


def test_the_ideal_poller_waits_for_nothing_but_the_world_and_its_next_poll(measured: Measured) -> None:
    """5 s of PATCH are seen after 15 s; 90 to 100 s until green serve after 105; 30 s of deletion after 30."""
    batch = timedelta(seconds=105 + 120 + 30)
    assert measured.ideal == timedelta(seconds=15) + 2 * batch
    assert measured.duration >= measured.ideal


def test_every_request_is_counted_under_its_bucket(measured: Measured) -> None:
    requests = {one.kind: one for one in measured.requests}
    assert (requests["patch scale set"].passed, requests["delete VMs"].passed) == (5, 2)
    lists = requests["list VMs"]
    assert (lists.policy, lists.refill, lists.size, lists.throttled) == ("VMScaleSetHighCostGet", 5, 15, 0)
    assert lists.highest_use is not None
    assert 1 / 15 <= lists.highest_use < 1
    # Five PATCHes in a bucket of six that is refilled with two a minute: one to hold the scale-in policy, one of the
    # image, one to launch each batch, and one to bring the policy back; the first three within a minute.
    assert requests["patch scale set"].highest_use == pytest.approx(3 / 6, abs=1 / 6)


def test_a_flexible_set_s_requests_are_counted_under_its_own_buckets() -> None:
    flexible = run_virtual(measure(Scale(2, 100, mode=OrchestrationMode.FLEXIBLE)))
    buckets = {one.kind: (one.policy, one.size) for one in flexible.requests}
    assert buckets["list virtual machines"] == ("VMList", 900)
    assert buckets["get virtual machine view"] == ("VMGet", 36)
    assert request_table(flexible).startswith("2 VMs, Flexible, 1 batch\n")


def test_every_recipe_s_histories_are_measured(measured: Measured) -> None:
    assert [one.recipe for one in measured.histories] == ["deploy_group", "replace_batch", "wait_until_done"]
    assert all(0 < one.events_max < 200 and one.turns > 1 and one.context_bytes_max > 0 for one in measured.histories)
    assert measured.batches == 2


def test_the_tables_show_it(measured: Measured) -> None:
    assert request_table(measured).startswith("4 VMs at 0.5 of Azure's limits, 2 batches\n")
    assert "VMScaleSetHighCostGet" in request_table(measured)
    assert "wait_until_done" in history_table(measured)
    assert f"{measured.duration / measured.ideal:.2f}" in time_table([measured])
    assert "1.50" in cold_start_table([ColdStart(True, sdks=2, app=3)])
    assert "1.25" in help_table(HelpTime(typer=4, help=5))


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    assert table("Caption", ("name", "number"), [("a", 5), ("longer", 1000)]).splitlines() == [
        "Caption",
        "name    number",
        "--------------",
        "a            5",
        "longer    1000",
    ]


def test_writes_of_single_vms_are_told_apart() -> None:
    behind = run_virtual(measure(Scale(2, 100, gateway=True)))
    requests, writes = request_table(behind).split("\n\n")
    assert requests.startswith("2 VMs, behind a gateway, 1 batch")
    assert "put VM" not in requests
    assert writes.splitlines()[0] == "Writes of single VMs"
    assert writes.splitlines()[-1].split()[:3] == ["put", "VM", "2"]
    assert {one.kind: one.highest_use for one in behind.requests}["get gateway"] is None


def test_the_package_is_told_beside_the_sdks() -> None:
    shown = package_table(Package(app=1_200_000, wheels=51_000_000, sdks=9_000_000, app_import=1.234, sdks_import=1.0))
    assert [line.split() for line in shown.splitlines()[-3:]] == [
        ["the", "SDKs", "alone", "9.0", "1.0", "s"],
        ["wheels", "51.0"],
        ["the", "app", "1.2", "1.2", "s", "10", "s"],
    ]
    assert package_table("there is no index") == "The package: not measured. there is no index"
