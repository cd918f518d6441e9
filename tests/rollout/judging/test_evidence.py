"""What of a sick VM is kept, and how much of it."""

from __future__ import annotations

import doctest
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.judging import evidence
from rollout.judging.evidence import VIEW_LENGTH, evidence_of, plain, sick, trimmed
from rollout.model.azure.evidence import LOG_LENGTH, Inspection
from rollout.model.choices import HealthCheckType
from rollout.model.rows.deployment import Reading, VmRecord
from rollout.model.status import Color, VmStatus

AT = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
READING = Reading(HealthCheckType.APPLICATION_GATEWAY, "unhealthy", "Down: Received invalid status code: 503", AT)
VM = VmRecord("guid-1", "web_1", Color.GREEN, 2, VmStatus.UNHEALTHY, "applicationGateway: Down", readings=(READING,))

STATUS = {
    "code": "ProvisioningState/failed/1",
    "level": "Error",
    "displayStatus": "Provisioning failed",
    "message": "Enable failed: exit status 1",
    "time": "2026-11-23T08:15:00+00:00",
}

#: The fields of https://learn.microsoft.com/rest/api/compute/virtual-machines/instance-view.
VIEW: dict[str, Any] = {
    "platformUpdateDomain": 1,
    "computerName": "web000001",
    "osName": "ubuntu",
    "osVersion": "24.04",
    "statuses": [STATUS],
    "vmHealth": {"status": STATUS},
    "vmAgent": {
        "vmAgentVersion": "2.11.1.4",
        "statuses": [STATUS],
        "extensionHandlers": [
            {"type": "Microsoft.Azure.Extensions.CustomScript", "typeHandlerVersion": "2.1", "status": STATUS}
        ],
    },
    "disks": [{"name": "os", "statuses": [STATUS]}],
    "extensions": [
        {
            "name": "install",
            "type": "Microsoft.Azure.Extensions.CustomScript",
            "typeHandlerVersion": "2.1",
            "statuses": [STATUS],
            "substatuses": [STATUS],
        }
    ],
    "bootDiagnostics": {"serialConsoleLogBlobUri": "https://a.blob/serial?sig=abc", "status": STATUS},
}


def size(value: object) -> int:
    """Bytes of the JSON."""
    return len(json.dumps(value, ensure_ascii=False).encode())


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(evidence).failed == 0


@pytest.mark.parametrize(
    ("color", "status", "replaced", "is_sick"),
    [
        (Color.GREEN, VmStatus.UNHEALTHY, False, True),
        (Color.GREEN, VmStatus.PENDING, False, True),
        (Color.GREEN, VmStatus.RUNNING, False, True),
        (Color.GREEN, VmStatus.HEALTHY, False, False),
        (Color.GREEN, VmStatus.UNHEALTHY, True, False),
        (Color.BLUE, VmStatus.UNHEALTHY, False, False),
    ],
)
def test_sick_are_green_vms_that_are_not_healthy_and_not_replaced_yet(
    color: Color, status: VmStatus, replaced: bool, is_sick: bool
) -> None:
    record = VmRecord("guid-1", "web_1", color, 1, status, replaced=replaced)
    assert sick([record]) == ((record,) if is_sick else ())


def test_evidence_holds_the_last_readings_and_what_the_inspection_found() -> None:
    found = evidence_of(VM, Inspection({"osName": "ubuntu"}, "kernel panic\n", ("a note",)), AT)
    assert (found.vm_id, found.name, found.batch, found.taken_at) == ("guid-1", "web_1", 2, AT)
    assert (found.status, found.reason, found.readings) == (VM.status, VM.reason, (READING,))
    assert (found.instance_view, found.serial_log, found.notes) == ({"osName": "ubuntu"}, "kernel panic\n", ("a note",))


def test_what_could_not_be_read_stays_none() -> None:
    found = evidence_of(VM, Inspection(notes=("gone",)), AT)
    assert (found.instance_view, found.serial_log, found.notes) == (None, None, ("gone",))


def test_of_the_instance_view_everything_stays_that_tells_why_a_vm_is_sick() -> None:
    kept = trimmed(VIEW)
    assert set(VIEW) - set(kept) == {"platformUpdateDomain", "computerName", "disks"}
    for part in ("osName", "osVersion", "statuses", "vmHealth", "vmAgent", "extensions"):
        assert kept[part] == VIEW[part]
    assert kept["bootDiagnostics"] == {"status": STATUS}


def test_signatures_are_removed_wherever_they_are() -> None:
    link = "https://a.blob.core.windows.net/c/app.zip?sp=r&sig=aB%2Fc%3D&se=2026"
    spoiled = {**STATUS, "message": f"download of {link} failed"}
    view = {"extensions": [{"name": "install", "substatuses": [spoiled]}]}
    found = evidence_of(VM, Inspection(view, f"GET {link}\n", (f"refused: {link.upper()}",)), AT)
    assert "sig=" not in repr(found).lower()
    assert repr(found).count("[signature removed]&") == 3


def test_a_signature_that_is_cut_off_or_encoded_is_removed_too() -> None:
    assert plain("next%3Dhttps%3A%2F%2Fa%3Fsig%3Dabc done sig=") == (
        "next%3Dhttps%3A%2F%2Fa%3F[signature removed] done [signature removed]"
    )


def test_lines_and_tabs_stay_and_other_control_characters_go() -> None:
    assert plain("a\tb\r\n\x00\x00\x1b[0;32mOK\x1b[0m\x85") == "a\tb\nOK"


def test_of_a_long_log_the_end_is_kept() -> None:
    found = evidence_of(VM, Inspection(None, "x" * LOG_LENGTH + "the end"), AT)
    assert found.serial_log is not None
    assert (len(found.serial_log), found.serial_log[-7:]) == (LOG_LENGTH, "the end")


def test_long_messages_are_cut_only_as_far_as_it_takes() -> None:
    view = {"extensions": [{"name": "install", "statuses": [{"message": "m" * 5000}] * 5}]}
    messages = [status["message"] for status in trimmed(view)["extensions"][0]["statuses"]]
    assert [len(message) for message in messages] == [4096] * 5
    view["extensions"] = view["extensions"] * 3
    assert len(trimmed(view)["extensions"][2]["statuses"][4]["message"]) == 1024


def test_worst_view_is_kept_in_part() -> None:
    long = dict.fromkeys(STATUS, "\N{GRINNING FACE}" * 1200)
    extension = {**dict.fromkeys(("name", "type"), long["code"]), "statuses": [long] * 12, "substatuses": [long] * 12}
    view = {**VIEW, "statuses": [long] * 12, "extensions": [extension] * 12}
    view["vmAgent"] = {"statuses": [long] * 12, "extensionHandlers": [{"type": "t", "status": long}] * 12}
    assert size(view) > 100 * VIEW_LENGTH
    kept = trimmed(view)
    assert 0 < size(kept) <= VIEW_LENGTH
    assert set(kept) >= {"statuses", "extensions", "vmAgent", "vmHealth"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*VIEW, *STATUS]), inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(list(VIEW)), JSON))
def test_no_view_is_too_odd_to_be_trimmed(view: dict[str, Any]) -> None:
    assert size(trimmed(view)) <= VIEW_LENGTH
