"""What a request asks for, completed by the group's defaults and then by Teal's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from rollout.deployment import Parameters
from rollout.group import Group, HealthCheckType

T = TypeVar("T")

#: A shorter grace period judges VMs before they can have booted; 120 s is Elastigroup's own minimum.
GRACE_PERIOD_MIN = timedelta(seconds=120)
GRACE_PERIOD_MAX = timedelta(days=1)
DRAINING_TIMEOUT_MAX = timedelta(days=1)
COMMENT_LENGTH_MAX = 256


@dataclass(frozen=True)
class Asked:
    """A request as it was made; ``None`` where it said nothing."""

    image: str
    batch_size_percentage: int | None = None
    grace_period: timedelta | None = None
    allocation_timeout: timedelta | None = None
    stable_for: timedelta | None = None
    batch_min_healthy_percentage: int | None = None
    min_health: int | None = None
    max_unhealthy_percentage: int | None = None
    tolerate_unhealthy: bool = False
    draining_timeout: timedelta | None = None
    health_check_types: tuple[HealthCheckType, ...] | None = None
    comment: str = ""


def fill(asked: Asked, group: Group) -> Parameters:
    """Every parameter: the request's, else the group's, else Teal's default (``Parameters``)."""
    own = Parameters(asked.image)
    defaults = group.defaults
    grace_period = _first(asked.grace_period, defaults.grace_period, own.grace_period)
    return Parameters(
        image=asked.image,
        batch_size_percentage=_first(
            asked.batch_size_percentage, defaults.batch_size_percentage, own.batch_size_percentage
        ),
        grace_period=grace_period,
        allocation_timeout=_first(asked.allocation_timeout, grace_period),
        stable_for=_first(asked.stable_for, own.stable_for),
        batch_min_healthy_percentage=None
        if asked.min_health is not None
        else _first(
            asked.batch_min_healthy_percentage,
            defaults.batch_min_healthy_percentage,
            own.batch_min_healthy_percentage,
        ),
        min_health=asked.min_health,
        max_unhealthy_percentage=_first(asked.max_unhealthy_percentage, own.max_unhealthy_percentage),
        tolerate_unhealthy=asked.tolerate_unhealthy,
        draining_timeout=_first(asked.draining_timeout, group.draining_timeout, own.draining_timeout),
        health_check_types=_first(asked.health_check_types, group.health_check_types, ()),
        comment=asked.comment,
        signals=group.signals,
    )


def _first(*values: T | None) -> T:
    return next(value for value in values if value is not None)
