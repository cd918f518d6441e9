"""One look at all that a deployment depends on, and what speaks for and against it: nothing is changed.

The HTTP trigger asks before it takes the lock, for a start and for a plan without one, and ``prepare_deployment`` asks
again under the lock, so that all three go by the same checks. A survey costs one list of the set's VMs, which is the
scarce request (docs/performance.md); everything else is one request each, made at the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from rollout.model.azure.images import needs_place, parse_image
from rollout.model.azure.ownership import told_apart
from rollout.model.azure.pools import pools_of
from rollout.model.azure.scale_set import ImageReference, PublishedVersion, ScaleSet, Vm, VmList
from rollout.model.azure.surroundings import ReadFailure, Surroundings
from rollout.model.choices import HealthCheckType
from rollout.model.findings import Finding, Severity, in_order
from rollout.model.group import Group
from rollout.model.parameters import Parameters
from rollout.model.rows.danger import DangerRecord
from rollout.model.rows.deployment import Image
from rollout.model.rows.handover import Handover
from rollout.planning.bad_image import doubted
from rollout.planning.batches import BatchPlan
from rollout.planning.inheritance import Inheritance, check_inherited, inherited
from rollout.planning.plan import is_skipped, make_plan, serving_vms
from rollout.ports.errors import AzureError, Refused
from rollout.ports.ports import Ports
from rollout.preflight.checks import check_planned, check_start, check_surroundings
from rollout.preflight.danger import check_bad_image
from rollout.preflight.image import check_image
from rollout.preflight.limits import VM_SIZES
from rollout.preflight.vms import check_vms
from services.images.bad_image import known_bad
from services.images.version import Resolution, look_up, resolve
from services.images.way_back import look_back
from services.pool_members import out_of_traffic
from services.predecessor import former_of

T = TypeVar("T")

#: What reading autoscale's settings takes. Everything else that is held is a part of the set.
AUTOSCALE_RIGHT = "Microsoft.Insights/autoscaleSettings/read"

#: What reading the image before takes, where it is a gallery's: the new one's gallery may be another.
IMAGE_RIGHT = "Microsoft.Compute/galleries/images/versions/read"

#: What it takes to see whether VMs leave a load balancer's pool all in one write.
BALANCER_RIGHT = "Microsoft.Network/loadBalancers/read"


@dataclass(frozen=True)
class Survey:
    """What was seen at one moment. ``findings``: errors first. ``reference``: the image, to the version.

    ``plan`` is ``None`` where the set or the image is not there. ``serving``: the ids of the VMs that serve.
    ``inherited``: what counts of what earlier deployments left; ``None`` where the set is not there.
    """

    findings: tuple[Finding, ...]
    version_id: str
    reference: ImageReference | None
    plan: BatchPlan | None
    scale_set: ScaleSet | None = None
    version: PublishedVersion | None = None
    listed: VmList | None = None
    serving: frozenset[str] = frozenset()
    inherited: Inheritance | None = None
    surroundings: Surroundings = field(default_factory=Surroundings)

    @property
    def previous(self) -> ImageReference | None:
        """The image that a failure puts back."""
        return self.inherited.previous if self.inherited is not None else None

    @property
    def unknown(self) -> str:
        """Why no image is known to go back to; empty where one is."""
        return self.inherited.unknown if self.inherited is not None else ""

    @property
    def bad(self) -> bool:
        """Whether that image was judged bad before."""
        return self.inherited is not None and self.inherited.bad

    @property
    def given_up(self) -> tuple[ImageReference, ...]:
        """What the unfinished deployments before it failed with."""
        return self.inherited.given_up if self.inherited is not None else ()

    @property
    def settled(self) -> bool:
        """Whether the set is in order before the deployment."""
        return self.inherited is None or self.inherited.settled

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What refuses the deployment."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


async def survey(
    ports: Ports,
    group: Group,
    parameters: Parameters,
    handed: Handover | None = None,
    *,
    pinned: ImageReference | None = None,
    scale_set: ScaleSet | None = None,
    thorough: bool = False,
    brief: bool = False,
) -> Survey:
    """Read the set, its VMs and whatever else decides, once and at the same time.

    ``handed``: what an unfinished deployment hands on to this one; it is compared with the set. ``pinned``: the image
    where it is decided already, ``scale_set`` the set where it has just been read.
    ``thorough``: the health of every VM is read, and not only of those that may be kept; it decides in which order the
    others go, and costs a request a VM in a Flexible set. ``brief``: what is around the set is not read, because Azure
    answers so badly that each request less counts.
    """
    known = await _without_set(ports, group, parameters, pinned)
    if known is not None and known.version is None:
        findings = _without_version(tuple(check_image(None, known.version_id, None)), known)
        return Survey(in_order(findings), known.version_id, known.reference, None)
    scale_set = scale_set or await ports.scale_sets.read(group.scale_set_id)
    if scale_set is None:
        found = known or await _resolve(ports, group, parameters, None, pinned)
        findings = _without_version(check_start(None, found.version, found.version_id, parameters, group), found)
        return Survey(in_order(findings), found.version_id, found.reference, None)
    handed = handed or Handover()
    found, listed, former, danger, surroundings = await asyncio.gather(
        _known(known) if known is not None else _resolve(ports, group, parameters, scale_set, pinned),
        ports.scale_sets.list_vms(group.scale_set_id),
        former_of(ports, handed),
        known_bad(ports, scale_set),
        _nothing() if brief else _surroundings(ports, scale_set),
    )
    listed = told_apart(scale_set, listed)
    skipped = [vm.vm_id for vm in listed.vms if is_skipped(vm, parameters)]
    counts = inherited(handed, former, scale_set, listed.vms, skipped, found.reference)
    if why := doubted(counts.previous, counts.unknown, danger):
        counts = replace(counts, unknown=why, bad=True)
    seen = _Seen(ports, group, parameters, handed, counts, scale_set, found, surroundings or Surroundings(), danger)
    return await (seen if brief else await seen.with_way_back()).judged(listed, thorough)


@dataclass(frozen=True)
class _Seen:
    """What one survey has read before the VMs are looked at more closely."""

    ports: Ports
    group: Group
    parameters: Parameters
    handed: Handover
    inherited: Inheritance
    scale_set: ScaleSet
    found: Resolution
    surroundings: Surroundings
    danger: DangerRecord | None
    gone: str = ""

    @property
    def image(self) -> Image | None:
        """What the deployment would move to, and the image before it; ``None``: it is not there."""
        if self.found.version is None or self.found.reference is None:
            return None
        return Image(self.parameters.image, self.found.reference, self.inherited.previous, self.inherited.unknown)

    async def with_way_back(self) -> _Seen:
        """The same, once the image before was looked at. What cannot be read is noted and stops nothing."""
        if self.image is None:
            return self
        unread = list(self.surroundings.unread)
        look = look_back(self.ports.images, self.image, self.scale_set.place, self.ports.clock.now())
        gone = await _told("The image before", IMAGE_RIGHT, look, unread)
        return replace(self, gone=gone or "", surroundings=replace(self.surroundings, unread=tuple(unread)))

    async def judged(self, listed: VmList, thorough: bool) -> Survey:
        reference = self.found.reference if self.found.version is not None else None
        planned, serving = None, frozenset[str]()
        if reference is not None:
            listed = await self._with_health(listed, reference, thorough)
            aside = await out_of_traffic(self.ports, self.scale_set, self._doubtful(listed, reference))
            counts = self.inherited
            planned = make_plan(self.parameters, reference, listed.vms, aside, counts.target_size, counts.chain)
            serving = serving_vms(listed.vms, aside, self.parameters)
        return Survey(
            in_order(self._findings(listed, planned)),
            self.found.version_id,
            self.found.reference,
            planned,
            self.scale_set,
            self.found.version,
            listed,
            serving,
            self.inherited,
            self.surroundings,
        )

    async def _with_health(self, listed: VmList, pinned: ImageReference, thorough: bool) -> VmList:
        if HealthCheckType.APPLICATION_HEALTH not in self.parameters.health_check_types:
            return listed
        asked = frozenset(vm.vm_id for vm in listed.vms if thorough or vm.image.matches(pinned))
        return await self.ports.scale_sets.with_health(self.scale_set.id, listed, asked)

    def _doubtful(self, listed: VmList, pinned: ImageReference) -> list[Vm]:
        """The VMs that may be out of their pools: an unfinished deployment may have left any so, else those to keep."""
        standing = [vm for vm in listed.vms if not vm.leaving]
        return [vm for vm in standing if not self.inherited.settled or vm.image.matches(pinned)]

    def _findings(self, listed: VmList, planned: BatchPlan | None) -> Iterator[Finding]:
        found, parameters = self.found, self.parameters
        size, now = self.surroundings.size, self.ports.clock.now()
        known = check_start(self.scale_set, found.version, found.version_id, parameters, self.group, size, now)
        yield from _without_version(known, found)
        yield from check_vms(self.scale_set, listed.vms, parameters, planned)
        yield from check_surroundings(self.scale_set, listed.vms, self.surroundings)
        yield from check_inherited(self.handed.continues, self.inherited)
        yield from check_bad_image(self.danger, parameters.image, found.reference)
        if planned is not None and (image := self.image) is not None:
            yield from check_planned(
                self.scale_set, listed.vms, planned, parameters, image, self.surroundings, self.gone
            )


async def _without_set(
    ports: Ports, group: Group, parameters: Parameters, pinned: ImageReference | None
) -> Resolution | None:
    """The image, where it is named by itself and to the version; nobody reads a set for one that is not there."""
    if pinned is not None or parameters.image is None:
        return None
    named = parse_image(parameters.image, group.image_id)
    if isinstance(named, ImageReference) and (not named.exact or needs_place(named)):
        return None
    return await resolve(ports.images, parameters.image, group, None)


async def _known(found: Resolution) -> Resolution:
    return found


async def _resolve(
    ports: Ports, group: Group, parameters: Parameters, scale_set: ScaleSet | None, pinned: ImageReference | None
) -> Resolution:
    """The version; where it was pinned before, as it is now."""
    if pinned is None:
        return await resolve(ports.images, parameters.image, group, scale_set)
    return await look_up(ports.images, pinned, scale_set)


def _without_version(findings: tuple[Finding, ...], found: Resolution) -> tuple[Finding, ...]:
    """Where a request names no version the checks only saw that there is none; the problem says why."""
    if found.problem is None:
        return findings
    return (found.problem, *(finding for finding in findings if finding.target != "image"))


async def _surroundings(ports: Ports, scale_set: ScaleSet) -> Surroundings:
    """What is around the set. What cannot be read, for lack of a right or of an answer, is noted and stops nothing."""
    asked, unread = ports.constraints, list[ReadFailure]()
    balanced = pools_of(scale_set.backend_pools, HealthCheckType.LOAD_BALANCER)
    size, usages, locks, upgrade, processes, stubborn = await asyncio.gather(
        _told(VM_SIZES, "Microsoft.Compute/skus/read", asked.size(scale_set), unread),
        _told("Quotas", "Microsoft.Compute/locations/usages/read", asked.usages(scale_set), unread),
        _told("Locks", "Microsoft.Authorization/locks/read", asked.locks(scale_set), unread),
        _told(
            "Rolling upgrades",
            "Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades/read",
            asked.rolling_upgrade(scale_set),
            unread,
        ),
        _told("What changes the set by itself", AUTOSCALE_RIGHT, ports.processes.read(scale_set), unread),
        _told("Load balancers", BALANCER_RIGHT, ports.traffic.stubborn(balanced) if balanced else _nothing(), unread),
    )
    unread += [ReadFailure(str(one.kind), one.unreadable, AUTOSCALE_RIGHT) for one in processes or () if one.unreadable]
    known = Surroundings(size, usages or (), locks or (), upgrade, processes or (), stubborn=stubborn or ())
    return replace(known, unread=tuple(sorted(unread, key=lambda each: each.what)))


async def _told(what: str, right: str, reading: Awaitable[T], unread: list[ReadFailure]) -> T | None:
    try:
        return await reading
    except AzureError as error:
        why = f"Azure answered {error.code}"
        unread.append(ReadFailure(what, why, right if isinstance(error, Refused) else ""))
        return None


async def _nothing() -> None:
    return None
