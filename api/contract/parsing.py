"""From a request's bytes to checked values, or to the faults that are in them.

Only handlers that take a body import this, when they are called: it loads pydantic, which costs a cold start a third of
all that Teal itself does, and most cold starts are an activity's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from api.contract.bodies import Body
from api.contract.fields import json_kind
from api.transport.errors import Code, Detail, Refusal, refuse_faults
from api.transport.guard import check_body
from api.transport.http import Request
from api.transport.suggestions import suggestion

B = TypeVar("B", bound=Body)

#: How many faults of one body are told.
FAULTS_MAX = 20

#: How much of an unknown field's name is told.
_NAME_LENGTH_MAX = 60

#: What pydantic's error types, other than those of ``api.contract.fields``, want of a value.
_WANTED = {"string_type": "a string", "model_type": "an object", "list_type": "a list", "int_type": "a whole number"}


def parse_body(request: Request, kind: type[B], *, optional: bool = False) -> B:
    """The body as a ``kind``. Raises ``Refusal`` with one detail for each fault.

    ``optional``: a request without a body is one whose body says nothing.
    """
    data = {} if optional and not request.body else _load(request)
    if not isinstance(data, dict):
        raise refuse_faults([Detail(Code.INVALID_TYPE, f"The body must be an object, not {json_kind(data)}")])
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)[:FAULTS_MAX]
        raise refuse_faults([_fault(kind, fault) for fault in found]) from None


def _load(request: Request) -> Any:
    # A browser sends any other type across origins without asking first, so JSON alone may change anything.
    check_body(request)
    try:
        data = json.loads(
            request.body.decode("utf-8-sig"), object_pairs_hook=_without_repetition, parse_constant=_no_constant
        )
        # JSON can name half a surrogate pair, which no text that is stored or sent on may hold.
        json.dumps(data, ensure_ascii=False).encode()
    except RecursionError:
        raise _malformed("it is nested too deeply") from None
    except UnicodeError:
        raise _malformed("it is not UTF-8 text") from None
    except ValueError as error:
        raise _malformed(str(error)) from None
    return data


def _malformed(why: str) -> Refusal:
    return refuse_faults([Detail(Code.MALFORMED_JSON, f"The body is not JSON: {why}")])


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("it gives a field twice")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _fault(kind: type[Body], error: ErrorDetails) -> Detail:
    target = ".".join(str(part)[:_NAME_LENGTH_MAX] for part in error["loc"])
    if error["type"] == "missing":
        return Detail(Code.MISSING_FIELD, f"{target} is required", target)
    if error["type"] == "extra_forbidden":
        return Detail(Code.UNKNOWN_FIELD, f"{target} is not known; {_meant(kind, error['loc'])}", target)
    if error["type"] in list(Code):
        return Detail(Code(error["type"]), f"{target} {error['msg']}", target)
    wanted = _WANTED[error["type"]]
    return Detail(Code.INVALID_TYPE, f"{target} must be {wanted}, not {json_kind(error['input'])}", target)


def _meant(kind: type[Body], location: tuple[int | str, ...]) -> str:
    return suggestion(str(location[-1]), _fields_at(kind, location[:-1]))


def _fields_at(kind: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    for part in location:
        # The number of an item: its fields are those of the list's kind.
        if isinstance(part, int):
            continue
        (field,) = (field for field in kind.model_fields.values() if field.alias == part)
        (kind,) = _models(field.annotation)
    return [str(field.alias) for field in kind.model_fields.values()]


def _models(annotation: Any) -> tuple[type[BaseModel], ...]:
    """The bodies in a type: of ``list[SignalRuleBody] | None`` the one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for option in get_args(annotation) for model in _models(option))
