"""The world file: what exists in the simulated Azure at the start, and how its images behave.

``docs/world.md`` documents every field. Durations are seconds in the file and ``timedelta`` here.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from local.azure.arm.messages import Json
from local.azure.world.autoscale import AutoscaleSpec
from local.azure.world.events import EventSubscriptionSpec
from local.azure.world.images import Behavior, GallerySpec, ManagedImageSpec, MarketplaceSpec
from local.azure.world.network import ApplicationGatewaySpec, LoadBalancerSpec
from local.azure.world.parts import Duration, Name, Part, ResourceGroupName

DEMO_WORLD = Path(__file__).parent.parent.parent / "worlds" / "demo.json"


class WorldError(ValueError):
    """The world cannot be read; the text says where and what is allowed there."""


PoolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")]


class ScaleSetSpec(Part):
    """A scale set in short form; all that this form cannot say goes in ``overrides``."""

    name: Name = Field(description="the set's name")
    resource_group: ResourceGroupName = Field(description="the set's resource group")
    capacity: int = Field(ge=0, le=1000, description="the number of VMs")
    image: str = Field(
        description="`gallery/image/version`, `publisher:offer:sku:version`, a resource id, `/SharedGalleries/…` or "
        "`/CommunityGalleries/…`"
    )
    sku: str = Field(default="Standard_D2s_v5", description="the VM size")
    zones: tuple[str, ...] = Field(default=("1", "2", "3"), description="availability zones; empty: none")
    os_type: Literal["Linux", "Windows"] = Field(default="Linux", description="the operating system")
    health: Literal["binary", "rich", "probe", "none"] = Field(
        default="binary",
        description="what reports `vmHealth`: Application Health extension 1.0 or 2.0, a load balancer's probe, none",
    )
    upgrade_mode: Literal["Manual", "Automatic", "Rolling"] = Field(
        default="Manual", description="`upgradePolicy.mode`"
    )
    orchestration_mode: Literal["Uniform", "Flexible"] = Field(
        default="Uniform", description="Flexible: its VMs and their NICs are resources of their own"
    )
    backend_pools: tuple[PoolName, ...] = Field(
        default=(), description="`balancer/pool`: where the VMs get their traffic; empty: not simulated, all serve"
    )
    attached_vms: tuple[Name, ...] = Field(
        default=(), description="Flexible only: VMs that were made by themselves and attached, besides `capacity`"
    )
    lists_latest_model: bool = Field(
        default=False, description="Flexible only: the list of the set's VMs has `latestModelApplied`"
    )
    boot_diagnostics: bool = Field(default=True, description="the VMs' serial logs can be read")
    overprovision: bool = Field(
        default=False, description="launches a fifth more VMs and deletes them when enough have booted"
    )
    single_placement_group: bool = Field(default=False, description="at most 100 VMs")
    overrides: Json = Field(default={}, description="merged over the ARM body of the set")


class PlatformSpec(Part):
    """How the platform itself behaves."""

    delete_time: Duration = Field(default=timedelta(seconds=30), description="how long it takes to delete VMs")
    update_time: Duration = Field(
        default=timedelta(seconds=5), description="how long a write takes that launches nothing"
    )
    stop_time: Duration = Field(
        default=timedelta(seconds=20), description="how long it takes to stop or deallocate VMs"
    )
    retry_after: Duration = Field(default=timedelta(seconds=10), description="the `Retry-After` of operations")
    page_size: int = Field(default=100, ge=1, description="items on a page of a list")
    reuse_instance_ids: bool = Field(
        default=True, description="a new VM gets the lowest free instance id, else the next one"
    )
    concurrent_writes: Literal["conflict", "preempt"] = Field(
        default="conflict", description="a second write on a set is refused with 409, or cancels the first"
    )
    capacity_falls: Literal["atOnce", "late"] = Field(
        default="atOnce",
        description="when VMs are deleted, the capacity falls with the request, or with each that is gone",
    )
    vm_writes: Literal["parallel", "oneAtATime"] = Field(
        default="parallel",
        description="Uniform only: VMs are written to side by side, or a write of one refuses those of the others",
    )
    own_models: Literal["free", "counted"] = Field(
        default="free",
        description="Uniform only: a VM whose network configuration is its own is, or is no, model of a set's ten",
    )
    throttling_factor: float = Field(
        default=1.0, gt=0, description="multiplies Azure's request limits; 0.5 halves them"
    )
    marketplace_version: str = Field(
        default="1.0.0", description="what `latest` of a marketplace image resolves to that the world does not have"
    )
    behavior: Behavior = Field(default=Behavior(), description="of VMs whose image is in none of the galleries")


class Quota(Part):
    """The subscription's limits on cores."""

    cores: int = Field(default=10_000, ge=0, description="in the region, all families together")
    families: dict[str, int] = Field(
        default={}, description="by family, such as `standardDSv5Family`; others: as `cores`"
    )
    virtual_machines: int = Field(default=25_000, ge=0, description="VMs in the region, told and not enforced")


