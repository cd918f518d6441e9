"""A scale set, its VMs and the images they are made from, as Azure showed them at one moment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True)
class ImageReference:
    """What a VM's disk is made from: exactly one of the ways that ``imageReference`` of the Compute API allows.

    ``id`` is a gallery image, a gallery image version or a managed image; ``publisher`` to ``version`` name a
    marketplace image. The field names are the API's, so that a reference can be put back just as it was found.
    """

    id: str | None = None
    publisher: str | None = None
    offer: str | None = None
    sku: str | None = None
    version: str | None = None
    shared_gallery_image_id: str | None = None
    community_gallery_image_id: str | None = None

    def matches(self, other: ImageReference) -> bool:
        """Whether both name the same image; ARM's names know no case."""
        return self._folded() == other._folded()

    @property
    def kind(self) -> str:
        """Where the image is from, which a set may not change. A gallery's and a managed image are one kind.

        Shared and community galleries are two: a change of one field of the reference leaves the other where it is.
        """
        if self.publisher:
            return "marketplace image"
        if self.shared_gallery_image_id:
            return "shared gallery image"
        return "community gallery image" if self.community_gallery_image_id else "custom image"

    @property
    def path(self) -> str:
        """The id by which galleries and managed images are named; empty for a marketplace image."""
        return self.id or self.shared_gallery_image_id or self.community_gallery_image_id or ""

    @property
    def full_name(self) -> str:
        """All of it as one text, which a request may name the image by: an id, or ``publisher:offer:sku:version``."""
        return self.path or ":".join(part or "" for part in (self.publisher, self.offer, self.sku, self.version))

    @property
    def label(self) -> str:
        """The shortest text that a person recognises: ``1.1.0``, or ``ubuntu-24_04-lts:server:latest``."""
        if self.path:
            return self.path.rsplit("/", 1)[-1]
        return ":".join(part for part in (self.offer, self.sku, self.version) if part) or "no image"

    @property
    def exact(self) -> bool:
        """Whether it names one version for ever, rather than "the latest at the time"."""
        path = self.path.lower()
        if path:
            in_gallery = self.id is None or "/galleries/" in path
            return not in_gallery or ("/versions/" in path and not path.endswith("/versions/latest"))
        return self.version not in (None, "", "latest")

    def _folded(self) -> tuple[str | None, ...]:
        parts = (self.id, self.publisher, self.offer, self.sku, self.version)
        galleries = (self.shared_gallery_image_id, self.community_gallery_image_id)
        return tuple(part.lower() if part else None for part in (*parts, *galleries))


@dataclass(frozen=True)
class PurchasePlan:
    """What some marketplace images are bought under; images that were made from such an image are too."""

    publisher: str
    product: str
    name: str

    def matches(self, other: PurchasePlan | None) -> bool:
        """Whether both are the same plan, in any case."""
        return other is not None and str(self).lower() == str(other).lower()

    def __str__(self) -> str:
        return f"{self.publisher}:{self.product}:{self.name}"


@dataclass(frozen=True)
class Place:
    """From where images are read whose references name neither subscription nor region: the scale set's own ones.

    ``resource_id`` is any in the subscription.
    """

    resource_id: str
    region: str


@dataclass(frozen=True)
class PriorityMix:
    """How a set divides its VMs: the first ``base`` are regular ones, and of those above so many of a hundred.

    https://learn.microsoft.com/azure/virtual-machine-scale-sets/spot-priority-mix
    """

    base: int = 0
    percentage: int = 0

    def regular(self, vms: int) -> int:
        """How many of so many VMs are regular ones, rounded up; the others are Spot VMs.

        >>> [PriorityMix(base=2, percentage=50).regular(vms) for vms in (1, 2, 3, 4, 10)]
        [1, 2, 3, 3, 6]
        """
        return min(vms, self.base + math.ceil(max(0, vms - self.base) * self.percentage / 100))


class OrchestrationMode(StrEnum):
    """``properties.orchestrationMode`` of a scale set; a set without it is Uniform."""

    UNIFORM = "Uniform"
    FLEXIBLE = "Flexible"


