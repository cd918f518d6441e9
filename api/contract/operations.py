"""Inputs and answers of each route, from which the API's document is made.

It loads pydantic, so only what makes or checks the document imports it, when that is called for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from api.contract import answers
from api.contract.bodies import ApprovalBody, CommandBody, DeploymentBody, GroupBody, SignalBody
from api.contract.page_sizes import BATCH_MAX, EVENTS_PAGE, NOTIFICATIONS_PAGE, PAGE, VERSIONS_DEFAULT, VERSIONS_MAX
from api.contract.parts import PARTS
from api.transport.errors import Code
from api.transport.idempotency import KEY_LENGTH_MAX
from api.transport.paging import PAGE_MAX, TOKEN_LENGTH_MAX
from rollout.model.status import Status

#: Of a parameter or a header: its JSON schema.
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A query parameter, or a header of an answer."""

    name: str
    about: str
    schema: Schema


@dataclass(frozen=True)
class Operation:
    """One route. ``answers``: what each status of success holds; ``None`` is no body, a text is a media type.

    ``refusals``: the codes that it has besides those of ``refusals_of``. ``optional``: the body may be left out.
    ``sent``: headers of the request.
    """

    tag: str
    answers: Mapping[int, type[BaseModel] | str | None]
    refusals: tuple[Code, ...] = ()
    body: type[BaseModel] | None = None
    optional: bool = False
    query: tuple[Parameter, ...] = ()
    headers: Mapping[int, tuple[Parameter, ...]] = field(default_factory=dict)
    sent: tuple[Parameter, ...] = ()
    summary: str = ""


#: What any route that asks a neighbour may meet.
NEIGHBOURS = (
    Code.AZURE_REFUSED,
    Code.INTERNAL_ERROR,
    Code.AZURE_FAILED,
    Code.AZURE_BUSY,
    Code.WRITTEN_BY_NEWER_RELEASE,
)
BODY = (
    *(Code.MALFORMED_JSON, Code.MISSING_FIELD, Code.UNKNOWN_FIELD, Code.INVALID_TYPE, Code.INVALID_VALUE),
    Code.OUT_OF_RANGE,
)
WRITE = (Code.CROSS_ORIGIN, Code.BODY_TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE)
KEYED = (Code.INVALID_VALUE, Code.REQUEST_IN_PROGRESS, Code.IDEMPOTENCY_KEY_REUSED)
QUERY = (Code.INVALID_TYPE, Code.OUT_OF_RANGE)
#: What any route may answer to a caller, but those that are for anyone.
ACCESS = (Code.UNAUTHENTICATED, Code.ROLE_MISSING, Code.AUTHENTICATION_OFF)
#: What any route may answer to its query.
EVERY = (Code.UNKNOWN_PARAMETER, Code.INVALID_VALUE)

_TOKEN = Parameter(
    "continuationToken",
    "From the page before this one: go on after it. The other parameters stay the same.",
    {"type": "string", "minLength": 1, "maxLength": TOKEN_LENGTH_MAX},
)
_LOCATION = Parameter("Location", "Where to read it.", {"type": "string", "format": "uri"})
_OPERATION = tuple(
    Parameter(name, "Where the operation's record is.", {"type": "string", "format": "uri"})
    for name in ("Operation-Location", "Azure-AsyncOperation")
)
_RETRY_AFTER = Parameter(
    "Retry-After", "Seconds to wait before asking again.", {"type": "string", "pattern": "^[0-9]+$"}
)
_REPLAYED = Parameter(
    "Idempotent-Replayed", "`true`: the answer that the first request with this key got.", {"type": "string"}
)


def _whole(name: str, about: str, least: int, most: int | None = None, default: int | None = None) -> Parameter:
    bounds = {"minimum": least, "maximum": most if most is not None else 999_999_999, "default": default}
    return Parameter(
        name, about, {"type": "integer", **{key: bound for key, bound in bounds.items() if bound is not None}}
    )