class LockSpec(Part):
    """A lock of Resource Manager."""

    name: Name = Field(description="the lock's name")
    scope: str = Field(default="", description="a resource group's name, or a resource id; empty: the subscription")
    level: Literal["CanNotDelete", "ReadOnly"] = Field(default="CanNotDelete", description="what it forbids")


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"should be a regular expression: {error}") from None
    return text


class Fault(Part):
    """Something that goes wrong with requests that match ``method`` and ``path``."""

    method: Literal["GET", "PUT", "PATCH", "POST", "DELETE", "*"] = Field(default="*", description="`*`: any")
    path: Annotated[str, AfterValidator(_expression)] = Field(
        default=".*", description="a regular expression found anywhere in the path, whatever the letter case"
    )
    raises_capacity: bool = Field(
        default=False, description="only requests that ask for more VMs than a set has: Azure has no room"
    )
    calls: tuple[int, ...] = Field(default=(), description="which of the matching requests, from 1; empty: all of them")
    status: int | None = Field(default=None, ge=400, le=599, description="refused with this status, without effect")
    body: Json | None = Field(default=None, description="the refusal's body; none: an ARM error named after the status")
    headers: dict[str, str] = Field(default={}, description="the refusal's headers")
    delay: Duration = Field(
        default=timedelta(), description="the request takes effect this much later, and so does its answer"
    )
    lose_request: bool = Field(default=False, description="the connection breaks before the request takes effect")
    lose_response: bool = Field(default=False, description="the connection breaks after the request has taken effect")
    operation_status: Literal["Failed", "Canceled"] | None = Field(
        default=None, description="how the operation ends; what it did stays done"
    )
    operation_error: Json | None = Field(default=None, description="the operation's `code` and `message`")
    operation_delay: Duration = Field(default=timedelta(), description="the operation takes this much longer")
    allocation_failures: int = Field(
        default=0, ge=0, description="this many of the VMs that the request launches get no hardware"
    )


SCALE_SET_ID = re.compile(
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/virtualMachineScaleSets/[^/]+$",
    re.IGNORECASE,
)


def _is_scale_set(resource: Json) -> Json:
    """What cannot be missing from a scale set that Azure answered."""
    if not SCALE_SET_ID.match(str(resource.get("id"))) or not resource.get("name") or not resource.get("location"):
        raise ValueError("should be a scale set as ARM answers it, with id, name and location")
    return resource


