"""Resources that are kept as they were written: rights, Event Grid's topics and subscriptions, providers.

Nothing happens by them here: whoever deploys Teal makes them, and reads them again. What Azure refuses of them is
refused. Codes are Azure's own where a source is named; the others are assumed, and said so.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus

from local.azure.calls import Call
from local.azure.errors import ArmError, resource_not_found
from local.azure.messages import Json, Response, json_response

ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"
DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"
TOPICS = "/providers/Microsoft.EventGrid/systemTopics"

#: How long the registration of a provider, and the making of a topic or a subscription take. Assumed.
REGISTERED_AFTER, MADE_AFTER = timedelta(minutes=1), timedelta(seconds=10)

#: Storage Blob Data Contributor and Owner: what dead letters are written with.
WRITERS = ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b")


def read(call: Call) -> Response:
    """GET one resource."""
    return json_response(HTTPStatus.OK, _shown(call, _there(call)))


def remove(call: Call) -> Response:
    """DELETE one resource, and what is below it; where there is none, Azure has nothing against it."""
    path = _path(call)
    if path not in call.state.managed:
        return Response(HTTPStatus.NO_CONTENT)
    for below in [key for key in call.state.managed if key.startswith(f"{path}/")]:
        del call.state.managed[below]
    return json_response(HTTPStatus.OK, call.state.managed.pop(path))


def put_assignment(call: Call) -> Response:
    """PUT a role assignment.

    https://learn.microsoft.com/azure/role-based-access-control/troubleshooting: ``RoleAssignmentExists``,
    ``RoleAssignmentUpdateNotPermitted``.
    """
    wanted = call.body()["properties"]
    scope = call.names["scope"]
    there = call.state.managed.get(_path(call))
    if there is not None and not _same(there["properties"], wanted):
        text = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
        raise ArmError(HTTPStatus.BAD_REQUEST, "RoleAssignmentUpdateNotPermitted", text)
    for key, other in _of(call, ASSIGNMENTS):
        at_scope = other["properties"]["scope"].lower() == scope.lower()
        if key != _path(call) and at_scope and _same(other["properties"], wanted):
            raise ArmError(HTTPStatus.CONFLICT, "RoleAssignmentExists", "The role assignment already exists.")
    created = there["properties"]["createdOn"] if there else call.state.now.isoformat()
    return _keep(call, {"properties": {**wanted, "scope": scope, "createdOn": created}}, new=there is None)


def list_assignments(call: Call) -> Response:
    """GET the role assignments at, above and below a scope, of one principal where ``$filter`` names it."""
    named = re.search(r"principalId eq '([^']+)'", call.request.query.get("$filter", ""))
    here = f"{call.names['scope'].lower()}/"
    found = [
        one
        for _, one in _of(call, ASSIGNMENTS)
        if (named is None or one["properties"]["principalId"] == named[1]) and _related(here, one)
    ]
    return json_response(HTTPStatus.OK, {"value": found})


def put_definition(call: Call) -> Response:
    """PUT a custom role. A subscription in which it is still assigned cannot be taken out of it.

    https://github.com/Azure/bicep/issues/17145: ``RoleScopeBeingRemovedContainsAssignments``.
    """
    properties = call.body()["properties"]
    scopes = [scope.lower() for scope in properties["assignableScopes"]]
    for one in _assigned(call):
        if not any(f"{one['properties']['scope'].lower()}/".startswith(f"{scope}/") for scope in scopes):
            text = "The role definition cannot be updated: a scope that is removed contains assignments."
            raise ArmError(HTTPStatus.BAD_REQUEST, "RoleScopeBeingRemovedContainsAssignments", text)
    return _keep(call, {"properties": properties}, new=_path(call) not in call.state.managed)


def remove_definition(call: Call) -> Response:
    """DELETE a custom role, which must not be assigned any more."""
    if list(_assigned(call)):
        text = "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments)."
        raise ArmError(HTTPStatus.BAD_REQUEST, "RoleDefinitionHasAssignments", text)
    return remove(call)


def list_definitions(call: Call) -> Response:
    """GET the custom roles that can be assigned in a subscription; Azure's own are not simulated."""
    here = call.names["scope"].lower()
    found = [
        one
        for _, one in _of(call, DEFINITIONS)
        if here in [scope.lower() for scope in one["properties"]["assignableScopes"]]
    ]
    return json_response(HTTPStatus.OK, {"value": found})


