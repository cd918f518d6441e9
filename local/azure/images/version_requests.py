"""Versions of gallery images on the wire: create, update, delete. Each is a long-running operation.

Answers as recorded (Azure/azure-libraries-for-net, ``Fluent.Tests.Compute.SharedGalleryImage``): 201 with
``Azure-AsyncOperation`` for a new version, whose operation is a ``capsOperation``. Versions have no ETags. Where the
source of a version comes from is not simulated: any resource id will do.
"""

from __future__ import annotations

from http import HTTPStatus

from azure.mgmt.compute import models

from local.azure.arm.body_shape import check_shape
from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import concurrent_request, invalid_parameter
from local.azure.arm.messages import ArmResponse, Json, json_response
from local.azure.arm.resources import LongRunningOperation, VersionResource
from local.azure.compute.scale_sets import merge
from local.azure.images.galleries import GALLERY_TYPE, not_found
from local.azure.images.image_versions import publishing_profile, version_body
from local.azure.images.publishing import Publisher, replication
from local.azure.images.regions import short_name
from local.azure.images.version_checks import (
    check_lifetime,
    check_name,
    check_same_source,
    check_source,
    target_regions,
)
from local.azure.images.version_errors import located_elsewhere, nested_parent_not_found
from local.azure.world.images import ImageSpec

#: What is Azure's to say: a body may carry it, as one that was read and is written back does, and it is not heeded.
_READ_ONLY = frozenset({"provisioningState", "replicationStatus"})


def put(call: ArmCall, publisher: Publisher) -> ArmResponse:
    """PUT a version: create it, or replace what the body names."""
    image = _image(call, publisher)
    body = _body(call, models.GalleryImageVersion)
    if "location" not in body:
        raise invalid_parameter("location", "The location property is required for this definition.")
    version = publisher.galleries.version(_id(call))
    if version is None:
        return _create(call, publisher, image, body)
    if short_name(body["location"]) != short_name(version.location):
        raise located_elsewhere(version.name, version.location, call.names["group"], body["location"])
    properties = {**version.properties, **body["properties"]}
    return _update(call, publisher, image, version, properties, body.get("tags"))


def patch(call: ArmCall, publisher: Publisher) -> ArmResponse:
    """PATCH a version: what the body names changes, the rest stays."""
    image = _image(call, publisher)
    version = _existing(call, publisher)
    body = _body(call, models.GalleryImageVersionUpdate)
    properties = merge(version.properties, body["properties"])
    return _update(call, publisher, image, version, properties, body.get("tags", version.tags))


def delete(call: ArmCall, publisher: Publisher) -> ArmResponse:
    """DELETE a version; one that is not there is gone already."""
    _image(call, publisher)
    version = publisher.galleries.version(_id(call))
    if version is None:
        return ArmResponse(HTTPStatus.NO_CONTENT)
    _check_free(call, version)
    return call.accepted(publisher.delete(version, call.fault))


def _create(call: ArmCall, publisher: Publisher, image: ImageSpec, body: Json) -> ArmResponse:
    properties, location, now = body["properties"], str(body["location"]), call.state.now
    check_source(properties.get("storageProfile"))
    given = properties.get("publishingProfile") or {}
    regions = target_regions(given.get("targetRegions") or [{"name": location}], location)
    whole = {**properties, "publishingProfile": publishing_profile(given, regions, now)}
    check_lifetime(given)
    identifier = f"{_image_id(call)}/versions/{call.names['version']}"
    version = VersionResource(
        identifier, short_name(location), whole, image.published.behavior, now, [], body.get("tags")
    )
    operation = publisher.create(version, replication(image.published), call.fault)
    return _answer(call, version, operation, HTTPStatus.CREATED)


def _update(
    call: ArmCall,
    publisher: Publisher,
    image: ImageSpec,
    version: VersionResource,
    properties: Json,
    tags: dict[str, str] | None,
) -> ArmResponse:
    _check_free(call, version)
    check_same_source(version.properties["storageProfile"], properties.get("storageProfile") or {})
    given = {**version.publishing, **(properties.get("publishingProfile") or {})}
    check_lifetime(given)
    regions = target_regions(given["targetRegions"] or [{"name": version.location}], version.location)
    profile = publishing_profile(given, regions, version.published_at)
    storage = {**version.properties["storageProfile"], **(properties.get("storageProfile") or {})}
    whole = {**properties, "publishingProfile": profile, "storageProfile": storage}
    operation = publisher.update(version, whole, tags, replication(image.published), call.fault)
    return _answer(call, version, operation, HTTPStatus.OK)


def _answer(
    call: ArmCall, version: VersionResource, operation: LongRunningOperation, status: HTTPStatus
) -> ArmResponse:
    body = version_body(version, call.state.now, with_replication=False)
    return json_response(status, body, call.async_headers(operation))


def _image_id(call: ArmCall) -> str:
    return f"{call.group_id()}/providers/{GALLERY_TYPE}/{call.names['gallery']}/images/{call.names['image']}"


def _id(call: ArmCall) -> str:
    return f"{_image_id(call)}/versions/{call.names['version']}"


def _image(call: ArmCall, publisher: Publisher) -> ImageSpec:
    """The image definition that the path is below.

    :raises ArmError: 404; 400 where the version's name cannot be one.
    """
    gallery = f"{call.group_id()}/providers/{GALLERY_TYPE}/{call.names['gallery']}"
    if gallery.lower() not in publisher.galleries.galleries:
        raise nested_parent_not_found(call.names["gallery"])
    found = publisher.galleries.images.get(_image_id(call).lower())
    if found is None:
        raise nested_parent_not_found(f"{call.names['gallery']}/{call.names['image']}")
    check_name(call.names["version"])
    return found[1]


def _existing(call: ArmCall, publisher: Publisher) -> VersionResource:
    version = publisher.galleries.version(_id(call))
    if version is None:
        raise not_found(_id(call))
    return version


def _check_free(call: ArmCall, version: VersionResource) -> None:
    """Whatever the world says of scale sets: a write on a version that another one holds is refused. Code assumed."""
    if version.key in call.state.held:
        raise concurrent_request()


def _body(call: ArmCall, model: type) -> Json:
    """The request's body, whose members are those of ``model``, without those that are Azure's to say."""
    body = _without_nulls(call.body())
    check_shape(model, body)
    properties = {name: value for name, value in (body.get("properties") or {}).items() if name not in _READ_ONLY}
    return {**body, "properties": properties}


def _without_nulls(value: Json) -> Json:
    return {
        name: _without_nulls(member) if isinstance(member, dict) else member
        for name, member in value.items()
        if member is not None
    }
