"""Which codes a field of an answer is known to have. A later release may have more, so clients take them for texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rollout.lifecycle.dangers import NOT_RESTORED
from rollout.model.events import EventType
from rollout.model.rows.danger import MODEL_NAMES_BAD_IMAGE

#: The codes of the preflight's findings, as docs/api.md explains them.
FINDINGS: tuple[str, ...] = (
    "scaleSetNotFound",
    "noVmProfile",
    "managedScaleSet",
    "upgradeModeNotManual",
    "overprovisioning",
    "automaticOsUpgrade",
    "applicationHealthNotConfigured",
    "healthCheckNotConfigured",
    "scaleSetBusy",
    "rollingUpgradeUnderWay",
    "deploymentInProgress",
    "queueFull",
    "surgeOverLimit",
    "quotaExceeded",
    "modelsExhausted",
    "deleteLocked",
    "canaryTooLarge",
    "approvalBatchUnknown",
    "previousModelUnknown",
    "previousImageGone",
    "modelNamesBadImage",
    "groupHasNoImage",
    "imageNotUnderstood",
    "imageNotFound",
    "noLatestImage",
    "imageNotReady",
    "imageExcluded",
    "imageNotInRegion",
    "imageNotReplicated",
    "imageIncompatible",
    "imageSpecialized",
    "imageGeneralized",
    "planMismatch",
    "imageKindChange",
    "imageOfferChange",
    "healthCheckNotDefined",
    "protectedVms",
    "stoppedVms",
    "attachedVms",
    "capacityMismatch",
    "poolHealthNotChecked",
    "healthNotAsked",
    "greenServesUnjudged",
    "toleratesUnhealthy",
    "noHealthCheck",
    "signalsShareAKey",
    "gracePeriodTooShort",
    "strictZoneBalance",
    "dataDisksLost",
    "leftBehind",
    "imageEndOfLife",
    "previousImageNotExact",
    "previousImageUnknown",
    "leftByEarlierDeployment",
    "skippedOutOfTraffic",
    "nothingToDo",
    "nothingToApprove",
    "modelNotTold",
    "willBeHeld",
    "drainsVmByVm",
    "spotVms",
    "terminateNotification",
    "notChecked",
)

#: The codes of deployments that did not finish, as docs/operations.md explains them; Azure's own come besides.
FAILURES: tuple[str, ...] = (
    "batchUnhealthy",
    "groupUnhealthy",
    "imageChanged",
    "orchestratorLost",
    "planInterrupted",
    "previousImageGone",
    "previousImageUnknown",
    "scaleSetBusy",
    "scaleSetGone",
    "scopeNotAllowed",
    "stepFailed",
    "unhealthyWhileBaking",
    "vmsNotDeleted",
    "vmsNotDetached",
    "modelsExhausted",
    "waitLost",
    "batchLost",
    "internalError",
    "lockLost",
    "notStarted",
)

_KNOWN: Mapping[str, Iterable[str]] = {
    "Event.type": EventType,
    "Danger.code": (NOT_RESTORED, MODEL_NAMES_BAD_IMAGE),
    "Finding.code": FINDINGS,
    "Problem.code": FAILURES,
}


def known_values(model: str, field: str) -> tuple[str, ...]:
    """The known values of a field of a model; empty where it is no code."""
    return tuple(str(value) for value in _KNOWN.get(f"{model}.{field}", ()))
