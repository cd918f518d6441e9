"""Dataclasses to JSON and back, across releases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest

from rollout.model.azure.scale_set import ImageReference
from rollout.model.choices import HealthCheckType
from rollout.model.codec import decode, encode
from rollout.model.group import SignalType
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch, Deployment, Image, Reading
from rollout.model.status import Phase, Status

DEPLOYMENT = Deployment(
    id="web-20261123T081500Z-1a2b3c",
    group_id="web",
    scale_set_id="/subscriptions/0/…/web",
    parameters=Parameters("1.1.0", health_check_types=(HealthCheckType.VM_STATE,), comment="release 42"),
    image=Image("1.1.0", ImageReference(id="new"), ImageReference(publisher="p", version="latest")),
    created_at=datetime(2026, 11, 23, 8, 15, tzinfo=UTC),
)


def test_what_was_encoded_is_decoded_again() -> None:
    assert decode(Deployment, encode(DEPLOYMENT)) == DEPLOYMENT


def test_the_wire_speaks_camel_case_seconds_and_utc() -> None:
    row = encode(DEPLOYMENT)
    assert row["parameters"]["gracePeriod"] == 600
    assert row["createdAt"] == "2026-11-23T08:15:00.000Z"
    assert row["parameters"]["healthCheckTypes"] == ["vmState"]
    assert row["status"] == "pending"
    assert encode(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-01T00:00:00.000Z"


def test_a_row_of_another_release_is_read() -> None:
    row = {"number": 1, "blue": 2, "green": 2, "inventedLater": {"x": 1}}
    assert decode(Batch, row) == Batch(1, 2, 2, Phase.PLANNED)


def test_a_missing_field_without_default_is_named() -> None:
    with pytest.raises(ValueError, match="Batch needs blue"):
        decode(Batch, {"number": 1, "green": 2})


def test_a_value_without_json_form_is_refused_at_once() -> None:
    @dataclass(frozen=True)
    class Odd:
        value: object

    with pytest.raises(TypeError, match="set has no JSON form"):
        encode(Odd({1}))


def test_the_source_of_a_reading_is_the_enum_that_has_its_value() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    readings = [Reading(source, "healthy", "", at) for source in (*HealthCheckType, *SignalType)]
    decoded = [decode(Reading, encode(reading)) for reading in readings]
    assert decoded == readings
    assert [type(reading.source) for reading in decoded] == [type(reading.source) for reading in readings]
    with pytest.raises(ValueError, match="'ping' is no value of"):
        decode(Reading, {"source": "ping", "health": "", "detail": "", "at": "2026-11-23T00:00:00Z"})


def test_every_status_survives() -> None:
    assert [decode(Status, encode(status)) for status in Status] == list(Status)
