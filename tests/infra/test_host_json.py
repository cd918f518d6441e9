"""host.json as it is deployed."""

from __future__ import annotations

import json
from datetime import timedelta

from infra.package import ROOT

HOST = json.loads((ROOT / "host.json").read_text())


def span(text: str) -> timedelta:
    hours, minutes, seconds = map(int, text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def test_an_invocation_that_hangs_ends_before_the_plan_has_to_end_it() -> None:
    """Flex Consumption has no limit of its own: what hangs would be paid for until the app is replaced."""
    assert span(HOST["functionTimeout"]) == timedelta(minutes=30)


def test_no_line_of_a_deployment_is_left_out_of_the_log() -> None:
    """What Python logs arrives as traces, what failed as exceptions, what was called as requests."""
    sampling = HOST["logging"]["applicationInsights"]["samplingSettings"]
    assert sampling["isEnabled"]
    assert set(sampling["excludedTypes"].split(";")) == {"Request", "Exception", "Trace"}
    assert HOST["logging"]["logLevel"]["default"] == "Information"


def test_queues_are_looked_at_often_enough_for_what_is_kept_warm() -> None:
    durable = HOST["extensions"]["durableTask"]
    assert span(durable["storageProvider"]["maxQueuePollingInterval"]) <= timedelta(seconds=10)
    assert durable["versionMatchStrategy"] == "CurrentOrOlder"
