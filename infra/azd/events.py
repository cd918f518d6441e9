"""Event Grid: who tells the app of published images, and of changed scale sets.

A system topic is found by its source, in any letters, and never by its name: a source has one topic. Topics that
Teal makes have the environment in a tag, so that they can go when nobody uses them any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from infra.azd.arm import PATIENCE, PAUSE, Arm
from infra.azd.rights import VERSION as RIGHTS_VERSION
from infra.azd.rights import known_subscriptions
from infra.azd.values import Values
from infra.azd.web import Stopped

VERSION = "2025-02-15"
TAG = "teal-azd-env"
WRITTEN = "Microsoft.Resources.ResourceWriteSuccess"
#: The function that Event Grid calls, of published images and of written scale sets.
FUNCTION = "imagePublished"
CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
DEAD_LETTERS = "dead-letters"


@dataclass(frozen=True)
class Wish:
    """Of which writes the app is to be told: ``source`` is a resource group, ``what`` is written there."""

    source: str
    what: str
    operation: str

    def name(self, values: Values) -> str:
        """The subscription's name. The environment is in it, so that two of them may share a topic."""
        return f"teal-{values.environment}-{self.what}"[:64]


def wishes(values: Values, functions: frozenset[str]) -> list[Wish]:
    """A subscription for each gallery's resource group, and for each scale set's, once the function is there."""
    versions, sets = (
        "Microsoft.Compute/galleries/images/versions/write",
        "Microsoft.Compute/virtualMachineScaleSets/write",
    )
    wanted = [Wish(gallery.partition("/providers/")[0], "images", versions) for gallery in values.galleries]
    wanted += [
        Wish(group.scale_set_id.lower().partition("/providers/")[0], "scaleSets", sets) for group in values.groups
    ]
    return list(dict.fromkeys(wanted)) if FUNCTION in functions else []


async def subscribe(arm: Arm, values: Values, functions: frozenset[str], say: Callable[[str], None]) -> None:
    """See to it that each wish has a subscription that works. Again: nothing changes."""
    wanted = wishes(values, functions)
    for wish in wanted:
        topic = await _topic(arm, values, wish, say)
        if _made_here(topic, values):
            await _allow_dead_letters(arm, values, topic)
        await _subscribe(arm, values, wish, topic, say)
    await remove_unwanted(arm, values, functions, say)


async def remove_unwanted(arm: Arm, values: Values, functions: frozenset[str], say: Callable[[str], None]) -> None:
    """Delete the app's subscriptions that the list of groups asks for no more, and topics that nobody needs then."""
    keep = {(wish.source, wish.name(values)) for wish in wishes(values, functions)}
    for topic in await _topics(arm, values):
        source = topic["properties"]["source"].lower()
        for one in await _subscriptions(arm, topic):
            if _is_ours(one, values) and (source, one["name"]) not in keep:
                await arm.delete(one["id"], VERSION)
                say(f"Nobody is told of {source} any more")
        await _clean(arm, values, topic, say)


async def unsubscribe(arm: Arm, values: Values, say: Callable[[str], None]) -> None:
    """Delete the app's subscriptions, and the topics that Teal made and nobody else uses."""
    for topic in await _topics(arm, values):
        for one in await _subscriptions(arm, topic):
            if _is_ours(one, values):
                await arm.delete(one["id"], VERSION)
                say(f"Deleted the event subscription {one['id']}")
        await _clean(arm, values, topic, say)


async def _topics(arm: Arm, values: Values) -> list[Any]:
    found = []
    for subscription in sorted(await known_subscriptions(arm, values)):
        found += await arm.list(f"/subscriptions/{subscription}/providers/Microsoft.EventGrid/systemTopics", VERSION)
    return found


async def _topic(arm: Arm, values: Values, wish: Wish, say: Callable[[str], None]) -> Any:
    """The topic of a source: the one that is there, else a new one in the source's own resource group."""
    subscription = wish.source.split("/")[2]
    listed = await arm.list(f"/subscriptions/{subscription}/providers/Microsoft.EventGrid/systemTopics", VERSION)
    for topic in listed:
        if topic["properties"]["source"].lower() == wish.source:
            return topic
    name = f"teal-{uuid5(NAMESPACE_URL, wish.source).hex[:12]}"
    body = {
        "location": "global",
        "tags": {TAG: values.environment},
        "identity": {"type": "SystemAssigned"},
        "properties": {"source": wish.source, "topicType": "Microsoft.Resources.ResourceGroups"},
    }
    path = f"{wish.source}/providers/Microsoft.EventGrid/systemTopics/{name}"
    await arm.put(path, VERSION, body)
    topic = await _settled(arm, path)
    say(f"Made the system topic {name} for {wish.source}")
    return topic


