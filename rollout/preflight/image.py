"""Check that the image is there, usable in the set's region, and fits the set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from rollout.model.azure.scale_set import PublishedVersion, ScaleSet, region_name
from rollout.model.azure.surroundings import VmSize
from rollout.model.findings import Finding, error, warning

#: An end of life is told of so long before.
END_OF_LIFE_NOTICE = timedelta(days=30)

#: The feature ``SecurityType`` of an image, in lower case: the security types of sets that can run it. What has another
#: value, or none, runs without one only
#: (https://learn.microsoft.com/azure/virtual-machines/trusted-launch-portal#azure-compute-gallery-supported-values).
_SECURITY_TYPES = {
    "trustedlaunch": ("trustedlaunch",),
    "trustedlaunchsupported": ("standard", "trustedlaunch"),
    "confidentialvm": ("confidentialvm",),
    "confidentialvmsupported": ("standard", "confidentialvm"),
    "trustedlaunchandconfidentialvmsupported": ("standard", "trustedlaunch", "confidentialvm"),
}


def check_image(
    version: PublishedVersion | None, version_id: str, scale_set: ScaleSet | None, now: datetime | None = None
) -> Iterator[Finding]:
    """What speaks against an image. ``now``: without it its end of life is not looked at.

    ``version_id`` is empty where there was none to look for: then something else is wrong, and told.
    """
    if version is None:
        if version_id:
            yield error(
                "imageNotFound",
                f"There is no image version {version_id}",
                "List the versions that can be deployed: GET /api/groups/{groupId}/images",
                "image",
            )
        return
    yield from _usable(version)
    yield from _excluded(version, scale_set)
    yield from _lifetime(version, now)
    if scale_set is not None:
        yield from _kind(version, scale_set)
        yield from _region(version, scale_set)
        yield from _operating_system(version, scale_set)
        yield from _security(version, scale_set)
        yield from _plan(version, scale_set)


def check_image_on_size(
    version: PublishedVersion | None, size: VmSize | None, controller: str | None = None
) -> Iterator[Finding]:
    """Whether VMs of this size can run the image. What Azure does not tell of a size is taken to fit.

    ``controller``: the one of the size's disk controllers that the set's model names.
    """
    if version is None or size is None:
        return
    wanted, offered = version.architecture, size.architecture
    if wanted and offered and wanted.lower() != offered.lower():
        yield _incompatible(
            f"Image version {version.name} is for {wanted} processors, {size.name} has {offered} ones",
            f"Deploy an {offered} image",
        )
    generation = version.hyper_v_generation
    if generation and size.generations and generation.upper() not in size.generations:
        yield _incompatible(
            f"Image version {version.name} is of Hyper-V generation {generation}, {size.name} runs "
            f"{' and '.join(size.generations)} only",
            f"Deploy an image of generation {size.generations[-1]}",
        )
    controllers = (controller,) if controller else size.disk_controllers
    if version.disk_controllers and controllers and not _common(version.disk_controllers, controllers):
        # https://learn.microsoft.com/azure/virtual-machines/enable-nvme-interface
        yield _incompatible(
            f"Image version {version.name} boots from {' and '.join(version.disk_controllers)} disks only, "
            f"VMs of {size.name} have {' or '.join(controllers)} ones",
            f"Deploy an image whose definition has {controllers[0]} in its feature DiskControllerTypes",
        )


def _common(some: Iterable[str], others: Iterable[str]) -> bool:
    return not {word.lower() for word in some}.isdisjoint(word.lower() for word in others)


def _usable(version: PublishedVersion) -> Iterator[Finding]:
    if version.provisioning_state.lower() != "succeeded":
        yield error(
            "imageNotReady",
            f"Image version {version.name} is {version.provisioning_state}",
            "Wait until the gallery has made it, or deploy another version",
            "image",
        )


def _excluded(version: PublishedVersion, scale_set: ScaleSet | None) -> Iterator[Finding]:
    """A version that ``latest`` passes over was named exactly, or is the set's own, which needs no warning."""
    if scale_set is not None and scale_set.image is not None and scale_set.image.matches(version.reference):
        return
    if version.exclude_from_latest or (scale_set is not None and version.excluded_in(scale_set.location)):
        where = "" if version.exclude_from_latest or scale_set is None else f" in {scale_set.location}"
        yield warning(
            "imageExcluded",
            f"Image version {version.name} is excluded from latest{where}: only who names it gets it",
            "Go on if that version is meant; else deploy another one, or set its excludeFromLatest to false",
            "image",
        )


def _lifetime(version: PublishedVersion, now: datetime | None) -> Iterator[Finding]:
    """An image that has reached its end can still be used, but nobody keeps it up."""
    ends = version.end_of_life
    if ends is not None and now is not None and ends <= now + END_OF_LIFE_NOTICE:
        verb = "reached" if ends <= now else "reaches"
        yield warning(
            "imageEndOfLife",
            f"Image version {version.name} {verb} its end of life on {ends:%Y-%m-%d}",
            "Deploy a version that is kept up; an image that is gone cannot be rolled back to, nor scaled out with",
            "image",
        )


