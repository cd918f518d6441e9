"""A world from a real scale set: the JSON in which Azure answered for it.

Read are ARM's GET body, ``az vmss show``'s flattened output, lists of either (``{"value": […]}`` or an array), and
recordings ``{"request", "response": {"body"}}``. The sets are served back as they were given, behind load balancers and
application gateways made up to have the pools that they name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from local.azure.arm_shape import restore_scale_set
from local.azure.galleries import GALLERY_TYPE
from local.azure.images import has_os_profile
from local.azure.interface_shape import pool_keys
from local.azure.lifecycle import health_source
from local.azure.messages import Json
from local.azure.network import GATEWAY_TYPE, LOAD_BALANCER_TYPE
from local.azure.quota import is_arm
from local.azure.world import SCALE_SET_ID, World, WorldError, demo_world
from local.azure.world_images import (
    GallerySpec,
    ImageSpec,
    MarketplaceSpec,
    MarketplaceVersionSpec,
    PlanSpec,
    VersionSpec,
)
from local.azure.world_network import ApplicationGatewaySpec, LoadBalancerSpec

_GALLERY_IMAGE = re.compile(
    rf"^/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/{GALLERY_TYPE}"
    r"/(?P<gallery>[^/]+)/images/(?P<image>[^/]+)(?:/versions/(?P<version>\d+\.\d+\.\d+))?$",
    re.IGNORECASE,
)

#: A newer version is published after the set's VMs were made, so that `latest` did not give it to them.
_NEW = timedelta(hours=1)


def world_of_scale_set(path: Path) -> World:
    """The world of the scale sets in a file, with images to deploy and one group for each set.

    :raises WorldError: the file is missing, not JSON, or holds no scale set; one line.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise WorldError(f"{path}: not JSON: {error}") from None
    # A recording of several answers may hold a set more than once: the last one is how it ended.
    bodies = {str(body["id"]).lower(): body for body in _scale_sets(document)}
    if not bodies:
        raise WorldError(
            f"{path}: no scale set in it: expected the JSON of `az vmss show`, of ARM's GET, or a list of those, "
            "each with its id, name, location and sku"
        )
    try:
        return world_of_bodies(list(bodies.values()))
    except (ValidationError, AttributeError, KeyError, TypeError) as error:
        # The JSON of a scale set has no schema that real answers keep to: what is not as expected shows up here.
        first = str(error).splitlines()[0]
        raise WorldError(f"{path}: a scale set in it is not as Azure answers it: {first}") from None


def world_of_bodies(bodies: list[Json]) -> World:
    """The world of scale sets given by their ARM bodies."""
    galleries: dict[str, GallerySpec] = {}
    marketplace: dict[str, MarketplaceSpec] = {}
    groups: list[Json] = []
    for body in bodies:
        image_id = None if _add_marketplace(marketplace, body) else _add_image(galleries, body)
        groups.append(_group(body, image_id, {str(group["id"]) for group in groups}))
    return World(
        subscription_id=bodies[0]["id"].split("/")[2],
        location=bodies[0]["location"],
        load_balancers=tuple(
            LoadBalancerSpec(name=name, resource_group=group, pools=pools)
            for group, name, pools in _balancers(bodies, LOAD_BALANCER_TYPE)
        ),
        application_gateways=tuple(
            ApplicationGatewaySpec(name=name, resource_group=group, pools=pools)
            for group, name, pools in _balancers(bodies, GATEWAY_TYPE)
        ),
        resources=tuple(bodies),
        galleries=tuple(galleries.values()),
        marketplace=tuple(marketplace.values()),
        groups=tuple(groups),
    )


