"""Every answer that is not a success: one envelope, that of Azure Resource Manager, and one list of codes.

    {"error": {"code", "message", "target"?, "details": [{"code", "message", "target"?, "remedy"?}]}}

(https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from api.transport.http import Answer, Handler, Request
from rollout.model.findings import Finding
from rollout.model.words import plain
from rollout.ports.errors import AzureError, Busy, Refused, Unreadable
from rollout.ports.ports import Ports
from services.claim import LockHolder
from services.readings import ReadingTooOften

_log = logging.getLogger("teal")

#: When to ask again where nothing better is known.
RETRY_AFTER = timedelta(seconds=15)

#: ARM's codes for a caller without the role for what it asked
#: (https://learn.microsoft.com/azure/role-based-access-control/troubleshooting).
_NOT_ALLOWED = ("AuthorizationFailed", "LinkedAuthorizationFailed")


class Code(StrEnum):
    """The codes of the API's own refusals. docs/api.md says of each what to do."""

    MALFORMED_JSON = "malformedJson"
    MISSING_FIELD = "missingField"
    UNKNOWN_FIELD = "unknownField"
    UNKNOWN_PARAMETER = "unknownParameter"
    INVALID_TYPE = "invalidType"
    INVALID_VALUE = "invalidValue"
    OUT_OF_RANGE = "outOfRange"
    UNKNOWN_HEALTH_CHECK_TYPE = "unknownHealthCheckType"
    HEALTH_CHECK_NOT_DEFINED = "healthCheckNotDefined"
    TWO_BATCH_SIZES = "twoBatchSizes"
    TWO_THRESHOLDS = "twoThresholds"
    THRESHOLD_WITHOUT_CHECK = "thresholdWithoutCheck"
    UNAUTHENTICATED = "unauthenticated"
    ROLE_MISSING = "roleMissing"
    SIGNAL_KEY_INVALID = "signalKeyInvalid"
    CROSS_ORIGIN = "crossOrigin"
    GROUP_NOT_FOUND = "groupNotFound"
    DEPLOYMENT_NOT_FOUND = "deploymentNotFound"
    INSTANCE_NOT_FOUND = "instanceNotFound"
    EVIDENCE_NOT_FOUND = "evidenceNotFound"
    VM_NOT_FOUND = "vmNotFound"
    VM_REPLACED = "vmReplaced"
    VM_AMBIGUOUS = "vmAmbiguous"
    SIGNAL_NOT_DECLARED = "signalNotDeclared"
    SIGNAL_SECRET_MISSING = "signalSecretMissing"
    DEPLOYMENT_IN_PROGRESS = "deploymentInProgress"
    QUEUE_FULL = "queueFull"
    SCALE_SET_TAKEN = "scaleSetTaken"
    DEPLOYMENT_FAILED = "deploymentFailed"
    DEPLOYMENT_ROLLED_BACK = "deploymentRolledBack"
    DEPLOYMENT_STOPPED = "deploymentStopped"
    COMMAND_NOT_POSSIBLE = "commandNotPossible"
    PREVIOUS_MODEL_UNKNOWN = "previousModelUnknown"
    PREVIOUS_IMAGE_GONE = "previousImageGone"
    RETRY_NOT_POSSIBLE = "retryNotPossible"
    REQUEST_IN_PROGRESS = "requestInProgress"
    BODY_TOO_LARGE = "bodyTooLarge"
    UNSUPPORTED_MEDIA_TYPE = "unsupportedMediaType"
    IDEMPOTENCY_KEY_REUSED = "idempotencyKeyReused"
    SCOPE_NOT_ALLOWED = "scopeNotAllowed"
    PREFLIGHT_FAILED = "preflightFailed"
    GROUP_HAS_NO_IMAGE = "groupHasNoImage"
    IMAGE_NOT_FOUND = "imageNotFound"
    AZURE_REFUSED = "azureRefused"
    INTERNAL_ERROR = "internalError"
    AZURE_FAILED = "azureFailed"
    UNHEALTHY = "unhealthy"
    AUTHENTICATION_OFF = "authenticationOff"
    AZURE_BUSY = "azureBusy"
    READING_TOO_OFTEN = "readingTooOften"
    NOT_STARTED = "notStarted"
    START_UNCERTAIN = "startUncertain"
    WRITTEN_BY_NEWER_RELEASE = "writtenByNewerRelease"


