"""What would go wrong, found before anything is changed: refuse, never degrade.

``check_start`` needs only the set and the image and is asked before a deployment is accepted; ``check_vms`` needs the
set's VMs and is asked again under the lock. Each check is one small function that finds one kind of thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rollout.batches import largest_surge
from rollout.deployment import Parameters
from rollout.findings import Finding, Severity, first_error, refuses
from rollout.group import Group, HealthCheckType, SignalType
from rollout.scale_set import ImageReference, ImageVersion, OrchestrationMode, ScaleSet, Vm, region_name
from rollout.signals import rule_of
from rollout.traffic import TRAFFIC_SOURCES, pools_of

__all__ = ["Finding", "Severity", "check_set", "check_start", "check_vms", "first_error", "refuses"]

#: https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-placement-groups
SCALE_SET_LIMIT = 1000
SINGLE_PLACEMENT_GROUP_LIMIT = 100


def check_set(scale_set: ScaleSet | None, scale_set_id: str, group: Group) -> tuple[Finding, ...]:
    """What keeps Teal from ever deploying to this set as it is configured."""
    if scale_set is None:
        return (
            _error(
                "scaleSetNotFound",
                f"There is no scale set {scale_set_id}",
                "Check the id, and that the app's identity may read it",
                "scaleSetId",
            ),
        )
    return tuple(_configuration(scale_set, group))


def check_start(
    scale_set: ScaleSet | None,
    version: ImageVersion | None,
    version_id: str,
    parameters: Parameters,
    group: Group,
) -> tuple[Finding, ...]:
    """What speaks against this deployment, as far as the set and the image tell. Errors come first."""
    findings = list(check_set(scale_set, group.scale_set_id, group))
    if scale_set is not None:
        findings += _activity(scale_set)
        findings += _limits(scale_set, parameters)
        findings += _notes(scale_set, parameters)
    findings += _image(version, version_id, scale_set)
    findings += _health_checks(parameters, group)
    return tuple(sorted(findings, key=lambda finding: list(Severity).index(finding.severity)))


def check_vms(scale_set: ScaleSet, vms: Sequence[Vm]) -> tuple[Finding, ...]:
    """What the set's VMs add to it. There is no policy yet for VMs that need one, so each refuses."""
    protected = [vm.name for vm in vms if vm.protected]
    stopped = [vm.name for vm in vms if vm.stopped]
    findings = []
    if protected:
        findings.append(
            _error(
                "protectedVms",
                f"{_names(protected)} protected from scale-set actions",
                "Take the protection off: az vmss update --protect-from-scale-set-actions false --instance-id …",
            )
        )
    if stopped:
        findings.append(
            _error("stoppedVms", f"{_names(stopped)} stopped", "Start or delete them before the deployment")
        )
    attached = [vm.name for vm in vms if vm.attached]
    if attached:
        findings.append(
            _error(
                "attachedVms",
                f"{_names(attached)} attached: not made by the scale set, so it cannot make their like",
                "Detach or delete them: "
                "learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-attach-detach-vm",
            )
        )
    standing = [vm for vm in vms if not vm.leaving]
    # What a Flexible set's capacity says may always have been another number: Azure keeps its VMs to none.
    if len(standing) != scale_set.capacity and scale_set.mode is OrchestrationMode.UNIFORM:
        findings.append(
            _error(
                "capacityMismatch",
                f"The set's capacity is {scale_set.capacity}, but it has {len(standing)} VMs",
                "Wait until the set has settled, or set its capacity to the number of VMs it is to have",
            )
        )
    return tuple(findings)


