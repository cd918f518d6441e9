"""The images that real scale sets name: their galleries and marketplace images, with versions to deploy.

Each image has, besides the version that the set runs, one that is good, which is the latest, and one whose VMs boot and
never become healthy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local.azure.arm.messages import Json
from local.azure.compute.quota import disk_controllers, is_arm
from local.azure.images.galleries import GALLERY_TYPE
from local.azure.images.images import has_os_profile
from local.azure.world import demo_world
from local.azure.world.images import (
    Behavior,
    GallerySpec,
    ImageSpec,
    ManagedImageSpec,
    MarketplaceSpec,
    MarketplaceVersionSpec,
    PlanSpec,
    VersionSpec,
)

_GALLERY_IMAGE = re.compile(
    rf"^/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/{GALLERY_TYPE}"
    r"/(?P<gallery>[^/]+)/images/(?P<image>[^/]+)(?:/versions/(?P<version>[^/]+))?$",
    re.IGNORECASE,
)
#: The unique name of a gallery that is shared directly is its subscription and its own name.
_SHARED_IMAGE = re.compile(
    r"^/SharedGalleries/(?P<gallery>(?P<subscription>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(?P<name>[^/]+))"
    r"/Images/(?P<image>[^/]+)(?:/Versions/(?P<version>[^/]+))?$",
    re.IGNORECASE,
)
_COMMUNITY_IMAGE = re.compile(
    r"^/CommunityGalleries/(?P<gallery>[^/]+)/Images/(?P<image>[^/]+)(?:/Versions/(?P<version>[^/]+))?$", re.IGNORECASE
)
_MANAGED_IMAGE = re.compile(
    r"^/subscriptions/[^/]+/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.Compute/images/(?P<image>[^/]+)$",
    re.IGNORECASE,
)

#: A newer version is published after the set's VMs were made, so that `latest` did not give it to them.
_NEW = timedelta(hours=1)
_NEVER_HEALTHY = Behavior(never_healthy=True)


@dataclass(frozen=True)
class ToDeploy:
    """Images that a set can be moved to, as a start names them; ``image_id`` is what its group is registered with."""

    image_id: str | None
    good: str
    bad: str


class RealImages:
    """Collects the images of scale sets, given by their ARM bodies."""

    def __init__(self, good: Behavior | None = None) -> None:
        self._good = good or Behavior()
        self._galleries: dict[str, GallerySpec] = {}
        self._marketplace: dict[str, MarketplaceSpec] = {}
        self._managed: dict[str, ManagedImageSpec] = {}

    @property
    def galleries(self) -> tuple[GallerySpec, ...]:
        """The galleries of all images."""
        return tuple(self._galleries.values())

    @property
    def marketplace(self) -> tuple[MarketplaceSpec, ...]:
        """The marketplace's images."""
        return tuple(self._marketplace.values())

    @property
    def managed(self) -> tuple[ManagedImageSpec, ...]:
        """The managed images."""
        return tuple(self._managed.values())

    def add(self, body: Json) -> ToDeploy:
        """Let there be the image of a set, and say what the set can be moved to."""
        reference = image_reference(body)
        if all(reference.get(part) for part in ("publisher", "offer", "sku")):
            return self._add_marketplace(reference, body)
        if match := _SHARED_IMAGE.match(str(reference.get("sharedGalleryImageId") or "")):
            gallery = GallerySpec(
                name=match["name"], subscription_id=match["subscription"], resource_group="shared", shared=True
            )
            return self._add_version_of(match, gallery, body, f"/SharedGalleries/{match['gallery']}/Images")
        if match := _COMMUNITY_IMAGE.match(str(reference.get("communityGalleryImageId") or "")):
            gallery = GallerySpec(name="community", resource_group=match["gallery"], community_name=match["gallery"])
            return self._add_version_of(match, gallery, body, f"/CommunityGalleries/{match['gallery']}/Images")
        if match := _GALLERY_IMAGE.match(str(reference.get("id") or "")):
            gallery = GallerySpec(
                name=match["gallery"], subscription_id=match["subscription"], resource_group=match["group"]
            )
            return self._add_version_of(match, gallery, body, None)
        return self._add_other(reference, body)

    def _add_version_of(self, match: re.Match[str], gallery: GallerySpec, body: Json, path: str | None) -> ToDeploy:
        """An image of a gallery; with ``path`` it is named by that, and no group can be registered with it."""
        running = match["version"] or "latest"
        running = running if re.fullmatch(r"\d+\.\d+\.\d+", running) else "1.0.0"
        major, minor, patch = (int(part) for part in running.split("."))
        good, bad = f"{major}.{minor + 1}.0", f"{major}.{minor}.{patch + 1}"
        here = (str(body["location"]),)
        versions = (
            VersionSpec(name=running, target_regions=here),
            VersionSpec(name=bad, target_regions=here, published_before=_NEW, behavior=_NEVER_HEALTHY),
            VersionSpec(name=good, target_regions=here, published_before=_NEW, behavior=self._good),
        )
        own = self._put(gallery, body, _image(match["image"], body, versions))
        named = own if path is None else f"{path}/{match['image']}"
        return ToDeploy(own if path is None else None, f"{named}/versions/{good}", f"{named}/versions/{bad}")

    def _add_other(self, reference: Json, body: Json) -> ToDeploy:
        """A managed image, or none that is known: a gallery beside the set, with the demo's versions."""
        if match := _MANAGED_IMAGE.match(str(reference.get("id") or "")):
            traits = {name: value for name, value in _traits(body).items() if name == "os_type"}
            spec = ManagedImageSpec(name=match["image"], resource_group=match["group"], os_state=_state(body), **traits)
            self._managed[match[0].lower()] = spec
        subscription, group = body["id"].split("/")[2], body["id"].split("/")[4]
        versions = tuple(
            version.model_copy(update={"target_regions": (body["location"],)}) for version in _demo_versions(self._good)
        )
        gallery = GallerySpec(name="apps", subscription_id=subscription, resource_group=group)
        own = self._put(gallery, body, _image(body["name"], body, versions))
        return ToDeploy(own, f"{own}/versions/1.1.0", f"{own}/versions/1.2.0")

    def _put(self, gallery: GallerySpec, body: Json, image: ImageSpec) -> str:
        """Add an image, or versions of it, to a gallery that may be there already; the image's id."""
        subscription = gallery.subscription_id or body["id"].split("/")[2]
        group = f"/subscriptions/{subscription}/resourceGroups/{gallery.resource_group}"
        identifier = f"{group}/providers/{GALLERY_TYPE}/{gallery.name}"
        there = self._galleries.get(identifier.lower(), gallery)
        others = [other for other in there.images if other.name.lower() != image.name.lower()]
        same = [other for other in there.images if other.name.lower() == image.name.lower()]
        versions = {version.name: version for source in (image, *same) for version in source.versions}
        whole = image.model_copy(update={"versions": tuple(versions.values())})
        self._galleries[identifier.lower()] = there.model_copy(update={"images": (*others, whole)})
        return f"{identifier}/images/{image.name}"

    def _add_marketplace(self, reference: Json, body: Json) -> ToDeploy:
        names = [str(reference[part]) for part in ("publisher", "offer", "sku")]
        running = str(reference.get("exactVersion") or reference.get("version") or "")
        first = running if re.fullmatch(r"\d+(\.\d+)*", running) else demo_world().platform.marketplace_version
        bad, good = _after(first, 1), _after(first, 2)
        self._marketplace[":".join(names).lower()] = MarketplaceSpec(
            publisher=names[0],
            offer=names[1],
            sku=names[2],
            versions=(
                MarketplaceVersionSpec(name=first),
                MarketplaceVersionSpec(name=bad, published_before=_NEW, behavior=_NEVER_HEALTHY),
                MarketplaceVersionSpec(name=good, published_before=_NEW, behavior=self._good),
            ),
            **_traits(body),
            plan=_plan(body),
        )
        return ToDeploy(None, ":".join((*names, good)), ":".join((*names, bad)))