#: The HTTP status of each code.
STATUS: Mapping[Code, int] = {
    Code.MALFORMED_JSON: 400,
    Code.MISSING_FIELD: 400,
    Code.UNKNOWN_FIELD: 400,
    Code.UNKNOWN_PARAMETER: 400,
    Code.INVALID_TYPE: 400,
    Code.INVALID_VALUE: 400,
    Code.OUT_OF_RANGE: 400,
    Code.UNKNOWN_HEALTH_CHECK_TYPE: 400,
    Code.HEALTH_CHECK_NOT_DEFINED: 400,
    Code.TWO_BATCH_SIZES: 400,
    Code.TWO_THRESHOLDS: 400,
    Code.THRESHOLD_WITHOUT_CHECK: 400,
    Code.UNAUTHENTICATED: 401,
    Code.ROLE_MISSING: 403,
    Code.SIGNAL_KEY_INVALID: 403,
    Code.CROSS_ORIGIN: 403,
    Code.GROUP_NOT_FOUND: 404,
    Code.DEPLOYMENT_NOT_FOUND: 404,
    Code.INSTANCE_NOT_FOUND: 404,
    Code.EVIDENCE_NOT_FOUND: 404,
    Code.VM_NOT_FOUND: 404,
    Code.VM_REPLACED: 409,
    Code.VM_AMBIGUOUS: 409,
    Code.SIGNAL_NOT_DECLARED: 422,
    Code.SIGNAL_SECRET_MISSING: 422,
    Code.DEPLOYMENT_IN_PROGRESS: 409,
    Code.QUEUE_FULL: 409,
    Code.SCALE_SET_TAKEN: 409,
    Code.DEPLOYMENT_FAILED: 409,
    Code.DEPLOYMENT_ROLLED_BACK: 409,
    Code.DEPLOYMENT_STOPPED: 409,
    Code.COMMAND_NOT_POSSIBLE: 409,
    Code.PREVIOUS_MODEL_UNKNOWN: 409,
    Code.PREVIOUS_IMAGE_GONE: 409,
    Code.RETRY_NOT_POSSIBLE: 409,
    Code.REQUEST_IN_PROGRESS: 409,
    Code.BODY_TOO_LARGE: 413,
    Code.UNSUPPORTED_MEDIA_TYPE: 415,
    Code.IDEMPOTENCY_KEY_REUSED: 422,
    Code.SCOPE_NOT_ALLOWED: 422,
    Code.PREFLIGHT_FAILED: 422,
    Code.GROUP_HAS_NO_IMAGE: 422,
    Code.IMAGE_NOT_FOUND: 422,
    Code.AZURE_REFUSED: 422,
    Code.INTERNAL_ERROR: 500,
    Code.AZURE_FAILED: 502,
    Code.UNHEALTHY: 503,
    Code.AUTHENTICATION_OFF: 503,
    Code.AZURE_BUSY: 503,
    Code.READING_TOO_OFTEN: 503,
    Code.NOT_STARTED: 503,
    Code.START_UNCERTAIN: 503,
    Code.WRITTEN_BY_NEWER_RELEASE: 503,
}


@dataclass(frozen=True)
class Detail:
    """One fault among several: a field that is wrong, or a finding of the preflight."""

    code: str
    message: str
    target: str = ""
    remedy: str = ""


