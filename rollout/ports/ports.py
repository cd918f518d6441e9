"""Teal's neighbours, a Protocol each. Adapters implement them and decide nothing.

Whatever speaks to a service raises ``rollout.ports.errors.AzureError``: ``Busy`` where trying again may help,
``Refused`` where it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from rollout.model.order import PART_SIZE
from rollout.ports.azure import Constraints, Identity, Images, Processes, ScaleSets, Traffic
from rollout.ports.durable import Instances
from rollout.ports.store import Store


class Clock(Protocol):
    """The time for those outside orchestrations; recipes and activities are given theirs."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        ...


@dataclass(frozen=True)
class OperatorRules:
    """What the operator has set, as this process read it: each look is held to these, however old what it looks at is.

    ``poll_interval``: between two looks at a scale set. ``scopes``: what may be used, everything where there are none.
    """

    poll_interval: timedelta = timedelta(seconds=15)
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ports:
    """The neighbours, handed to every activity and every HTTP trigger.

    ``part_size``: how many VMs of a set each part of a look reads.
    """

    scale_sets: ScaleSets
    images: Images
    store: Store
    instances: Instances
    clock: Clock
    traffic: Traffic
    constraints: Constraints
    processes: Processes
    identity: Identity
    rules: OperatorRules = OperatorRules()
    part_size: int = PART_SIZE
