"""Check a set's own configuration: objections to deployments, and things to be known."""

from __future__ import annotations

from collections.abc import Iterator

from rollout.model.azure.balancers import TRAFFIC_SOURCES
from rollout.model.azure.pools import pools_of
from rollout.model.azure.scale_set import ScaleSet
from rollout.model.choices import HealthCheckType
from rollout.model.findings import Finding, error, info, warning
from rollout.model.group import Group, SignalType
from rollout.model.parameters import Parameters
from rollout.model.rows.signals import rule_of

#: https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-set-rolling-upgrades/get-latest
_UNDER_WAY = ("rollingforward", "rollingback")


def check_configuration(scale_set: ScaleSet, group: Group, adjust: bool = False) -> Iterator[Finding]:
    """How the set is configured; with ``adjust`` Teal changes what it can change for the time of the deployment."""
    if scale_set.image is None:
        yield error(
            "noVmProfile",
            f"{scale_set.name} has no VM profile with an image, so it cannot make VMs from one",
            "Give the set a virtualMachineProfile",
            "scaleSetId",
        )
    if manager := _manager(scale_set):
        yield error(
            "managedScaleSet",
            f"{scale_set.name} is managed by {manager}, which would undo the deployment",
            f"Roll the nodes with {manager} itself",
            "scaleSetId",
        )
    yield from _adjustable(scale_set, adjust)
    if scale_set.automatic_os_upgrade:
        yield error(
            "automaticOsUpgrade",
            "Automatic OS upgrades are on and may replace VMs in the middle of a deployment",
            "az vmss update --set upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade=false",
        )
    yield from _health_sources(scale_set, group)


def _adjustable(scale_set: ScaleSet, adjust: bool) -> Iterator[Finding]:
    """What Teal may change for the time of the deployment."""
    mode = scale_set.upgrade_mode
    if mode.lower() != "manual" and adjust:
        yield _adjusted("upgradeModeNotManual", f"The upgrade mode is {mode}", "it is Manual")
    elif mode.lower() != "manual":
        yield error(
            "upgradeModeNotManual",
            f"The upgrade mode is {mode}: Azure would replace serving VMs once the image changes",
            "Start with adjust: true, or az vmss update --set upgradePolicy.mode=Manual",
        )
    if scale_set.overprovision and adjust:
        yield _adjusted("overprovisioning", "Overprovisioning is on", "it is off")
    elif scale_set.overprovision:
        yield error(
            "overprovisioning",
            "Overprovisioning is on: VMs appear and vanish while a batch is launched",
            "Start with adjust: true, or az vmss update --set overprovision=false",
        )


def _adjusted(code: str, present: str, meanwhile: str) -> Finding:
    message = f"{present}: {meanwhile} during the deployment, and is put back"
    return info(code, message, "To have nothing of the set adjusted leave out adjust", "adjust")


