"""The state of the simulated Azure: plain data, so that a snapshot of it is nothing but its JSON."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.azure.arm.buckets import Bucket, RequestCount
from local.azure.arm.messages import Json
from local.azure.events.events import PendingNotification, ResourceEvent, ResourceWrite
from local.azure.world import Fault
from local.azure.world.images import Behavior

_IDENTIFIERS = uuid.UUID("5d2c1d5e-0b6f-4f0e-9f6c-6f5e6b1c2a10")


@dataclass
class VmInstance:
    """A VM of a scale set.

    ``number`` is a Uniform VM's instance id, which a later VM may get again, and a Flexible VM's random suffix;
    ``vm_id`` is never given twice. ``boots`` counts starts of the operating system: what was due in an earlier boot is
    void. ``answers`` says whether the application answers well, since ``answers_since``, and ``answered`` whether it
    did before; ``serving`` whether it also gets traffic. ``addresses`` holds the private address of each IP
    configuration, by ``interface/configuration``; ``in_pool`` says that a balancer may send it new connections.
    ``sku`` (without a capacity) and ``tags`` are those of the set when it was made, or last brought to its model.
    ``computer_name`` is that of a VM that was made by itself and attached; those that the set makes have one after its
    prefix.
    """

    number: int
    vm_id: str
    name: str
    zone: str | None
    model: int
    image: Json
    launch: int
    created_at: datetime
    provisioning_state: str = "Creating"
    power: str | None = None
    boots: int = 0
    booted_at: datetime | None = None
    serving: bool = False
    answers: bool = False
    answered: bool = False
    answers_since: datetime | None = None
    in_pool: bool = False
    sick: bool = False
    health: str | None = None
    health_at: datetime | None = None
    protection: Json | None = None
    network: Json | None = None
    addresses: dict[str, str] = field(default_factory=dict)
    interface_etag: int = 1
    interface_failed: bool = False
    failure: Json | None = None
    etag: int = 1
    revision: int = 0
    sku: Json = field(default_factory=dict)
    tags: Json = field(default_factory=dict)
    computer_name: str | None = None

    @property
    def is_attached(self) -> bool:
        """Somebody made it by itself and put it into the set."""
        return self.computer_name is not None

    @property
    def is_deleting(self) -> bool:
        """It is on its way out and no longer counts in the set's capacity."""
        return self.provisioning_state == "Deleting"