def put_topic(call: Call) -> Response:
    """PUT a system topic; a source has one (https://learn.microsoft.com/azure/event-grid/system-topics)."""
    body = call.body()
    source = body["properties"]["source"]
    for key, other in _of(call, TOPICS):
        if key != _path(call) and other["properties"].get("source", "").lower() == source.lower():
            text = f"System topic resource with source {source} already exists. Only one is allowed per source."
            raise ArmError(HTTPStatus.BAD_REQUEST, "InvalidRequest", text)
    if source.split("/")[2].lower() != call.names["subscription"].lower():
        text = "The source of a system topic must be in the topic's own subscription."
        raise ArmError(HTTPStatus.BAD_REQUEST, "InvalidRequest", text)
    there = call.state.managed.get(_path(call))
    if (body.get("identity") or {}).get("type") == "SystemAssigned":
        principal = (there or {}).get("identity", {}).get("principalId") or str(
            uuid.uuid5(uuid.NAMESPACE_URL, f"{call.state.seed}/{_path(call)}")
        )
        body["identity"] |= {"principalId": principal}
    return _make(call, body, new=there is None)


def put_subscription(call: Call) -> Response:
    """PUT an event subscription. One that has failed stays so (https://github.com/Azure/azure-sdk-for-net/issues/51014).

    What it names has to be there: the function (https://github.com/Azure/bicep/issues/11656), and the right of the
    topic's identity to write dead letters.
    """
    there = call.state.managed.get(_path(call))
    if there is not None and there["properties"]["provisioningState"] == "Failed":
        return _keep(call, there, new=False)
    body = call.body()
    function = body["properties"]["destination"]["properties"]["resourceId"]
    site, _, name = function.lower().partition("/functions/")
    app = call.state.managed.get(site)
    if app is None or name not in [each.lower() for each in functions_of(app, call.state.now)]:
        text = f"Destination endpoint not found. Resource details: resourceId: {function}."
        raise ArmError(HTTPStatus.BAD_REQUEST, "InvalidRequest", text)
    letters = body["properties"].get("deadLetterWithResourceIdentity")
    if letters and not _may_write(call, letters["deadLetterDestination"]["properties"]):
        text = "The identity of the topic may not write to the dead letter destination."
        raise ArmError(HTTPStatus.BAD_REQUEST, "InvalidRequest", text)
    return _make(call, body, new=there is None)


def list_children(call: Call) -> Response:
    """GET the resources of one type below what the path names; for topics of a subscription in all its groups."""
    base, kind = _path(call).rsplit("/", 1)
    pattern = re.compile(re.escape(f"{base}/{kind}/") + "[^/]+")
    if "group" not in call.names:
        subscription, _, provider = base.partition("/providers/")
        pattern = re.compile(
            f"{re.escape(subscription)}/resourcegroups/[^/]+/providers/{re.escape(provider)}/{kind}/[^/]+"
        )
    found = [_shown(call, one) for key, one in sorted(call.state.managed.items()) if pattern.fullmatch(key)]
    return json_response(HTTPStatus.OK, {"value": found})


def read_provider(call: Call) -> Response:
    """GET how far a provider's registration has come."""
    found = call.state.managed.get(_path(call), {"readyAt": ""})
    ready = found["readyAt"] and call.state.now >= datetime.fromisoformat(found["readyAt"])
    state = "Registered" if ready else "Registering" if found["readyAt"] else "NotRegistered"
    body = {"id": call.request.path, "namespace": call.names["provider"], "registrationState": state}
    return json_response(HTTPStatus.OK, body)


def register_provider(call: Call) -> Response:
    """POST the registration of a provider."""
    path = _path(call).rpartition("/")[0]
    call.state.managed.setdefault(path, {"id": path, "readyAt": (call.state.now + REGISTERED_AFTER).isoformat()})
    return json_response(HTTPStatus.OK, {"id": path, "registrationState": "Registering"})


