"""Explanations of the error codes, for the API's document and docs/api.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from api.transport.errors import Code


class Explanation(NamedTuple):
    """When a code is answered, and what whoever gets it can do."""

    when: str
    do: str


EXPLANATIONS: Mapping[Code, Explanation] = {
    Code.MALFORMED_JSON: Explanation(
        "the body is not JSON, not UTF-8, nested too deeply, or gives a field twice",
        "send valid JSON",
    ),
    Code.MISSING_FIELD: Explanation(
        "a required field is not there",
        "add it",
    ),
    Code.UNKNOWN_FIELD: Explanation(
        "a field that the body does not have; the nearest known one is named",
        "correct its name, or leave it out",
    ),
    Code.UNKNOWN_PARAMETER: Explanation(
        "a query parameter that the route does not have; the nearest known one is named",
        "correct its name, or leave it out",
    ),
    Code.INVALID_TYPE: Explanation(
        "a field or query parameter has the wrong JSON type",
        "send the type that the message names",
    ),
    Code.INVALID_VALUE: Explanation(
        "a text that is not what the field means: an id of another kind, an unknown status or word, an empty image, "
        "an `Idempotency-Key` that is too long, a `continuationToken` of another list; a query parameter that is given "
        "twice, or without a value",
        "send what the message names",
    ),
    Code.OUT_OF_RANGE: Explanation(
        "a number or a length outside its range",
        "stay in the range that the message names",
    ),
    Code.UNKNOWN_HEALTH_CHECK_TYPE: Explanation(
        "a health check type that Teal does not know",
        "use one that the message names",
    ),
    Code.TWO_BATCH_SIZES: Explanation(
        "both `batchSize` and `batchSizePercentage`",
        "give one of them",
    ),
    Code.TWO_THRESHOLDS: Explanation(
        "both `minHealth` and `batchMinHealthyPercentage`",
        "give one of them",
    ),
    Code.THRESHOLD_WITHOUT_CHECK: Explanation(
        "a threshold where nothing judges health",
        "leave it out, or use health check types or the signal `vmReady`",
    ),
    Code.HEALTH_CHECK_NOT_DEFINED: Explanation(
        "a health check type that the group does not define",
        "use some of the group's, or `PUT` the group with more",
    ),
    Code.UNAUTHENTICATED: Explanation(
        "nobody has signed in, or it cannot be told which key was sent: there are several, or it has a comma in it",
        "sign in, or send a token of Microsoft Entra for this app; where roles have keys, send one key",
    ),
    Code.ROLE_MISSING: Explanation(
        "whoever asks has not the role that this needs; `target` is the role",
        "ask an administrator of Teal for the role, or for a key of it",
    ),
    Code.SIGNAL_KEY_INVALID: Explanation(
        "a VM's signal came without the key of its group, or with another's",
        "send `x-teal-signal-key`, as `POST /groups/{groupId}/signalKey` answers it",
    ),
    Code.SIGNAL_SECRET_MISSING: Explanation(
        "a group's key for signals is asked for where `TEAL_SIGNAL_SECRET` is not set",
        "set it, or leave signals to the function's key",
    ),
    Code.AUTHENTICATION_OFF: Explanation(
        "people are to be known by Microsoft Entra (`TEAL_AUTH_MODE`), and App Service authentication is not on",
        "turn it on (security.md); what is under way goes on meanwhile",
    ),
    Code.GROUP_NOT_FOUND: Explanation(
        "there is no such group, or none whose scale set may have a VM of that name",
        "`GET /groups` lists them",
    ),
    Code.DEPLOYMENT_NOT_FOUND: Explanation(
        "there is no such deployment",
        "`GET /deployments` lists the newest",
    ),
    Code.INSTANCE_NOT_FOUND: Explanation(
        "Durable Functions has no orchestration for the deployment",
        "none is needed: rows and events are still readable",
    ),
    Code.EVIDENCE_NOT_FOUND: Explanation(
        "the deployment keeps no evidence of that VM: it was healthy, or gone before it could be inspected",
        "`/vms` says of which VMs there is any",
    ),
    Code.VM_NOT_FOUND: Explanation(
        "no VM has that name now, or it is being deleted",
        "send the VM's name in Azure, while it exists",
    ),
    Code.VM_REPLACED: Explanation(
        "the VM of that name is another one than `vmId`, which was an earlier one",
        "none is needed: the earlier VM is gone",
    ),
    Code.VM_AMBIGUOUS: Explanation(
        "several groups may have a VM of that name",
        "send `vmId`",
    ),
    Code.SIGNAL_NOT_DECLARED: Explanation(
        "the group does not declare the signal; the message names those that it does",
        "`PUT` the group with it, or do not send it",
    ),
    Code.DEPLOYMENT_IN_PROGRESS: Explanation(
        "another deployment, `target`, is under way on the scale set, or waits for it",
        "wait until it has ended, or start with `onConflict`",
    ),
    Code.QUEUE_FULL: Explanation(
        "50 deployments wait for the scale set, as many as may; the message says how many",
        "wait until some have begun, take some back, or start with `onConflict: supersede`",
    ),
    Code.SCALE_SET_TAKEN: Explanation(
        "another group has the scale set",
        "change or delete that group",
    ),
    Code.DEPLOYMENT_FAILED: Explanation(
        "the deployment failed, and so its operation: `details` says of what",
        "as for the deployment's own `error`; start another one, or one with `retryOf`",
    ),
    Code.DEPLOYMENT_ROLLED_BACK: Explanation(
        "the deployment was rolled back, and so its operation failed",
        "the message says why; start another one when that is mended",
    ),
    Code.DEPLOYMENT_STOPPED: Explanation(
        "the deployment was stopped, and so its operation was cancelled",
        "start another one, or one with `retryOf`, to go on",
    ),
    Code.COMMAND_NOT_POSSIBLE: Explanation(
        "the command makes no sense in the state that the message says",
        "see `canBe` of the deployment",
    ),
    Code.PREVIOUS_MODEL_UNKNOWN: Explanation(
        "there is no image that the deployment could go back to",
        "stop it instead",
    ),
    Code.PREVIOUS_IMAGE_GONE: Explanation(
        "the image that the deployment would go back to is not there any more; `rollBack` was not written down",
        "bring the image back and say it again, or stop the deployment",
    ),
    Code.RETRY_NOT_POSSIBLE: Explanation(
        "the deployment of `retryOf` is not the group's last one, is under way, or has finished",
        "retry the one that the message names, or start without `retryOf`",
    ),
    Code.REQUEST_IN_PROGRESS: Explanation(
        "a request with the same `Idempotency-Key` is being worked on",
        "send it again after `Retry-After`",
    ),
    Code.BODY_TOO_LARGE: Explanation(
        "the body has more than 1048576 bytes",
        "send less",
    ),
    Code.UNSUPPORTED_MEDIA_TYPE: Explanation(
        "the body is not sent as `application/json`",
        "send the header `Content-Type: application/json`",
    ),
    Code.IDEMPOTENCY_KEY_REUSED: Explanation(
        "the `Idempotency-Key` was used with another body",
        "send each request with a key of its own",
    ),
    Code.SCOPE_NOT_ALLOWED: Explanation(
        "the scale set or the gallery is outside of the setting `TEAL_ALLOWED_SCOPES`",
        "use another, or have the setting changed",
    ),
    Code.PREFLIGHT_FAILED: Explanation(
        "the deployment would go wrong, or the scale set is none that Teal can deploy to: see `details`",
        "do as each detail's `remedy` says",
    ),
    Code.GROUP_HAS_NO_IMAGE: Explanation(
        "images are asked for, and the group has no `imageId`",
        "`PUT` the group with one",
    ),
    Code.IMAGE_NOT_FOUND: Explanation(
        "the group's `imageId` names no image",
        "correct it, and let the app's identity read the gallery",
    ),
    Code.AZURE_REFUSED: Explanation(
        "Azure refused a read, with the code in the message; `AuthorizationFailed`: a role is missing",
        "change what it names; give the app's identity Virtual Machine Contributor on the scale set's resource group "
        "and Reader on the gallery",
    ),
    Code.INTERNAL_ERROR: Explanation(
        "a fault in Teal; its log says which",
        "try again, and report it",
    ),
    Code.AZURE_FAILED: Explanation(
        "Azure answered something unexpected",
        "try again",
    ),
    Code.UNHEALTHY: Explanation(
        "`GET /health?deep=true` alone: something that Teal needs does not work; `target` is which",
        "the message says why; operations.md says what each check needs",
    ),
    Code.AZURE_BUSY: Explanation(
        "Azure or its throttling asks to wait",
        "try again after `Retry-After`",
    ),
    Code.WRITTEN_BY_NEWER_RELEASE: Explanation(
        "a row that is needed was written by a newer release of Teal, which was taken back since",
        "deploy that release again; lists leave such rows out and tell them in `unreadable`",
    ),
    Code.READING_TOO_OFTEN: Explanation(
        "a deployment has the scale set, and needs what Azure allows to be read of it",
        "try again after `Retry-After`, or when the deployment has ended",
    ),
    Code.NOT_STARTED: Explanation(
        "Durable Functions did not start the deployment, which is kept as `failed`; the scale set is free",
        "try again after `Retry-After`",
    ),
    Code.START_UNCERTAIN: Explanation(
        "Durable Functions stopped answering while the deployment, `target`, was started",
        "look at that deployment before trying again",
    ),
    Code.CROSS_ORIGIN: Explanation(
        "a browser sent the request from a page of another origin",
        "send it from a page of the app's own origin, or from no browser",
    ),
}