@dataclass
class ScaleSetResource:
    """A scale set: its ARM body without what is derived (ETag, state), its models and its VMs by instance id.

    ``models`` holds every virtual machine profile that a VM may still run, by number; ``model`` is the latest, and 0
    that of VMs that were attached. ``standby``: the images of the VMs that wait in its standby pool, next first.
    ``falling``: by how many the capacity is still to fall, as VMs are gone; a capacity that is written ends that.
    """

    id: str
    body: Json
    models: dict[int, Json]
    model: int = 1
    etag: int = 1
    next_number: int = 0
    launches: dict[str, int] = field(default_factory=dict)
    instances: dict[int, VmInstance] = field(default_factory=dict)
    provisioning_state: str = "Succeeded"
    is_deleting: bool = False
    lists_latest_model: bool = False
    repairs_suspended: bool = False
    rolling_upgrade: str | None = None
    standby: list[Json] = field(default_factory=list)
    falling: int = 0

    @property
    def key(self) -> str:
        """The id in lower case: Azure does not tell ids by letter case."""
        return self.id.lower()

    @property
    def name(self) -> str:
        return str(self.body["name"])

    @property
    def location(self) -> str:
        return str(self.body["location"])

    @property
    def subscription(self) -> str:
        return self.id.split("/")[2]

    @property
    def resource_group(self) -> str:
        return self.id.split("/")[4]

    @property
    def properties(self) -> Json:
        properties: Json = self.body["properties"]
        return properties

    @property
    def profile(self) -> Json:
        """The latest model's virtual machine profile; empty for a set that has none."""
        return self.models[self.model]

    @property
    def is_flexible(self) -> bool:
        return str(self.properties.get("orchestrationMode", "Uniform")).lower() == "flexible"

    @property
    def capacity(self) -> int:
        """The number of VMs that the set is to have; the platform never counts VMs being deleted in it."""
        return int((self.body.get("sku") or {}).get("capacity") or 0)

    @capacity.setter
    def capacity(self, value: int) -> None:
        self.body["sku"]["capacity"] = value
        self.falling = 0

    def fall(self) -> None:
        """One of the VMs is gone by which the capacity is to fall."""
        if self.falling:
            still = self.falling - 1
            self.capacity = max(0, self.capacity - 1)
            self.falling, self.etag = still, self.etag + 1

    @property
    def sku(self) -> Json:
        """The size that VMs are made in: ``name`` and ``tier``."""
        return {name: value for name, value in (self.body.get("sku") or {}).items() if name != "capacity"}

    @property
    def quoted_etag(self) -> str:
        """As on the wire: a counter in quotes."""
        return f'"{self.etag}"'

    def active(self) -> list[VmInstance]:
        """The VMs that count in the capacity, by instance id."""
        return [vm for _, vm in sorted(self.instances.items()) if not vm.is_deleting]

    def instance_id(self, vm: VmInstance) -> str:
        """What Azure calls a VM of the set: by number in a Uniform set, by name in a Flexible one."""
        return vm.name if self.is_flexible else str(vm.number)

    def instance(self, instance_id: str) -> VmInstance | None:
        """A VM by what Azure calls it; names are told apart regardless of letter case."""
        if not self.is_flexible:
            return self.instances.get(int(instance_id)) if instance_id.isdecimal() else None
        wanted = instance_id.lower()
        likely = self.instances.get(_number(wanted))
        if likely and likely.name.lower() == wanted:
            return likely
        return next((vm for vm in self.instances.values() if vm.name.lower() == wanted), None)

    def sku_of(self, vm: VmInstance) -> Json:
        """The size of a VM: its own, also when the set's is another by now; of a mix, the first size listed."""
        own = vm.sku or self.sku
        return {**own, "name": self.size} if str(own.get("name")).lower() == "mix" else own

    @property
    def size(self) -> str:
        """The size of the VMs that are made now."""
        return launched_size(self.body)

    def find(self, vm_id: str) -> VmInstance | None:
        """A VM by its unique id."""
        return next((vm for vm in self.instances.values() if vm.vm_id == vm_id), None)


def launched_size(body: Json) -> str:
    """The size of VMs that are made from a set's body. Of a mix the simulated Azure always has room for the first.

    >>> mix = {"skuProfile": {"vmSizes": [{"name": "Standard_D8s_v5"}, {"name": "Standard_E16s_v5"}]}}
    >>> launched_size({"sku": {"name": "Mix"}, "properties": mix})
    'Standard_D8s_v5'
    """
    mixed = ((body.get("properties") or {}).get("skuProfile") or {}).get("vmSizes") or []
    return str((mixed[0] if mixed else body.get("sku") or {}).get("name", ""))


def _number(name: str) -> int:
    """The number of the VM that Azure gave this name in a Flexible set; -1: it is not such a name."""
    suffix = name.rpartition("_")[2]
    try:
        return int(suffix, 16)
    except ValueError:
        return -1


@dataclass
class Replica:
    """An image version in one region, by its short name (``eastus2``); until ``completes_at`` it is on its way there.

    ``fails``: at that time it has failed instead of being there.
    """

    region: str
    begun_at: datetime
    completes_at: datetime
    fails: bool = False


@dataclass
class VersionResource:
    """A version of a gallery image.

    ``properties`` are those of its ARM body without what changes by itself, the provisioning state and the replication.
    One that was deleted is kept, because VMs that were made from it go on behaving as it says.
    """

    id: str
    location: str
    properties: Json
    behavior: Behavior
    published_at: datetime
    replicas: list[Replica]
    tags: dict[str, str] | None = None
    provisioning_state: str = "Succeeded"
    is_deleted: bool = False

    @property
    def key(self) -> str:
        """The id in lower case: Azure does not tell ids by letter case."""
        return self.id.lower()

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]

    @property
    def publishing(self) -> Json:
        """Its ``publishingProfile``."""
        profile: Json = self.properties["publishingProfile"]
        return profile


