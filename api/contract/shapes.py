"""Answers as pydantic models, made from the core's own dataclasses: a field that the core gets, the contract has.

They check nothing that is sent. The document of the API is made from them (``api.contract.openapi``), and the tests
hold every answer to them.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, create_model
from pydantic.json_schema import SkipJsonSchema

from rollout.model.codec import camel_case

#: A field that may be left out, and is never null.
Absent = SkipJsonSchema[None]

#: A duration, as ``rollout.model.codec`` writes it.
Seconds = int

#: Fields of rows that are the store's own.
_OWN = frozenset({"schema_version"})


class Shape(BaseModel):
    """What every answer keeps to: exactly these fields, all of them, of exactly these types."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=camel_case)


@functools.cache
def shape(kind: type) -> type[Shape]:
    """The shape of a dataclass as ``rollout.model.codec.encode`` writes it, without the store's own fields."""
    return derived(kind, kind.__name__)


def derived(
    kind: type,
    name: str,
    *,
    omit: Collection[str] = (),
    instead: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> type[Shape]:
    """A shape called ``name`` with the fields of ``kind`` but those to ``omit``; ``instead``: others.

    ``more``: those that may be missing.
    """
    hints = typing.get_type_hints(kind)
    known = {f.name: as_sent(hints[f.name]) for f in fields(kind) if f.name not in {*_OWN, *omit}}
    made: dict[str, Any] = {field: (hint, ...) for field, hint in {**known, **(instead or {})}.items()}
    made |= {field: (hint | Absent, None) for field, hint in (more or {}).items()}
    return create_model(name, __base__=Shape, __module__=__name__, **made)


def partly(kind: type, name: str, *, omit: Collection[str] = ()) -> type[Shape]:
    """A shape with the fields of ``kind`` but those to ``omit``, of which any may be left out, and none is null."""
    hints = typing.get_type_hints(kind)
    known = {f.name: as_sent(hints[f.name]) for f in fields(kind) if f.name not in {*_OWN, *omit}}
    made: dict[str, Any] = {field: (_without_null(hint) | Absent, None) for field, hint in known.items()}
    return create_model(name, __base__=Shape, __module__=__name__, **made)


def _without_null(hint: Any) -> Any:
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return hint
    return functools.reduce(lambda one, other: one | other, options)


def as_sent(hint: Any) -> Any:
    """The type of what ``encode`` makes of a value of type ``hint``."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return functools.reduce(lambda one, other: one | other, [as_sent(option) for option in arguments])
    if origin is tuple or origin is list:
        return types.GenericAlias(list, (as_sent(arguments[0]),))
    if origin is dict or hint is dict:
        return types.GenericAlias(dict, (str, as_sent(arguments[1]) if arguments else Any))
    if isinstance(hint, type) and is_dataclass(hint):
        return shape(hint)
    return {timedelta: Seconds, datetime: AwareDatetime}.get(hint, hint)
