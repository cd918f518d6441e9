"""Read an Event Grid notification: something was written; what it is now, its resource tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollout.model.rows.notification import NotificationRecord
from rollout.model.words import plain
from rollout.ports.keys import notification_key

WRITE_SUCCESS = "Microsoft.Resources.ResourceWriteSuccess"
VERSION_WRITE = "Microsoft.Compute/galleries/images/versions/write"
SET_WRITE = "Microsoft.Compute/virtualMachineScaleSets/write"

#: The resource id of a gallery's image version. ``resourcegroups`` is as often in lower case.
_VERSION_ID = re.compile(
    r"(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/galleries/[^/]+/images/[^/]+)"
    r"/versions/([0-9]{1,10}\.[0-9]{1,10}\.[0-9]{1,10})",
    re.IGNORECASE,
)

#: Event Grid gives up a notification after a day. One that says that it is older, or not yet sent, has no time.
_OLDEST = timedelta(days=2)
_CLOCKS_DIFFER = timedelta(hours=1)

_TEXT_LENGTH_MAX = 1024


@dataclass(frozen=True)
class Notification:
    """One message, whatever its schema: an Event Grid event's ``eventType`` and a CloudEvent's ``type`` are ``type``.

    Nothing of it is trusted: each field is what the sender put there, or ``None``. ``time``: when it was sent.
    """

    id: object
    type: object
    subject: object
    data: object
    time: datetime | None = None


@dataclass(frozen=True)
class VersionWrite:
    """Somebody has written the version ``version`` of the gallery image ``image_id``."""

    image_id: str
    version: str


@dataclass(frozen=True)
class IgnoredNotification:
    """The notification leads to nothing, and why."""

    reason: str


def record_of(
    notification: Notification, read: VersionWrite | IgnoredNotification, now: datetime
) -> NotificationRecord:
    """The row of a notification that says what was ``read``, and is received ``now`` for the first time.

    Its key follows from its id and its time, which are the same in all deliveries. What has no id is told from others
    by all that it says.
    """
    told = notification.id if isinstance(notification.id, str) and notification.id else repr(notification)
    sent = notification.time
    known = sent is not None and sent.tzinfo is not None and now - _OLDEST <= sent <= now + _CLOCKS_DIFFER
    key = notification_key(told, sent if known and sent is not None else now)
    written = read if isinstance(read, VersionWrite) else None
    return NotificationRecord(
        key=key.row,
        id=text_of(notification.id),
        type=text_of(notification.type),
        subject=text_of(notification.subject),
        received_at=now,
        image_id=written.image_id if written else None,
        version=written.version if written else None,
        reason=read.reason if isinstance(read, IgnoredNotification) else "",
    )


def text_of(said: object) -> str:
    """What was said, as a text that can be kept: JSON may hold what steers a terminal, at any length."""
    text = said if isinstance(said, str) else "" if said is None else repr(said)
    return plain(text)[:_TEXT_LENGTH_MAX]


def read_notification(notification: Notification) -> VersionWrite | IgnoredNotification:
    """The version that was written, or why there is none.

    Teal writes no image versions, so what it writes itself is among the other operations.
    """
    if not isinstance(notification.id, str) or not notification.id:
        return IgnoredNotification("It has no id")
    if not _is(notification.type, WRITE_SUCCESS):
        return IgnoredNotification(f"It is a {_quote(notification.type)}, not a {WRITE_SUCCESS}")
    if not isinstance(notification.data, Mapping):
        return IgnoredNotification("It has no data")
    operation = notification.data.get("operationName")
    if not _is(operation, VERSION_WRITE):
        return IgnoredNotification(f"The operation {_quote(operation)} writes no image version")
    found = _VERSION_ID.fullmatch(notification.subject) if isinstance(notification.subject, str) else None
    if found is None:
        return IgnoredNotification(f"Its subject {_quote(notification.subject)} is no image version of a gallery")
    return VersionWrite(text_of(found[1]), found[2])


def written_set(notification: Notification) -> str | None:
    """The scale set that somebody has written, Teal among others; ``None``: it tells of something else."""
    if not _is(notification.type, WRITE_SUCCESS) or not isinstance(notification.data, Mapping):
        return None
    if not _is(notification.data.get("operationName"), SET_WRITE) or not isinstance(notification.subject, str):
        return None
    return text_of(notification.subject)


def _is(said: object, meant: str) -> bool:
    return isinstance(said, str) and said.casefold() == meant.casefold()


def _quote(said: object) -> str:
    return text_of(repr(said)[:200])
