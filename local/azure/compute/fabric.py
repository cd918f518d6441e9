"""The fabric: what Azure does to VMs by itself once it was told to launch, reimage, stop, start or delete them.

Each of these takes effect at once as far as a reader of the API sees it at once, and plans what follows. Nothing here
knows about requests: the writes of clients, of people and of the platform itself all end up here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local.azure.arm.agenda import Agenda
from local.azure.arm.errors import ALLOCATION_FAILED, PROVISIONING_TIMED_OUT, ArmError
from local.azure.arm.messages import Json
from local.azure.arm.resources import CloudState, Due, ScaleSetResource, VmChange, VmInstance
from local.azure.compute.lifecycle import (
    boot_time,
    has_been_healthy,
    health_source,
    is_application_healthy,
    next_change,
    reported_health,
)
from local.azure.compute.scaling import new_numbers, new_zones
from local.azure.images.images import SimulatedImages
from local.azure.network.network import Network
from local.azure.world import World
from local.azure.world.images import Behavior

#: Where an image reference names an image by an id.
_PATHS = ("id", "sharedGalleryImageId", "communityGalleryImageId")

#: How long before the start the VMs of the world were launched.
AGE_AT_START = timedelta(days=1)


@dataclass(frozen=True)
class Boot:
    """A VM on its way up: when that ends, and why it fails if it does."""

    vm: VmInstance
    ends_at: datetime
    failure: Json | None


class Fabric:
    """Carries out what happens to VMs."""

    def __init__(
        self, world: World, state: CloudState, images: SimulatedImages, network: Network, agenda: Agenda
    ) -> None:
        self.world = world
        self.state = state
        self.images = images
        self.network = network
        self.agenda = agenda
        agenda.on("booted", self._booted)
        agenda.on("observed", self._observed)
        agenda.on("probed", self._probed)
        agenda.on("gone", self._gone)
        agenda.on("goneAndCounted", self._gone_and_counted)

    def launch(self, scale_set: ScaleSetResource, count: int, unallocated: int = 0) -> list[Boot]:
        """Create ``count`` VMs of the latest model; the first ``unallocated`` of them get no hardware."""
        zones = new_zones(scale_set.body.get("zones") or [], scale_set.active())
        places = list(itertools.islice(zip(self._numbers(scale_set), zones, strict=False), count))
        boots = []
        for index, (number, zone) in enumerate(places):
            vm = self._create(scale_set, number, zone, self.state.now)
            self._log(scale_set, vm, "creating")
            self.rewire(scale_set, vm)
            boots.append(self._boot(scale_set, vm, ALLOCATION_FAILED if index < unallocated else None))
        return boots

    def _numbers(self, scale_set: ScaleSetResource) -> Iterator[int]:
        """Numbers for new VMs: instance ids, or the random suffixes of a Flexible set's names."""
        if scale_set.is_flexible:
            suffixes = (int(self.state.identifier()[:8], 16) for _ in itertools.count())
            return (number for number in suffixes if number not in scale_set.instances)
        reuse = self.world.platform.reuse_instance_ids
        return new_numbers(set(scale_set.instances), scale_set.next_number, reuse=reuse)

    def populate(self, scale_set: ScaleSetResource, attached: Iterable[str] = ()) -> None:
        """Give a set of the world its VMs: launched a day before the start, and by now what they became.

        ``attached`` names those of a Flexible set that it did not make: they have no extensions.
        """
        zones = new_zones(scale_set.body.get("zones") or [], [])
        numbers = self._numbers(scale_set) if scale_set.is_flexible else iter(range(scale_set.capacity))
        born = max(self.state.now - AGE_AT_START, min(_created_at(scale_set), self.state.now))
        for number, zone in itertools.islice(zip(numbers, zones, strict=False), scale_set.capacity):
            self._settle(scale_set, self._create(scale_set, number, zone, born))
        for name in attached:
            self.attach(scale_set, name, name, born)

    def attach(self, scale_set: ScaleSetResource, name: str, computer_name: str, created_at: datetime) -> VmInstance:
        """Put a VM that was made by itself into a Flexible set: from the model's image, without extensions.

        Its ``virtualMachineScaleSet.id`` names the set, its name and computer name are what its maker gave it
        (https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-attach-detach-vm).
        """
        scale_set.models[0] = {part: value for part, value in scale_set.profile.items() if part != "extensionProfile"}
        zone = next(new_zones(scale_set.body.get("zones") or [], scale_set.active()))
        vm = self._create(scale_set, next(self._numbers(scale_set)), zone, created_at, attached=name)
        vm.computer_name = computer_name
        self._settle(scale_set, vm)
        return vm

    def _settle(self, scale_set: ScaleSetResource, vm: VmInstance) -> None:
        """Have a VM of the world's beginning be what it became in the day before."""
        vm.boots = 1
        vm.provisioning_state, vm.power = "Succeeded", "running"
        vm.booted_at = vm.created_at + boot_time(self.behavior(vm), vm.vm_id, vm.boots)
        self.rewire(scale_set, vm)
        self._watch(scale_set, vm, is_first=True)

    def _create(
        self,
        scale_set: ScaleSetResource,
        number: int,
        zone: str | None,
        created_at: datetime,
        *,
        attached: str | None = None,
    ) -> VmInstance:
        image = scale_set.standby.pop(0) if scale_set.standby else self.model_image(scale_set, created_at)
        key = image_name(image)
        scale_set.launches[key] = launch = scale_set.launches.get(key, 0) + 1
        vm = VmInstance(
            number=number,
            vm_id=self.state.identifier(),
            name=attached or f"{scale_set.name}_{f'{number:08x}' if scale_set.is_flexible else number}",
            zone=zone,
            model=0 if attached else scale_set.model,
            image=image,
            launch=launch,
            created_at=created_at,
            sku=scale_set.sku,
            tags=dict(scale_set.body.get("tags") or {}),
        )
        self.network.join(scale_set, vm)
        scale_set.instances[number] = vm
        scale_set.next_number = max(scale_set.next_number, number + 1)
        return vm

    def model_image(self, scale_set: ScaleSetResource, now: datetime) -> Json:
        """The image reference that a VM made at ``now`` gets.

        A set may keep a model whose image is gone: then its VMs name the image as the model does.
        """
        reference = (scale_set.profile.get("storageProfile") or {}).get("imageReference") or {}
        try:
            return self.images.resolve(reference, scale_set.location, now)
        except ArmError:
            return dict(reference)

    def behavior(self, vm: VmInstance) -> Behavior:
        """How the VM's image behaves."""
        return self.images.behavior(vm.image)

    def reimage(self, scale_set: ScaleSetResource, vms: Iterable[VmInstance]) -> list[Boot]:
        """Bring VMs to the latest model: they go down and boot anew, and stay who they are."""
        boots = []
        for vm in vms:
            vm.image, vm.model = self.model_image(scale_set, self.state.now), scale_set.model
            vm.sku, vm.tags = scale_set.sku, dict(scale_set.body.get("tags") or {})
            if not scale_set.is_flexible:
                vm.network = None
            key = image_name(vm.image)
            scale_set.launches[key] = vm.launch = scale_set.launches.get(key, 0) + 1
            self._go_down(vm, "Updating", "running")
            vm.etag += 1
            self._log(scale_set, vm, "upgrading")
            self.rewire(scale_set, vm)
            boots.append(self._boot(scale_set, vm, None))
        return boots

    def start(self, scale_set: ScaleSetResource, vms: Iterable[VmInstance]) -> list[Boot]:
        """Start VMs that are stopped; the others are left alone."""
        stopped = [vm for vm in vms if vm.power in ("stopped", "deallocated")]
        for vm in stopped:
            self._go_down(vm, "Updating", "starting")
            self._log(scale_set, vm, "creating")
        return [self._boot(scale_set, vm, None) for vm in stopped]

    def stop(self, scale_set: ScaleSetResource, vms: Iterable[VmInstance], *, deallocate: bool) -> None:
        """Stop VMs: without deallocation they keep their hardware, and answer no health probe."""
        for vm in vms:
            self._go_down(vm, "Succeeded", "deallocated" if deallocate else "stopped")
            if not deallocate and health_source(scale_set.models[vm.model]):
                vm.health, vm.health_at = "unhealthy", self.state.now
            self._log(scale_set, vm, "stopped")

    def delete(self, scale_set: ScaleSetResource, vms: Iterable[VmInstance], *, counted: bool = False) -> None:
        """Delete VMs: out of service at once, out of the lists when the deletion is done.

        ``counted``: the set's capacity falls then, too.
        """
        gone_at = self.state.now + self.world.platform.delete_time
        for vm in vms:
            self._go_down(vm, "Deleting", vm.power)
            self._log(scale_set, vm, "deleting")
            self._plan(gone_at, "goneAndCounted" if counted else "gone", scale_set, vm)

    def sicken(self, scale_set: ScaleSetResource, vm: VmInstance, *, sick: bool) -> None:
        """Have a VM's application fail, or recover, whatever its image says."""
        vm.sick = sick
        self._observe(scale_set, vm)

    def _go_down(self, vm: VmInstance, provisioning_state: str, power: str | None) -> None:
        vm.provisioning_state, vm.power = provisioning_state, power
        vm.serving, vm.health, vm.health_at, vm.booted_at = False, None, None, None
        vm.answers, vm.answered, vm.answers_since = False, False, None
        vm.boots += 1
        vm.revision += 1

    def _boot(self, scale_set: ScaleSetResource, vm: VmInstance, failure: Json | None) -> Boot:
        behavior = self.behavior(vm)
        vm.boots += 1
        vm.failure = failure or (PROVISIONING_TIMED_OUT if behavior.provisioning_fails else None)
        ends_at = self.state.now + boot_time(behavior, vm.vm_id, vm.boots)
        self._plan(ends_at, "booted", scale_set, vm)
        return Boot(vm, ends_at, vm.failure)

    def _plan(self, at: datetime, kind: str, scale_set: ScaleSetResource, vm: VmInstance) -> None:
        self.agenda.plan(at, kind, scale_set.key, vm.vm_id, vm.number, vm.boots)

    def _subject(self, due: Due) -> tuple[ScaleSetResource, VmInstance] | None:
        """The VM that a due event is about, unless it has meanwhile gone or booted again."""
        scale_set = self.state.scale_sets.get(due.scale_set)
        vm = scale_set.instances.get(due.number) if scale_set else None
        is_same = vm is not None and (vm.vm_id, vm.boots) == (due.subject, due.boot)
        return (scale_set, vm) if scale_set and vm and is_same else None

    def _booted(self, due: Due) -> None:
        if not (subject := self._subject(due)):
            return
        scale_set, vm = subject
        vm.revision += 1
        if vm.failure:
            vm.provisioning_state = "Failed"
            vm.power = None if vm.failure == ALLOCATION_FAILED else "running"
            self._log(scale_set, vm, "failed")
            return
        vm.provisioning_state, vm.power, vm.booted_at = "Succeeded", "running", due.at
        self._watch(scale_set, vm, is_first=True)

    def _observed(self, due: Due) -> None:
        if subject := self._subject(due):
            self._watch(*subject)

    def _watch(self, scale_set: ScaleSetResource, vm: VmInstance, *, is_first: bool = False) -> None:
        """Observe a VM now, and again whenever something may have changed."""
        self._observe(scale_set, vm, is_first=is_first)
        source = health_source(scale_set.models[vm.model])
        if vm.booted_at and (upcoming := next_change(self.behavior(vm), source, vm.booted_at, self.state.now)):
            self._plan(upcoming, "observed", scale_set, vm)

    def _observe(self, scale_set: ScaleSetResource, vm: VmInstance, *, is_first: bool = False) -> None:
        """Bring application and reported health up to now."""
        if vm.booted_at is None:
            return
        now, behavior = self.state.now, self.behavior(vm)
        source = health_source(scale_set.models[vm.model])
        answers = not vm.sick and is_application_healthy(behavior, vm.launch, vm.booted_at, now)
        was_healthy = has_been_healthy(behavior, vm.launch, vm.booted_at, now)
        health = reported_health(source, answers, was_healthy, vm.booted_at, now)
        if is_first or answers != vm.answers:
            vm.answered, vm.answers, vm.answers_since = vm.answers, answers, vm.booted_at if is_first else now
            for seen_at in self.network.probe_times(scale_set, vm):
                self._plan(seen_at, "probed", scale_set, vm)
        self._serve(scale_set, vm, is_first=is_first)
        if health != vm.health:
            vm.health, vm.health_at = health, now
            vm.revision += 1

    def _serve(self, scale_set: ScaleSetResource, vm: VmInstance, *, is_first: bool = False) -> None:
        """A VM serves while it answers and gets traffic."""
        serving = vm.answers and self.network.gets_traffic(scale_set, vm)
        if is_first or serving != vm.serving:
            vm.serving = serving
            self._log(scale_set, vm, "serving" if serving else "notServing")

    def _probed(self, due: Due) -> None:
        if subject := self._subject(due):
            self._serve(*subject)

    def rewire(self, scale_set: ScaleSetResource, vm: VmInstance) -> None:
        """The pools of a VM, or its state in them, have changed."""
        in_pool = self.network.is_in_pool(scale_set, vm)
        if in_pool != vm.in_pool and not vm.is_deleting:
            vm.in_pool = in_pool
            self._log(scale_set, vm, "attached" if in_pool else "detached")
        if vm.booted_at and not vm.is_deleting:
            for seen_at in self.network.probe_times(scale_set, vm):
                self._plan(seen_at, "probed", scale_set, vm)
            self._serve(scale_set, vm)

    def _gone_and_counted(self, due: Due) -> None:
        if subject := self._subject(due):
            subject[0].fall()
            self._gone(due)

    def _gone(self, due: Due) -> None:
        if subject := self._subject(due):
            scale_set, vm = subject
            del scale_set.instances[vm.number]
            self.network.leave(scale_set, vm)
            self._log(scale_set, vm, "gone")

    def _log(self, scale_set: ScaleSetResource, vm: VmInstance, state: str) -> None:
        change = VmChange(self.state.now, scale_set.id, vm.vm_id, vm.name, image_name(vm.image), state)
        self.state.changes.append(change)


def _created_at(scale_set: ScaleSetResource) -> datetime:
    """When the set was made: its VMs are no older. Long ago where its body does not say."""
    told = scale_set.properties.get("timeCreated")
    return datetime.fromisoformat(told) if told else datetime.min.replace(tzinfo=UTC)


def image_name(reference: Json) -> str:
    """One string for an image reference: the version's id, or a marketplace image's URN."""
    identifier = next((str(reference[name]) for name in _PATHS if reference.get(name)), "")
    if identifier and "exactVersion" in reference:
        return (
            f"{re.sub('/versions/latest$', '', identifier, flags=re.IGNORECASE)}/versions/{reference['exactVersion']}"
        )
    if identifier:
        return identifier
    fields = (reference.get(name, "") for name in ("publisher", "offer", "sku", "exactVersion"))
    return ":".join(str(value) for value in fields)
