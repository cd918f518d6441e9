"""Whose a VM is: every row of the table in docs/architecture.md."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rollout.model.azure.ownership import ownership, told_apart
from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, ScaleSet, Vm, VmList

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IMAGE = ImageReference(id="/images/web/versions/1.0.0")
SET = ScaleSet(
    "/set",
    "web",
    "eastus2",
    '"1"',
    2,
    "Succeeded",
    IMAGE,
    mode=OrchestrationMode.FLEXIBLE,
    computer_name_prefix="web",
    created_at=NOW,
)
UNIFORM = replace(SET, mode=OrchestrationMode.UNIFORM)
OWN = Vm(
    "id-1",
    "web_0a1b2c3d",
    "web_0a1b2c3d",
    IMAGE,
    "Succeeded",
    created_at=NOW + timedelta(minutes=1),
    computer_name="web00001f",
)

#: By the first column of the table: sets and VMs that it speaks of.
ROWS: dict[str, list[tuple[ScaleSet, Vm]]] = {
    "`web_0a1b2c3d`, computer name `web00001f`, younger than the set": [
        (SET, OWN),
        (SET, replace(OWN, created_at=NOW)),
    ],
    "`WEB_0A1B2C3D`, computer name `WEB00001F`": [
        (SET, replace(OWN, name="WEB_0A1B2C3D", computer_name="WEB00001F")),
        (replace(SET, name="Web", computer_name_prefix="Web"), OWN),
    ],
    "`web_0a1b2c3d`, no computer name told": [(SET, replace(OWN, computer_name=None))],
    "`web_0a1b2c3d`, no `timeCreated` told, of the VM or of the set": [
        (SET, replace(OWN, created_at=None)),
        (replace(SET, created_at=None), OWN),
    ],
    "`web_0a1b2c3d`, any computer name, the model has no prefix": [
        (replace(SET, computer_name_prefix=None), replace(OWN, computer_name="db01"))
    ],
    "`db01`": [(SET, replace(OWN, name="db01"))],
    "`web_db01`": [(SET, replace(OWN, name="web_db01")), (SET, replace(OWN, name="web_database"))],
    "`web_0a1b2c3d4`": [(SET, replace(OWN, name="web_0a1b2c3d4")), (SET, replace(OWN, name="web_0a1b2c3d\n"))],
    "`webs_0a1b2c3d`": [(SET, replace(OWN, name="webs_0a1b2c3d")), (replace(SET, name="w.b"), OWN)],
    "`web_0a1b2c3d`, made from a disk": [(SET, replace(OWN, image=ImageReference()))],
    "`web_0a1b2c3d`, computer name `db01`": [(SET, replace(OWN, computer_name="db01"))],
    "`web_0a1b2c3d`, `timeCreated` before the set's": [(SET, replace(OWN, created_at=NOW - timedelta(seconds=1)))],
    "any VM of a Uniform set": [(UNIFORM, replace(OWN, name="web_3", computer_name="db01", created_at=NOW.min))],
}


def documented() -> dict[str, str]:
    """The rows of the table: the VM, and whose it is."""
    text = Path("docs/architecture.md").read_text(encoding="utf-8")
    section = text.partition("### A VM that the set did not make")[2].partition("\n#")[0]
    return dict(re.findall(r"^\| (.+?) \| ((?:the set's|foreign).*?) \|$", section, re.MULTILINE))


@pytest.mark.parametrize("row", ROWS)
def test_row_of_the_table_is_so(row: str) -> None:
    for scale_set, vm in ROWS[row]:
        found = ownership(scale_set, vm)
        assert found.own == documented()[row].startswith("the set's"), found.reason
        assert found.reason


def test_table_has_these_rows_and_no_other() -> None:
    assert list(documented()) == list(ROWS)


def test_vms_are_told_apart_with_the_reason() -> None:
    alike = replace(OWN, vm_id="id-2", computer_name="db01")
    listed = told_apart(SET, VmList((OWN, alike), requests=3))
    assert [vm.foreign for vm in listed.vms] == ["", "its computer name db01 does not begin with web"]
    assert listed.requests == 3
