"""ARM's JSON of images to ``rollout.model.azure.scale_set.ImageVersion``.

The field names are those of ``Microsoft.Compute`` 2026-03-03 (galleries) and 2026-04-01 (marketplace and managed
images), as azure-mgmt-compute 39 declares them in ``models/_models.py``. What an answer leaves out reads as ``None``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adapters.arm.reading import Json, read_plan, words_of
from rollout.model.azure.images import at_version
from rollout.model.azure.scale_set import ImageReference, PublishedVersion, PurchasePlan, region_name
from rollout.model.codec import decode_time

#: What a region's replication says where it is done.
COMPLETED = "Completed"


@dataclass(frozen=True)
class Definition:
    """What all versions of an image have in common."""

    os_type: str | None = None
    os_state: str | None = None
    hyper_v_generation: str | None = None
    architecture: str | None = None
    security_type: str | None = None
    plan: PurchasePlan | None = None
    end_of_life: datetime | None = None
    disk_controllers: tuple[str, ...] = ()


def read_definition(body: Json) -> Definition:
    """An image of a gallery, of a shared gallery or of a community gallery: their properties are alike."""
    properties = body.get("properties") or {}
    return Definition(
        os_type=properties.get("osType"),
        os_state=properties.get("osState"),
        hyper_v_generation=properties.get("hyperVGeneration"),
        architecture=properties.get("architecture"),
        security_type=_feature(properties, "SecurityType"),
        plan=read_plan(properties.get("purchasePlan")),
        end_of_life=_time(properties.get("endOfLifeDate")),
        disk_controllers=words_of(_feature(properties, "DiskControllerTypes")),
    )


def read_gallery_version(body: Json, definition: Definition) -> PublishedVersion:
    """A version of a gallery image; ``regions`` is known only where the request expanded ``ReplicationStatus``."""
    properties = body.get("properties") or {}
    profile, status = properties.get("publishingProfile") or {}, properties.get("replicationStatus")
    return _version(
        body["id"],
        ImageReference(id=body["id"]),
        body["name"],
        properties.get("provisioningState") or "",
        profile,
        {region_name(each["region"]): each.get("state") or "Unknown" for each in status.get("summary") or ()}
        if status is not None
        else None,
        definition,
    )


def read_shared_version(body: Json, image: ImageReference, region: str, definition: Definition) -> PublishedVersion:
    """A version of an image that somebody shares: it was found in the region, so it is there."""
    properties = body.get("properties") or {}
    reference = at_version(image, body["name"])
    state = properties.get("imageState") or "Active"
    usable = "Succeeded" if state == "Active" else state
    return _version(reference.full_name, reference, body["name"], usable, properties, {region: COMPLETED}, definition)


def read_marketplace_version(body: Json, image: ImageReference, region: str) -> PublishedVersion:
    """A version of a marketplace image; a list tells its name alone."""
    properties = body.get("properties") or {}
    reference = at_version(image, body["name"])
    deprecation = properties.get("imageDeprecationStatus") or {}
    state = deprecation.get("imageState") or "Active"
    return PublishedVersion(
        id=reference.full_name,
        name=body["name"],
        # Scheduled for deprecation it can be used until then; images of the marketplace are generalized.
        provisioning_state=state if state == "Deprecated" else "Succeeded",
        regions={region: COMPLETED},
        os_type=(properties.get("osDiskImage") or {}).get("operatingSystem"),
        reference=reference,
        hyper_v_generation=properties.get("hyperVGeneration"),
        architecture=properties.get("architecture"),
        security_type=_feature(properties, "SecurityType"),
        os_state="Generalized",
        plan=read_plan(properties.get("plan")),
        end_of_life=_time(deprecation.get("scheduledDeprecationTime")),
        disk_controllers=words_of(_feature(properties, "DiskControllerTypes")),
    )


def read_managed_image(body: Json) -> PublishedVersion:
    """A managed image, which has no versions and exists in its own region only."""
    properties = body.get("properties") or {}
    disk = (properties.get("storageProfile") or {}).get("osDisk") or {}
    return PublishedVersion(
        id=body["id"],
        name=body["name"],
        provisioning_state=properties.get("provisioningState") or "",
        regions={region_name(body["location"]): COMPLETED},
        os_type=disk.get("osType"),
        reference=ImageReference(id=body["id"]),
        hyper_v_generation=properties.get("hyperVGeneration"),
        os_state=disk.get("osState"),
    )


def _version(
    name_in_full: str,
    reference: ImageReference,
    name: str,
    state: str,
    publishing: Json,
    regions: dict[str, str] | None,
    definition: Definition,
) -> PublishedVersion:
    """A version of any gallery; it ends with its image, if not before."""
    ends = [each for each in (_time(publishing.get("endOfLifeDate")), definition.end_of_life) if each is not None]
    return PublishedVersion(
        id=name_in_full,
        name=name,
        provisioning_state=state,
        exclude_from_latest=bool(publishing.get("excludeFromLatest")),
        regions=regions,
        os_type=definition.os_type,
        published_at=_time(publishing.get("publishedDate")),
        reference=reference,
        hyper_v_generation=definition.hyper_v_generation,
        architecture=definition.architecture,
        security_type=definition.security_type,
        os_state=definition.os_state,
        plan=definition.plan,
        end_of_life=min(ends, default=None),
        disk_controllers=definition.disk_controllers,
        excluded_regions=frozenset(
            region_name(target["name"])
            for target in publishing.get("targetRegions") or ()
            if target.get("excludeFromLatest")
        ),
    )


def _feature(properties: Json, name: str) -> str | None:
    """The value of one of an image's ``features``."""
    found = properties.get("features") or ()
    return next((each.get("value") for each in found if str(each.get("name")).lower() == name.lower()), None)


def _time(text: str | None) -> datetime | None:
    return decode_time(text) if text else None
