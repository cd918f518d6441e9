"""The images of the world file: galleries, managed images and the marketplace, and how VMs made from them behave."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from local.azure.world.parts import Duration, Name, Part, ResourceGroupName

Architecture = Literal["x64", "Arm64"]
Generation = Literal["V1", "V2"]
OsType = Literal["Linux", "Windows"]
DiskControllers = Literal["SCSI", "NVMe", "SCSI, NVMe"]

SecurityType = Literal[
    "TrustedLaunch",
    "TrustedLaunchSupported",
    "ConfidentialVM",
    "ConfidentialVmSupported",
    "TrustedLaunchAndConfidentialVmSupported",
]


class Behavior(Part):
    """How a VM made from an image behaves over time."""

    boot_time: Duration = Field(
        default=timedelta(seconds=30), description="from the start of the launch to `Succeeded`"
    )
    boot_time_spread: Duration = Field(
        default=timedelta(), description="up to this much more boot time, another for each VM"
    )
    healthy_after: Duration = Field(default=timedelta(seconds=30), description="from booted to a healthy application")
    never_healthy: bool = Field(default=False, description="boots, but its application never becomes healthy")
    every_second_never_healthy: bool = Field(
        default=False, description="the 2nd, 4th, … VM that a set launches from the image"
    )
    unhealthy_after: Duration | None = Field(
        default=None, description="from healthy to unhealthy for good; none: stays healthy"
    )
    flap_every: Duration | None = Field(
        default=None, description="once healthy, changes between healthy and unhealthy this often"
    )
    provisioning_fails: bool = Field(default=False, description="the launch ends `Failed` instead of `Succeeded`")


class PlanSpec(Part):
    """What an image of the marketplace is bought by."""

    publisher: Name = Field(description="who sells it")
    product: Name = Field(description="the product")
    name: Name = Field(description="the plan's name")


class VersionSpec(Part):
    """A version of a gallery image."""

    name: str = Field(pattern=r"^\d+\.\d+\.\d+$", description="three numbers, such as 1.2.0")
    behavior: Behavior = Field(default=Behavior(), description="how VMs made from it behave")
    exclude_from_latest: bool = Field(default=False, description="left out where an image is used without a version")
    provisioning_state: Literal["Succeeded", "Creating", "Updating", "Failed", "Deleting"] = Field(
        default="Succeeded", description="as Azure states it"
    )
    published_before: Duration = Field(default=timedelta(days=30), description="how long before the start")
    end_of_life_after: Duration | None = Field(
        default=None, description="its end of life, from the start; none: no end is stated"
    )
    target_regions: tuple[str, ...] = Field(
        default=(), description="where it is replicated to; empty: the world's location"
    )
    replicated_after: dict[str, Duration] = Field(
        default={},
        description="by region: when replication is complete, from the start; regions not named are complete",
    )
    replication_failed: tuple[str, ...] = Field(default=(), description="regions where replication has failed")


class PublishedSpec(Part):
    """Versions of the image that a client publishes later, by writing them to Azure."""

    behavior: Behavior = Field(default=Behavior(), description="how VMs made from them behave")
    # What it took for two regions when it was recorded: Azure/azure-libraries-for-net, CanCreateUpdateGetDelete…
    replication_time: Duration = Field(
        default=timedelta(seconds=495),
        description="until they are in a region that is new to them; a write goes on until then",
    )
    replicated_after: dict[str, Duration] = Field(
        default={}, description="by region: its own replication time, which no write waits for"
    )


class ImageSpec(Part):
    """An image definition of a gallery."""

    name: Name = Field(description="the definition's name")
    os_type: OsType = Field(default="Linux", description="the operating system")
    os_state: Literal["Generalized", "Specialized"] = Field(
        default="Generalized", description="whether VMs get a name and a user when they are made"
    )
    hyper_v_generation: Generation = Field(default="V2", description="the generation of its VMs")
    architecture: Architecture = Field(default="x64", description="the processor")
    security_type: SecurityType | None = Field(default=None, description="the feature `SecurityType`; none: not stated")
    disk_controller_types: DiskControllers | None = Field(
        default=None, description="the feature `DiskControllerTypes`; none: not stated"
    )
    purchase_plan: PlanSpec | None = Field(default=None, description="none: it is not bought")
    versions: tuple[VersionSpec, ...] = Field(default=(), description="its versions")
    published: PublishedSpec = Field(default=PublishedSpec(), description="versions that are published later")


class GallerySpec(Part):
    """A gallery (Azure Compute Gallery)."""

    name: Name = Field(description="the gallery's name")
    subscription_id: str | None = Field(default=None, description="none: the world's")
    resource_group: ResourceGroupName = Field(description="the gallery's resource group")
    location: str | None = Field(default=None, description="none: the world's")
    shared: bool = Field(
        default=False, description="its images are `/SharedGalleries/{subscription}-{NAME}/Images/…` too"
    )
    community_name: Name | None = Field(
        default=None, description="its public name: its images are `/CommunityGalleries/{communityName}/Images/…` too"
    )
    images: tuple[ImageSpec, ...] = Field(default=(), description="its image definitions")


class ManagedImageSpec(Part):
    """A managed image."""

    name: Name = Field(description="the image's name")
    resource_group: ResourceGroupName = Field(description="its resource group")
    os_type: OsType = Field(default="Linux", description="the operating system")
    os_state: Literal["Generalized", "Specialized"] = Field(
        default="Generalized", description="whether VMs get a name and a user when they are made"
    )
    hyper_v_generation: Generation = Field(default="V2", description="the generation of its VMs")
    behavior: Behavior = Field(default=Behavior(), description="how VMs made from it behave")


class MarketplaceVersionSpec(Part):
    """A version of a marketplace image."""

    name: str = Field(pattern=r"^\d+(\.\d+)*$", description="numbers, such as 24.04.202605070")
    behavior: Behavior = Field(default=Behavior(), description="how VMs made from it behave")
    published_before: Duration = Field(default=timedelta(days=30), description="how long before the start")
    deprecated_after: Duration | None = Field(
        default=None, description="from then on, from the start, no VMs are made from it; none: that is not scheduled"
    )


class MarketplaceSpec(Part):
    """An image of the marketplace."""

    publisher: Name = Field(description="its publisher")
    offer: Name = Field(description="its offer")
    sku: Name = Field(description="its SKU")
    os_type: OsType = Field(default="Linux", description="the operating system")
    hyper_v_generation: Generation = Field(default="V2", description="the generation of its VMs")
    architecture: Architecture = Field(default="x64", description="the processor")
    security_type: SecurityType | None = Field(default=None, description="the feature `SecurityType`; none: not stated")
    disk_controller_types: DiskControllers | None = Field(
        default=None, description="the feature `DiskControllerTypes`; none: not stated"
    )
    plan: PlanSpec | None = Field(default=None, description="none: it is not bought")
    versions: tuple[MarketplaceVersionSpec, ...] = Field(default=(), description="its versions")
