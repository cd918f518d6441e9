"""Errors that an adapter raises when the outside world does not do as asked.

    AzureError
    ├── Busy       try again later: throttled, another write is in flight, the service is out of order
    │   └── Unreadable   a row that a newer release wrote: when that release is back
    ├── Stale      the resource changed since it was read (412): read it and decide anew
    └── Refused    the request itself is wrong or not allowed: trying again does not help

Expected outcomes of a deployment are values (``rollout.model.order.Progress``); these go from an adapter to whoever
called it, an activity, a service or a trigger, and no recipe meets one.
"""

from __future__ import annotations

from datetime import timedelta

from rollout.model.rows.unreadable import WRITTEN_BY_NEWER_RELEASE, UnreadableRow
from rollout.model.words import plain


class AzureError(Exception):
    """A neighbour did not do as asked. ``code`` is its own where there is one: ARM's, Table Storage's, the SDK's.

    ``by``: whose answer it is, in words.
    """

    def __init__(self, code: str, message: str, *, by: str = "Azure") -> None:
        self.by = by
        self.code = plain(code)
        self.message = plain(message)
        super().__init__(f"{self.code}: {self.message}")


class Busy(AzureError):
    """Try again, not before ``retry_after`` where Azure said so (its ``Retry-After`` header)."""

    def __init__(self, code: str, message: str, retry_after: timedelta | None = None, *, by: str = "Azure") -> None:
        super().__init__(code, message, by=by)
        self.retry_after = retry_after


class Unreadable(Busy):
    """A row holds what this release does not know: nothing is decided without it, until a release is back that does."""

    def __init__(self, row: UnreadableRow, *, by: str) -> None:
        super().__init__(WRITTEN_BY_NEWER_RELEASE, row.message, by=by)
        self.row = row


class Stale(AzureError):
    """``If-Match`` did not match: somebody changed the resource since it was read."""


class Refused(AzureError):
    """Azure will not do it, however often it is asked: no permission, over quota, not valid."""


#: The code of a refusal because the VMs of a set run as many models as Azure lets them: fewer VMs make room.
MODELS_EXHAUSTED = "modelsExhausted"