async def _allow_dead_letters(arm: Arm, values: Values, topic: Any) -> None:
    """Give the topic's own identity the right to write down what it could not deliver."""
    principal = topic["identity"]["principalId"]
    scope = f"{values.storage_id}/blobServices/default/containers/{DEAD_LETTERS}"
    subscription = values.storage_id.split("/")[2]
    role = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"
    kind = "providers/Microsoft.Authorization/roleAssignments"
    given = await arm.list(f"{scope}/{kind}", RIGHTS_VERSION, **{"$filter": f"principalId eq '{principal}'"})
    if any(one["properties"]["roleDefinitionId"].lower().endswith(CONTRIBUTOR) for one in given):
        return
    name = uuid5(NAMESPACE_URL, f"{scope.lower()}/{principal}/{CONTRIBUTOR}")
    properties = {"principalId": principal, "principalType": "ServicePrincipal", "roleDefinitionId": role}
    await arm.put(f"{scope}/{kind}/{name}", RIGHTS_VERSION, {"properties": properties})


async def _subscribe(arm: Arm, values: Values, wish: Wish, topic: Any, say: Callable[[str], None]) -> None:
    path = f"{topic['id']}/eventSubscriptions/{wish.name(values)}"
    wanted = _body(values, wish, topic)
    there = await arm.find(path, VERSION)
    if there is not None and there["properties"]["provisioningState"] == "Failed":
        # It stays so for good, whatever is written to it.
        await arm.delete(path, VERSION)
        say(f"The event subscription {wish.name(values)} had failed, and is made again")
        there = None
    if there is not None and _says(there["properties"], wanted["properties"]):
        return
    await arm.put(path, VERSION, wanted)
    made = await _settled(arm, path)
    if made["properties"]["provisioningState"] != "Succeeded":
        raise Stopped(f"The event subscription {path} is {made['properties']['provisioningState']}: `azd deploy` again")
    if "deadLetterWithResourceIdentity" not in wanted["properties"]:
        say(f"The topic {topic['name']} has no identity of its own: what it cannot deliver is not kept")
    say(f"{FUNCTION} is told of {wish.operation} in {wish.source}")


def _body(values: Values, wish: Wish, topic: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "destination": {
            # No key is needed for it, whatever callers need: Event Grid asks the app's host by itself.
            "endpointType": "AzureFunction",
            "properties": {"resourceId": f"{values.app_id}/functions/{FUNCTION}", "maxEventsPerBatch": 1},
        },
        "eventDeliverySchema": "EventGridSchema",
        "filter": {
            "includedEventTypes": [WRITTEN],
            "advancedFilters": [{"operatorType": "StringIn", "key": "data.operationName", "values": [wish.operation]}],
        },
        "retryPolicy": {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440},
    }
    if "SystemAssigned" in (topic.get("identity") or {}).get("type", ""):
        properties["deadLetterWithResourceIdentity"] = {
            "identity": {"type": "SystemAssigned"},
            "deadLetterDestination": {
                "endpointType": "StorageBlob",
                "properties": {"resourceId": values.storage_id, "blobContainerName": DEAD_LETTERS},
            },
        }
    return {"properties": properties}


def _says(there: Any, wanted: Any) -> bool:
    """Whether what is there says all that is wanted; Azure adds more, and changes the letters of ids."""
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(_says(there.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(_says, there, wanted))
    return str(there).lower() == str(wanted).lower()


async def _settled(arm: Arm, path: str) -> Any:
    deadline = arm.clock.now() + PATIENCE
    while True:
        found = await arm.get(path, VERSION)
        if found["properties"].get("provisioningState") in ("Succeeded", "Failed", "Canceled"):
            return found
        if arm.clock.now() >= deadline:
            raise Stopped(f"{path} is still {found['properties'].get('provisioningState')} after {PATIENCE}")
        await arm.clock.sleep(PAUSE)


async def _subscriptions(arm: Arm, topic: Any) -> list[Any]:
    return await arm.list(f"{topic['id']}/eventSubscriptions", VERSION)


def _is_ours(subscription: Any, values: Values) -> bool:
    target = subscription["properties"].get("destination", {}).get("properties", {}).get("resourceId") or ""
    return bool(values.app_id) and target.lower().startswith(f"{values.app_id.lower()}/functions/")


def _made_here(topic: Any, values: Values) -> bool:
    return (topic.get("tags") or {}).get(TAG) == values.environment


async def _clean(arm: Arm, values: Values, topic: Any, say: Callable[[str], None]) -> None:
    """Delete the topic if Teal made it and nobody subscribes to it any more, and its right before."""
    if not _made_here(topic, values) or await _subscriptions(arm, topic):
        return
    principal = (topic.get("identity") or {}).get("principalId")
    scope = f"{values.storage_id}/blobServices/default/containers/{DEAD_LETTERS}"
    query = {"$filter": f"principalId eq '{principal}'"}
    if principal and values.storage_id:
        kind = "providers/Microsoft.Authorization/roleAssignments"
        for one in await arm.list(f"{scope}/{kind}", RIGHTS_VERSION, **query):
            await arm.delete(one["id"], RIGHTS_VERSION)
    await arm.delete(topic["id"], VERSION)
    say(f"Deleted the system topic {topic['name']}")
