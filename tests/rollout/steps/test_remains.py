"""What a deployment says of its changes where it has lost the lock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rollout.model.azure.scale_set import ImageReference
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image, Intent, IntentKind, VmRecord
from rollout.model.rows.lock import Lock
from rollout.model.status import Color, VmStatus
from rollout.steps.remains import without_lock
from rollout.steps.retirement import DELETED

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROW = Deployment("web-1", "web", "/set", Parameters("1.1.0"), Image("1.1.0", ImageReference(id="/versions/1.1.0")), NOW)
IMAGE, LAUNCH = Intent(IntentKind.IMAGE, 0, 1, NOW), Intent(IntentKind.LAUNCH, 1, 1, NOW)
GREEN = VmRecord("g", "web_g", Color.GREEN, 1, VmStatus.HEALTHY)
KEPT = VmRecord("k", "web_k", Color.GREEN, 0, VmStatus.HEALTHY)
BLUE = VmRecord("b", "web_b", Color.BLUE, 1, VmStatus.RUNNING)
OUT = replace(BLUE, vm_id="o", status=VmStatus.DETACHED)
GONE = replace(OUT, vm_id="x", reason=DELETED)


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        ("web-2", "deployment web-2 has the scale set now"),
        ("", "the scale set's lock was lost"),
        ("web-1", "the scale set's lock could not be renewed"),
    ],
)
def test_words_say_who_has_the_set(owner: str, words: str) -> None:
    lock = Lock("/set", owner, 2, NOW)
    assert without_lock(ROW, lock, [], []).startswith(f"{words}; changed before")


@pytest.mark.parametrize(
    ("records", "intents", "words"),
    [
        ([KEPT, BLUE], [], "what was held of it"),
        ([BLUE], [IMAGE], "image 1.1.0 in the model"),
        ([BLUE], [IMAGE, LAUNCH], "image 1.1.0 in the model, a launch under way"),
        ([BLUE, GREEN], [IMAGE, LAUNCH], "image 1.1.0 in the model, 1 VM launched"),
        ([GREEN, OUT, GONE], [LAUNCH], "1 VM launched, 1 VM out of traffic, 1 VM deleted"),
    ],
)
def test_words_say_what_was_changed(records: list[VmRecord], intents: list[Intent], words: str) -> None:
    assert without_lock(ROW, None, records, intents).endswith(f"changed before and left so: {words}")
