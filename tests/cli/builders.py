"""Answers of the API for tables of decisions."""

from __future__ import annotations

from typing import Any


def deployment(**given: Any) -> Any:
    """A deployment in the middle, but for what is given."""
    return {
        "id": "web-20261123T081500Z-1a2b3c",
        "groupId": "web",
        "status": "inProgress",
        "reason": "Batch 2 of 5: waiting for 1 of 2 VMs",
        "progress": 20,
        "numberOfBatches": 5,
        "currentBatch": 2,
        "blueVms": 8,
        "greenVms": 4,
        "image": {"requested": "1.1.0", "pinned": "/a/versions/1.1.0", "previous": "/a/versions/1.0.0"},
        "createdAt": "2026-11-23T08:15:00.000Z",
        "startedAt": "2026-11-23T08:15:04.000Z",
        "endedAt": None,
        "startedBy": "function key",
        "comment": "",
        "retryOf": None,
        "error": None,
        "decision": None,
        "dangers": [],
        "findings": [],
        **given,
    }


def batch(number: int, phase: str, **given: Any) -> Any:
    """A batch in this phase."""
    return {"number": number, "phase": phase, "back": False, "canary": False, **given}
