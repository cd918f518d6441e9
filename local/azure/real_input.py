"""A world from a real scale set: the JSON in which Azure answered for it.

Read are ARM's GET body, ``az vmss show``'s flattened output, lists of either (``{"value": […]}``, ``{"data": […]}`` as
``az graph query`` prints, or an array), and recordings ``{"request", "response": {"body"}}``. The sets are served back
as they were given, behind load balancers and application gateways made up to have the pools that they name.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from local.azure.arm.arm_shape import restore_scale_set
from local.azure.arm.messages import Json
from local.azure.compute.lifecycle import health_source
from local.azure.network.interface_shape import pool_keys
from local.azure.network.network import GATEWAY_TYPE, LOAD_BALANCER_TYPE
from local.azure.real_images import RealImages, vm_profile
from local.azure.world import SCALE_SET_ID, World, WorldError
from local.azure.world.network import ApplicationGatewaySpec, LoadBalancerSpec

#: The longest id that a group may have.
GROUP_ID_MAX = 40

#: Windows' shells write a file with `>` in an encoding of theirs, which its first bytes tell.
_ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def world_of_scale_set(path: Path) -> World:
    """The world of the scale sets in a file, with images to deploy and one group for each set.

    :raises WorldError: the file is missing, not JSON, or holds no scale set; one line.
    """
    bodies = read_scale_sets(path)
    try:
        return world_of_bodies(bodies)
    except (ValidationError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise WorldError(f"{path}: {not_as_azure(error)}") from None


def read_scale_sets(path: Path) -> list[Json]:
    """The ARM bodies of the scale sets in a file, each once.

    :raises WorldError: the file is missing, not JSON, or holds no scale set; one line.
    """
    try:
        content = path.read_bytes()
        encoding = next((name for mark, name in _ENCODINGS.items() if content.startswith(mark)), "utf-8")
        found = list(_scale_sets(json.loads(content.decode(encoding))))
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}") from None
    except (AttributeError, TypeError) as error:
        raise WorldError(f"{path}: {not_as_azure(error)}") from None
    except ValueError as error:
        raise WorldError(f"{path}: not JSON: {error}") from None
    # A recording of several answers may hold a set more than once: the last one is how it ended.
    bodies = {str(body["id"]).lower(): body for body in found}
    if not bodies:
        raise WorldError(
            f"{path}: no scale set in it: expected the JSON of `az vmss show`, of ARM's GET, or a list of those, "
            "each with its id, name, location and sku"
        )
    return list(bodies.values())


def not_as_azure(error: Exception) -> str:
    """Why the JSON of a scale set cannot be used: it has no schema that real answers keep to."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"a scale set in it is not as Azure answers it: {first['msg']}: {first['input']!r}"
    return f"a scale set in it is not as Azure answers it: {str(error).splitlines()[0]}"


def world_of_bodies(bodies: Sequence[Json], images: RealImages | None = None) -> World:
    """The world of scale sets given by their ARM bodies."""
    images = RealImages() if images is None else images
    groups: list[Json] = []
    for body in bodies:
        groups.append(group_of(body, images.add(body).image_id, {str(group["id"]) for group in groups}))
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
        galleries=images.galleries,
        marketplace=images.marketplace,
        managed_images=images.managed,
        groups=tuple(groups),
    )


def group_of(body: Json, image_id: str | None, taken: set[str]) -> Json:
    """The registration of a set with Teal, under a name made from the set's."""
    group: Json = {
        "id": group_id(str(body["name"]), taken),
        "scaleSetId": body["id"],
        "healthCheckTypes": health_check_types(body),
    }
    return group if image_id is None else {**group, "imageId": image_id}


def group_id(name: str, taken: set[str]) -> str:
    """A group's id from a set's name: as long as one may be, and none that is taken.

    >>> group_id("Front_End", set()), group_id("front-end", {"front-end"})
    ('front-end', 'front-end-2')
    >>> group_id("prod-westeurope-frontend-linux-scaleset-blue-001", {"prod-westeurope-frontend-linux-scaleset"})
    'prod-westeurope-frontend-linux-scalese-2'
    """
    whole = re.sub(r"[^a-z0-9-]", "-", name.lower()).strip("-") or "group"
    for suffix in ("", *(f"-{number}" for number in range(2, len(taken) + 3))):
        if (identifier := whole[: GROUP_ID_MAX - len(suffix)].rstrip("-") + suffix) not in taken:
            return identifier
    raise AssertionError("one more name than there are taken ones is free")


def health_check_types(body: Json) -> list[str]:
    """All that can judge the set's VMs by its model: an extension or a probe, and what gives them their traffic."""
    found = {
        "applicationHealth": health_source(vm_profile(body)) is not None,
        "loadBalancer": any(_balancers([body], LOAD_BALANCER_TYPE)),
        "applicationGateway": any(_balancers([body], GATEWAY_TYPE)),
    }
    return ["vmState", *(kind for kind, is_there in found.items() if is_there)]


def _balancers(bodies: Sequence[Json], kind: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The balancers of a type whose pools the sets name: resource group, name, pools."""
    pools: dict[tuple[str, str], dict[str, str]] = {}
    for body in bodies:
        network = vm_profile(body).get("networkProfile") or {}
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
    elif isinstance(document, dict) and _is_scale_set(document):
        yield document if "properties" in document else restore_scale_set(document)
    elif isinstance(document, dict):
        for name in ("value", "data"):
            yield from _scale_sets(document.get(name) if isinstance(document.get(name), list) else None)


def _is_scale_set(document: Json) -> bool:
    identifier = document.get("id")
    whole = all(document.get(name) for name in ("name", "location"))
    return isinstance(identifier, str) and whole and bool(SCALE_SET_ID.match(identifier))
