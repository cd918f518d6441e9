"""The shapes of Event Grid's events, in both of its schemas.

Sources: https://learn.microsoft.com/azure/event-grid/event-schema-resource-groups (what Resource Manager tells),
https://learn.microsoft.com/azure/event-grid/cloud-event-schema (how it is told in CloudEvents 1.0).
"""

from __future__ import annotations

import json
import re
from datetime import datetime

from local.azure.arm.messages import Json
from local.azure.events.events import ResourceEvent
from local.azure.world import World

EVENT_GRID, CLOUD_EVENTS = "EventGridSchema", "CloudEventSchemaV1_0"

#: What requests in each schema carry.
CONTENT_TYPES = {
    EVENT_GRID: "application/json; charset=utf-8",
    CLOUD_EVENTS: "application/cloudevents+json; charset=utf-8",
}
#: That of several CloudEvents, which only a subscription gets that asks for batches.
CONTENT_TYPE_OF_BATCHES = "application/cloudevents-batch+json; charset=utf-8"

_STATUS = {"Success": "Succeeded", "Failure": "Failed", "Cancel": "Canceled"}

#: Who did it. Nobody is known here: the simulated Azure checks no tokens.
_PRINCIPAL, _ROLE, _CONTRIBUTOR = "2" * 32, "1" * 32, "b24988ac618042a0ab8820f7382dd24c"
_APPLICATION = "44444444-4444-4444-4444-444444444444"


def event_body(event: ResourceEvent, topic: str, schema: str, world: World) -> Json:
    """An event as a subscription gets it; ``topic`` is the scope that it subscribed to."""
    data = _data(event, world)
    if schema == CLOUD_EVENTS:
        return {
            "source": topic,
            "subject": subject(event),
            "type": event.type,
            "time": stamp(event.time),
            "id": event.id,
            "data": data,
            "specversion": "1.0",
        }
    return {
        "subject": subject(event),
        "eventType": event.type,
        "eventTime": stamp(event.time),
        "id": event.id,
        "data": data,
        "dataVersion": "2",
        "metadataVersion": "1",
        "topic": topic,
    }


def validation_body(identifier: str, code: str, at: datetime, topic: str, schema: str) -> Json | list[Json]:
    """What is asked of who is to be told: to answer with ``code``. In CloudEvents its data is JSON in a text."""
    kind = "Microsoft.EventGrid.SubscriptionValidationEvent"
    if schema == CLOUD_EVENTS:
        data = json.dumps({"validationCode": code}, separators=(",", ":"))
        head = {"id": identifier, "source": topic, "type": kind, "time": stamp(at)}
        return {**head, "specversion": "1.0", "data": data}
    url = f"https://rp-local.eventgrid.azure.net/eventsubscriptions/local/validate?id={code}"
    return [
        {
            "id": identifier,
            "topic": topic,
            "subject": "",
            "data": {"validationCode": code, "validationUrl": url},
            "eventType": kind,
            "eventTime": stamp(at),
            "metadataVersion": "1",
            "dataVersion": "2",
        }
    ]


def subject(event: ResourceEvent) -> str:
    """The resource's id, as the samples of the documentation have it: with ``resourcegroups`` in lower case."""
    return re.sub("/resourceGroups/", "/resourcegroups/", event.write.resource_id, count=1, flags=re.IGNORECASE)


def stamp(time: datetime) -> str:
    """A time with seven digits behind the second."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond:06}0Z"


def _data(event: ResourceEvent, world: World) -> Json:
    write = event.write
    subscription = write.resource_id.split("/")[2]
    data: Json = {
        "authorization": {
            "scope": write.resource_id,
            "action": write.operation,
            "evidence": {
                "role": "Contributor",
                "roleAssignmentScope": f"/subscriptions/{subscription}",
                "roleAssignmentId": _ROLE,
                "roleDefinitionId": _CONTRIBUTOR,
                "principalId": _PRINCIPAL,
                "principalType": "ServicePrincipal",
            },
        },
        "claims": {
            "aud": "https://management.azure.com",
            "iss": f"https://sts.windows.net/{world.tenant_id}/",
            "appid": _APPLICATION,
            "http://schemas.microsoft.com/identity/claims/tenantid": world.tenant_id,
        },
        "correlationId": write.correlation_id,
    }
    if write.http_request is not None:
        data["httpRequest"] = write.http_request
    return {
        **data,
        "resourceProvider": write.operation.partition("/")[0],
        "resourceUri": write.resource_id,
        "operationName": write.operation,
        "status": _STATUS[event.outcome],
        "subscriptionId": subscription,
        "tenantId": world.tenant_id,
    }
