"""Notifications, wanted versions and followers, in memory and at Azurite."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.automation.notification import IgnoredNotification, Notification, record_of
from rollout.model.rows.notification import Consequence, NotificationOutcome, NotificationRecord
from rollout.model.rows.wanted import Follower, WantedVersion
from rollout.ports.store import Store

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


def record(name: str, age: timedelta = timedelta(0)) -> NotificationRecord:
    """One that came so long ago."""
    sent = NOW - age
    return record_of(Notification(name, "Written", "/s/%#?\\", {}, sent), IgnoredNotification("it is a test"), sent)


async def test_a_notification_is_added_once_and_found_again(store: Store) -> None:
    mine = record("e-1")
    assert await store.notifications.add(mine)
    assert not await store.notifications.add(replace(mine, reason="another"))
    assert await store.notifications.get(mine.key) == mine
    assert await store.notifications.get(record("e-2").key) is None
    await store.notifications.delete(mine.key)
    await store.notifications.delete(mine.key)
    assert await store.notifications.get(mine.key) is None


async def test_deliveries_that_race_are_all_counted(store: Store) -> None:
    mine = record("e-1")
    await store.notifications.add(mine)
    change = NotificationRecord.delivered_again
    await asyncio.gather(*(store.notifications.change(mine.key, change) for _ in range(8)))
    assert (await store.notifications.get(mine.key) or mine).deliveries == 9
    with pytest.raises(KeyError):
        await store.notifications.change(record("e-2").key, change)


async def test_what_it_led_to_is_kept(store: Store) -> None:
    mine = record("e-1")
    await store.notifications.add(mine)
    led = [
        Consequence(f"g{number}", NotificationOutcome.STARTED, "r" * 300, NOW, f"d{number}") for number in range(200)
    ]
    for one in led[:3]:
        await store.notifications.change(mine.key, lambda row, one=one: row.with_consequence(one))  # type: ignore[misc]
    assert (await store.notifications.get(mine.key) or mine).groups == tuple(led[:3])
    # More than a column holds.
    await store.notifications.change(mine.key, lambda row: replace(row, groups=tuple(led)))
    assert (await store.notifications.get(mine.key) or mine).groups == tuple(led)


async def test_notifications_come_newest_first_and_go_oldest_first(store: Store) -> None:
    rows = [record(f"e-{age}", timedelta(minutes=age)) for age in (3, 0, 2, 1)]
    for row in rows:
        await store.notifications.add(row)
    newest = await store.notifications.newest(10)
    assert [row.id for row in newest] == ["e-0", "e-1", "e-2", "e-3"]
    assert await store.notifications.newest(2) == newest[:2]
    assert await store.notifications.newest(10, newest[1].key) == newest[2:]
    assert await store.notifications.before(NOW - timedelta(seconds=90), 10) == newest[2:]
    assert await store.notifications.before(NOW - timedelta(hours=1), 10) == ()


async def test_wanted_versions_are_those_of_a_group(store: Store) -> None:
    wanted = [WantedVersion(group, "/i", "1.0.0", key, NOW, NOW) for group, key in (("a", "1"), ("a", "2"), ("b", "1"))]
    for one in [*wanted, wanted[0]]:
        await store.wanted.put(one)
    assert await store.wanted.list("a") == tuple(wanted[:2])
    await store.wanted.delete(wanted[0])
    await store.wanted.delete(wanted[0])
    assert (await store.wanted.list("a"), await store.wanted.list("b")) == ((wanted[1],), (wanted[2],))
    assert await store.wanted.list("c") == ()


async def test_one_of_two_that_race_follows_a_group(store: Store) -> None:
    racers = [Follower("web", f"f-{number}", NOW) for number in range(4)]
    for before in (None, "again"):
        found = await store.followers.get("web")
        assert (found is None) == (before is None)
        won = await asyncio.gather(*(store.followers.swap(found, racer) for racer in racers))
        assert won.count(True) == 1
        assert await store.followers.get("web") == racers[won.index(True)]
        assert await store.followers.swap(racers[won.index(True)], Follower("web", "", NOW))
    assert not await store.followers.swap(racers[0], racers[1])
