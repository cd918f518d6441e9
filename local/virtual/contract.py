"""Whether an answer is one that the document of the API tells of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from jsonschema import Draft202012Validator
from pydantic import ValidationError

from api.contract.openapi import model_of
from api.routes import document
from api.transport.http import VERSION
from local.state import Json


def breaches(name: str, status: int, headers: Mapping[str, str], content: bytes) -> list[str]:
    """What is wrong with an answer of the function ``name``: by its models, which know every field, and its schema."""
    if status == 401 and not content:
        return []  # The Functions host's own answer, to a key that does not open the function.
    said = _responses(name).get(str(status))
    if said is None:
        return [f"{name} answers {status}, which is not documented: {content[:500]!r}"]
    missing = [
        f"{name} {status}: {header} is not documented" for header in headers if header.lower() not in _known(said)
    ]
    if VERSION not in (value for header, value in headers.items() if header.lower() == "x-teal-version"):
        missing.append(f"{name} {status}: it does not say which version of Teal it is from")
    media = headers.get("Content-Type", "").partition(";")[0]
    if media not in said.get("content", {"": None}):
        return [*missing, f"{name} {status}: {media or 'no content'} is not documented"]
    model = model_of(name, status)
    if model is None:
        return missing
    try:
        model.model_validate_json(content)
    except ValidationError as error:
        missing += [f"{name} {status}: {fault['loc']}: {fault['msg']}" for fault in error.errors()]
    if status >= 400 and (code := json.loads(content)["error"]["code"]) not in said["content"][media]["examples"]:
        missing.append(f"{name} {status}: the code {code} is not documented")
    schema = {**said["content"][media]["schema"], "components": document()["components"]}
    faults = Draft202012Validator(schema).iter_errors(json.loads(content))
    return missing + [f"{name} {status}: {fault.json_path}: {fault.message[:300]}" for fault in faults]


#: Headers that any answer may have, and which of the others are told where they come.
_EVERYWHERE = frozenset(
    {
        "Content-Type",
        "Cache-Control",
        "Content-Security-Policy",
        "Referrer-Policy",
        "X-Content-Type-Options",
        "X-Teal-Version",
    }
)


def _known(said: Json) -> frozenset[str]:
    return frozenset(name.lower() for name in (*_EVERYWHERE, *said.get("headers", {})))


@cache
def _responses(name: str) -> Json:
    operations = [one for methods in document()["paths"].values() for one in methods.values()]
    responses: Json = next(one["responses"] for one in operations if one["operationId"] == name)
    return responses
