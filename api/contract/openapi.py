"""``GET /openapi.json``: the API as an OpenAPI 3.1 document, made from the routes, the bodies and the answers.

https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from pydantic import BaseModel

from api.contract import answers
from api.contract.examples import EXAMPLES
from api.contract.explanations import EXPLANATIONS
from api.contract.operations import OPERATIONS, Operation, Parameter, headers_of, refusals_of, retries
from api.contract.schemas import components
from api.transport.errors import STATUS, Code
from api.transport.http import VERSION, Handler
from api.transport.idempotency import KEY_LENGTH_MAX
from api.transport.route import Route
from rollout.model.codec import Json
from rollout.model.roles import NEEDS

_ABOUT = """Replaces the virtual machines of an Azure scale set, batch by batch, with new ones.

Durations are whole seconds, times UTC in ISO 8601. Every route is a function of its own, named by its `operationId`,
and says which role it needs. Readers must pass over fields that they do not know."""

_TAGS = {
    "Groups": "Scale sets that Teal deploys to, and how.",
    "Deployments": "Starting deployments, and reading what they do and did.",
    "Commands": "What people and pipelines say to a deployment.",
    "Notifications": "What notifications of new images led to.",
    "Signals": "What VMs say of themselves.",
    "Access": "Who the caller is, and what they may do.",
    "About": "The API itself. No key is needed.",
}

_PLACES: Mapping[str, Json] = {
    "groupId": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,39}$", "example": "web"},
    "deploymentId": {"type": "string", "example": "web-20261123T081500Z-1a2b3c"},
    "vmId": {"type": "string", "example": "6d3a9c1e-52a8-4f0b-9a51-0c6f1f8f8d10"},
}

_SECURITY: Json = {
    "functionKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-functions-key",
        "description": "A key of this function, or a host key.",
    },
    "functionKeyInQuery": {
        "type": "apiKey",
        "in": "query",
        "name": "code",
        "description": "The same, for what cannot send headers. Addresses end up in logs: prefer the header.",
    },
    "entra": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Instead of keys, where the app knows people by Microsoft Entra: a token for the app.",
    },
}


def describe(table: Iterable[tuple[Route, bool]]) -> Json:
    """The document without ``servers``, from each route and whether it is open to everybody."""
    references, schemas = components(list(_models()))
    paths: dict[str, Json] = {}
    for route, is_open in table:
        shown = _operation(route, is_open, references)
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = shown
    used = {operation.tag for operation in OPERATIONS.values()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Teal", "version": VERSION, "description": _ABOUT, "license": {"name": "MIT"}},
        "tags": [{"name": name, "description": about} for name, about in _TAGS.items() if name in used],
        "security": [{name: []} for name in _SECURITY],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "examples": {str(code): _example(code) for code in Code},
            "securitySchemes": _SECURITY,
        },
    }


def model_of(name: str, status: int) -> type[BaseModel] | None:
    """What the body of an answer has to be; ``None``: it has none, or is no JSON. ``KeyError``: no such answer."""
    if status >= 400:
        return answers.Error
    model = OPERATIONS[name].answers[status]
    return None if isinstance(model, str) else model


def _models() -> Iterable[type[BaseModel]]:
    yield answers.Error
    for operation in OPERATIONS.values():
        yield from (model for model in operation.answers.values() if model is not None and not isinstance(model, str))
        if operation.body is not None:
            yield operation.body


def _operation(route: Route, is_open: bool, references: Mapping[type[BaseModel], Json]) -> Json:
    operation = OPERATIONS[route.name]
    words = operation.summary or _words(route.handler)
    shown: Json = {
        "operationId": route.name,
        "tags": [operation.tag],
        "summary": words.partition("\n\n")[0].replace("\n", " ").replace("``", "`"),
        "parameters": _parameters(route, operation),
        "responses": _responses(route, operation, references, is_open),
    }
    if operation.body is not None:
        content = {"schema": references[operation.body], **_examples(operation.body.__name__)}
        shown["requestBody"] = {"required": not operation.optional, "content": {"application/json": content}}
    return {**shown, **({"security": []} if is_open else {"description": f"Needs the role `{NEEDS[route.name]}`."})}


def _words(handler: Handler) -> str:
    while isinstance(handler, partial):
        handler = handler.keywords.get("handler", handler.func)
    return inspect.getdoc(handler) or ""


def _parameters(route: Route, operation: Operation) -> list[Json]:
    shown: list[Json] = []
    for name in re.findall(r"\{(\w+)\}", route.path):
        schema = dict(_PLACES[name])
        example = schema.pop("example")
        shown.append({"name": name, "in": "path", "required": True, "schema": schema, "example": example})
    shown += [
        {"name": one.name, "in": "query", "description": one.about, "schema": one.schema} for one in operation.query
    ]
    shown += [
        {"name": one.name, "in": "header", "description": one.about, "schema": one.schema} for one in operation.sent
    ]
    if 304 in operation.answers:
        about = "The `ETag` of an earlier answer."
        shown.append({"name": "If-None-Match", "in": "header", "description": about, "schema": {"type": "string"}})
    if route.method == "POST":
        about = "A new one for each thing that is asked: a request that is sent again is not done again."
        schema = {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX}
        shown.append({"name": "Idempotency-Key", "in": "header", "description": about, "schema": schema})
    return shown


def _responses(
    route: Route, operation: Operation, references: Mapping[type[BaseModel], Json], is_open: bool
) -> dict[str, Json]:
    shown: dict[str, Json] = {}
    for status, model in operation.answers.items():
        shown[str(status)] = {
            "description": _SUCCESSES[status],
            **_headers(headers_of(route.method, operation, status)),
            **_content(model, references),
        }
    codes = refusals_of(route.method, operation)
    for status in sorted({STATUS[code] for code in codes}):
        shown[str(status)] = _refusal([code for code in codes if STATUS[code] == status], references[answers.Error])
    if not is_open:
        shown["401"]["description"] = f"{_KEY_REFUSED}\n{shown['401']['description']}"
    return dict(sorted(shown.items()))


_KEY_REFUSED = "* No body at all: no key, or one that does not open this function. The Functions host answers."
_SUCCESSES = {200: "Done.", 201: "Made.", 202: "Accepted.", 204: "Gone.", 304: "Nothing has changed."}


def _content(model: type[BaseModel] | str | None, references: Mapping[type[BaseModel], Json]) -> Json:
    if model is None:
        return {}
    if isinstance(model, str):
        return {"content": {model.partition(";")[0]: {"schema": {"type": "string"}}}}
    return {"content": {"application/json": {"schema": references[model], **_examples(model.__name__)}}}


def _examples(name: str) -> Json:
    return {"example": EXAMPLES[name]} if name in EXAMPLES else {}


def _refusal(codes: Sequence[Code], error: Json) -> Json:
    """One status: its codes, each with an example. A later release may have more."""
    examples = {str(code): {"$ref": f"#/components/examples/{code}"} for code in codes}
    return {
        "description": "\n".join(f"* `{code}`: {EXPLANATIONS[code].when}" for code in codes),
        **_headers(retries(tuple(codes))),
        "content": {"application/json": {"schema": error, "examples": examples}},
    }


def _example(code: Code) -> Json:
    known = EXPLANATIONS[code]
    said = {"code": str(code), "message": known.when}
    return {"summary": known.do, "value": {"error": {**said, "details": [said]}}}


def _headers(named: Sequence[Parameter]) -> Json:
    headers = {one.name: {"description": one.about, "schema": one.schema} for one in named}
    return {"headers": headers} if headers else {}
