"""Whether a request's body has the shape that Azure reads, by the models of the SDK, which say what that is."""

from __future__ import annotations

import enum
import typing
from typing import Any

from local.azure.arm.arm_shape import fields
from local.azure.arm.errors import invalid_content
from local.azure.arm.messages import Json

#: What JSON has for a field of a model. Times are text.
_KINDS: dict[Any, tuple[type, ...]] = {str: (str,), bool: (bool,), int: (int,), float: (int, float)}


def check_shape(model: Any, body: Json) -> None:
    """Refuse a member that the model does not have, at any depth, and a value that is none of its member's.

    ``null`` stands for nothing said, wherever it is.

    :raises ArmError: 400.
    """
    _check_object(model, body, "")


def _check_object(model: Any, value: Any, path: str) -> None:
    if not isinstance(value, dict):
        raise _not_converted(value, path)
    known = fields(model)
    for name, member in value.items():
        where = f"{path}.{name}" if path else name
        if name not in known:
            raise invalid_content(
                f"Could not find member '{name}' on object of type '{model.__name__}'. Path '{where}'."
            )
        _check(known[name], member, where)


def _check(kind: Any, value: Any, path: str) -> None:
    arguments = [part for part in typing.get_args(kind) if part is not type(None)]
    origin = typing.get_origin(kind)
    if value is None:
        return
    if origin is list:
        _check_list(arguments[0], value, path)
    elif origin is dict:
        for name, member in _as(dict, value, path).items():
            _check(arguments[1], member, f"{path}.{name}")
    elif arguments:
        _check_choice(arguments, value, path)
    elif isinstance(kind, type) and kind.__module__.startswith("azure.mgmt."):
        _check_object(kind, value, path)
    elif kind in _KINDS and (not isinstance(value, _KINDS[kind]) or isinstance(value, bool) != (kind is bool)):
        raise _not_converted(value, path)


def _check_list(kind: Any, value: Any, path: str) -> None:
    for index, item in enumerate(_as(list, value, path)):
        _check(kind, item, f"{path}[{index}]")


def _check_choice(arguments: list[Any], value: Any, path: str) -> None:
    """One of several types: a text, and the values that it is known to have, or one that may be missing."""
    listed = next((one for one in arguments if isinstance(one, type) and issubclass(one, enum.Enum)), None)
    if listed is None:
        _check(arguments[0], value, path)
    elif str(value).lower() not in {str(one.value).lower() for one in listed}:
        raise _not_converted(value, path)


def _as(kind: type, value: Any, path: str) -> Any:
    if not isinstance(value, kind):
        raise _not_converted(value, path)
    return value


def _not_converted(value: Any, path: str) -> Exception:
    return invalid_content(f"Error converting value '{value}' of '{path}': it is not what is expected there.")
