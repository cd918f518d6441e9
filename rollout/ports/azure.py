"""Azure: scale sets, images, traffic, what constrains and changes a set, and the app's identity."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from rollout.model.azure.balancers import PendingAnswer, Probe, StubbornPool
from rollout.model.azure.evidence import Inspection
from rollout.model.azure.pools import AdminState, Membership, PoolMembership
from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion, ScaleSet, Vm, VmList
from rollout.model.azure.surroundings import ManagementLock, Usage, VmSize
from rollout.model.choices import HealthCheckType
from rollout.model.rows.holds import Process


class ScaleSets(Protocol):
    """Scale sets and their VMs. Every method may raise ``AzureError``; none waits for an operation."""

    async def read(self, scale_set_id: str) -> ScaleSet | None:
        """The set as it is now; ``None`` where there is none."""
        ...

    async def list_vms(self, scale_set_id: str, share_min: float = 0.0) -> VmList:
        """Every VM with its state, and its health where the same requests tell that. ``Stale``: the set is gone.

        ``share_min``: where less is left of what Azure allows to be listed, ``Busy`` after one request.
        """
        ...

    async def with_health(self, scale_set_id: str, listed: VmList, vm_ids: Collection[str]) -> VmList:
        """The list with the health of these VMs as well: a request for each whose health the list could not tell."""
        ...

    async def health_of(self, scale_set_id: str, vm_names: Collection[str]) -> Mapping[str, str | None]:
        """The health of VMs by name, of a set whose list says ``by_view``: a request each.

        ``None``: nothing reports it, or the VM is gone.
        """
        ...

    def left(self, scale_set_id: str) -> float | None:
        """The share of the set's bucket of lists that is left, by the last list; ``None`` where none said."""
        ...

    async def read_vm(self, scale_set_id: str, vm_name: str) -> Vm | None:
        """The VM that has this name now, in one request that does not count against lists; ``None``: there is none.

        Its health may be left out.
        """
        ...

    async def inspect_vm(self, scale_set_id: str, vm_name: str, vm_id: str) -> Inspection | None:
        """Whatever can be read of the VM that has this name and ``vm_id``; ``None`` where it is gone."""
        ...

    async def set_image(self, scale_set: ScaleSet, image: ImageReference) -> None:
        """Change only the model's image, if the set is still as it was read."""
        ...

    async def raise_capacity(self, scale_set: ScaleSet, capacity: int) -> None:
        """Ask for as many more VMs as ``capacity`` is above the set's, if the set is still as it was read."""
        ...

    async def delete_vms(self, scale_set: ScaleSet, instance_ids: Sequence[str]) -> None:
        """Delete these VMs in one call. Azure lowers a Uniform set's capacity by their number."""
        ...


class Traffic(Protocol):
    """The load balancers and application gateways before scale sets. Raises ``AzureError``; no method waits."""

    async def read(self, scale_set: ScaleSet, vms: Sequence[Vm]) -> tuple[Membership, ...]:
        """The pools that each of these VMs is in now."""
        ...

    async def probe(self, source: HealthCheckType, pools: Collection[str], asked: Sequence[PendingAnswer]) -> Probe:
        """Read what was asked of the balancers of one kind that have any of these pools, and ask again."""
        ...

    async def set_state(self, pool: str, configurations: Collection[str], state: AdminState) -> None:
        """Set the ``adminState`` of these IP configurations in a load balancer's pool, in one write."""
        ...

    async def stubborn(self, pools: Collection[str]) -> tuple[StubbornPool, ...]:
        """Those of these pools in which a load balancer sets no member Down, as far as that can be read."""
        ...

    async def leave(self, scale_set: ScaleSet, vm: Vm, places: Collection[PoolMembership]) -> None:
        """Take these pools out of the VM's IP configurations."""
        ...

    async def join(self, scale_set: ScaleSet, vm: Vm, places: Collection[PoolMembership]) -> None:
        """Put these pools back into the VM's IP configurations."""
        ...

    async def missing(self, pools: Collection[str]) -> frozenset[str]:
        """Those of these pools that do not exist any more."""
        ...

    async def draining_time(self, pools: Collection[str]) -> timedelta:
        """How long at most the application gateways that have these pools let connections of a VM end that left."""
        ...


class Constraints(Protocol):
    """What Azure allows around a scale set. Raises ``AzureError``; a right may be missing for each alone."""

    async def size(self, scale_set: ScaleSet) -> VmSize | None:
        """The set's VM size; ``None`` where Azure does not list it in the region."""
        ...

    async def usages(self, scale_set: ScaleSet) -> tuple[Usage, ...]:
        """The subscription's limits in the set's region, and what is in use."""
        ...

    async def locks(self, scale_set: ScaleSet) -> tuple[ManagementLock, ...]:
        """The locks of Resource Manager at, above and below the set's resource group."""
        ...

    async def rolling_upgrade(self, scale_set: ScaleSet) -> str | None:
        """How the latest of Azure's own rolling upgrades stands (``RollingForward``…); ``None``: there was none."""
        ...


class Processes(Protocol):
    """What changes a scale set by itself (``rollout.holds.holds``). Raises ``AzureError``; no method waits."""

    async def read(self, scale_set: ScaleSet) -> tuple[Process, ...]:
        """Every process as it is now; one that may not be read says so."""
        ...

    async def write(self, scale_set: ScaleSet, processes: Sequence[Process]) -> None:
        """Make these as they say in one request (``rollout.holds.moves.next_writes``), if the set is as it was read."""
        ...


class Images(Protocol):
    """Images of every kind. ``place``: for whose VMs; where the reference is a resource id none is needed."""

    async def read(self, reference: ImageReference, place: Place | None = None) -> PublishedVersion | None:
        """One exact image and what a set has to fit; ``None`` where there is none."""
        ...

    async def list_versions(
        self, reference: ImageReference, place: Place | None = None
    ) -> tuple[PublishedVersion, ...] | None:
        """Every version of the image that a reference names, highest first; ``None`` where there is no such image.

        Of a gallery's versions it does not tell the replication.
        """
        ...


class Identity(Protocol):
    """Who the app is to Azure Resource Manager."""

    async def check(self) -> None:
        """Raise ``AzureError`` where Azure knows nobody of that name now."""
        ...
