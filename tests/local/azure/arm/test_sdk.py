"""The real SDK client against the simulated Azure: what it parses, raises and waits for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceResponseError,
)

from local.azure.cloud import Cloud
from local.azure.world import Fault, World
from local.clock import PlatformClock


def error(raised: Any) -> Any:
    """The SDK's exception; it types what every HTTP error carries as optional."""
    return raised.value


def code(raised: Any) -> Any:
    """The error code that Azure gave."""
    return error(raised).error.code


async def test_get_parses_the_scale_set(client: Any) -> None:
    scale_set = await client.virtual_machine_scale_sets.get("demo", "web")
    assert (scale_set.etag, scale_set.sku.capacity, scale_set.location) == ('"1"', 10, "eastus2")
    assert scale_set.properties.upgrade_policy.mode == "Manual"


async def test_list_follows_the_pages_to_the_last_vm(
    connect: Callable[[Cloud], Any], clock: PlatformClock, patched_demo: Callable[..., World]
) -> None:
    cloud = Cloud(patched_demo({"capacity": 7}, {"pageSize": 3}), clock)
    listed = connect(cloud).virtual_machine_scale_set_vms.list("demo", "web", expand="instanceView")
    assert [vm.instance_id async for vm in listed] == ["0", "1", "2", "3", "4", "5", "6"]
    assert cloud.requests["list VMs [VMScaleSetHighCostGet]"].passed == 3


async def test_update_waits_until_the_new_vms_have_booted(client: Any, clock: PlatformClock) -> None:
    started = clock.now()
    poller = await client.virtual_machine_scale_sets.begin_update("demo", "web", {"sku": {"capacity": 12}})
    updated = await poller.result()
    assert updated.sku.capacity == 12
    assert updated.provisioning_state == "Succeeded"
    # 30 s of boot, found by polls that come every 10 s, as Retry-After says.
    assert clock.now() - started == timedelta(seconds=30)


async def test_a_stale_etag_raises_resource_modified(client: Any) -> None:
    with pytest.raises(ResourceModifiedError) as raised:
        await client.virtual_machine_scale_sets.begin_update(
            "demo", "web", {"sku": {"capacity": 12}}, etag='"7"', match_condition=MatchConditions.IfNotModified
        )
    assert code(raised) == "PreconditionFailed"


async def test_delete_of_instances_waits_until_they_are_gone(
    client: Any, cloud: Cloud, clock: PlatformClock, web: str
) -> None:
    started = clock.now()
    poller = await client.virtual_machine_scale_sets.begin_delete_instances("demo", "web", {"instanceIds": ["3", "4"]})
    assert await poller.result() is None
    assert clock.now() - started == timedelta(seconds=30)
    assert sorted(cloud.scale_set(web).instances) == [0, 1, 2, 5, 6, 7, 8, 9]


async def test_an_unknown_scale_set_raises_not_found(client: Any) -> None:
    with pytest.raises(ResourceNotFoundError) as raised:
        await client.virtual_machine_scale_sets.get("demo", "other")
    assert code(raised) == "ResourceNotFound"


async def test_a_second_write_raises_resource_exists(client: Any) -> None:
    await client.virtual_machine_scale_sets.begin_update("demo", "web", {"sku": {"capacity": 12}}, polling=False)
    with pytest.raises(ResourceExistsError, match="conflict with a concurrent request"):
        await client.virtual_machine_scale_sets.begin_delete_instances(
            "demo", "web", {"instanceIds": ["0"]}, polling=False
        )


async def test_throttling_raises_429_with_retry_after(client: Any) -> None:
    for _ in range(36):
        await client.virtual_machine_scale_sets.get("demo", "web")
    with pytest.raises(HttpResponseError) as raised:
        await client.virtual_machine_scale_sets.get("demo", "web")
    assert raised.value.status_code == 429
    assert error(raised).response.headers["Retry-After"] == "60"
    assert error(raised).error.details[0].code == "TooManyRequests"


async def test_a_failed_operation_raises_its_code(client: Any, cloud: Cloud) -> None:
    cloud.faults.add(Fault(method="PATCH", allocation_failures=1))
    poller = await client.virtual_machine_scale_sets.begin_update("demo", "web", {"sku": {"capacity": 12}})
    with pytest.raises(HttpResponseError) as raised:
        await poller.result()
    assert (raised.value.status_code, code(raised)) == (200, "AllocationFailed")


async def test_a_lost_answer_raises_the_transport_error_and_the_write_stays(
    client: Any, cloud: Cloud, web: str
) -> None:
    cloud.faults.add(Fault(method="PATCH", lose_response=True))
    with pytest.raises(ServiceResponseError):
        await client.virtual_machine_scale_sets.begin_update("demo", "web", {"sku": {"capacity": 12}})
    assert cloud.scale_set(web).capacity == 12


async def test_the_client_waits_as_long_as_retry_after_says_in_the_clock_s_time(
    connect: Callable[[Cloud], Any], cloud: Cloud, clock: PlatformClock
) -> None:
    cloud.faults.add(Fault(method="GET", calls=(1,), status=503, headers={"retry-after": "20"}))
    patient = connect(cloud)
    started = clock.now()
    await patient.virtual_machine_scale_sets.get("demo", "web", retry_total=3)
    assert clock.now() - started == timedelta(seconds=20)


async def test_gallery_versions_are_parsed_with_their_replication(client: Any) -> None:
    version = await client.gallery_image_versions.get("demo", "apps", "web", "1.1.0", expand="ReplicationStatus")
    assert version.properties.replication_status.aggregated_state == "Completed"
    listed = client.gallery_image_versions.list_by_gallery_image("demo", "apps", "web")
    assert [item.name async for item in listed] == ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"]


async def test_a_version_is_published_changed_and_deleted(client: Any, clock: PlatformClock) -> None:
    versions, started = client.gallery_image_versions, clock.now()
    source = {"id": "/subscriptions/0/resourceGroups/build/providers/Microsoft.Compute/images/web"}
    body = {"location": "eastus2", "properties": {"storageProfile": {"source": source}}}
    poller = await versions.begin_create_or_update("demo", "apps", "web", "2.0.0", body)
    created = await poller.result()
    assert (created.name, created.properties.provisioning_state) == ("2.0.0", "Succeeded")
    # 495 s of replication, found by polls that come every 10 s, as Retry-After says.
    assert clock.now() - started == timedelta(seconds=500)
    change = {"properties": {"publishingProfile": {"excludeFromLatest": True}}}
    changed = await (await versions.begin_update("demo", "apps", "web", "2.0.0", change)).result()
    assert changed.properties.publishing_profile.exclude_from_latest is True
    assert await (await versions.begin_delete("demo", "apps", "web", "2.0.0")).result() is None
    with pytest.raises(ResourceNotFoundError):
        await versions.get("demo", "apps", "web", "2.0.0")
