"""The event subscriptions of the world file: who is told of what happens to resources, in the terms of Event Grid.

Terms: ``Microsoft.EventGrid/eventSubscriptions``, its ``filter`` and ``retryPolicy``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from local.azure.world.parts import Duration, Name, Part


class EventSubscriptionSpec(Part):
    """A subscription to the system topic of a subscription or a resource group, delivered to an Azure function."""

    name: Name = Field(description="the event subscription's name")
    function: Name = Field(description="the name of the function that is told")
    scope: str = Field(
        default="", description="what the topic is of: a resource group's name, or an id; empty: the subscription"
    )
    event_delivery_schema: Literal["EventGridSchema", "CloudEventSchemaV1_0"] = Field(
        default="EventGridSchema", description="the shape of its events"
    )
    included_event_types: tuple[str, ...] = Field(
        default=(), description="such as `Microsoft.Resources.ResourceWriteSuccess`; empty: all"
    )
    subject_begins_with: str = Field(default="", description="how the resource id begins, whatever the letter case")
    subject_ends_with: str = Field(default="", description="how it ends")
    operation_names: tuple[str, ...] = Field(
        default=(), description="the advanced filter `data.operationName StringIn …`; empty: any"
    )
    max_events_per_batch: int = Field(default=1, ge=1, le=5000, description="how many events may come in one request")
    max_delivery_attempts: int = Field(default=30, ge=1, le=30, description="how often a delivery is tried")
    event_time_to_live_in_minutes: int = Field(
        default=1440, ge=1, le=1440, description="how long a delivery is tried, in minutes"
    )
    arrives_within: Duration = Field(
        default=timedelta(seconds=2), description="how late an event may be; Azure's were seen ten minutes late"
    )
    duplicates: int = Field(
        default=0, ge=0, description="how often each event comes again, within a minute, although it was taken"
    )