def _kind(version: PublishedVersion, scale_set: ScaleSet) -> Iterator[Finding]:
    """What of a set's image is for ever.

    Azure refuses another kind with 409 "The Image type for a Virtual Machine Scale Set may not be changed"
    (azure-docs#89791); publisher and offer "can only be set when you create the scale set"
    (https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets/update, ``ImageReference``).
    """
    present, wanted = scale_set.image, version.reference
    if present is None:
        return
    if present.kind != wanted.kind:
        yield error(
            "imageKindChange",
            f"{scale_set.name} runs a {present.kind}; Azure does not let a set change to a {wanted.kind}",
            f"Make a set whose VMs come from a {wanted.kind}, and register that",
            "image",
        )
    elif (_lower(present.publisher), _lower(present.offer)) != (_lower(wanted.publisher), _lower(wanted.offer)):
        yield error(
            "imageOfferChange",
            f"{scale_set.name} runs {present.publisher}:{present.offer}; Azure does not let a set change to "
            f"{wanted.publisher}:{wanted.offer}",
            "Deploy an image of the set's own publisher and offer, or make a set of the other",
            "image",
        )


def _region(version: PublishedVersion, scale_set: ScaleSet) -> Iterator[Finding]:
    region = region_name(scale_set.location)
    state = (version.regions or {}).get(region)
    if state is None:
        yield error(
            "imageNotInRegion",
            f"Image version {version.name} is not replicated to {region}",
            f"Add {region} to the version's target regions",
            "image",
        )
    elif state != "Completed":
        yield error(
            "imageNotReplicated",
            f"Image version {version.name} has not reached {region} yet ({state})",
            "Wait until its replication has completed",
            "image",
        )


def _operating_system(version: PublishedVersion, scale_set: ScaleSet) -> Iterator[Finding]:
    if version.os_type and scale_set.os_type and version.os_type.lower() != scale_set.os_type.lower():
        yield _incompatible(
            f"Image version {version.name} is a {version.os_type} image, {scale_set.name} runs {scale_set.os_type}",
            f"Deploy a {scale_set.os_type} image",
        )
    state = (version.os_state or "").lower()
    if state == "specialized" and scale_set.has_os_profile:
        yield error(
            "imageSpecialized",
            f"Image version {version.name} is specialized, but the model of {scale_set.name} has an osProfile, which "
            "such an image does not take",
            "Deploy a generalized image",
            "image",
        )
    if state == "generalized" and not scale_set.has_os_profile and scale_set.image is not None:
        yield error(
            "imageGeneralized",
            f"Image version {version.name} is generalized, but the model of {scale_set.name} has no osProfile to set "
            "it up with",
            "Deploy a specialized image",
            "image",
        )


def _security(version: PublishedVersion, scale_set: ScaleSet) -> Iterator[Finding]:
    """Trusted launch and confidential VMs: https://learn.microsoft.com/azure/virtual-machines/trusted-launch."""
    wanted = (scale_set.security_type or "Standard").lower()
    feature = version.security_type or ""
    fitting = _SECURITY_TYPES.get(feature.lower(), ("standard",))
    if wanted != "standard" and version.hyper_v_generation == "V1":
        yield _incompatible(
            f"Image version {version.name} is of Hyper-V generation V1; {scale_set.name} has security type "
            f"{scale_set.security_type}, which needs V2",
            "Deploy an image of generation V2",
        )
    elif wanted not in fitting and (feature or version.reference.kind != "marketplace image"):
        # A marketplace image without the feature says nothing of it; a gallery's image without it supports none.
        yield _incompatible(
            f"Image version {version.name} has security type {feature or 'Standard'}; {scale_set.name} has "
            f"{scale_set.security_type or 'Standard'}",
            "Deploy an image whose definition supports the set's security type",
        )


def _plan(version: PublishedVersion, scale_set: ScaleSet) -> Iterator[Finding]:
    """Azure answers ``VMMarketplaceInvalidInput`` where the plans differ (terraform-provider-azurerm#95).

    A gallery's image may come from the marketplace without its definition saying so, so a set with a plan takes it.
    """
    if version.plan is not None and not version.plan.matches(scale_set.plan):
        has = f"has plan {scale_set.plan}" if scale_set.plan else "has none"
        yield error(
            "planMismatch",
            f"Image version {version.name} is bought under the plan {version.plan}; {scale_set.name} {has}",
            "Deploy an image of the set's own plan, or make a set with the image's plan",
            "image",
        )
    elif version.plan is None and scale_set.plan is not None and version.reference.kind == "marketplace image":
        yield error(
            "planMismatch",
            f"Image version {version.name} has no purchase plan; {scale_set.name} has plan {scale_set.plan}",
            "Deploy an image of the set's own plan, or make a set without a plan",
            "image",
        )


def _lower(name: str | None) -> str:
    return (name or "").lower()


def _incompatible(message: str, remedy: str) -> Finding:
    return error("imageIncompatible", message, remedy, "image")
