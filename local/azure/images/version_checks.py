"""What a version of a gallery image can be: its name, where it comes from, where it goes. What cannot be is a 400."""

from __future__ import annotations

import re
from datetime import datetime

from local.azure.arm.errors import invalid_content, invalid_parameter, property_changed
from local.azure.arm.messages import Json
from local.azure.images.image_versions import target_region
from local.azure.images.regions import short_name
from local.azure.images.version_errors import (
    duplicate_regions,
    home_region_missing,
    invalid_version_name,
    linked_id_invalid,
    replica_count_out_of_range,
)

_NAME = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_NUMBER_MAX = 2**31 - 1
_REPLICAS_MAX = 100

#: Where a version may come from.
_SOURCES = ("id", "virtualMachineId", "communityGalleryImageId")


def check_name(name: str) -> None:
    """Three numbers, each of 32 bits."""
    match = _NAME.fullmatch(name)
    if match is None or any(int(number) > _NUMBER_MAX for number in match.groups()):
        raise invalid_version_name()


def check_source(storage: Json | None) -> None:
    """A new version comes from something that another resource holds."""
    if not storage:
        name = "galleryImageVersion.properties.storageProfile"
        raise invalid_parameter(name, f"Required parameter '{name}' is missing (null).")
    source, disk = storage.get("source") or {}, (storage.get("osDiskImage") or {}).get("source") or {}
    if not any(source.get(name) for name in _SOURCES) and not (disk.get("id") or disk.get("uri")):
        name = "galleryImageVersion.properties.storageProfile.source"
        raise invalid_parameter(name, f"Required parameter '{name}' is missing (null).")
    for path, named in (("source", source), ("osDiskImage.source", disk)):
        for name in ("id", "virtualMachineId"):
            if name in named and not named[name].lower().startswith(("/subscriptions/", "/providers/")):
                raise linked_id_invalid(named[name], f"properties.storageProfile.{path}.{name}")


def check_same_source(current: Json, wanted: Json) -> None:
    """What a version was made from stays: hashicorp/packer#9716 (with the name that the property had then)."""
    before, after = current.get("source") or {}, wanted.get("source") or {}
    for name in _SOURCES:
        if name in after and str(after[name]).lower() != str(before.get(name, "")).lower():
            raise property_changed(f"galleryImageVersion.properties.storageProfile.source.{name}")


def check_lifetime(profile: Json) -> None:
    """The end of a version's life is a time."""
    if "endOfLifeDate" in profile:
        try:
            datetime.fromisoformat(profile["endOfLifeDate"])
        except ValueError:
            text = f"Error converting value '{profile['endOfLifeDate']}' to type 'System.DateTimeOffset'."
            raise invalid_content(text) from None


def target_regions(given: list[Json], location: str) -> list[Json]:
    """The target regions of a body, as Azure states them.

    :raises ArmError: 400: one of them comes twice, or the version's own is missing.
    """
    for region in given:
        if not region.get("name"):
            name = "galleryImageVersion.properties.publishingProfile.targetRegions.name"
            raise invalid_parameter(name, f"Required parameter '{name}' is missing (null).")
        count = region.get("regionalReplicaCount")
        if count is not None and not 1 <= count <= _REPLICAS_MAX:
            raise replica_count_out_of_range(count)
    names = [short_name(region["name"]) for region in given]
    if len(set(names)) != len(names):
        raise duplicate_regions()
    if short_name(location) not in names:
        raise home_region_missing(", ".join(region["name"] for region in given), location)
    return [_stated(region) for region in given]


def _stated(region: Json) -> Json:
    said = {name: value for name, value in region.items() if value is not None and name != "name"}
    return {**target_region(region["name"]), **said}
