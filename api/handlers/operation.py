"""A deployment as the long-running operation that Azure's clients follow.

Three conventions meet in the ``202`` of a start. ``Location``: 202 until the end, then the result or the error.
``Azure-AsyncOperation`` and ``Operation-Location``: always 200, with ARM's record of the operation, whose ``status``
says how it stands.
https://github.com/Azure/azure-resource-manager-rpc/blob/master/v1.0/async-api-reference.md
"""

from __future__ import annotations

from collections.abc import Mapping

from api.handlers.lookup import find_deployment
from api.handlers.overview import overview
from api.transport.errors import RETRY_AFTER, Code, Detail, Refusal
from api.transport.http import Answer, Request
from rollout.model.codec import Json, encode
from rollout.model.rows.deployment import Deployment
from rollout.model.status import Status
from rollout.ports.ports import Ports

#: When to ask again of what is under way.
RETRY: Mapping[str, str] = {"Retry-After": str(round(RETRY_AFTER.total_seconds()))}

#: ARM's word for each end.
_ENDS: Mapping[Status, str] = {
    Status.FINISHED: "Succeeded",
    Status.FAILED: "Failed",
    Status.ROLLED_BACK: "Failed",
    Status.STOPPED: "Canceled",
}

#: What each end is called where an operation has to be an error.
_CODES: Mapping[Status, Code] = {
    Status.FAILED: Code.DEPLOYMENT_FAILED,
    Status.ROLLED_BACK: Code.DEPLOYMENT_ROLLED_BACK,
    Status.STOPPED: Code.DEPLOYMENT_STOPPED,
}


def operation_headers(request: Request, deployment_id: str) -> dict[str, str]:
    """Where to follow a deployment that was started, by whichever convention."""
    record = request.link(_status_path(deployment_id))
    result = request.link(f"deployments/{deployment_id}/operation")
    return {"Location": result, "Operation-Location": record, "Azure-AsyncOperation": record, **RETRY}


def while_under_way(deployment: Deployment) -> dict[str, str]:
    """When to ask again; nothing once the deployment is over."""
    return {} if deployment.status.ended else dict(RETRY)


async def get_deployment_operation(ports: Ports, request: Request) -> Answer:
    """What ``Location`` of a start names: 202 until the end; then the deployment if it finished, else the error."""
    deployment = await find_deployment(ports, request)
    shown = await overview(ports, deployment)
    if not deployment.status.ended:
        headers = {"Location": request.link(f"deployments/{deployment.id}/operation"), **RETRY}
        return Answer(202, _record(request, deployment, shown), headers)
    if deployment.status is Status.FINISHED:
        return Answer(200, shown)
    raise _refusal(deployment)


async def get_deployment_operation_status(ports: Ports, request: Request) -> Answer:
    """The same as Azure Resource Manager's record of an operation: always 200, and ``status`` says how it stands."""
    deployment = await find_deployment(ports, request)
    record = _record(request, deployment, await overview(ports, deployment))
    return Answer(200, record, while_under_way(deployment))


def _record(request: Request, deployment: Deployment, shown: Json) -> Json:
    """What ARM leaves out before there is any of it is left out here."""
    record = {
        "id": request.path(_status_path(deployment.id)),
        "name": deployment.id,
        "status": _ENDS.get(deployment.status, "InProgress"),
        "percentComplete": deployment.progress,
        "startTime": encode(deployment.created_at),
        "properties": shown,
    }
    if deployment.ended_at is not None:
        record["endTime"] = encode(deployment.ended_at)
    if deployment.status in _CODES:
        record["error"] = _refusal(deployment).answer.body["error"]
    return record


def _refusal(deployment: Deployment) -> Refusal:
    """The end of a deployment that did not finish, as an error; ``details``: what it failed of."""
    why = deployment.error
    code, message = _CODES[deployment.status], deployment.reason
    details = [Detail(why.code, why.message, deployment.id)] if why else [Detail(code, message, deployment.id)]
    return Refusal(code, message, deployment.id, details)


def _status_path(deployment_id: str) -> str:
    return f"deployments/{deployment_id}/operationStatus"
