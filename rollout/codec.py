"""Frozen dataclasses to plain JSON and back: what rows, recipe inputs and results are made of.

Names become camelCase, a ``timedelta`` whole seconds, a ``datetime`` ISO 8601 in UTC. A release may land in the middle
of a deployment, so ``decode`` ignores fields that it does not know and gives the default to those that are missing.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")

#: A JSON object.
Json = dict[str, Any]


def encode(value: object) -> Any:
    """``value`` as plain JSON.

    >>> encode(timedelta(minutes=2))
    120
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {camel_case(f.name): encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, timedelta):
        return round(value.total_seconds())
    if isinstance(value, datetime):
        return encode_time(value)
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def decode(kind: type[T], data: Any) -> T:
    """The ``kind`` that ``encode`` made ``data`` from. ``ValueError``: a field without a default is missing."""
    decoded: T = _decode(kind, data)
    return decoded


def encode_time(value: datetime) -> str:
    """ISO 8601 in UTC with milliseconds: ``2026-11-23T08:15:00.000Z``."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def decode_time(text: str) -> datetime:
    """The aware time that ``text`` names."""
    return datetime.fromisoformat(text).astimezone(UTC)


@functools.cache
def camel_case(name: str) -> str:
    """``batch_size_percentage`` becomes ``batchSizePercentage``."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, str, Any, bool], ...]:
    hints = typing.get_type_hints(kind)
    return tuple(
        (f.name, camel_case(f.name), hints[f.name], f.default is f.default_factory is dataclasses.MISSING)
        for f in dataclasses.fields(kind)
    )


def _decode(kind: Any, data: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return None if data is None else _decode(_option(kind, data), data)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _decode_dataclass(kind, data)
    if origin is tuple:
        (item, _) = typing.get_args(kind)
        return tuple(_decode(item, value) for value in data)
    if origin is dict or kind is dict or kind is Any:
        return data
    if kind is timedelta:
        return timedelta(seconds=data)
    if kind is datetime:
        return decode_time(data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    return data


def _decode_dataclass(kind: Any, data: Json) -> Any:
    given: Json = {}
    for name, key, hint, required in _fields(kind):
        if key in data:
            given[name] = _decode(hint, data[key])
        elif required:
            raise ValueError(f"{kind.__name__} needs {key}")
    return kind(**given)


def _option(kind: Any, data: Any) -> Any:
    """The one option besides ``None``; of several the one that may have this value.

    Several enums share no value, and a list is a tuple.
    """
    options = [option for option in typing.get_args(kind) if option is not type(None)]
    if len(options) > 1:
        options = [option for option in options if _may_have(option, data)]
    if len(options) != 1:
        raise ValueError(f"{data!r} is no value of {kind}")
    return options[0]


def _may_have(option: Any, data: Any) -> bool:
    if typing.get_origin(option) is tuple:
        return isinstance(data, list)
    if isinstance(option, type) and issubclass(option, Enum):
        return data in list(option)
    return isinstance(data, option)
