"""What others do, so that Teal meets it: people, pipelines, autoscale, repairs, evictions, failing applications.

It shows in the log of VMs and in the ETags, but not in the audit, which holds the writes of clients.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Literal

from local.azure.arm.management_locks import lock_body
from local.azure.arm.messages import Json
from local.azure.arm.operations import Operations
from local.azure.arm.resources import LongRunningOperation, ScaleSetResource, VersionResource, VmInstance
from local.azure.compute.fabric import Fabric
from local.azure.compute.scale_sets import begin_deletion, merge, replace_body
from local.azure.events.event_grid import Topic, http_request
from local.azure.events.events import ResourceWrite, WriteOutcome
from local.azure.images.image_versions import VERSION_TYPE, publishing_profile, target_region
from local.azure.images.publishing import Publisher, Replication
from local.azure.images.regions import short_name
from local.azure.monitor.autoscale import bounds_of, set_capacity, settings_of
from local.azure.network.interface_shape import configurations, without_pool
from local.azure.world import LockSpec
from local.azure.world.images import Behavior


class Interference:
    """Acts on the sets of a fabric; sets are named by resource id, VMs by ``vmId`` or name. ``acts`` counts.

    Only ``hold``, and a version that is being made, keep clients from writing: of all others they meet the effect, not
    a conflict.
    """

    def __init__(
        self,
        fabric: Fabric,
        operations: Operations,
        publisher: Publisher,
        topic: Topic,
        enter: Callable[[], None],
        leave: Callable[[], None],
    ) -> None:
        self._fabric = fabric
        self._operations = operations
        self._publisher = publisher
        self._topic = topic
        self._enter = enter
        self.acts = 0
        self._done = leave

    def attach(self, scale_set_id: str, name: str, computer_name: str = "", age: timedelta = timedelta()) -> str:
        """Somebody attaches a VM, which is so old, to a Flexible set, and the VM's ``vmId`` is answered."""
        scale_set = self._scale_set(scale_set_id)
        born = self._fabric.state.now - age
        vm = self._fabric.attach(scale_set, name, computer_name or name, born)
        self._leave()
        return vm.vm_id

    def delete_vm(self, scale_set_id: str, vm: str) -> None:
        """Somebody deletes a VM: the capacity of a Uniform set falls by one, that of a Flexible one stays."""
        scale_set = self._scale_set(scale_set_id)
        self._remove(scale_set, self._vm(scale_set, vm), counted=not scale_set.is_flexible)
        self._leave()

    def evict(self, scale_set_id: str, vm: str, policy: Literal["Deallocate", "Delete"]) -> None:
        """Azure takes a Spot VM back: it stays deallocated and counted, or goes, and the capacity falls by one."""
        scale_set = self._scale_set(scale_set_id)
        victim = self._vm(scale_set, vm)
        if policy == "Delete":
            self._remove(scale_set, victim, counted=True)
        else:
            self._fabric.stop(scale_set, [victim], deallocate=True)
        self._leave()

    def scale(self, scale_set_id: str, capacity: int) -> None:
        """Somebody, or autoscale, sets the capacity."""
        scale_set = self._scale_set(scale_set_id)
        set_capacity(self._fabric, scale_set, capacity)
        self._leave()

    def autoscale(
        self, scale_set_id: str, change: int = 0, *, minimum: int | None = None, maximum: int | None = None
    ) -> None:
        """Autoscale changes the capacity by ``change``, and forces it into its bounds.

        Bounds that are not given are those of the set's autoscale setting, if one is there and turned on.
        """
        scale_set = self._scale_set(scale_set_id)
        least, most = bounds_of(self._fabric.state, scale_set)
        capacity = max(scale_set.capacity + change, least if minimum is None else minimum)
        self.scale(scale_set_id, min(capacity, most if maximum is None else maximum))

    def change_autoscale(self, scale_set_id: str, enabled: bool = True, profile: str = "", **bounds: int) -> None:
        """Somebody changes ``minimum``, ``maximum`` or ``default`` of a profile (the first), or turns autoscale off."""
        for setting in settings_of(self._fabric.state, self._scale_set(scale_set_id)):
            setting["properties"]["enabled"] = enabled
            profiles = setting["properties"]["profiles"]
            chosen = next((one for one in profiles if one["name"] == profile), profiles[0])
            chosen["capacity"] |= {name: str(bound) for name, bound in bounds.items()}
        self._leave()

    def repair(self, scale_set_id: str, vm: str) -> None:
        """Automatic repairs replace a VM: a new one, of the latest model, comes.

        Not while they are suspended, or turned off in the set's policy; a set without a policy counts as one that has
        them on.
        """
        scale_set = self._scale_set(scale_set_id)
        policy = scale_set.properties.get("automaticRepairsPolicy") or {}
        if scale_set.repairs_suspended or not policy.get("enabled", True):
            return
        self._fabric.delete(scale_set, [self._vm(scale_set, vm)])
        self._fabric.launch(scale_set, 1)
        scale_set.etag += 1
        self._leave()

    def fail_interface(self, scale_set_id: str, vm: str, *, failed: bool = True) -> None:
        """A VM's network interfaces are in the state `Failed`, or in order again."""
        scale_set = self._scale_set(scale_set_id)
        self._vm(scale_set, vm).interface_failed = failed
        self._leave()

    def take_out(self, scale_set_id: str, vm: str, pool_id: str) -> None:
        """Somebody takes a VM out of a pool."""
        scale_set = self._scale_set(scale_set_id)
        self._take_out(scale_set, self._vm(scale_set, vm), pool_id)
        self._leave()

    def set_down(self, scale_set_id: str, vm: str, pool_id: str) -> None:
        """Somebody sets a VM Down in a load balancer's pool."""
        scale_set = self._scale_set(scale_set_id)
        network, changed = self._fabric.network, self._vm(scale_set, vm)
        pool = network.pools[pool_id.lower()]
        for member in network.members(pool):
            if member.vm is changed:
                network.set_state(pool, member, "Down")
        self._fabric.rewire(scale_set, changed)
        self._leave()

    def delete_pool(self, pool_id: str) -> None:
        """Somebody deletes a backend pool, having taken the sets' models and VMs out of it as Azure demands."""
        self._enter()
        for scale_set in self._fabric.state.scale_sets.values():
            wanted = copy.deepcopy(scale_set.body)
            network = wanted["properties"].get("virtualMachineProfile", {}).get("networkProfile", {})
            if cards := network.get("networkInterfaceConfigurations"):
                network["networkInterfaceConfigurations"] = without_pool(cards, pool_id)
                replace_body(scale_set, wanted)
            for vm in scale_set.active():
                self._take_out(scale_set, vm, pool_id)
        self._fabric.network.delete_pool(pool_id)
        self._leave()

    def delete_scale_set(self, scale_set_id: str) -> None:
        """Somebody deletes the set with all its VMs, whatever is under way."""
        begin_deletion(self._fabric, self._operations, self._scale_set(scale_set_id))
        self._leave()

    def stop(self, scale_set_id: str, vm: str, *, deallocate: bool = False) -> None:
        """Somebody stops a VM, or it shuts itself down."""
        scale_set = self._scale_set(scale_set_id)
        self._fabric.stop(scale_set, [self._vm(scale_set, vm)], deallocate=deallocate)
        self._leave()

    def start(self, scale_set_id: str, vm: str) -> None:
        """Somebody starts a stopped VM."""
        scale_set = self._scale_set(scale_set_id)
        self._fabric.start(scale_set, [self._vm(scale_set, vm)])
        self._leave()

    def sicken(self, scale_set_id: str, vm: str, *, sick: bool = True) -> None:
        """A VM's application fails, or recovers."""
        scale_set = self._scale_set(scale_set_id)
        self._fabric.sicken(scale_set, self._vm(scale_set, vm), sick=sick)
        self._leave()

    def protect(self, scale_set_id: str, vm: str, policy: Json | None) -> None:
        """Somebody sets a VM's ``protectionPolicy``, or takes it away."""
        scale_set = self._scale_set(scale_set_id)
        protected = self._vm(scale_set, vm)
        protected.protection = policy
        protected.etag += 1
        self._leave()

    def patch(self, scale_set_id: str, changes: Json) -> None:
        """Somebody changes the set's body; its VMs stay as they are (scale with ``scale``)."""
        scale_set = self._scale_set(scale_set_id)
        replace_body(scale_set, merge(scale_set.body, changes))
        self._leave()

    def name_image(self, scale_set_id: str, image_id: str) -> None:
        """Somebody names another image in the set's model, as Terraform does before it starts a deployment."""
        storage = {"storageProfile": {"imageReference": {"id": image_id}}}
        self.patch(scale_set_id, {"properties": {"virtualMachineProfile": storage}})

    def standby_pool(self, scale_set_id: str, count: int, image_id: str) -> None:
        """The set's next VMs are not made but come from a standby pool, which was filled from this image before.

        https://learn.microsoft.com/azure/virtual-machine-scale-sets/standby-pools-overview: pools keep VMs of the model
        of the time at which they were filled.
        """
        scale_set = self._scale_set(scale_set_id)
        version = image_id.rpartition("/versions/")[2]
        scale_set.standby += [{"id": image_id, "exactVersion": version} for _ in range(count)]
        self._leave()

    def rolling_upgrade(self, scale_set_id: str, code: str | None) -> None:
        """Azure's own rolling upgrade stands so from now on, by its code: what it does to VMs is not simulated."""
        self._scale_set(scale_set_id).rolling_upgrade = code
        self._leave()

    def lock(self, scope: str, name: str = "keep", level: Literal["CanNotDelete", "ReadOnly"] = "CanNotDelete") -> None:
        """Somebody puts a lock of Resource Manager on what ``scope`` names."""
        body = lock_body(LockSpec(name=name, scope=scope, level=level), self._fabric.world)
        self._fabric.state.locks.append(body)
        self._leave()

    def unlock(self, name: str = "keep") -> None:
        """Somebody takes the locks of this name away."""
        self._enter()
        self._fabric.state.locks[:] = [one for one in self._fabric.state.locks if one["name"] != name]
        self._leave()

    def hold(self, scale_set_id: str, duration: timedelta) -> None:
        """Somebody's operation on the set goes on for this long: writes of clients are refused with 409 meanwhile."""
        scale_set = self._scale_set(scale_set_id)
        scale_set.provisioning_state = "Updating"
        self._operations.begin(scale_set.key, scale_set.key, self._fabric.state.now + duration)
        self._leave()

    def publish(
        self,
        image_id: str,
        name: str,
        *,
        behavior: Behavior | None = None,
        regions: Iterable[str] = (),
        replicated_after: Mapping[str, timedelta] | None = None,
        replication_failed: Iterable[str] = (),
        exclude_from_latest: bool = False,
        tags: dict[str, str] | None = None,
        creating_for: timedelta = timedelta(),
        fails: bool = False,
    ) -> str:
        """Somebody publishes a version of a gallery image, as a pipeline does; its id.

        It is `Creating` for ``creating_for``, then `Succeeded`, or `Failed` if it ``fails``. Its regions are the
        gallery's and all that are named here: in one of ``replicated_after`` it is so long from now, even if that is
        after the end of the operation, in the others at that end; ``behavior`` is the world's for later versions if
        none is given.
        """
        self._enter()
        now, galleries = self._fabric.state.now, self._publisher.galleries
        gallery, image = galleries.images[image_id.lower()]
        if galleries.version(f"{image_id}/versions/{name}"):
            raise ValueError(f"there is a version {name} of {image_id} already")
        after = {short_name(region): duration for region, duration in (replicated_after or {}).items()}
        failed = {short_name(region) for region in replication_failed}
        home = galleries.location(gallery)
        others = {*map(short_name, regions), *after, *failed} - {short_name(home)}
        targets = [target_region(region) for region in (home, *sorted(others))]
        properties = {
            "publishingProfile": publishing_profile({"excludeFromLatest": exclude_from_latest}, targets, now),
            "storageProfile": {"source": {"id": f"{image_id.partition('/galleries/')[0]}/images/{image.name}-{name}"}},
        }
        version = VersionResource(
            f"{galleries.gallery_id(gallery)}/images/{image.name}/versions/{name}",
            short_name(home),
            properties,
            behavior or image.published.behavior,
            now,
            [],
            tags,
        )
        plan = Replication(creating_for, after, failed)
        operation = self._publisher.create(version, plan, ends_at=now + creating_for, fails=fails)
        self._settle(operation, version, "PUT", is_new=True)
        return version.id

    def change_version(
        self,
        version_id: str,
        *,
        tags: dict[str, str] | None = None,
        exclude_from_latest: bool | None = None,
        add_regions: Mapping[str, timedelta] | None = None,
        updating_for: timedelta = timedelta(),
    ) -> None:
        """Somebody changes a version: its tags, whether it can be the latest, or regions that it gets to so long after.

        It is `Updating` for ``updating_for``, then `Succeeded`.
        """
        version = self._version(version_id)
        after = {short_name(region): duration for region, duration in (add_regions or {}).items()}
        profile = {**version.publishing}
        profile["targetRegions"] = [*profile["targetRegions"], *map(target_region, after)]
        if exclude_from_latest is not None:
            profile["excludeFromLatest"] = exclude_from_latest
        properties = {**version.properties, "publishingProfile": profile}
        plan = Replication(after=after)
        ends_at = self._fabric.state.now + updating_for
        tags = version.tags if tags is None else tags
        operation = self._publisher.update(version, properties, tags, plan, ends_at=ends_at)
        self._settle(operation, version, "PATCH")

    def delete_version(self, version_id: str) -> None:
        """Somebody deletes a version; VMs that were made from it stay."""
        version = self._version(version_id)
        self._settle(self._publisher.delete(version), version, "DELETE")

    def announce(self, version_id: str, outcome: WriteOutcome = "Success") -> None:
        """Event Grid tells of a write of a version, whether there was one, and whether there is such a version."""
        self._enter()
        self._topic.tell(self._write(version_id, "PUT", is_new=True), outcome)
        self._leave()

    def _leave(self) -> None:
        self.acts += 1
        self._done()

    def _settle(
        self, operation: LongRunningOperation, version: VersionResource, method: str, *, is_new: bool = False
    ) -> None:
        """Have an operation on a version be told at its end, which may be now."""
        operation.write = self._write(version.id, method, is_new=is_new)
        self._enter()
        self._leave()

    def _write(self, version_id: str, method: str, *, is_new: bool) -> ResourceWrite:
        verb = "delete" if method == "DELETE" else "write"
        correlation = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{version_id}/{len(self._topic.events)}"))
        request = http_request(correlation, method, f"https://management.azure.com{version_id}?api-version=2026-03-03")
        return ResourceWrite(f"{VERSION_TYPE}/{verb}", version_id, correlation, None if is_new else request)

    def _version(self, version_id: str) -> VersionResource:
        self._enter()
        version = self._publisher.galleries.version(version_id)
        if version is None:
            raise KeyError(f"there is no version {version_id}")
        if version.key in self._fabric.state.held:
            raise ValueError(f"another operation is under way on {version_id}: Azure would refuse a second one")
        return version

    def _take_out(self, scale_set: ScaleSetResource, vm: VmInstance, pool_id: str) -> None:
        vm.network = {"networkInterfaceConfigurations": without_pool(configurations(scale_set, vm), pool_id)}
        vm.etag += 1
        self._fabric.rewire(scale_set, vm)

    def _remove(self, scale_set: ScaleSetResource, vm: VmInstance, *, counted: bool) -> None:
        """Delete a VM; ``counted``: the capacity falls with it."""
        if not vm.is_deleting:
            self._fabric.delete(scale_set, [vm])
            if counted:
                # A Flexible set's may be smaller than the number of its VMs already.
                scale_set.falling += 1
                scale_set.fall()

    def _scale_set(self, scale_set_id: str) -> ScaleSetResource:
        self._enter()
        return self._fabric.state.scale_sets[scale_set_id.lower()]

    def _vm(self, scale_set: ScaleSetResource, vm: str) -> VmInstance:
        for instance in scale_set.instances.values():
            if vm in (instance.vm_id, instance.name):
                return instance
        raise KeyError(f"{scale_set.name} has no VM {vm}")
