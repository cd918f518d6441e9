"""Images of every kind: what a reference names, what VMs made from it do, and which sets it fits."""

from __future__ import annotations

from datetime import datetime

from local.azure.arm.errors import image_does_not_fit, os_state_changed, plan_differs, trusted_launch_unsupported
from local.azure.arm.messages import Json
from local.azure.arm.resources import CloudState
from local.azure.compute.quota import disk_controllers
from local.azure.images.galleries import GALLERY_TYPE, SimulatedGalleries
from local.azure.images.marketplace import SimulatedMarketplace
from local.azure.images.shared_galleries import SimulatedSharedGalleries
from local.azure.world import World
from local.azure.world.images import Behavior, ImageSpec, ManagedImageSpec, MarketplaceSpec

#: The feature ``SecurityType`` of an image: the security types of sets that can use it.
_SECURITY_TYPES = {
    "TrustedLaunch": ("TrustedLaunch",),
    "TrustedLaunchSupported": ("Standard", "TrustedLaunch"),
    "ConfidentialVM": ("ConfidentialVM",),
    "ConfidentialVmSupported": ("Standard", "ConfidentialVM"),
    "TrustedLaunchAndConfidentialVmSupported": ("Standard", "TrustedLaunch", "ConfidentialVM"),
}


class SimulatedImages:
    """All images of the world."""

    def __init__(self, world: World, state: CloudState) -> None:
        self._world = world
        self.galleries = SimulatedGalleries(world, state)
        self.shared = SimulatedSharedGalleries(world, self.galleries)
        self.marketplace = SimulatedMarketplace(world, state.started_at)
        self._managed = {managed_image_id(image, world).lower(): image for image in world.managed_images}

    def behavior(self, reference: Json) -> Behavior:
        """How VMs made from an image reference behave; ``reference`` as a VM states it."""
        if version := self.marketplace.version(reference):
            return version.behavior
        if managed := self._managed.get(str(reference.get("id", "")).lower()):
            return managed.behavior
        found = self.galleries.find(self.shared.in_gallery(reference))
        return found.behavior if found else self._world.platform.behavior

    def resolve(self, reference: Json, location: str, now: datetime) -> Json:
        """The image reference of a VM that is made now from a model's image reference.

        A version that a model leaves open is stated in ``exactVersion``, as Azure does for marketplace images; that it
        does so for gallery images is assumed.

        :raises ArmError: 404, the image does not exist or is not in the region.
        """
        if "publisher" in reference:
            return {**reference, "exactVersion": self.marketplace.exact_version(reference, now)}
        gallery_reference = self.shared.in_gallery(reference)
        if GALLERY_TYPE.lower() not in str(gallery_reference.get("id", "")).lower():
            return dict(reference)
        exact = self.galleries.exact_version(gallery_reference, location, now)
        return {**reference, "exactVersion": exact} if exact else dict(reference)

    def check_fits(self, reference: Json, body: Json) -> None:
        """Refuse an image that VMs of a scale set cannot be made from; what is in none of the world's lists fits.

        :raises ArmError: 400.
        """
        image = self._image(reference)
        if image is None:
            return
        _check_plan(image, body.get("plan"))
        profile: Json = (body.get("properties") or {}).get("virtualMachineProfile") or {}
        _check_os_state(image, profile)
        if not isinstance(image, ManagedImageSpec):
            _check_disks(image, str((body.get("sku") or {}).get("name", "")), profile)
            _check_security(image, str((profile.get("securityProfile") or {}).get("securityType", "Standard")))

    def _image(self, reference: Json) -> ImageSpec | MarketplaceSpec | ManagedImageSpec | None:
        if "publisher" in reference:
            return self.marketplace.image(reference)
        if managed := self._managed.get(str(reference.get("id", "")).lower()):
            return managed
        return self.galleries.image(self.shared.in_gallery(reference))

    def managed_image_body(self, resource_id: str) -> Json | None:
        """The ARM body of a managed image; ``None``: there is none."""
        image = self._managed.get(resource_id.lower())
        if image is None:
            return None
        return {
            "name": image.name,
            "id": managed_image_id(image, self._world),
            "type": "Microsoft.Compute/images",
            "location": self._world.location,
            "properties": {
                "storageProfile": {
                    "osDisk": {"osType": image.os_type, "osState": image.os_state, "diskSizeGB": 30},
                    "dataDisks": [],
                    "zoneResilient": True,
                },
                "provisioningState": "Succeeded",
                "hyperVGeneration": image.hyper_v_generation,
            },
        }


def managed_image_id(image: ManagedImageSpec, world: World) -> str:
    """The resource id of a managed image."""
    group = f"/subscriptions/{world.subscription_id}/resourceGroups/{image.resource_group}"
    return f"{group}/providers/Microsoft.Compute/images/{image.name}"


def has_os_profile(profile: Json) -> bool:
    """Whether a set's VM profile says how VMs from a generalized image are set up."""
    found = profile.get("osProfile") or {}
    return bool(found.get("computerNamePrefix") or found.get("adminUsername"))


def _check_plan(image: ImageSpec | MarketplaceSpec | ManagedImageSpec, plan: Json | None) -> None:
    if isinstance(image, ManagedImageSpec):
        return
    needed = image.plan if isinstance(image, MarketplaceSpec) else image.purchase_plan
    given = tuple(str((plan or {}).get(name, "")).lower() for name in ("publisher", "product", "name"))
    if needed and given != (needed.publisher.lower(), needed.product.lower(), needed.name.lower()):
        raise plan_differs(needed=True)
    if needed is None and plan and isinstance(image, MarketplaceSpec):
        raise plan_differs(needed=False)


def _check_os_state(image: ImageSpec | MarketplaceSpec | ManagedImageSpec, profile: Json) -> None:
    """https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries#generalized-and-specialized-images."""
    specialized = not isinstance(image, MarketplaceSpec) and image.os_state == "Specialized"
    has_profile = has_os_profile(profile)
    if specialized and has_profile:
        raise os_state_changed("Generalized", "Specialized")
    if not specialized and not has_profile:
        raise os_state_changed("Specialized", "Generalized")


def _check_disks(image: ImageSpec | MarketplaceSpec, size: str, profile: Json) -> None:
    """https://learn.microsoft.com/azure/virtual-machines/enable-nvme-interface."""
    wanted = (profile.get("storageProfile") or {}).get("diskControllerType") or disk_controllers(size)
    stated = image.disk_controller_types
    if stated and set(stated.split(", ")).isdisjoint(str(wanted).split(", ")):
        raise image_does_not_fit(f"disk controller type '{wanted}'")


def _check_security(image: ImageSpec | MarketplaceSpec, wanted: str) -> None:
    unsaid = isinstance(image, MarketplaceSpec) and image.security_type is None
    if unsaid:
        return
    if wanted not in _SECURITY_TYPES.get(image.security_type or "", ("Standard",)):
        raise (
            trusted_launch_unsupported()
            if wanted == "TrustedLaunch"
            else image_does_not_fit(f"security type '{wanted}'")
        )
    if wanted != "Standard" and image.hyper_v_generation == "V1":
        raise image_does_not_fit(f"Hypervisor Generation '1' with security type '{wanted}'")
