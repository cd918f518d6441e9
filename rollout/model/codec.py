"""Frozen dataclasses to plain JSON and back: what rows, recipe inputs and results are made of.

Names become camelCase, a ``timedelta`` whole seconds, a ``datetime`` ISO 8601 in UTC. A release may land in the middle
of a deployment, so ``decode`` ignores fields that it does not know and gives the default to those that are missing.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")

#: A JSON object.
Json = dict[str, Any]

#: The metadata of a field that has no JSON form: whoever decodes it fills it in.
NOT_SENT: Mapping[str, bool] = types.MappingProxyType({"sent": False})


def encode(value: object) -> Any:
    """``value`` as plain JSON.

    >>> encode(timedelta(minutes=2))
    120
    """
    kind = type(value)
    encoder = _ENCODERS.get(kind)
    if encoder is None:
        encoder = _ENCODERS[kind] = _encoder(kind)
    return encoder(value)


def decode(kind: type[T], data: Any) -> T:
    """The ``kind`` that ``encode`` made ``data`` from. ``ValueError``: a field without a default is missing."""
    decoder: _Coder = _decoder(kind)  # type: ignore[arg-type]
    decoded: T = decoder(data)
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


#: Rows are read and written by the thousand, so how a type is written, and how it is read, is found out once.
_Coder = Callable[[Any], Any]


def _as_it_is(value: Any) -> Any:
    return value


_ENCODERS: dict[type, _Coder] = dict.fromkeys((str, int, float, bool, type(None)), _as_it_is)


def _encoder(kind: type) -> _Coder:
    """How values of exactly this type become JSON."""
    if dataclasses.is_dataclass(kind):
        names = [(f.name, camel_case(f.name)) for f in dataclasses.fields(kind) if f.metadata.get("sent", True)]
        return lambda value: {key: encode(getattr(value, name)) for name, key in names}
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, timedelta):
        return lambda value: round(value.total_seconds())
    if issubclass(kind, datetime):
        return encode_time
    if issubclass(kind, Mapping):
        return lambda value: {str(key): encode(item) for key, item in value.items()}
    if issubclass(kind, list | tuple):
        return lambda value: [encode(item) for item in value]
    if issubclass(kind, str | int | float):
        return _as_it_is
    raise TypeError(f"{kind.__name__} has no JSON form")


@functools.cache
def _decoder(kind: Any) -> _Coder:
    """How JSON becomes a value of this type."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _option_decoder(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass_decoder(kind)
    if origin is tuple:
        (item, _) = typing.get_args(kind)
        decode_item = _decoder(item)
        return lambda data: tuple([decode_item(value) for value in data])
    if kind is timedelta:
        return lambda data: timedelta(seconds=data)
    if kind is datetime:
        return decode_time
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _as_it_is


def _dataclass_decoder(kind: type) -> _Coder:
    known = [
        (f.name, camel_case(f.name), f.default is f.default_factory is dataclasses.MISSING)
        for f in dataclasses.fields(kind)
    ]
    decoders: list[_Coder] = []
    nullable: set[str] = set()

    def decode_it(data: Json) -> Any:
        if not decoders:
            # Not before it is needed: a dataclass may hold values of its own kind.
            hints = typing.get_type_hints(kind)
            decoders.extend(_decoder(hints[name]) for name, _, _ in known)
            nullable.update(name for name, _, _ in known if type(None) in typing.get_args(hints[name]))
        given: Json = {}
        for (name, key, required), decoder in zip(known, decoders, strict=True):
            if key in data:
                given[name] = decoder(data[key])
            elif required and name in nullable:
                given[name] = None
            elif required:
                raise ValueError(f"{kind.__name__} needs {key}")
        return kind(**given)

    return decode_it


def _option_decoder(kind: Any) -> _Coder:
    """Of the options besides ``None`` the one that may have the value.

    Several enums share no value, and a list is a tuple.
    """
    options = [option for option in typing.get_args(kind) if option is not type(None)]
    decoders = [_decoder(option) for option in options]
    if len(options) == 1:
        (only,) = decoders
        return lambda data: None if data is None else only(data)

    def decode_it(data: Any) -> Any:
        if data is None:
            return None
        fitting = [one for option, one in zip(options, decoders, strict=True) if _may_have(option, data)]
        if len(fitting) != 1:
            raise ValueError(f"{data!r} is no value of {kind}")
        return fitting[0](data)

    return decode_it


def _may_have(option: Any, data: Any) -> bool:
    if typing.get_origin(option) is tuple:
        return isinstance(data, list)
    if isinstance(option, type) and issubclass(option, Enum):
        return data in list(option)
    return isinstance(data, option)