class Refusal(Exception):
    """Why a request is not done: what the error envelope says."""

    def __init__(self, code: Code, message: str, target: str = "", details: Sequence[Detail] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.target = target
        self.details = tuple(details) or (Detail(code, message, target),)

    @property
    def answer(self) -> Answer:
        """What is sent; where trying again later is all there is to do, it says when."""
        headers = _retry_after(RETRY_AFTER) if passes(self.code) else {}
        return Answer(STATUS[self.code], _envelope(self.code, self.message, self.target, self.details), headers)


def passes(code: Code) -> bool:
    """Whether trying again later is all there is to do."""
    return STATUS[code] == 503 or code is Code.REQUEST_IN_PROGRESS


def refuse_faults(faults: Sequence[Detail]) -> Refusal:
    """The refusal of a malformed request: the first fault is its code, and every one is a detail."""
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Refusal(Code(first.code), first.message + more, first.target, faults)


def refuse_held(held: LockHolder) -> Refusal:
    """The refusal of what has to wait for another deployment."""
    if not held.holder:
        return Refusal(Code.DEPLOYMENT_IN_PROGRESS, f"{held.reason}. Try again")
    message = f"{held.reason}. Wait until it has ended: GET /api/deployments/{held.holder}"
    details = [Detail(Code.DEPLOYMENT_IN_PROGRESS, held.reason, held.holder)]
    return Refusal(Code.DEPLOYMENT_IN_PROGRESS, message, held.holder, details)


def refuse_findings(findings: Sequence[Finding]) -> Refusal:
    """The refusal of what was understood but would go wrong; ``findings`` are the preflight's errors."""
    first = findings[0]
    details = [Detail(finding.code, finding.message, finding.target, finding.remedy) for finding in findings]
    return Refusal(Code.PREFLIGHT_FAILED, f"{first.message}. {first.remedy}", first.target, details)


async def respond(handler: Handler, ports_of: Callable[[], Ports], request: Request) -> Answer:
    """The handler's answer, or that of what it raised."""
    try:
        return await handler(ports_of(), request)
    except Refusal as refusal:
        return refusal.answer
    except AzureError as error:
        return _azure_answer(error)
    except Exception:
        _log.exception("%s %s failed", request.method, request.url.partition("?")[0])
        message = "Teal failed to do this; its log says why. Try again, and report it if it happens again"
        return Refusal(Code.INTERNAL_ERROR, message).answer


def _azure_answer(error: AzureError) -> Answer:
    if isinstance(error, ReadingTooOften):
        answer = Refusal(Code.READING_TOO_OFTEN, error.message).answer
        return Answer(answer.status, answer.body, _retry_after(error.retry_after or RETRY_AFTER))
    if isinstance(error, Unreadable):
        return Refusal(Code.WRITTEN_BY_NEWER_RELEASE, error.message, error.row.id).answer
    said = f"{error.by} answered {error.code}: {error.message}"
    if isinstance(error, Busy):
        answer = Refusal(Code.AZURE_BUSY, f"{said}. Try again later").answer
        return Answer(answer.status, answer.body, _retry_after(error.retry_after or RETRY_AFTER))
    if isinstance(error, Refused):
        return Refusal(Code.AZURE_REFUSED, f"{said}. {_remedy(error)}").answer
    return Refusal(Code.AZURE_FAILED, f"{said}. Try again").answer


def _remedy(error: AzureError) -> str:
    if error.code in _NOT_ALLOWED:
        return (
            "Give the app's identity Virtual Machine Contributor on the scale set's resource group and Reader on the "
            "gallery; a new role assignment takes some minutes to work"
        )
    return "Trying again does not help before what Azure names is changed"


def _retry_after(duration: timedelta) -> dict[str, str]:
    return {"Retry-After": str(max(1, round(duration.total_seconds())))}


def _envelope(code: str, message: str, target: str, details: Sequence[Detail]) -> dict[str, Any]:
    error: dict[str, Any] = {"code": str(code), "message": plain(message)}
    if target:
        error["target"] = plain(target)
    return {"error": {**error, "details": [_detail(detail) for detail in details]}}


def _detail(detail: Detail) -> dict[str, str]:
    said = {"code": str(detail.code), "message": detail.message, "target": detail.target, "remedy": detail.remedy}
    return {name: plain(text) for name, text in said.items() if text}
