"""The reference part of ``docs/world.md``, written from the models that read the world file.

``python -m local.azure.world.reference`` writes it anew; a test holds the two together.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from local.azure.world import Fault, LockSpec, PlatformSpec, Quota, ScaleSetSpec, World
from local.azure.world.autoscale import AutoscaleProfileSpec, AutoscaleSpec
from local.azure.world.events import EventSubscriptionSpec
from local.azure.world.images import (
    Behavior,
    GallerySpec,
    ImageSpec,
    ManagedImageSpec,
    MarketplaceSpec,
    MarketplaceVersionSpec,
    PlanSpec,
    PublishedSpec,
    VersionSpec,
)
from local.azure.world.network import ApplicationGatewaySpec, LoadBalancerSpec

PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "world.md"
BEGINNING, END = "<!-- reference: begin -->", "<!-- reference: end -->"

PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The world", World),
    ("`scaleSets[]`", ScaleSetSpec),
    ("`loadBalancers[]`", LoadBalancerSpec),
    ("`applicationGateways[]`", ApplicationGatewaySpec),
    ("`autoscaleSettings[]`", AutoscaleSpec),
    ("`autoscaleSettings[].profiles[]`", AutoscaleProfileSpec),
    ("`galleries[]`", GallerySpec),
    ("`galleries[].images[]`", ImageSpec),
    ("`galleries[].images[].versions[]`", VersionSpec),
    ("`galleries[].images[].published`", PublishedSpec),
    ("`marketplace[]`", MarketplaceSpec),
    ("`marketplace[].versions[]`", MarketplaceVersionSpec),
    ("`managedImages[]`", ManagedImageSpec),
    ("`eventSubscriptions[]`", EventSubscriptionSpec),
    ("`purchasePlan`, `plan`", PlanSpec),
    ("`behavior`", Behavior),
    ("`platform`", PlatformSpec),
    ("`quota`", Quota),
    ("`locks[]`", LockSpec),
    ("`faults[]`", Fault),
)


def reference() -> str:
    """A table for each part of the world: every field, its type, its default, what it means."""
    return "\n\n".join("\n".join(_table(title, part)) for title, part in PARTS)


def write() -> None:
    """Put the reference into the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGINNING)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGINNING}\n{reference()}\n{END}{after}", encoding="utf-8")


def _table(title: str, part: type[BaseModel]) -> Iterator[str]:
    description = (part.__doc__ or "").replace("``", "`")
    yield f"### {title}\n\n{description}\n"
    yield "| field | type | default | |"
    yield "|---|---|---|---|"
    for name, field in part.model_fields.items():
        yield f"| `{field.alias or name}` | {_type(field.annotation)} | {_default(field)} | {field.description} |"


def _type(annotation: Any) -> str:
    """An annotation as a person reads it: JSON's types, and the unit of numbers."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return _type(next(part for part in arguments if part is not type(None)))
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return "object" if arguments[1] is Any else f"object of {_type(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "object"
    names = {str: "text", bool: "true or false", int: "number", float: "number", timedelta: "seconds"}
    return names[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.default
    if isinstance(default, timedelta):
        default = default.total_seconds()
        default = int(default) if default == int(default) else default
    if default is None:
        return "none"
    if isinstance(default, BaseModel):
        return "as below"
    return f"`{json.dumps(default)}`"


if __name__ == "__main__":
    write()
