"""The ideal poller: what a deployment would take if nothing but the poll interval stood between fact and act.

It knows nothing of the set but what one poll at the interval tells it, and one poll tells it everything: the set, each
VM and each VM's health. Polls cost nothing and are never refused; queues, turns and writes take no time; it acts in the
moment of the poll that lets it. The waits in which Teal too needs no poll, draining, end to the second.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from local.azure.cloud import Cloud


def ideal_duration(cloud: Cloud, interval: timedelta, draining: timedelta) -> timedelta:
    """What the deployment that ``cloud`` has just seen would take the ideal poller.

    From the world's own times of that run: how long the image's PATCH took, each launch until its last VM served, each
    deletion until its last VM was gone. At 15 s: 5 s are seen after 15, 97 s after 105.
    """
    audit, serving, gone = cloud.audit, _first_times(cloud, "serving"), _first_times(cloud, "gone")
    launches = [max(serving[vm] for vm in entry.created) - entry.time for entry in audit if entry.created]
    deletions = [max(gone[vm] for vm in entry.deleted) - entry.time for entry in audit if entry.deleted]
    waits = [cloud.world.platform.update_time, *launches, *deletions]
    return sum((_seen(wait, interval) for wait in waits), timedelta(0)) + len(deletions) * draining


def _first_times(cloud: Cloud, state: str) -> dict[str, datetime]:
    """When each VM first came into the state."""
    times: dict[str, datetime] = {}
    for change in cloud.changes:
        if change.state == state:
            times.setdefault(change.vm_id, change.time)
    return times


def _seen(duration: timedelta, interval: timedelta) -> timedelta:
    """When a poll at the interval first sees what has taken ``duration``."""
    return -(-duration // interval) * interval
