"""What Resource Manager tells of writes, and whom."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.events.event_shape import event_body, validation_body
from local.azure.world import Fault, World, WorldError, demo_world, parse_world
from local.clock import VIRTUAL_START, PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]

WRITE = "Microsoft.Compute/galleries/images/versions/write"
VERSION = {
    "location": "eastus2",
    "properties": {"storageProfile": {"source": {"id": "/subscriptions/0/resourceGroups/build/disks/web"}}},
}
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


def told(cloud: Cloud) -> list[tuple[str, str, str, int]]:
    """The last word of each event's type, its operation, the resource's name, and when, in seconds."""
    cloud.advance()
    return [
        (
            event.type.removeprefix("Microsoft.Resources.Resource"),
            event.write.operation.removeprefix("Microsoft.Compute/"),
            event.write.resource_id.rpartition("/")[2],
            int((event.time - VIRTUAL_START).total_seconds()),
        )
        for event in cloud.topic.events
    ]


async def test_a_new_version_is_told_when_its_operation_has_ended(
    ask: Ask, cloud: Cloud, clock: PlatformClock, image: str
) -> None:
    await ask(cloud, "PUT", f"{image}/versions/2.0.0", VERSION)
    await clock.sleep(timedelta(seconds=494))
    assert told(cloud) == []
    await clock.sleep(timedelta(seconds=1000))
    assert told(cloud) == [("WriteSuccess", "galleries/images/versions/write", "2.0.0", 495)]


async def test_updates_and_deletions_are_told_too(ask: Ask, cloud: Cloud, clock: PlatformClock, image: str) -> None:
    await ask(cloud, "PATCH", f"{image}/versions/1.1.0", {"tags": {"a": "b"}})
    await ask(cloud, "DELETE", f"{image}/versions/1.2.0")
    await clock.sleep(timedelta(minutes=1))
    assert told(cloud) == [
        ("WriteSuccess", "galleries/images/versions/write", "1.1.0", 5),
        ("DeleteSuccess", "galleries/images/versions/delete", "1.2.0", 30),
    ]


async def test_no_event_has_the_id_of_one_that_was_forgotten(
    ask: Ask, cloud: Cloud, clock: PlatformClock, image: str
) -> None:
    ids = []
    for tag in ("b", "c"):
        await ask(cloud, "PATCH", f"{image}/versions/1.1.0", {"tags": {"a": tag}})
        await clock.sleep(timedelta(minutes=1))
        cloud.advance()
        ids += [event.id for event in cloud.topic.events]
        cloud.forget_log()
        assert cloud.topic.events == []
    assert len(set(ids)) == len(ids) == 2


async def test_writes_of_sets_and_vms_are_told_under_azure_s_names(
    ask: Ask, cloud: Cloud, clock: PlatformClock, web: str, api: str
) -> None:
    vm = cloud.scale_set(api).active()[0].name
    group = web.partition("/providers/")[0]
    requests: list[tuple[str, str, Any]] = [
        ("PATCH", web, {"tags": {"a": "b"}}),
        ("PUT", f"{web}/virtualMachines/3", {"properties": {"protectionPolicy": {}}}),
        ("POST", f"{web.lower()}/POWEROFF", {"instanceIds": ["1"]}),
        ("POST", f"{web}/delete", {"instanceIds": ["2"]}),
        ("POST", f"{web}/virtualMachines/3/retrieveBootDiagnosticsData", None),
        ("DELETE", f"{group}/providers/Microsoft.Compute/virtualMachines/{vm}", None),
        ("GET", web, None),
    ]
    for method, path, said in requests:
        assert (await ask(cloud, method, path, said)).status < 300
        await clock.sleep(timedelta(seconds=100))
    assert told(cloud) == [
        ("WriteSuccess", "virtualMachineScaleSets/write", "web", 5),
        ("WriteSuccess", "virtualMachineScaleSets/virtualMachines/write", "3", 105),
        ("ActionSuccess", "virtualMachineScaleSets/powerOff/action", "web", 220),
        ("ActionSuccess", "virtualMachineScaleSets/delete/action", "web", 330),
        ("ActionSuccess", "virtualMachineScaleSets/virtualMachines/retrieveBootDiagnosticsData/action", "3", 400),
        ("DeleteSuccess", "virtualMachines/delete", vm, 530),
    ]


async def test_what_goes_wrong_is_told_at_once_or_at_the_end(
    ask: Ask, cloud: Cloud, clock: PlatformClock, web: str, image: str
) -> None:
    cloud.faults.add(Fault(method="PATCH", operation_status="Failed"))
    cloud.faults.add(Fault(method="DELETE", operation_status="Canceled"))
    await ask(cloud, "PATCH", web, {"tags": {"a": "b"}})
    await ask(cloud, "PATCH", web, {"tags": {"a": "c"}})
    await ask(cloud, "DELETE", f"{image}/versions/1.1.0")
    await ask(cloud, "PUT", f"{image}/versions/1.1", VERSION)
    await clock.sleep(timedelta(minutes=1))
    assert told(cloud) == [
        ("WriteFailure", "virtualMachineScaleSets/write", "web", 0),
        ("WriteFailure", "galleries/images/versions/write", "1.1", 0),
        ("WriteFailure", "virtualMachineScaleSets/write", "web", 5),
        ("DeleteCancel", "galleries/images/versions/delete", "1.1.0", 30),
    ]


async def test_what_resource_manager_does_not_know_is_not_told(ask: Ask, cloud: Cloud, web: str) -> None:
    await ask(cloud, "PATCH", web.replace("/demo/", "/other/"), {})
    await ask(cloud, "PUT", f"{web}/extensions/a", {})
    await ask(cloud, "PUT", f"{web}2", {"location": "eastus2", "properties": {"orchestrationMode": "Flexible"}})
    assert told(cloud) == []


async def test_interference_with_versions_is_told(cloud: Cloud, clock: PlatformClock, image: str) -> None:
    minute = timedelta(minutes=1)
    url = cloud.interfere.publish(image, "2.0.0", creating_for=minute, replicated_after={"westus2": 9 * minute})
    cloud.interfere.publish(image, "2.1.0", fails=True)
    await clock.sleep(2 * minute)
    cloud.interfere.change_version(url, tags={"a": "b"})
    cloud.interfere.announce(f"{image}/versions/9.0.0")
    cloud.interfere.delete_version(url)
    await clock.sleep(minute)
    write = "galleries/images/versions/write"
    assert told(cloud) == [
        ("WriteFailure", write, "2.1.0", 0),
        ("WriteSuccess", write, "2.0.0", 60),
        ("WriteSuccess", write, "2.0.0", 120),
        ("WriteSuccess", write, "9.0.0", 120),
        ("DeleteSuccess", "galleries/images/versions/delete", "2.0.0", 150),
    ]
    assert [event.write.http_request is None for event in cloud.topic.events[1:3]] == [True, False]


@pytest.fixture
def published(cloud: Cloud, image: str) -> Cloud:
    """A world in which a version was just published."""
    cloud.interfere.publish(image, "1.5.0")
    return cloud


async def test_an_event_has_the_documented_shape(published: Cloud, image: str) -> None:
    [event] = published.topic.events
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/demo"
    version = f"{image}/versions/1.5.0"
    data = {
        "authorization": {
            "scope": version,
            "action": WRITE,
            "evidence": {
                "role": "Contributor",
                "roleAssignmentScope": f"/subscriptions/{SUBSCRIPTION}",
                "roleAssignmentId": "11111111111111111111111111111111",
                "roleDefinitionId": "b24988ac618042a0ab8820f7382dd24c",
                "principalId": "22222222222222222222222222222222",
                "principalType": "ServicePrincipal",
            },
        },
        "claims": {
            "aud": "https://management.azure.com",
            "iss": f"https://sts.windows.net/{SUBSCRIPTION}/",
            "appid": "44444444-4444-4444-4444-444444444444",
            "http://schemas.microsoft.com/identity/claims/tenantid": SUBSCRIPTION,
        },
        "correlationId": event.write.correlation_id,
        "resourceProvider": "Microsoft.Compute",
        "resourceUri": version,
        "operationName": WRITE,
        "status": "Succeeded",
        "subscriptionId": SUBSCRIPTION,
        "tenantId": SUBSCRIPTION,
    }
    subject = version.replace("/resourceGroups/", "/resourcegroups/")
    assert event_body(event, group, "EventGridSchema", published.world) == {
        "subject": subject,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-01-01T00:00:00.0000000Z",
        "id": event.id,
        "data": data,
        "dataVersion": "2",
        "metadataVersion": "1",
        "topic": group,
    }
    assert event_body(event, group, "CloudEventSchemaV1_0", published.world) == {
        "source": group,
        "subject": subject,
        "type": "Microsoft.Resources.ResourceWriteSuccess",
        "time": "2026-01-01T00:00:00.0000000Z",
        "id": event.id,
        "data": data,
        "specversion": "1.0",
    }


def test_a_validation_has_the_documented_shape() -> None:
    [event] = validation_body("v-1", "c-1", VIRTUAL_START, "/subscriptions/0", "EventGridSchema")
    assert isinstance(event, dict)
    assert (event["data"]["validationCode"], event["eventType"], event["subject"]) == (
        "c-1",
        "Microsoft.EventGrid.SubscriptionValidationEvent",
        "",
    )
    assert validation_body("v-1", "c-1", VIRTUAL_START, "/subscriptions/0", "CloudEventSchemaV1_0") == {
        "id": "v-1",
        "source": "/subscriptions/0",
        "type": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "time": "2026-01-01T00:00:00.0000000Z",
        "specversion": "1.0",
        "data": '{"validationCode":"c-1"}',
    }


async def test_an_update_tells_its_request(ask: Ask, cloud: Cloud, clock: PlatformClock, image: str) -> None:
    await ask(cloud, "PATCH", f"{image}/versions/1.1.0", {"tags": {}}, x_ms_client_request_id="mine")
    await clock.sleep(timedelta(seconds=5))
    cloud.advance()
    assert event_body(cloud.topic.events[0], "", "EventGridSchema", cloud.world)["data"]["httpRequest"] == {
        "clientRequestId": "mine",
        "clientIpAddress": "127.0.0.1",
        "method": "PATCH",
        "url": f"https://management.azure.com{image}/versions/1.1.0?api-version=2026-04-01",
    }


def subscribed(clock: PlatformClock, **more: Any) -> Cloud:
    """The demo world with one subscription that is told."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["eventSubscriptions"] = [{"name": "versions", "function": "published", **more}]
    made = Cloud(parse_world(document), clock)
    made.topic.begin("versions")
    return made