def _configuration(scale_set: ScaleSet, group: Group) -> Iterator[Finding]:
    if scale_set.image is None:
        yield _error(
            "noVmProfile",
            f"{scale_set.name} has no VM profile with an image, so it cannot make VMs from one",
            "Give the set a virtualMachineProfile",
            "scaleSetId",
        )
    if manager := _manager(scale_set):
        yield _error(
            "managedScaleSet",
            f"{scale_set.name} is managed by {manager}, which would undo the deployment",
            f"Roll the nodes with {manager} itself",
            "scaleSetId",
        )
    if scale_set.upgrade_mode.lower() != "manual":
        yield _error(
            "upgradeModeNotManual",
            f"The upgrade mode is {scale_set.upgrade_mode}: Azure would replace serving VMs once the image changes",
            "az vmss update --set upgradePolicy.mode=Manual",
        )
    if scale_set.overprovision:
        yield _error(
            "overprovisioning",
            "Overprovisioning is on: VMs appear and vanish while a batch is launched",
            "az vmss update --set overprovision=false",
        )
    if scale_set.automatic_os_upgrade:
        yield _error(
            "automaticOsUpgrade",
            "Automatic OS upgrades are on and may replace VMs in the middle of a deployment",
            "az vmss update --set upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade=false",
        )
    if HealthCheckType.APPLICATION_HEALTH in group.health_check_types and not scale_set.reports_health:
        yield _error(
            "applicationHealthNotConfigured",
            "The group checks applicationHealth, but the set has neither the Application Health extension nor a probe",
            "Add the extension to the set's model, or take applicationHealth from the group's healthCheckTypes",
            "healthCheckTypes",
        )

    for source in TRAFFIC_SOURCES:
        if source in group.health_check_types and source not in _configured(scale_set):
            yield _error(
                "healthCheckNotConfigured",
                f"The group checks {source}, but the set's model names no pool of that kind",
                f"Add the set to a backend pool, or take {source} from the group's healthCheckTypes",
                "healthCheckTypes",
            )


def _manager(scale_set: ScaleSet) -> str:
    tags = scale_set.tags or {}
    if any(tag.lower().startswith("aks-managed") for tag in tags) or "/resourcegroups/mc_" in scale_set.id.lower():
        return "AKS"
    return "Service Fabric" if scale_set.service_fabric else ""


def _activity(scale_set: ScaleSet) -> Iterator[Finding]:
    if not scale_set.settled:
        yield _error(
            "scaleSetBusy",
            f"{scale_set.name} is being changed ({scale_set.provisioning_state})",
            "Wait until the other operation has ended, then start again",
        )


def _limits(scale_set: ScaleSet, parameters: Parameters) -> Iterator[Finding]:
    limit, kind = (
        (SINGLE_PLACEMENT_GROUP_LIMIT, "a single placement group")
        if scale_set.single_placement_group
        else (SCALE_SET_LIMIT, "a scale set")
    )
    surge = largest_surge(scale_set.capacity, parameters.batch_size_percentage)
    if scale_set.capacity + surge > limit:
        yield _error(
            "surgeOverLimit",
            f"{scale_set.capacity} VMs and {surge} green ones are {scale_set.capacity + surge}; "
            f"{kind} holds {limit} at most",
            f"Choose a batchSizePercentage that launches at most {max(0, limit - scale_set.capacity)} VMs at once",
            "batchSizePercentage",
        )


def _notes(scale_set: ScaleSet, parameters: Parameters) -> Iterator[Finding]:
    yield from _unchecked_pools(scale_set, parameters)
    if (
        not scale_set.reports_health
        and parameters.health_check_types
        and not set(TRAFFIC_SOURCES) & set(parameters.health_check_types)
        and rule_of(parameters.signals, SignalType.VM_READY) is None
    ):
        yield _warning(
            "greenServesUnjudged",
            "Nothing but the VM's state tells whether a green VM works",
            "Add the Application Health extension to the set's model",
        )
    if parameters.tolerate_unhealthy:
        yield _warning(
            "toleratesUnhealthy",
            "Blue VMs go for green ones that are not healthy: fewer VMs may serve than before",
            "Leave out tolerateUnhealthy, and a blue VM stays for each green one that is not healthy",
            "tolerateUnhealthy",
        )
    if not parameters.checked:
        yield _warning(
            "noHealthCheck",
            "Without a health check every batch waits its whole grace period and only the VMs' existence is judged",
            "Give the group healthCheckTypes, or let it declare the signal vmReady",
            "healthCheckTypes",
        )
    if scale_set.image is not None and not scale_set.image.exact:
        yield _warning(
            "previousImageNotExact",
            f"The set's present image is {scale_set.image.label}, which may name another version tomorrow",
            "A failed deployment puts this same reference back; pin a version to know which image that is",
        )