class World(Part):
    """Everything that exists at the start."""

    subscription_id: str = Field(default="00000000-0000-0000-0000-000000000000", description="the subscription")
    tenant_id: str = Field(default="00000000-0000-0000-0000-000000000000", description="its tenant")
    location: str = Field(default="eastus2", description="the region, in its short form")
    resource_groups: tuple[ResourceGroupName, ...] = Field(
        default=(), description="besides those that the resources name"
    )
    scale_sets: tuple[ScaleSetSpec, ...] = Field(default=(), description="scale sets in short form")
    resources: tuple[Annotated[Json, AfterValidator(_is_scale_set)], ...] = Field(
        default=(), description="scale sets as Azure answers them, served back as they are"
    )
    load_balancers: tuple[LoadBalancerSpec, ...] = Field(default=(), description="load balancers, Standard SKU")
    application_gateways: tuple[ApplicationGatewaySpec, ...] = Field(default=(), description="application gateways")
    autoscale_settings: tuple[AutoscaleSpec, ...] = Field(
        default=(), description="autoscale settings of the scale sets in short form"
    )
    galleries: tuple[GallerySpec, ...] = Field(default=(), description="the galleries")
    marketplace: tuple[MarketplaceSpec, ...] = Field(default=(), description="images of the marketplace")
    managed_images: tuple[ManagedImageSpec, ...] = Field(default=(), description="managed images")
    event_subscriptions: tuple[EventSubscriptionSpec, ...] = Field(
        default=(), description="who is told of writes, by Event Grid"
    )
    groups: tuple[Json, ...] = Field(
        default=(), description="registered with Teal at the start: `id` and the body of its PUT"
    )
    platform: PlatformSpec = Field(default=PlatformSpec(), description="how the platform behaves")
    quota: Quota = Field(default=Quota(), description="limits on cores")
    locks: tuple[LockSpec, ...] = Field(default=(), description="locks of Resource Manager")
    faults: tuple[Fault, ...] = Field(default=(), description="what goes wrong, from the start")

    @model_validator(mode="after")
    def _pools_exist(self) -> Self:
        known = [f"{balancer.name}/{pool}" for balancer in self.load_balancers for pool in balancer.pools]
        known += [f"{gateway.name}/{pool}" for gateway in self.application_gateways for pool in gateway.pools]
        for index, scale_set in enumerate(self.scale_sets):
            if several := sorted(name for name in set(scale_set.backend_pools) if known.count(name) > 1):
                raise ValueError(f"scaleSets[{index}].backendPools: there are several pools {several[0]}")
            if unknown := sorted(set(scale_set.backend_pools) - set(known)):
                names = ", ".join(sorted(known)) or "none"
                raise ValueError(f"scaleSets[{index}].backendPools: no pool {unknown[0]}; there are: {names}")
            if scale_set.attached_vms and scale_set.orchestration_mode == "Uniform":
                raise ValueError(f"scaleSets[{index}].attachedVms: only a Flexible set has VMs attached")
        return self

    @model_validator(mode="after")
    def _subscriptions_differ(self) -> Self:
        names = [subscription.name for subscription in self.event_subscriptions]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ValueError(f"eventSubscriptions[{index}].name: there is another {name}")
        return self

    @model_validator(mode="after")
    def _targets_exist(self) -> Self:
        known = [scale_set.name for scale_set in self.scale_sets]
        for index, setting in enumerate(self.autoscale_settings):
            if known.count(setting.scale_set) > 1:
                raise ValueError(
                    f"autoscaleSettings[{index}].scaleSet: there are several scale sets {setting.scale_set}"
                )
            if setting.scale_set not in known:
                names = ", ".join(known) or "none"
                raise ValueError(
                    f"autoscaleSettings[{index}].scaleSet: no scale set {setting.scale_set}; there are: {names}"
                )
        return self

    @model_validator(mode="after")
    def _images_exist(self) -> Self:
        known = {
            f"{gallery.name}/{image.name}/{version.name}".lower()
            for gallery in self.galleries
            for image in gallery.images
            for version in image.versions
        }
        for index, scale_set in enumerate(self.scale_sets):
            elsewhere = scale_set.image.startswith("/") or scale_set.image.count(":") == 3
            if not elsewhere and scale_set.image.lower() not in known:
                names = ", ".join(sorted(known)) or "none"
                raise ValueError(f"scaleSets[{index}].image: no version {scale_set.image}; there are: {names}")
        return self


def parse_world(document: Any, source: str = "world") -> World:
    """Read a world from JSON.

    :raises WorldError: with a line for each field that is wrong, its path, and what is allowed there.
    """
    try:
        return World.model_validate(document)
    except ValidationError as error:
        lines = [f"{source}: {_explain(detail['loc'], detail['type'], detail['msg'])}" for detail in error.errors()]
        raise WorldError("\n".join(lines)) from None


def load_world(path: Path) -> World:
    """Read a world file.

    :raises WorldError: it is missing, not JSON, or not a world.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise WorldError(f"{path}: not JSON: {error}") from None
    return parse_world(document, str(path))


def demo_world() -> World:
    """Ten VMs in three zones and an image with good and bad versions."""
    return load_world(DEMO_WORLD)


def _explain(location: tuple[int | str, ...], kind: str, message: str) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")
    if kind == "extra_forbidden":
        return f"{path}: unknown field; allowed here: {', '.join(_allowed(location[:-1]))}"
    if not path and kind == "value_error":
        return message.removeprefix("Value error, ")
    return f"{path or 'the document'}: {message.removeprefix('Value error, ')}"


def _allowed(location: tuple[int | str, ...]) -> list[str]:
    """The fields of the part of the world at ``location``."""
    schema = World.model_json_schema()
    node: Json = schema
    for step in location:
        node = node["items"] if isinstance(step, int) else node["properties"][step]
        if reference := node.get("$ref"):
            node = schema["$defs"][reference.rsplit("/", 1)[1]]
        elif "items" in node and "$ref" in node["items"]:
            node = {**node, "items": schema["$defs"][node["items"]["$ref"].rsplit("/", 1)[1]]}
    return sorted(node["properties"])
