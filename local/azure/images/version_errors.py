"""What Azure answers who writes a version of a gallery image that cannot be."""

from __future__ import annotations

from http import HTTPStatus

from local.azure.arm.errors import ArmError, front, invalid_parameter


def nested_parent_not_found(parent: str) -> ArmError:
    """A write below a resource that does not exist; ``parent`` is its name with those of its own parents."""
    text = f"Can not perform requested operation on nested resource. Parent resource '{parent}' not found."
    return front(HTTPStatus.NOT_FOUND, "ParentResourceNotFound", text)


def located_elsewhere(name: str, location: str, group: str, wanted: str) -> ArmError:
    """A PUT names another location than that in which the resource is."""
    text = (
        f"The resource '{name}' already exists in location '{location}' in resource group '{group}'. A resource with "
        f"the same name cannot be created in location '{wanted}'. Please select a new resource name."
    )
    return front(HTTPStatus.CONFLICT, "InvalidResourceLocation", text)


def linked_id_invalid(identifier: str, path: str) -> ArmError:
    """A property that names another resource names none; ``path`` is where it stands."""
    text = (
        f"Property id '{identifier}' at path '{path}' is invalid. Expect fully qualified resource Id that start with "
        "'/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'."
    )
    return front(HTTPStatus.BAD_REQUEST, "LinkedInvalidPropertyId", text)


def invalid_version_name() -> ArmError:
    """A name that no version of a gallery image can have: Azure/az-hop#707, Azure/azure-rest-api-specs#10707."""
    text = (
        "The image version name is invalid. The image version name should follow Major(int).Minor(int).Patch(int) "
        "format, where int is between 0 and 2,147,483,647 (inclusive). For e.g: 1.0.0, 2018.12.1 etc"
    )
    return invalid_parameter("galleryImageVersionName", text)


def duplicate_regions() -> ArmError:
    """A version names a target region twice: hashicorp/terraform-provider-azurerm#7751."""
    text = "Duplicate regions are not allowed in target publishing regions."
    return invalid_parameter("galleryImageVersion.properties.publishingProfile.targetRegions", text)


def home_region_missing(regions: str, location: str) -> ArmError:
    """A version is not to be where it is: hashicorp/packer#8895. Code and target are assumed."""
    text = (
        f"Gallery image version publishing profile regions '{regions}' must contain the location of image version "
        f"'{location}'."
    )
    return invalid_parameter("galleryImageVersion.properties.publishingProfile.targetRegions", text)


def replica_count_out_of_range(count: object) -> ArmError:
    """A region is to have more or fewer replicas than a version can have: hashicorp/terraform-provider-azurerm#12332,
    https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery#limits.
    """
    name = "galleryArtifactVersion.properties.publishingProfile.targetRegions.regionalReplicaCount"
    text = f"The value {count} of parameter '{name}' is out of range. The value must be between 1 and 100, inclusive."
    return invalid_parameter(name, text)