@dataclass
class LongRunningOperation:
    """A long-running operation.

    ``holds`` is what it keeps others from writing to: the key of a scale set, of one of its VMs, of an image version,
    or of a network resource. ``scale_set`` is empty for operations on the others than the first two. ``surplus`` names
    the VMs that overprovisioning launched beyond the capacity: they are deleted when the operation ends. ``result_of``
    is the path whose answer the operation's result is. ``image_version`` is the key of the version that it is about.
    ``write`` is told at the end.
    """

    id: str
    location: str
    started_at: datetime
    ends_at: datetime
    outcome: str
    error: Json | None
    holds: str
    scale_set: str
    surplus: list[str] = field(default_factory=list)
    result_of: str = ""
    image_version: str = ""
    write: ResourceWrite | None = None
    status: str = "InProgress"


@dataclass(order=True)
class Due:
    """Something that happens at a time. ``order`` settles ties: what was planned first happens first.

    ``subject`` is an operation's id, or a VM's ``vm_id``; then ``number`` is its instance id and ``boot`` the boot in
    which it happens.
    """

    at: datetime
    order: int
    kind: str = field(compare=False)
    scale_set: str = field(compare=False)
    subject: str = field(compare=False)
    number: int = field(default=0, compare=False)
    boot: int = field(default=0, compare=False)


@dataclass(frozen=True)
class AuditEntry:
    """A write that a client sent, and what it did. VMs are named by ``vmId``.

    ``outdated``: it said the model's profile as it was, and by that alone outdated every VM.
    """

    time: datetime
    method: str
    path: str
    body: Any
    status: int
    code: str | None
    created: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    capacity_before: int | None = None
    capacity_after: int | None = None
    outdated: bool = False


@dataclass(frozen=True)
class VmChange:
    """A VM is in another state from this time on.

    States: ``creating``, ``serving`` (running, its application healthy, and a balancer's probe too where the set has
    backend pools), ``notServing`` (running, but not so), ``attached`` (in a backend pool that may send it new
    connections), ``detached`` (in none any more), ``failed``, ``stopped``, ``upgrading``, ``deleting``, ``gone``.
    """

    time: datetime
    scale_set: str
    vm_id: str
    name: str
    image: str
    state: str


@dataclass
class CloudState:
    """Everything that changes, at the time ``now``.

    ``admin_states`` are those of the members of load balancers' pools: by pool, then by IP configuration.
    ``interfaces`` are the bodies of network interfaces that outlived their VM. ``locks`` are those of Resource Manager.
    ``autoscale`` are the bodies of autoscale settings, ``image_versions`` those of galleries, by id in lower case.
    ``managed`` are resources that are kept as they were written (``local/azure/arm/managed.py``), by id in lower case.
    ``subscribed`` names the event subscriptions that are told of ``events``, of which there were ``told`` in all;
    ``notified`` counts ``notifications``.
    """

    started_at: datetime
    now: datetime
    seed: int
    identifiers: int = 0
    answers: int = 0
    orders: int = 0
    scale_sets: dict[str, ScaleSetResource] = field(default_factory=dict)
    operations: dict[str, LongRunningOperation] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    admin_states: dict[str, dict[str, str]] = field(default_factory=dict)
    deleted_pools: list[str] = field(default_factory=list)
    network_etags: dict[str, int] = field(default_factory=dict)
    interfaces: dict[str, Json] = field(default_factory=dict)
    autoscale: dict[str, Json] = field(default_factory=dict)
    image_versions: dict[str, VersionResource] = field(default_factory=dict)
    agenda: list[Due] = field(default_factory=list)
    locks: list[Json] = field(default_factory=list)
    managed: dict[str, Json] = field(default_factory=dict)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    requests: dict[str, RequestCount] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    fault_matches: list[int] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    changes: list[VmChange] = field(default_factory=list)
    events: list[ResourceEvent] = field(default_factory=list)
    told: int = 0
    subscribed: list[str] = field(default_factory=list)
    notified: int = 0
    notifications: list[PendingNotification] = field(default_factory=list)
    dead_letters: list[PendingNotification] = field(default_factory=list)

    def identifier(self) -> str:
        """A fresh unique id: the same every time for the same seed."""
        self.identifiers += 1
        return str(uuid.uuid5(_IDENTIFIERS, f"{self.seed}/{self.identifiers}"))