def image_reference(body: Json) -> Json:
    """The image reference of a set's model; empty: it has none."""
    reference: Json = (vm_profile(body).get("storageProfile") or {}).get("imageReference") or {}
    return reference


def vm_profile(body: Json) -> Json:
    """The VM profile of a set; empty: it has none."""
    profile: Json = (body.get("properties") or {}).get("virtualMachineProfile") or {}
    return profile


def _after(version: str, steps: int) -> str:
    head, dot, last = version.rpartition(".")
    return f"{head}{dot}{int(last) + steps}"


def _demo_versions(good: Behavior) -> tuple[VersionSpec, ...]:
    versions = demo_world().galleries[0].images[0].versions
    return tuple(
        version.model_copy(update={"behavior": good}) if version.name == "1.1.0" else version for version in versions
    )


def _traits(body: Json) -> Json:
    """What an image has to say of itself so that a set can use it."""
    profile = vm_profile(body)
    disk = (profile.get("storageProfile") or {}).get("osDisk") or {}
    windows = "windowsConfiguration" in (profile.get("osProfile") or {}) or disk.get("osType") == "Windows"
    size = str((body.get("sku") or {}).get("name", ""))
    security = (profile.get("securityProfile") or {}).get("securityType")
    return {
        "os_type": "Windows" if windows else "Linux",
        "architecture": "Arm64" if is_arm(size) else "x64",
        "disk_controller_types": "SCSI, NVMe" if "NVMe" in disk_controllers(size) else None,
        "security_type": {"TrustedLaunch": "TrustedLaunchSupported", "ConfidentialVM": "ConfidentialVmSupported"}.get(
            str(security)
        ),
    }


def _plan(body: Json) -> PlanSpec | None:
    plan = body.get("plan")
    return PlanSpec(publisher=plan["publisher"], product=plan["product"], name=plan["name"]) if plan else None


def _state(body: Json) -> Any:
    return "Generalized" if has_os_profile(vm_profile(body)) else "Specialized"


def _image(name: str, body: Json, versions: tuple[VersionSpec, ...]) -> ImageSpec:
    # An image that is bought keeps its plan in the definition, and sets made from it have it too.
    return ImageSpec(name=name, os_state=_state(body), versions=versions, **_traits(body), purchase_plan=_plan(body))