def _unchecked_pools(scale_set: ScaleSet, parameters: Parameters) -> Iterator[Finding]:
    unchecked = [source for source in _configured(scale_set) if source not in parameters.health_check_types]
    if unchecked and parameters.health_check_types:
        yield _warning(
            "poolHealthNotChecked",
            f"{scale_set.name} gets its traffic from backend pools, but the deployment does not check "
            f"{', '.join(unchecked)}: a green VM may count as healthy before it is sent any",
            "Add them to the group's healthCheckTypes, or give a stableFor longer than the probes take",
            "healthCheckTypes",
        )


def _configured(scale_set: ScaleSet) -> list[HealthCheckType]:
    """The kinds of balancers whose pools the set's model names."""
    return [source for source in TRAFFIC_SOURCES if pools_of(scale_set.backend_pools, source)]


def _image(version: ImageVersion | None, version_id: str, scale_set: ScaleSet | None) -> Iterator[Finding]:
    if version is None:
        yield _error(
            "imageNotFound",
            f"There is no image version {version_id}",
            "List the versions that can be deployed: GET /api/groups/{groupId}/images",
            "image",
        )
        return
    if version.provisioning_state.lower() != "succeeded":
        yield _error(
            "imageNotReady",
            f"Image version {version.name} is {version.provisioning_state}",
            "Wait until the gallery has made it",
            "image",
        )
    if version.exclude_from_latest:
        yield _error(
            "imageExcluded",
            f"Image version {version.name} is excluded from latest, which is how a version is withdrawn",
            "Deploy another version, or set excludeFromLatest to false",
            "image",
        )
    if scale_set is not None:
        yield from _image_kind(version, scale_set)
        yield from _image_for_set(version, scale_set)


def _image_kind(version: ImageVersion, scale_set: ScaleSet) -> Iterator[Finding]:
    """Azure refuses with 409 "The Image type for a Virtual Machine Scale Set may not be changed" (azure-docs#89791)."""
    wanted = ImageReference(id=version.id).kind
    if scale_set.image is not None and scale_set.image.kind != wanted:
        yield _error(
            "imageKindChange",
            f"{scale_set.name} runs a {scale_set.image.kind}; Azure does not let a set change to a {wanted}",
            f"Make a set whose VMs come from a {wanted}, and register that",
            "image",
        )


def _image_for_set(version: ImageVersion, scale_set: ScaleSet) -> Iterator[Finding]:
    region = region_name(scale_set.location)
    state = (version.regions or {}).get(region)
    if state is None:
        yield _error(
            "imageNotInRegion",
            f"Image version {version.name} is not replicated to {region}",
            f"Add {region} to the version's target regions",
            "image",
        )
    elif state != "Completed":
        yield _error(
            "imageNotReplicated",
            f"Image version {version.name} has not reached {region} yet ({state})",
            "Wait until its replication has completed",
            "image",
        )
    if version.os_type and scale_set.os_type and version.os_type.lower() != scale_set.os_type.lower():
        yield _error(
            "imageIncompatible",
            f"Image version {version.name} is a {version.os_type} image, {scale_set.name} runs {scale_set.os_type}",
            f"Deploy a {scale_set.os_type} image",
            "image",
        )


def _health_checks(parameters: Parameters, group: Group) -> Iterator[Finding]:
    undefined = [kind for kind in parameters.health_check_types if kind not in group.health_check_types]
    if undefined:
        defined = ", ".join(group.health_check_types) or "none"
        yield _error(
            "healthCheckNotDefined",
            f"The group does not define {', '.join(undefined)}; it defines {defined}",
            "Ask for some of the group's health check types, or PUT the group with more of them",
            "healthCheckTypes",
        )


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{shown} {'is' if len(names) == 1 else 'are'}"


def _error(code: str, message: str, remedy: str, target: str = "") -> Finding:
    return Finding(Severity.ERROR, code, message, remedy, target)


def _warning(code: str, message: str, remedy: str, target: str = "") -> Finding:
    return Finding(Severity.WARNING, code, message, remedy, target)


def describe(findings: Iterable[Finding]) -> str:
    """The refusing findings as one sentence."""
    return "; ".join(finding.message for finding in findings if finding.severity is Severity.ERROR)