@dataclass(frozen=True)
class PlannedConfiguration:
    """An IP configuration of a scale set's model: of which network interface, and the pools that it is to be in."""

    interface: str
    name: str
    pools: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ScaleSet:
    """One GET of ``Microsoft.Compute/virtualMachineScaleSets/{name}``.

    ``capacity`` is the nominal size, ``sku.capacity``; a Flexible set may have another number of VMs.
    ``image`` is ``None`` where the set has no VM profile. ``upgrade_mode`` is ``Manual`` where the set has no upgrade
    policy, as Flexible sets may. ``zone_balance`` is strict: Azure fails a launch that would leave the zones uneven.
    ``mixed_sizes``: of which sizes its VMs may be, where they are a mix. ``spot``: its VMs are Spot VMs but for the
    regular ones of its ``priority_mix``. ``health_grace``: how long its Application Health extension lets a VM
    initialize. ``terminate_notice``: how long a VM that is deleted may hold that up. ``security_type`` is
    ``TrustedLaunch``, ``ConfidentialVM`` or ``Standard``, ``None`` where the model leaves it open. ``has_os_profile``:
    the model says how a generalized image is set up. ``planned_network``: the IP configurations of new VMs. ``model``:
    what it says that can be held against its VMs, by Azure's paths (``rollout.judging.roll_needed``). ``unique_id`` is
    Azure's own, which a set that is made again under the name does not have.
    """

    id: str
    name: str
    location: str
    etag: str
    capacity: int
    provisioning_state: str
    image: ImageReference | None
    sku_name: str | None = None
    sku_tier: str | None = None
    mixed_sizes: tuple[str, ...] = ()
    mode: OrchestrationMode = OrchestrationMode.UNIFORM
    os_type: str | None = None
    upgrade_mode: str = "Manual"
    overprovision: bool = False
    automatic_os_upgrade: bool = False
    single_placement_group: bool = False
    reports_health: bool = False
    backend_pools: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    tags: dict[str, str] | None = None
    service_fabric: bool = False
    zone_balance: bool = False
    spot: bool = False
    priority_mix: PriorityMix = PriorityMix()
    health_grace: timedelta | None = None
    terminate_notice: timedelta | None = None
    security_type: str | None = None
    plan: PurchasePlan | None = None
    has_os_profile: bool = True
    planned_network: tuple[PlannedConfiguration, ...] = ()
    computer_name_prefix: str | None = None
    created_at: datetime | None = None
    unique_id: str = ""
    model: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def disk_controller(self) -> str | None:
        """How the model has disks attached, ``SCSI`` or ``NVMe``; ``None`` where it leaves that to Azure."""
        return self.model.get("virtualMachineProfile.storageProfile.diskControllerType")

    @property
    def place(self) -> Place:
        """From where its images are read."""
        return Place(self.id, region_name(self.location))

    @property
    def settled(self) -> bool:
        """Whether no write is in flight: ARM refuses a second one until the first has ended."""
        return self.provisioning_state.lower() in ("succeeded", "failed", "canceled")

    def planned_pools(self, configuration_id: str) -> frozenset[str]:
        """The pools in which the model has an IP configuration of a VM.

        The id ends in ``…/{interface}/ipConfigurations/{name}``. The interfaces of a Flexible set's VMs are called
        after those of the model, with something behind: that counts where several have a configuration of the name.
        """
        *_, interface, _, name = configuration_id.lower().split("/")
        named = [one for one in self.planned_network if one.name.lower() == name]
        if len(named) > 1:
            named = [one for one in named if interface.startswith(one.interface.lower())]
        return max(named, key=lambda one: len(one.interface)).pools if named else frozenset()