def _health_sources(scale_set: ScaleSet, group: Group) -> Iterator[Finding]:
    if HealthCheckType.APPLICATION_HEALTH in group.health_check_types and not scale_set.reports_health:
        yield error(
            "applicationHealthNotConfigured",
            "The group checks applicationHealth, but the set has neither the Application Health extension nor a probe",
            "Add the extension to the set's model, or take applicationHealth from the group's healthCheckTypes",
            "healthCheckTypes",
        )
    for source in TRAFFIC_SOURCES:
        if source in group.health_check_types and source not in _configured(scale_set):
            yield error(
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


def check_activity(scale_set: ScaleSet) -> Iterator[Finding]:
    """Whether somebody is changing the set now."""
    if not scale_set.settled:
        yield error(
            "scaleSetBusy",
            f"{scale_set.name} is being changed ({scale_set.provisioning_state})",
            "Wait until the other operation has ended, then start again",
        )


def check_rolling_upgrade(scale_set: ScaleSet, state: str | None) -> Iterator[Finding]:
    """Whether Azure itself is upgrading the VMs; ``state`` is that of the latest rolling upgrade."""
    if state is not None and state.lower() in _UNDER_WAY:
        yield error(
            "rollingUpgradeUnderWay",
            f"Azure is carrying out a rolling upgrade of {scale_set.name} ({state})",
            "Wait until it has ended, or cancel it: az vmss rolling-upgrade cancel",
        )


def check_judging(scale_set: ScaleSet, parameters: Parameters) -> Iterator[Finding]:
    """How surely green VMs are judged."""
    yield from _unchecked_pools(scale_set, parameters)
    if scale_set.reports_health and HealthCheckType.APPLICATION_HEALTH not in parameters.health_check_types:
        yield warning(
            "healthNotAsked",
            f"{scale_set.name} reports its VMs' health, by an extension or a probe, and the deployment does not ask it",
            "Add applicationHealth to the group's healthCheckTypes",
            "healthCheckTypes",
        )
    if (
        not scale_set.reports_health
        and parameters.health_check_types
        and not set(TRAFFIC_SOURCES) & set(parameters.health_check_types)
        and rule_of(parameters.signals, SignalType.VM_READY) is None
    ):
        yield warning(
            "greenServesUnjudged",
            "Nothing but the VM's state tells whether a green VM works",
            "Add the Application Health extension to the set's model",
        )
    if parameters.tolerate_unhealthy:
        yield warning(
            "toleratesUnhealthy",
            "Blue VMs go for green ones that are not healthy: fewer VMs may serve than before",
            "Leave out tolerateUnhealthy, and a blue VM stays for each green one that is not healthy",
            "tolerateUnhealthy",
        )
    if not parameters.checked:
        yield warning(
            "noHealthCheck",
            "Without a health check every batch waits its whole grace period, nothing tells whether its VMs work, and "
            "there is no threshold",
            "Give the group healthCheckTypes, or let it declare the signal vmReady",
            "healthCheckTypes",
        )
    if scale_set.health_grace is not None and scale_set.health_grace > parameters.grace_period:
        yield warning(
            "gracePeriodTooShort",
            f"The health extension lets a VM initialize for {_seconds(scale_set.health_grace.total_seconds())}, the "
            f"grace period is {_seconds(parameters.grace_period.total_seconds())}",
            "Give a gracePeriod that is longer than the extension's",
            "gracePeriod",
        )


def check_traits(scale_set: ScaleSet) -> Iterator[Finding]:
    """What the set's model means for a deployment."""
    if scale_set.image is not None and not scale_set.image.exact:
        yield warning(
            "previousImageNotExact",
            f"The set's present image is {scale_set.image.label}, which may name another version tomorrow",
            "A deployment names an exact version instead, a failed one the version that the VMs run; pin one yourself",
        )
    if scale_set.zone_balance:
        yield warning(
            "strictZoneBalance",
            "zoneBalance is strict: Azure refuses to launch VMs where a zone has no room for its share",
            "az vmss update --set zoneBalance=false, or start when every zone has room",
        )
    if scale_set.spot:
        yield info(
            "spotVms",
            "The VMs are Spot VMs: Azure may evict green and blue ones in the middle of a batch",
            "Evicted green VMs are replaced once; choose a batchMinHealthyPercentage that allows for more",
        )
    if scale_set.terminate_notice is not None:
        yield info(
            "terminateNotification",
            f"VMs that are deleted are told before, and may hold that up for "
            f"{_seconds(scale_set.terminate_notice.total_seconds())}: each batch may take so much longer",
            "Let the VMs approve the event as soon as they are done",
        )


def check_health_checks(parameters: Parameters, group: Group) -> Iterator[Finding]:
    """Whether the deployment checks what the group defines."""
    undefined = [kind for kind in parameters.health_check_types if kind not in group.health_check_types]
    if undefined:
        defined = ", ".join(group.health_check_types) or "none"
        yield error(
            "healthCheckNotDefined",
            f"The group does not define {', '.join(undefined)}; it defines {defined}",
            "Ask for some of the group's health check types, or PUT the group with more of them",
            "healthCheckTypes",
        )


def _unchecked_pools(scale_set: ScaleSet, parameters: Parameters) -> Iterator[Finding]:
    unchecked = [source for source in _configured(scale_set) if source not in parameters.health_check_types]
    if unchecked and parameters.health_check_types:
        yield warning(
            "poolHealthNotChecked",
            f"{scale_set.name} gets its traffic from backend pools, but the deployment does not check "
            f"{', '.join(unchecked)}: a green VM may count as healthy before it is sent any",
            "Add them to the group's healthCheckTypes, or give a stableFor longer than the probes take",
            "healthCheckTypes",
        )


def _configured(scale_set: ScaleSet) -> list[HealthCheckType]:
    """The kinds of balancers whose pools the set's model names."""
    return [source for source in TRAFFIC_SOURCES if pools_of(scale_set.backend_pools, source)]


def _seconds(number: float) -> str:
    return f"{number:.0f} s"