def _paged(most: int, default: int | None = None) -> tuple[Parameter, ...]:
    return (_whole("limit", "How many items a page has at most.", 1, most, default or most), _TOKEN)


_SIGNAL_KEY = Parameter(
    "x-teal-signal-key", "The key of the VM's group, where the app asks for one.", {"type": "string", "maxLength": 64}
)
_GROUP = (Code.GROUP_NOT_FOUND,)
_DEPLOYMENT = (Code.DEPLOYMENT_NOT_FOUND,)
_STATUS = Parameter(
    "status",
    f"Only deployments of these statuses, with commas between them: {', '.join(Status)}.",
    {"type": "string", "pattern": f"^({'|'.join(Status)})(,({'|'.join(Status)}))*$"},
)
_TIME = {"type": "string", "format": "date-time"}
_FILTERS = (
    _STATUS,
    Parameter("createdAfter", "Only deployments that were asked for after this time.", _TIME),
    Parameter("createdBefore", "Only deployments that were asked for before this time.", _TIME),
    Parameter(
        "image",
        "Only deployments of this image: as it was asked for, its version, or its whole name.",
        {"type": "string", "minLength": 1},
    ),
)
_NEWS = (
    Parameter(
        "include",
        f"What to tell besides, with commas between them: {', '.join(PARTS)}.",
        {"type": "string", "pattern": f"^({'|'.join(PARTS)})(,({'|'.join(PARTS)}))*$"},
    ),
    _whole("after", "Of events, and of batches, only what is newer than this event: `next` of the last answer.", 0),
    Parameter(
        "vmsSince", "Of VMs only what is newer: `vmsSince` of the last answer.", {"type": "string", "minLength": 1}
    ),
)
_TAG = Parameter(
    "ETag", "Send it back as `If-None-Match`: the answer is 304 while nothing has changed.", {"type": "string"}
)
_KEY = Parameter(
    "key",
    "Only the deployment that was started with this `Idempotency-Key`.",
    {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX},
)


def _command(what: str, body: type[BaseModel] = CommandBody, *refusals: Code) -> Operation:
    return Operation(
        "Commands",
        {202: answers.DEPLOYMENT},
        (*_DEPLOYMENT, Code.COMMAND_NOT_POSSIBLE, *refusals),
        body=body,
        optional=True,
        summary=what,
    )


def _news(refusals: tuple[Code, ...]) -> Operation:
    headers = (_TAG, _RETRY_AFTER)
    return Operation(
        "Deployments",
        {200: answers.DEPLOYMENT, 304: None},
        refusals,
        query=_NEWS,
        headers={200: headers, 304: headers},
    )