@dataclass(frozen=True)
class Vm:
    """One VM of a scale set.

    ``vm_id`` is the only name that is never used again (Uniform instance ids are). ``power_state`` is ``running``,
    ``stopped``, ``deallocated``…, ``None`` while unknown; ``health`` is ``healthy``, ``unhealthy``, ``unknown`` or
    ``initializing`` as the Application Health extension or the probe reports it, ``None`` where nothing does, or where
    it has not been asked for (``rollout.ports.azure.ScaleSets.with_health``). ``foreign``: why it is none that the set
    made, so that the set's model does not say what it is like, where that has been asked
    (``rollout.model.azure.ownership``); empty for the set's own. ``network_interfaces`` are resource ids.
    ``latest_model``: it runs the set's present model, ``None`` where Azure does not tell. ``data_disks``: the names of
    those that are deleted with it. ``left_disks``, ``left_interfaces``: how many of its disks and network interfaces
    stay when it is deleted. ``failure``: why Azure could not make or change it, in Azure's own code and words.
    ``model``: what it was made as, by the paths of ``ScaleSet.model``.
    """

    vm_id: str
    name: str
    instance_id: str
    image: ImageReference
    provisioning_state: str
    power_state: str | None = None
    health: str | None = None
    zone: str | None = None
    protected: bool = False
    foreign: str = ""
    computer_name: str | None = None
    created_at: datetime | None = None
    network_interfaces: tuple[str, ...] = ()
    latest_model: bool | None = None
    data_disks: tuple[str, ...] = ()
    left_disks: int = 0
    left_interfaces: int = 0
    failure: str = ""
    model: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def leaving(self) -> bool:
        """Whether Azure is deleting it."""
        return self.provisioning_state.lower() == "deleting"

    @property
    def failed(self) -> bool:
        """Whether Azure could not make it, or not change it."""
        return self.provisioning_state.lower() == "failed"

    @property
    def stopped(self) -> bool:
        """Whether it is powered off, or on the way there."""
        return self.power_state in ("stopped", "deallocated", "stopping", "deallocating")

    @property
    def deallocated(self) -> bool:
        """Whether it has no hardware any more, or soon will not, as an evicted Spot VM: nothing starts it by itself."""
        return self.power_state in ("deallocated", "deallocating")

    @property
    def running(self) -> bool:
        """Whether it is provisioned and powered on."""
        return self.provisioning_state.lower() in ("succeeded", "updating") and self.power_state == "running"


@dataclass(frozen=True)
class VmList:
    """The VMs of a set, and what it cost to read them: ``requests``, as Azure counts each page.

    ``remaining``: how many more requests Azure said it would answer now; ``None`` where it said nothing. ``refill``:
    how many a minute it documents to give back (https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits):
    10 for each Uniform set, 300 for the VM lists of a whole subscription. ``views``: how many single VMs were read
    besides, each from a bucket of its own. ``by_view``: the list cannot tell VMs' health, which costs a view of each.
    """

    vms: tuple[Vm, ...]
    requests: int = 1
    remaining: int | None = None
    refill: int = 10
    views: int = 0
    by_view: bool = False

    @property
    def left(self) -> float | None:
        """The share of the bucket that is left; ``None`` where that was not said. A bucket holds three minutes."""
        return None if self.remaining is None else self.remaining / (3 * self.refill)

    def by_id(self) -> dict[str, Vm]:
        """The VMs under their ``vm_id``."""
        return {vm.vm_id: vm for vm in self.vms}


@dataclass(frozen=True)
class PublishedVersion:
    """One exact image that VMs can be made from, of any kind.

    ``id`` is its resource id, a shared or community gallery's unique id, or a marketplace image's ``publisher:…``.
    ``regions`` maps a normalised region name (``eastus2``) to its replication state: ``Completed``, ``Replicating``…
    ``exclude_from_latest`` counts everywhere, ``excluded_regions`` are those in which it is excluded besides.
    ``reference``: what a set's model has to say to get it; by itself it is the resource id.

    What else follows is what a set has to fit, each ``None`` where Azure states nothing: ``security_type`` is the
    image's feature of that name (``TrustedLaunch``, ``TrustedLaunchSupported``, ``ConfidentialVmSupported``…),
    ``os_state`` is ``Generalized`` or ``Specialized``, ``architecture`` ``x64`` or ``Arm64``, ``hyper_v_generation``
    ``V1`` or ``V2``. ``end_of_life``: until when its publisher keeps it up. ``disk_controllers``: what it can boot from
    (``SCSI``, ``NVMe``), empty where Azure states nothing.
    """

    id: str
    name: str
    provisioning_state: str
    exclude_from_latest: bool = False
    regions: dict[str, str] | None = None
    os_type: str | None = None
    published_at: datetime | None = None
    reference: ImageReference = field(default_factory=ImageReference)
    hyper_v_generation: str | None = None
    architecture: str | None = None
    security_type: str | None = None
    os_state: str | None = None
    plan: PurchasePlan | None = None
    end_of_life: datetime | None = None
    excluded_regions: frozenset[str] = frozenset()
    disk_controllers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """A gallery's version is named by its id."""
        if self.reference == ImageReference():
            object.__setattr__(self, "reference", ImageReference(id=self.id))

    def excluded_in(self, region: str) -> bool:
        """Whether ``latest`` passes over the version in a region. It is not withdrawn: it can be named."""
        return self.exclude_from_latest or region_name(region) in self.excluded_regions


def region_name(display: str) -> str:
    """``East US 2`` and ``eastus2`` are one region, ``eastus2``: the API uses both."""
    return display.replace(" ", "").lower()
