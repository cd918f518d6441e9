"""Every route of the API, as a table: ``api.http_triggers`` makes a function of each."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

from api.handlers.app_health import Examination, get_health
from api.handlers.commands import command_deployment, list_deployment_commands, take_back_deployment
from api.handlers.deployments import (
    get_deployment_durable,
    get_vm_evidence,
    get_vm_serial_log,
    list_deployment_batches,
    list_deployment_events,
    list_deployment_vms,
)
from api.handlers.group_vms import Looks, list_group_vms
from api.handlers.groups import delete_group, get_group, list_groups, put_group
from api.handlers.images import list_images
from api.handlers.lists import list_deployments, list_group_deployments
from api.handlers.me import get_me
from api.handlers.news import get_deployment, get_latest_deployment
from api.handlers.notifications import list_notifications
from api.handlers.operation import get_deployment_operation, get_deployment_operation_status
from api.handlers.signals import make_signal_key, signal_vm
from api.handlers.start import start_deployment
from api.transport.admission import Admission, admitted
from api.transport.guard import guarded
from api.transport.http import Answer, Handler, Request
from api.transport.idempotency import once
from api.transport.paging import PARAMETER
from api.transport.query import understood
from api.transport.route import Route
from rollout.model.codec import Json
from rollout.model.rows.commands import CommandKind
from rollout.ports.ports import Ports
from services.readings import Readings
from settings import Settings

#: The query parameters of a list.
_PAGED = ("limit", PARAMETER)

#: Those of a list of deployments, and of one deployment.
_FILTERS = ("status", "createdAfter", "createdBefore", "image")
_NEWS = ("include", "after", "vmsSince")


def routes(settings: Settings) -> tuple[Route, ...]:
    """Every route that needs a role (``rollout.model.roles``). Every POST may carry an ``Idempotency-Key``."""
    return tuple(replace(route, handler=_kept(route, settings)) for route in _table(settings))


def open_routes(settings: Settings | None = None) -> tuple[Route, ...]:
    """Every route for anyone: but for ``health?deep=true`` they ask nobody, and none says what others do."""
    table = (
        Route("get_health", "GET", "health", partial(get_health, examination=Examination()), ("deep",)),
        Route("get_openapi", "GET", "openapi.json", _get_openapi),
        Route("get_docs", "GET", "docs", _get_docs),
    )
    return tuple(replace(route, handler=_kept(route, settings or Settings())) for route in table)


@cache
def document() -> Json:
    """The API as an OpenAPI document, without the address at which it is served. Nobody may change it."""
    # It is made from models of pydantic, which take their time to load.
    from api.contract.openapi import describe

    keyed, open_ = routes(Settings()), open_routes(Settings())
    return describe([*((route, False) for route in keyed), *((route, True) for route in open_)])


async def _get_openapi(ports: Ports, request: Request) -> Answer:
    """The API as an OpenAPI 3.1 document."""
    return Answer(200, {**document(), "servers": [{"url": request.prefix}]})


async def _get_docs(ports: Ports, request: Request) -> Answer:
    """The same as a page."""
    return _page()


@cache
def _page() -> Answer:
    from api.contract.page import answer_page

    return answer_page(document())


def _kept(route: Route, settings: Settings) -> Handler:
    """The route's handler with what all routes, and all of its method, keep to; who asks comes first."""
    handler = partial(once, handler=route.handler) if route.method == "POST" and route.kept else route.handler
    handler = partial(understood, handler=handler, known=route.query)
    handler = handler if route.method == "GET" else partial(guarded, handler=handler)
    return partial(admitted, handler=handler, admission=Admission(route.name, settings))


def _table(settings: Settings) -> tuple[Route, ...]:
    readings = Readings()
    secrets = settings.signal_secrets
    put = partial(put_group, readings=readings, scopes=settings.scopes, signals_keyed=bool(secrets))
    return (
        Route("get_me", "GET", "me", get_me),
        Route("list_groups", "GET", "groups", list_groups, ("include", *_PAGED)),
        Route("get_group", "GET", "groups/{groupId}", partial(get_group, readings=readings), ("fresh",)),
        Route("list_group_vms", "GET", "groups/{groupId}/vms", partial(list_group_vms, looks=Looks(readings)), _PAGED),
        Route("put_group", "PUT", "groups/{groupId}", put),
        Route("delete_group", "DELETE", "groups/{groupId}", delete_group),
        Route("list_images", "GET", "groups/{groupId}/images", list_images, _PAGED),
        Route(
            "list_group_deployments",
            "GET",
            "groups/{groupId}/deployments",
            list_group_deployments,
            (*_FILTERS, *_PAGED),
        ),
        Route("get_latest_deployment", "GET", "groups/{groupId}/deployments/latest", get_latest_deployment, _NEWS),
        Route(
            "start_deployment",
            "POST",
            "groups/{groupId}/deployments",
            partial(start_deployment, scopes=settings.scopes, readings=readings),
            ("dryRun",),
        ),
        Route("list_deployments", "GET", "deployments", list_deployments, (*_FILTERS, "key", *_PAGED)),
        Route("get_deployment", "GET", "deployments/{deploymentId}", get_deployment, _NEWS),
        Route("get_deployment_operation", "GET", "deployments/{deploymentId}/operation", get_deployment_operation),
        Route(
            "get_deployment_operation_status",
            "GET",
            "deployments/{deploymentId}/operationStatus",
            get_deployment_operation_status,
        ),
        Route("list_deployment_vms", "GET", "deployments/{deploymentId}/vms", list_deployment_vms, ("batch", *_PAGED)),
        Route("get_vm_evidence", "GET", "deployments/{deploymentId}/vms/{vmId}/evidence", get_vm_evidence),
        Route("get_vm_serial_log", "GET", "deployments/{deploymentId}/vms/{vmId}/serialLog", get_vm_serial_log),
        Route("list_deployment_batches", "GET", "deployments/{deploymentId}/batches", list_deployment_batches, _PAGED),
        Route(
            "list_deployment_events",
            "GET",
            "deployments/{deploymentId}/events",
            list_deployment_events,
            ("after", *_PAGED),
        ),
        Route("get_deployment_durable", "GET", "deployments/{deploymentId}/durable", get_deployment_durable),
        Route(
            "list_deployment_commands", "GET", "deployments/{deploymentId}/commands", list_deployment_commands, _PAGED
        ),
        _command("pause_deployment", CommandKind.PAUSE),
        _command("resume_deployment", CommandKind.RESUME),
        _command("stop_deployment", CommandKind.STOP),
        _command("roll_back_deployment", CommandKind.ROLL_BACK),
        _command("approve_deployment", CommandKind.APPROVE),
        Route("take_back_deployment", "DELETE", "groups/{groupId}/queue/{deploymentId}", take_back_deployment),
        Route("list_notifications", "GET", "notifications", list_notifications, _PAGED),
        # Its answer is a secret, and the same each time: it is not kept for a request that is sent again.
        Route(
            "make_signal_key",
            "POST",
            "groups/{groupId}/signalKey",
            partial(make_signal_key, secrets=secrets),
            kept=False,
        ),
        Route("signal_vm", "POST", "vm/signal", partial(signal_vm, secrets=secrets)),
    )


def _command(name: str, kind: CommandKind) -> Route:
    """Each command is a function of its own: who may approve need not be able to stop."""
    return Route(name, "POST", f"deployments/{{deploymentId}}/{kind}", partial(command_deployment, kind=kind))
