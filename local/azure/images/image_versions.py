"""Versions of gallery images: where they are by when, and what their ARM bodies say.

Shapes: ``azure.mgmt.compute.models.GalleryImageVersion`` of API 2026-03-03. Clients may name regions in short, answers
name target regions as people read them and the replication in short, as Azure was recorded to do
(Azure/azure-libraries-for-net, ``Fluent.Tests.Compute.SharedGalleryImage``).
"""

from __future__ import annotations

from datetime import datetime

from local.azure.arm.messages import Json
from local.azure.arm.resources import Replica, VersionResource
from local.azure.images.regions import display_name, short_name

VERSION_TYPE = "Microsoft.Compute/galleries/images/versions"

#: States in which VMs can be made from a version.
_USABLE = ("Succeeded", "Updating")

#: What Azure makes of the source once it has taken it in.
OS_DISK_IMAGE: Json = {"sizeInGB": 30, "hostCaching": "ReadWrite", "source": {}}


def target_region(region: str) -> Json:
    """A target region of a version, with what is meant where nothing else is said."""
    return {"name": display_name(region), "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}


def publishing_profile(given: Json, regions: list[Json], published_at: datetime) -> Json:
    """A version's publishing profile: what was asked for, and what is meant where nothing was said."""
    profile = {
        "targetRegions": regions,
        "replicaCount": 1,
        "excludeFromLatest": False,
        "publishedDate": published_at.isoformat(),
        "storageAccountType": "Standard_LRS",
    }
    rest = {name: value for name, value in given.items() if name not in ("targetRegions", "publishedDate")}
    return {**profile, **rest}


def is_replicated(version: VersionResource, location: str, now: datetime) -> bool:
    """Whether VMs in ``location`` can be made from the version now."""
    region = short_name(location)
    return version.provisioning_state in _USABLE and any(
        replica.region == region and _state(replica, now) == "Completed" for replica in version.replicas
    )


def is_left_out(version: VersionResource, location: str) -> bool:
    """Whether who asks for the latest version in ``location`` does not get this one."""
    here = [one for one in version.publishing["targetRegions"] if short_name(one["name"]) == short_name(location)]
    return bool(version.publishing["excludeFromLatest"]) or any(one.get("excludeFromLatest") for one in here)


def version_body(version: VersionResource, now: datetime, *, with_replication: bool) -> Json:
    """The ARM body of a version; ``replicationStatus`` is there only when it was asked for."""
    properties = {**version.properties, "provisioningState": version.provisioning_state}
    if with_replication:
        properties["replicationStatus"] = replication_status(version, now)
    head = {"name": version.name, "id": version.id, "type": VERSION_TYPE, "location": version.location}
    tags = {} if version.tags is None else {"tags": version.tags}
    return {**head, **tags, "properties": properties}


def lifetime(version: VersionResource) -> Json:
    """When a version was published, and when its end of life is."""
    return {name: version.publishing[name] for name in ("publishedDate", "endOfLifeDate") if name in version.publishing}


def replication_status(version: VersionResource, now: datetime) -> Json:
    """How far the version has come on its way to its regions."""
    summary = [_summary(replica, now) for replica in version.replicas]
    states = {region["state"] for region in summary}
    aggregated = "Failed" if "Failed" in states else "InProgress" if "Replicating" in states else "Completed"
    return {"aggregatedState": aggregated, "summary": summary}


def _summary(replica: Replica, now: datetime) -> Json:
    state = _state(replica, now)
    progress = {"Completed": 100, "Failed": 0}.get(state)
    if progress is None:
        progress = int(100 * ((now - replica.begun_at) / (replica.completes_at - replica.begun_at)))
    return {"region": replica.region, "state": state, "details": "", "progress": progress}


def _state(replica: Replica, now: datetime) -> str:
    if now < replica.completes_at:
        return "Replicating"
    return "Failed" if replica.fails else "Completed"
