"""What the stand-in complains about loudly, where Azure would only log, or hang."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Complaint(StrEnum):
    """The kind of a ``HostError``."""

    UNKNOWN_FUNCTION = "unknownFunction"
    NON_DETERMINISM = "nonDeterminism"
    DIVERGENCE = "divergence"
    UNSUPPORTED = "unsupported"
    CHILD_BEGUN_TWICE = "childBegunTwice"
    HOST_FAILED = "hostFailed"


class HostError(Exception):
    """Something that must not happen in a sound app; ``instance_id`` is the orchestration it happened in, if any."""

    def __init__(self, complaint: Complaint, message: str, instance_id: str | None = None) -> None:
        place = f" (instance {instance_id})" if instance_id else ""
        super().__init__(f"{complaint}: {message}{place}")
        self.complaint = complaint
        self.message = message
        self.instance_id = instance_id


class HostErrors(Exception):
    """All that a host has complained about."""

    def __init__(self, errors: Sequence[HostError]) -> None:
        super().__init__("\n".join(["the local Durable host complains:", *map(str, errors)]))
        self.errors = tuple(errors)


class HostKilled(ConnectionError):
    """The host was killed while somebody waited for it."""