def _balancers(bodies: list[Json], kind: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The balancers of a type whose pools the sets name: resource group, name, pools."""
    pools: dict[tuple[str, str], dict[str, str]] = {}
    for body in bodies:
        network = _profile(body).get("networkProfile") or {}
        for interface in network.get("networkInterfaceConfigurations") or []:
            for key in pool_keys(interface):
                parts = key.split("/")
                is_here = len(parts) == 11 and parts[2] == bodies[0]["id"].split("/")[2].lower()
                if is_here and "/".join(parts[6:8]) == kind.lower():
                    pools.setdefault((parts[4], parts[8]), {})[parts[10]] = parts[10]
    for (group, name), names in pools.items():
        yield group, name, tuple(names)


def _scale_sets(document: Any) -> Iterator[Json]:
    """Every scale set in a document, in ARM's shape."""
    if isinstance(document, list):
        for item in document:
            yield from _scale_sets(item)
    elif isinstance(document, dict) and "response" in document:
        yield from _scale_sets((document["response"] or {}).get("body"))
    elif isinstance(document, dict) and isinstance(document.get("value"), list):
        yield from _scale_sets(document["value"])
    elif isinstance(document, dict) and _is_scale_set(document):
        yield document if "properties" in document else restore_scale_set(document)


def _is_scale_set(document: Json) -> bool:
    identifier = document.get("id")
    whole = all(document.get(name) for name in ("name", "location"))
    return isinstance(identifier, str) and whole and bool(SCALE_SET_ID.match(identifier))


def _profile(body: Json) -> Json:
    profile: Json = body["properties"].get("virtualMachineProfile") or {}
    return profile


def _reference(body: Json) -> Json:
    reference: Json = (_profile(body).get("storageProfile") or {}).get("imageReference") or {}
    return reference


def _add_marketplace(images: dict[str, MarketplaceSpec], body: Json) -> bool:
    """Add the marketplace image that a set's VMs are made from, if it is one, with its version and a newer one."""
    reference = _reference(body)
    names = [str(reference.get(part) or "") for part in ("publisher", "offer", "sku")]
    if not all(names):
        return False
    running = str(reference.get("exactVersion") or reference.get("version") or "")
    first = running if re.fullmatch(r"\d+(\.\d+)+", running) else demo_world().platform.marketplace_version
    newer = MarketplaceVersionSpec(name=_next(first), published_before=_NEW)
    images[":".join(names).lower()] = MarketplaceSpec(
        publisher=names[0],
        offer=names[1],
        sku=names[2],
        versions=(MarketplaceVersionSpec(name=first), newer),
        **_traits(body),
        plan=_plan(body),
    )
    return True


def _next(version: str) -> str:
    head, _, last = version.rpartition(".")
    return f"{head}.{int(last) + 1}"


def _traits(body: Json) -> Json:
    """What an image has to say of itself so that a set can use it."""
    profile = _profile(body)
    disk = (profile.get("storageProfile") or {}).get("osDisk") or {}
    windows = "windowsConfiguration" in (profile.get("osProfile") or {}) or disk.get("osType") == "Windows"
    security = (profile.get("securityProfile") or {}).get("securityType")
    return {
        "os_type": "Windows" if windows else "Linux",
        "architecture": "Arm64" if is_arm(str((body.get("sku") or {}).get("name", ""))) else "x64",
        "security_type": {"TrustedLaunch": "TrustedLaunchSupported", "ConfidentialVM": "ConfidentialVmSupported"}.get(
            str(security)
        ),
    }


def _plan(body: Json) -> PlanSpec | None:
    plan = body.get("plan")
    return PlanSpec(publisher=plan["publisher"], product=plan["product"], name=plan["name"]) if plan else None


def _add_image(galleries: dict[str, GallerySpec], body: Json) -> str:
    """Add the image definition that a set's group deploys from, and return its id."""
    if match := _GALLERY_IMAGE.match(str(_reference(body).get("id", ""))):
        running = match["version"] or "1.0.0"
        versions = _running_and_newer(running, body["location"])
        return _add(
            galleries, match["subscription"], match["group"], match["gallery"], _image(match["image"], body, versions)
        )
    subscription, group = body["id"].split("/")[2], body["id"].split("/")[4]
    demo = demo_world().galleries[0].images[0].versions
    versions = tuple(version.model_copy(update={"target_regions": (body["location"],)}) for version in demo)
    return _add(galleries, subscription, group, "apps", _image(body["name"], body, versions))


def _running_and_newer(running: str, location: str) -> tuple[VersionSpec, ...]:
    major, minor, _ = (int(part) for part in running.split("."))
    newer = f"{major}.{minor + 1}.0"
    return (
        VersionSpec(name=running, target_regions=(location,)),
        VersionSpec(name=newer, target_regions=(location,), published_before=_NEW),
    )


def _image(name: str, body: Json, versions: tuple[VersionSpec, ...]) -> ImageSpec:
    state = "Generalized" if has_os_profile(_profile(body)) else "Specialized"
    return ImageSpec(name=name, os_state=state, versions=versions, **_traits(body))  # type: ignore[arg-type]


def _add(galleries: dict[str, GallerySpec], subscription: str, group: str, name: str, image: ImageSpec) -> str:
    """Add an image, or versions of it, to a gallery that may be there already."""
    identifier = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{GALLERY_TYPE}/{name}"
    empty = GallerySpec(name=name, subscription_id=subscription, resource_group=group)
    gallery = galleries.get(identifier.lower(), empty)
    others = [other for other in gallery.images if other.name.lower() != image.name.lower()]
    same = [other for other in gallery.images if other.name.lower() == image.name.lower()]
    versions = {version.name: version for source in (*same, image) for version in source.versions}
    whole = image.model_copy(update={"versions": tuple(versions.values())})
    galleries[identifier.lower()] = gallery.model_copy(update={"images": (*others, whole)})
    return f"{identifier}/images/{image.name}"


def _group(body: Json, image_id: str | None, taken: set[str]) -> Json:
    """The registration of a set with Teal, under a name made from the set's."""
    base = re.sub(r"[^a-z0-9-]", "-", body["name"].lower())
    names = [base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))]
    health = ["vmState", "applicationHealth"] if health_source(_profile(body)) else ["vmState"]
    identifier = next(name for name in names if name not in taken)
    group: Json = {"id": identifier, "scaleSetId": body["id"], "healthCheckTypes": health}
    return group if image_id is None else {**group, "imageId": image_id}
