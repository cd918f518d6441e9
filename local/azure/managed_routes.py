"""The routes of what whoever deploys Teal makes: rights, Event Grid's topics, the function app."""

from __future__ import annotations

from local.azure import managed, throttling
from local.azure.managed import ASSIGNMENTS, DEFINITIONS, TOPICS
from local.azure.routes import Handler, Route

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = _SUBSCRIPTION + "/resourceGroups/{group}"


def managed_routes() -> list[Route]:
    """All of them."""
    assignments, definitions = "{scope*}" + ASSIGNMENTS, "{scope*}" + DEFINITIONS
    topics = _GROUP + TOPICS
    topic = topics + "/{topic}"
    subscriptions = topic + "/eventSubscriptions"
    site = _GROUP + "/providers/Microsoft.Web/sites/{site}"
    provider = _SUBSCRIPTION + "/providers/{provider}"
    return [
        *_kept(assignments, "role assignment", managed.put_assignment),
        _route("GET", assignments, "list role assignments", managed.list_assignments),
        _route("GET", definitions, "list role definitions", managed.list_definitions),
        _route("DELETE", definitions + "/{name}", "delete role definition", managed.remove_definition),
        *_kept(definitions, "role definition", managed.put_definition),
        _route("GET", _SUBSCRIPTION + TOPICS, "list topics", managed.list_children),
        _route("GET", topics, "list topics", managed.list_children),
        *_kept(topics, "topic", managed.put_topic),
        _route("GET", subscriptions, "list event subscriptions", managed.list_children),
        *_kept(subscriptions, "event subscription", managed.put_subscription),
        _route("GET", site, "get site", managed.read),
        _route("GET", site + "/functions", "list functions", managed.list_functions),
        _route("POST", site + "/functions/{function}/listkeys", "list keys", managed.list_keys),
        _route("GET", provider, "get provider", managed.read_provider),
        _route("POST", provider + "/register", "register provider", managed.register_provider),
    ]


def _kept(collection: str, kind: str, put: Handler) -> list[Route]:
    one = collection + "/{name}"
    return [
        _route("GET", one, f"get {kind}", managed.read),
        _route("PUT", one, f"put {kind}", put),
        _route("DELETE", one, f"delete {kind}", managed.remove),
    ]


def _route(method: str, template: str, kind: str, handler: Handler) -> Route:
    asks = method == "GET" or kind == "list keys"
    policy = throttling.GET_OTHER if asks else throttling.WRITE_OTHER
    return Route(method, template, kind, policy, handler, is_write=not asks)