def list_functions(call: Call) -> Response:
    """GET the functions that Azure knows of an app: none for a while after its deployment."""
    site = call.request.path.rpartition("/")[0]
    names = functions_of(_there(call, site.lower()), call.state.now)
    value = [{"id": f"{site}/functions/{name}", "name": f"{site.rpartition('/')[2]}/{name}"} for name in names]
    return json_response(HTTPStatus.OK, {"value": value})


def list_keys(call: Call) -> Response:
    """POST for the keys of a function."""
    site, _, function = call.request.path.rpartition("/")[0].partition("/functions/")
    if function not in functions_of(_there(call, site.lower()), call.state.now):
        raise resource_not_found("Microsoft.Web/sites/functions", function, call.names["group"])
    return json_response(HTTPStatus.OK, {"default": f"key-of-{function}"})


def functions_of(site: Json, now: datetime) -> list[str]:
    """The names of an app's functions, where its deployment is over."""
    ready = now >= datetime.fromisoformat(site.get("readyAt", now.isoformat()))
    return list(site.get("functions", ())) if ready else []


def _path(call: Call) -> str:
    return call.request.path.rstrip("/").lower()


def _there(call: Call, path: str = "") -> Json:
    found = call.state.managed.get(path or _path(call))
    if found is None:
        kind, _, name = (path or call.request.path).rpartition("/providers/")[2].rpartition("/")
        raise resource_not_found(kind, name, call.names.get("group", ""))
    return found


def _keep(call: Call, body: Json, *, new: bool) -> Response:
    kept = {**body, "id": call.request.path, "name": call.request.path.rpartition("/")[2]}
    call.state.managed[_path(call)] = kept
    return json_response(HTTPStatus.CREATED if new else HTTPStatus.OK, _shown(call, kept))


def _make(call: Call, body: Json, *, new: bool) -> Response:
    properties = {**body["properties"], "provisioningState": "Succeeded"}
    return _keep(
        call, {**body, "properties": properties, "readyAt": (call.state.now + MADE_AFTER).isoformat()}, new=new
    )


def _shown(call: Call, body: Json) -> Json:
    """The resource as Azure shows it now: what was just written is still being made."""
    shown = {name: value for name, value in body.items() if name != "readyAt"}
    if "readyAt" in body and "properties" in body and call.state.now < datetime.fromisoformat(body["readyAt"]):
        shown["properties"] = {**shown["properties"], "provisioningState": "Creating"}
    return shown


def _of(call: Call, kind: str) -> Iterator[tuple[str, Json]]:
    pattern = re.compile(f".*{re.escape(kind.lower())}/[^/]+")
    return ((key, one) for key, one in call.state.managed.items() if pattern.fullmatch(key))


def _related(here: str, assignment: Json) -> bool:
    scope = f"{assignment['properties']['scope'].lower()}/"
    return scope.startswith(here) or here.startswith(scope)


def _same(one: Json, other: Json) -> bool:
    role = one["roleDefinitionId"].rpartition("/")[2].lower()
    return bool(
        one["principalId"] == other["principalId"] and role == other["roleDefinitionId"].rpartition("/")[2].lower()
    )


def _assigned(call: Call) -> Iterator[Json]:
    """The assignments of the role in the path."""
    role = _path(call).rpartition("/")[2]
    return (
        one
        for _, one in _of(call, ASSIGNMENTS)
        if one["properties"]["roleDefinitionId"].rpartition("/")[2].lower() == role
    )


def _may_write(call: Call, destination: Json) -> bool:
    topic = call.state.managed[_path(call).partition("/eventsubscriptions/")[0]]
    principal = (topic.get("identity") or {}).get("principalId")
    container = (
        f"{destination['resourceId']}/blobServices/default/containers/{destination['blobContainerName']}".lower()
    )
    return any(
        one["properties"]["principalId"] == principal
        and f"{container}/".startswith(f"{one['properties']['scope'].lower()}/")
        and one["properties"]["roleDefinitionId"].rpartition("/")[2] in WRITERS
        for _, one in _of(call, ASSIGNMENTS)
    )
