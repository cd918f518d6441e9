"""Publishing: what becomes of a version of a gallery image that somebody creates, updates or deletes.

A write goes on until the version is in the regions that it waits for; then it is told to whoever listens. It does not
wait for a region that has a replication time of its own: that its operation ended with every region complete was
recorded for two regions, and is not known of every mode of replication.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.azure.arm.messages import Json
from local.azure.arm.operations import Operations
from local.azure.arm.resources import CloudState, LongRunningOperation, Replica, VersionResource
from local.azure.images.galleries import SimulatedGalleries
from local.azure.images.image_versions import OS_DISK_IMAGE
from local.azure.images.regions import short_name
from local.azure.world import Fault, PlatformSpec
from local.azure.world.images import PublishedSpec

#: How an operation ends that could not make a version. The code is assumed.
PUBLISHING_FAILED: Json = {
    "code": "GalleryImageVersionReplicationFailed",
    "message": "Replicating the gallery image version failed.",
}


@dataclass(frozen=True)
class Replication:
    """How long it takes a version to get to a region: ``time``, or its own in ``after``, which nobody waits for.

    ``failed`` are regions that it does not get to. Regions go by their short names.
    """

    time: timedelta = timedelta()
    after: Mapping[str, timedelta] = field(default_factory=dict)
    failed: Collection[str] = ()

    def replica(self, region: str, now: datetime) -> Replica:
        """The way to a region, which begins now."""
        return Replica(region, now, now + self.after.get(region, self.time), region in self.failed)

    def ends_at(self, replicas: Collection[Replica], soonest: datetime) -> datetime:
        """When a write ends that these have to wait for."""
        return max((one.completes_at for one in replicas if one.region not in self.after), default=soonest)


def replication(spec: PublishedSpec) -> Replication:
    """The replication of what is published later, as the world has it."""
    after = {short_name(region): duration for region, duration in spec.replicated_after.items()}
    return Replication(spec.replication_time, after)


class Publisher:
    """Writes the versions of a state; who may write what, and whether it is right, has been checked before."""

    def __init__(
        self, state: CloudState, platform: PlatformSpec, galleries: SimulatedGalleries, operations: Operations
    ) -> None:
        self._state = state
        self._platform = platform
        self._operations = operations
        self.galleries = galleries
        operations.on_end(self._ended)

    def create(
        self,
        version: VersionResource,
        plan: Replication,
        fault: Fault | None = None,
        *,
        ends_at: datetime | None = None,
        fails: bool = False,
    ) -> LongRunningOperation:
        """Begin to make a version, whose target regions its publishing profile names."""
        version.provisioning_state = "Creating"
        version.replicas = [plan.replica(region, self._state.now) for region in _regions(version)]
        self._state.image_versions[version.key] = version
        ends_at = ends_at or plan.ends_at(version.replicas, self._state.now + self._platform.update_time)
        return self._operations.begin_version(version, ends_at, fault, PUBLISHING_FAILED if fails else None)

    def update(
        self,
        version: VersionResource,
        properties: Json,
        tags: dict[str, str] | None,
        plan: Replication,
        fault: Fault | None = None,
        *,
        ends_at: datetime | None = None,
    ) -> LongRunningOperation:
        """Make a version's properties and tags these. It sets out for new regions, and is gone from others at once."""
        version.properties, version.tags = properties, tags
        known = {replica.region: replica for replica in version.replicas}
        new = [plan.replica(region, self._state.now) for region in _regions(version) if region not in known]
        known |= {replica.region: replica for replica in new}
        version.replicas = [known[region] for region in _regions(version)]
        version.provisioning_state = "Updating"
        ends_at = ends_at or plan.ends_at(new, self._state.now + self._platform.update_time)
        return self._operations.begin_version(version, ends_at, fault)

    def delete(self, version: VersionResource, fault: Fault | None = None) -> LongRunningOperation:
        """Begin to delete a version."""
        version.provisioning_state = "Deleting"
        return self._operations.begin_version(version, self._state.now + self._platform.delete_time, fault)

    def _ended(self, operation: LongRunningOperation) -> None:
        version = self._state.image_versions.get(operation.image_version)
        if version is None:
            return
        has_succeeded = operation.status == "Succeeded"
        version.is_deleted = has_succeeded and version.provisioning_state == "Deleting"
        version.provisioning_state = "Succeeded" if has_succeeded else "Failed"
        if has_succeeded:
            storage = version.properties["storageProfile"]
            made = copy.deepcopy({**OS_DISK_IMAGE, **(storage.get("osDiskImage") or {})})
            version.properties = {**version.properties, "storageProfile": {**storage, "osDiskImage": made}}


def _regions(version: VersionResource) -> list[str]:
    """The target regions of a version, by their short names."""
    return [short_name(region["name"]) for region in version.publishing["targetRegions"]]