#: By the name of the function.
OPERATIONS: Mapping[str, Operation] = {
    "get_me": Operation("Access", {200: answers.Me}),
    "list_groups": Operation(
        "Groups",
        {200: answers.listed(answers.GROUP, told=True)},
        query=(
            Parameter("include", "`state`: how each group was last seen.", {"type": "string", "enum": ["state"]}),
            *_paged(PAGE_MAX),
        ),
    ),
    "get_group": Operation(
        "Groups",
        {200: answers.GROUP},
        (*_GROUP, Code.READING_TOO_OFTEN),
        query=(Parameter("fresh", "`true`: look at the scale set now.", {"type": "boolean"}),),
    ),
    "list_group_vms": Operation(
        "Groups", {200: answers.GroupVmList}, (*_GROUP, Code.READING_TOO_OFTEN), query=_paged(PAGE_MAX)
    ),
    "put_group": Operation(
        "Groups",
        {200: answers.GROUP, 201: answers.GROUP},
        (
            *(Code.UNKNOWN_HEALTH_CHECK_TYPE, Code.HEALTH_CHECK_NOT_DEFINED, Code.TWO_BATCH_SIZES),
            *(Code.TWO_THRESHOLDS, Code.THRESHOLD_WITHOUT_CHECK, Code.SCALE_SET_TAKEN),
            *(Code.DEPLOYMENT_IN_PROGRESS, Code.SCOPE_NOT_ALLOWED, Code.PREFLIGHT_FAILED, Code.READING_TOO_OFTEN),
        ),
        body=GroupBody,
        headers={201: (_LOCATION,)},
    ),
    "delete_group": Operation("Groups", {204: None}, (*_GROUP, Code.DEPLOYMENT_IN_PROGRESS)),
    "list_images": Operation(
        "Groups",
        {200: answers.listed(answers.ImageVersion)},
        (*_GROUP, Code.GROUP_HAS_NO_IMAGE, Code.IMAGE_NOT_FOUND),
        query=_paged(VERSIONS_MAX, VERSIONS_DEFAULT),
    ),
    "list_group_deployments": Operation(
        "Deployments", {200: answers.listed(answers.DEPLOYMENT, told=True)}, _GROUP, query=(*_FILTERS, *_paged(PAGE))
    ),
    "start_deployment": Operation(
        "Deployments",
        {200: answers.Plan, 202: answers.DEPLOYMENT},
        (
            *(Code.UNKNOWN_HEALTH_CHECK_TYPE, Code.HEALTH_CHECK_NOT_DEFINED, Code.TWO_BATCH_SIZES, Code.TWO_THRESHOLDS),
            *(Code.THRESHOLD_WITHOUT_CHECK, *_GROUP, Code.DEPLOYMENT_IN_PROGRESS, Code.QUEUE_FULL),
            *(Code.RETRY_NOT_POSSIBLE, Code.SCOPE_NOT_ALLOWED, Code.PREFLIGHT_FAILED, Code.READING_TOO_OFTEN),
            *(Code.NOT_STARTED, Code.START_UNCERTAIN),
        ),
        body=DeploymentBody,
        query=(Parameter("dryRun", "`true`: nothing is started, and the answer is the plan.", {"type": "boolean"}),),
        headers={202: (_LOCATION, *_OPERATION, _RETRY_AFTER)},
    ),
    "list_deployments": Operation(
        "Deployments", {200: answers.listed(answers.DEPLOYMENT, told=True)}, query=(*_FILTERS, _KEY, *_paged(PAGE))
    ),
    "get_deployment": _news(_DEPLOYMENT),
    "get_latest_deployment": _news((*_GROUP, *_DEPLOYMENT)),
    "get_deployment_operation": Operation(
        "Deployments",
        {200: answers.DEPLOYMENT, 202: answers.OperationStatus},
        (*_DEPLOYMENT, Code.DEPLOYMENT_FAILED, Code.DEPLOYMENT_ROLLED_BACK, Code.DEPLOYMENT_STOPPED),
        headers={202: (_LOCATION, _RETRY_AFTER)},
    ),
    "get_deployment_operation_status": Operation(
        "Deployments", {200: answers.OperationStatus}, _DEPLOYMENT, headers={200: (_RETRY_AFTER,)}
    ),
    "list_deployment_vms": Operation(
        "Deployments",
        {200: answers.listed(answers.VM)},
        _DEPLOYMENT,
        query=(_whole("batch", "Only the VMs of this batch; 0: those that stay.", 0, BATCH_MAX), *_paged(PAGE_MAX)),
    ),
    "get_vm_evidence": Operation("Deployments", {200: answers.EVIDENCE}, (*_DEPLOYMENT, Code.EVIDENCE_NOT_FOUND)),
    "get_vm_serial_log": Operation(
        "Deployments",
        {200: "text/plain; charset=utf-8"},
        (*_DEPLOYMENT, Code.EVIDENCE_NOT_FOUND),
        headers={200: (Parameter("Content-Disposition", "It is an `attachment`, with a name.", {"type": "string"}),)},
    ),
    "list_deployment_batches": Operation(
        "Deployments", {200: answers.listed(answers.BATCH)}, _DEPLOYMENT, query=_paged(PAGE_MAX)
    ),
    "list_deployment_events": Operation(
        "Deployments",
        {200: answers.EventList},
        _DEPLOYMENT,
        query=(_whole("after", "Only events with a higher number than this.", 0), *_paged(EVENTS_PAGE)),
    ),
    "get_deployment_durable": Operation(
        "Deployments",
        {200: answers.Durable, 202: answers.Durable},
        (*_DEPLOYMENT, Code.INSTANCE_NOT_FOUND),
        headers={202: (_LOCATION, _RETRY_AFTER)},
    ),
    "list_deployment_commands": Operation(
        "Commands", {200: answers.listed(answers.COMMAND)}, _DEPLOYMENT, query=_paged(PAGE_MAX)
    ),
    "pause_deployment": _command("Begin nothing new until it is resumed."),
    "resume_deployment": _command("Go on after a pause."),
    "stop_deployment": _command("End here; VMs stay as they are."),
    "roll_back_deployment": _command(
        "Bring the previous image back, in further batches.",
        CommandBody,
        Code.PREVIOUS_MODEL_UNKNOWN,
        Code.PREVIOUS_IMAGE_GONE,
    ),
    "approve_deployment": _command("Go on past the gate at which it waits.", ApprovalBody),
    "take_back_deployment": Operation(
        "Commands", {202: answers.DEPLOYMENT}, (*_GROUP, *_DEPLOYMENT, Code.COMMAND_NOT_POSSIBLE)
    ),
    "list_notifications": Operation(
        "Notifications", {200: answers.listed(answers.NOTIFICATION)}, query=_paged(NOTIFICATIONS_PAGE)
    ),
    "make_signal_key": Operation("Signals", {200: answers.SignalKey}, (*_GROUP, Code.SIGNAL_SECRET_MISSING)),
    "signal_vm": Operation(
        "Signals",
        {200: answers.SIGNAL, 202: answers.SIGNAL},
        (
            *(*_GROUP, Code.VM_NOT_FOUND, Code.VM_REPLACED, Code.VM_AMBIGUOUS, Code.SIGNAL_NOT_DECLARED),
            *(Code.MALFORMED_JSON, Code.SIGNAL_KEY_INVALID),
        ),
        body=SignalBody,
        sent=(_SIGNAL_KEY,),
    ),
    "get_health": Operation(
        "About",
        {200: answers.Health},
        (Code.UNHEALTHY,),
        query=(
            Parameter("deep", "`true`: whether storage, the identity and the timers work too.", {"type": "boolean"}),
        ),
    ),
    "get_openapi": Operation("About", {200: answers.Document}, (Code.AUTHENTICATION_OFF,)),
    "get_docs": Operation("About", {200: "text/html; charset=utf-8"}, (Code.AUTHENTICATION_OFF,)),
}


def refusals_of(method: str, operation: Operation) -> tuple[Code, ...]:
    """Every code that a route may answer, in the order of their declaration."""
    known = {*operation.refusals, *EVERY}
    if operation.tag != "About":
        known |= {*NEIGHBOURS, *ACCESS}
    if method != "GET":
        known |= {*WRITE}
    if method == "POST":
        known |= {*KEYED}
    known |= {*BODY} if operation.body else set()
    known |= {*QUERY} if operation.query else set()
    return tuple(code for code in Code if code in known)


def headers_of(method: str, operation: Operation, status: int) -> tuple[Parameter, ...]:
    """The headers of a success."""
    replayed = (_REPLAYED,) if method == "POST" else ()
    return (*operation.headers.get(status, ()), *replayed)


def retries(codes: tuple[Code, ...]) -> tuple[Parameter, ...]:
    """The headers of a refusal with one of these codes."""
    from api.transport.errors import passes

    return (_RETRY_AFTER,) if any(passes(code) for code in codes) else ()
