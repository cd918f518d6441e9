"""From the shape in which the Azure CLI prints a resource to the one in which ARM answers it.

``az vmss show`` flattens ``properties`` away, at every level, and writes some names in another letter case
(``diskSizeGb``). The models of the SDK say where each field belongs and what it is called.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Mapping
from typing import Any, Union

from azure.mgmt.compute import models

from local.azure.arm.messages import Json

#: Fields of the CLI's own, which it derives from the id.
_ADDED_BY_CLI = frozenset({"resourceGroup"})

#: How the CLI names a field of ``properties`` that would hide one of the resource itself.
_RENAMED_BY_CLI = {"typePropertiesType": "type"}


def fields(model: Any) -> Mapping[str, Any]:
    """The fields of an SDK model: name on the wire, and type."""
    instance = model({})  # The SDK fills in the table of fields when a model is first made.
    module = sys.modules[model.__module__]
    package = sys.modules[model.__module__.rpartition(".")[0]]
    hints = typing.get_type_hints(model, globalns={**vars(module), "_models": package})
    return {field._rest_name: hints[name] for name, field in instance._attr_to_rest_field.items()}


def restore_scale_set(flattened: Json) -> Json:
    """The ARM body of a scale set that the CLI printed; fields that the SDK does not know stay where they are."""
    return _restore_object(models.VirtualMachineScaleSet, flattened)


def _restore(kind: Any, value: Any) -> Any:
    kind = _without_none(kind)
    if isinstance(value, list):
        item = (typing.get_args(kind) or (Any,))[0]
        return [_restore(item, entry) for entry in value]
    return _restore_object(kind, value) if isinstance(value, dict) and _is_model(kind) else value


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and kind.__module__.startswith("azure.mgmt.compute")


def _without_none(kind: Any) -> Any:
    """``X`` of ``Optional[X]``."""
    if typing.get_origin(kind) in (Union, types.UnionType):
        return next((part for part in typing.get_args(kind) if part is not type(None)), kind)
    return kind


def _restore_object(model: Any, flattened: Json) -> Json:
    known = {name.lower(): (name, kind) for name, kind in fields(model).items()}
    inner = _inner_fields(known)
    restored: Json = {}
    properties: Json = {}
    for name, value in flattened.items():
        if value is None or name in _ADDED_BY_CLI:
            continue
        wire = _RENAMED_BY_CLI.get(name, name).lower()
        if wire in known and name not in _RENAMED_BY_CLI:
            restored[known[wire][0]] = _restore(known[wire][1], value)
        elif wire in inner:
            properties[inner[wire][0]] = _restore(inner[wire][1], value)
        else:
            restored[name] = value
    if properties:
        restored["properties"] = {**restored.get("properties", {}), **properties}
    return restored


def _inner_fields(known: Mapping[str, tuple[str, Any]]) -> dict[str, tuple[str, Any]]:
    """The fields of a model's ``properties``, by name in lower case."""
    if "properties" not in known:
        return {}
    kind = _without_none(known["properties"][1])
    if not _is_model(kind):
        return {}
    return {name.lower(): (name, inner) for name, inner in fields(kind).items()}
