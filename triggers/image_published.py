"""Event Grid's notifications of published images: what is received, and ``/notifications``, what it led to.

A notification says only that something was written. It is written down with each group that wants the version; what
becomes of that is for the orchestration that follows the group's versions. Whatever is expected returns normally: Event
Grid sends what failed again, for a day, so that only what may work then may fail here.
"""

from __future__ import annotations

import logging

from rollout.automation.image_rule import concerns, match_rule
from rollout.automation.notification import (
    IgnoredNotification,
    Notification,
    VersionWrite,
    read_notification,
    record_of,
    written_set,
)
from rollout.model.group import Group
from rollout.model.rows.notification import Consequence, NotificationOutcome, NotificationRecord
from rollout.model.rows.unreadable import readable, unreadable
from rollout.model.rows.wanted import WantedVersion
from rollout.ports.errors import Unreadable
from rollout.ports.ports import Ports
from triggers.following import have_followed
from triggers.group_states import look_again

_log = logging.getLogger("teal")


async def image_published(ports: Ports, notification: Notification) -> None:
    """Write a notification down, and have what it tells of followed by every group that wants it. Again: the same.

    One that a scale set was written is not kept: its group is looked at, so that pages see at once what it needs.
    """
    if (scale_set_id := written_set(notification)) is not None:
        await look_again(ports, scale_set_id)
        return
    read = read_notification(notification)
    record = await _received(ports, notification, read)
    if isinstance(read, IgnoredNotification):
        _log.info("Notification %s is ignored: %s", record.id, record.reason)
        return
    rows = await ports.store.groups.listed()
    groups = [group for group in readable(rows) if concerns(group.image_rule, read.image_id)]
    for group in groups:
        record = await _consider(ports, record, group, read)
        known = record.of(group.id)
        if known is not None and not known.outcome.final:
            await _want(ports, record, group, read)
            await have_followed(ports, group.id)
    for row in unreadable(rows):
        # Whether that group wants the version is found when Event Grid sends this again.
        raise Unreadable(row, by="Table Storage")
    if not groups and not record.groups:
        await _nobodys(ports, record)


async def _received(
    ports: Ports, notification: Notification, read: VersionWrite | IgnoredNotification
) -> NotificationRecord:
    """The row of the notification: a new one, or that of an earlier delivery."""
    record = record_of(notification, read, ports.clock.now())
    if await ports.store.notifications.add(record):
        return record
    return await ports.store.notifications.change(record.key, NotificationRecord.delivered_again)


async def _consider(
    ports: Ports, record: NotificationRecord, group: Group, written: VersionWrite
) -> NotificationRecord:
    """The row with what it leads to in the group, as far as the group's rule tells. What it led to before stays."""
    match = match_rule(group.image_rule, written.image_id, written.version)
    outcome = NotificationOutcome.WAITING if match.wanted else NotificationOutcome.IGNORED
    consequence = Consequence(group.id, outcome, match.reason, ports.clock.now())

    def with_it(row: NotificationRecord) -> NotificationRecord:
        return row if row.of(group.id) is not None else row.with_consequence(consequence)

    return await ports.store.notifications.change(record.key, with_it)


async def _want(ports: Ports, record: NotificationRecord, group: Group, written: VersionWrite) -> None:
    rule = group.image_rule
    assert rule is not None, "the group has a rule for the image"
    deadline = record.received_at + rule.replication_timeout
    # The image's id is the rule's: a notification has it in any letters.
    wanted = WantedVersion(group.id, rule.image_id, written.version, record.key, record.received_at, deadline)
    await ports.store.wanted.put(wanted)


async def _nobodys(ports: Ports, record: NotificationRecord) -> None:
    reason = "No group has a rule for the image"
    _log.info("Notification %s is ignored: %s", record.id, reason)
    await ports.store.notifications.change(record.key, lambda row: row.ignored(reason))