@pytest.mark.parametrize(
    ("more", "is_told"),
    [
        ({}, True),
        ({"scope": "demo"}, True),
        ({"scope": "other"}, False),
        ({"scope": f"/subscriptions/{SUBSCRIPTION}/resourcegroups/DEMO"}, True),
        ({"includedEventTypes": ["Microsoft.Resources.ResourceWriteSuccess"]}, True),
        ({"includedEventTypes": ["Microsoft.Resources.ResourceWriteFailure"]}, False),
        ({"operationNames": [WRITE.upper()]}, True),
        ({"operationNames": ["Microsoft.Compute/virtualMachineScaleSets/write"]}, False),
        ({"subjectBeginsWith": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/demo/providers/Microsoft.Compute"}, True),
        ({"subjectBeginsWith": "/subscriptions/1/"}, False),
        ({"subjectEndsWith": "/1.5.0"}, True),
        ({"subjectEndsWith": "/1.5.1"}, False),
    ],
)
async def test_a_subscription_hears_of_what_its_filters_let_pass(
    clock: PlatformClock, image: str, more: dict[str, Any], is_told: bool
) -> None:
    cloud = subscribed(clock, **more)
    cloud.interfere.publish(image, "1.5.0")
    await clock.sleep(timedelta(minutes=1))
    cloud.advance()
    assert len(cloud.topic.due()) == int(is_told)


@pytest.mark.parametrize(("more", "latest"), [({}, 2), ({"arrivesWithin": 600}, 600)])
async def test_events_of_versions_come_late_and_out_of_order(
    clock: PlatformClock, image: str, more: dict[str, Any], latest: int
) -> None:
    cloud = subscribed(clock, **more)
    for number in range(40):
        cloud.interfere.publish(image, f"2.0.{number}")
    await clock.sleep(timedelta(seconds=latest / 2))
    cloud.advance()
    early = [one.number for one in cloud.topic.due()]
    await clock.sleep(timedelta(seconds=latest / 2))
    cloud.advance()
    every = sorted(cloud.topic.due(), key=lambda one: one.due_at)
    assert 5 < len(early) < 35
    assert len(every) == 40
    assert [one.number for one in every] != sorted(one.number for one in every)


async def test_a_subscription_that_was_not_validated_hears_nothing(clock: PlatformClock, image: str) -> None:
    document = demo_world().model_dump(mode="json", by_alias=True)
    cloud = Cloud(parse_world({**document, "eventSubscriptions": [{"name": "a", "function": "b"}]}), clock)
    cloud.interfere.publish(image, "1.5.0")
    await clock.sleep(timedelta(minutes=1))
    cloud.advance()
    assert cloud.topic.due() == []


async def test_what_is_to_be_told_survives_a_snapshot(ask: Ask, clock: PlatformClock, image: str) -> None:
    cloud = subscribed(clock)
    cloud.interfere.publish(image, "1.5.0")
    await ask(cloud, "PATCH", f"{image}/versions/1.1.0", {"tags": {}})
    restored = Cloud.restore(cloud.snapshot(), clock)
    await clock.sleep(timedelta(minutes=1))
    assert [entry[2] for entry in told(restored)] == ["1.5.0", "1.1.0"]
    assert [one.event.write.resource_id[-5:] for one in restored.topic.due()] == ["1.5.0", "1.1.0"]


def test_two_subscriptions_have_two_names(patched_demo: Callable[..., World]) -> None:
    twice = [{"name": "a", "function": "b"}, {"name": "a", "function": "c"}]
    with pytest.raises(WorldError, match=r"eventSubscriptions\[1\].name: there is another a"):
        patched_demo(eventSubscriptions=twice)
