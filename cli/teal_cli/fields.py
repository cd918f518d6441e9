"""The fields of a start as options: the API's own in kebab case. A test holds them to the OpenAPI document."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Annotated, Any

import typer

from teal_cli.show.durations import whole_seconds


class Kind(Enum):
    """How a field is given."""

    TEXT = auto()
    NUMBER = auto()
    DURATION = auto()
    FLAG = auto()
    LIST = auto()
    APPROVALS = auto()


@dataclass(frozen=True)
class Field:
    """One field of the API. ``canary.size`` is a field of a field."""

    name: str
    kind: Kind
    help: str
    choices: tuple[str, ...] = ()

    @property
    def option(self) -> str:
        """``--batch-size-percentage``."""
        return "--" + re.sub(r"(?<=[a-z])([A-Z])", r"-\1", self.name.replace(".", "-")).lower()

    @property
    def argument(self) -> str:
        """The name of the parameter."""
        return self.option[2:].replace("-", "_")


_POLICY = ("refuse", "skip", "replace")
FIELDS = (
    Field("image", Kind.TEXT, "1.1.0, latest, an id, or publisher:offer:sku:version; without it the set's own"),
    Field("batchSizePercentage", Kind.NUMBER, "percent of the VMs that one batch replaces"),
    Field("batchSize", Kind.NUMBER, "instead: how many VMs"),
    Field("canary.size", Kind.NUMBER, "a first batch of its own: of so many VMs"),
    Field("canary.approval", Kind.FLAG, "somebody must approve after the canary"),
    Field("canary.bakeTime", Kind.DURATION, "how long the canary is watched"),
    Field("approvals", Kind.APPROVALS, "none, afterCanary, everyBatch, or numbers of batches: 1,3"),
    Field("bakeTime", Kind.DURATION, "how long the new VMs are watched before the end"),
    Field("waitTimeout", Kind.DURATION, "how long a person is waited for"),
    Field("actionOnTimeout", Kind.TEXT, "when nobody answered", ("approve", "stop", "rollBack")),
    Field("onFailure", Kind.TEXT, "what becomes of a failed batch", ("discardGreen", "keep", "rollBack")),
    Field("onConflict", Kind.TEXT, "where another deployment has the set", ("reject", "queue", "supersede")),
    Field("keepFor", Kind.DURATION, "how long is kept what a stop leaves"),
    Field("protectedVms", Kind.TEXT, "VMs that are protected from scale-set actions", _POLICY),
    Field("stoppedVms", Kind.TEXT, "stopped VMs", _POLICY),
    Field("attachedVms", Kind.TEXT, "VMs of a Flexible set that it did not make", _POLICY),
    Field("adjust", Kind.FLAG, "change the upgrade mode for the deployment, and restore it"),
    Field("force", Kind.FLAG, "replace also VMs that run the image already"),
    Field("retryOf", Kind.TEXT, "go on where this deployment ended"),
    Field("gracePeriod", Kind.DURATION, "how long a batch may take to become healthy"),
    Field("allocationTimeout", Kind.DURATION, "how long Azure may take to make a batch's VMs"),
    Field("stableFor", Kind.DURATION, "how long a batch must stay healthy to go on early"),
    Field("batchMinHealthyPercentage", Kind.NUMBER, "percent of a batch that must be healthy"),
    Field("minHealth", Kind.NUMBER, "instead: percent unhealthy at which the batch fails"),
    Field("maxUnhealthyPercentage", Kind.NUMBER, "percent of all VMs that may be unhealthy before a batch"),
    Field("tolerateUnhealthy", Kind.FLAG, "retire all blue VMs of a batch that passes"),
    Field("drainingTimeout", Kind.DURATION, "what connections get to finish"),
    Field("healthCheckTypes", Kind.LIST, "some of the group's, with commas between"),
    Field("comment", Kind.TEXT, "words for whoever looks later"),
)


def body_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a start: the fields that were given, and no others."""
    body: dict[str, Any] = {}
    for field in FIELDS:
        value = given.get(field.argument)
        if value is None:
            continue
        outer, _, inner = field.name.rpartition(".")
        place = body.setdefault(outer, {}) if outer else body
        place[inner] = _value(field, value)
    return body


def _value(field: Field, value: Any) -> Any:
    if field.kind is Kind.DURATION:
        return _checked(field, lambda: whole_seconds(value))
    if field.kind is Kind.LIST:
        return _parts(value)
    if field.kind is Kind.APPROVALS and re.fullmatch(r"[\d,\s]+", value):
        return [int(part) for part in _parts(value)]
    if field.choices and value not in field.choices:
        raise typer.BadParameter(f"{value!r} is none of {', '.join(field.choices)}", param_hint=field.option)
    return value


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _checked(field: Field, read: Callable[[], int]) -> int:
    try:
        return read()
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=field.option) from None


def _option(field: Field) -> tuple[str, Any, Any]:
    """The field as a field of a dataclass, whose type says what option it is."""
    types: dict[Kind, Any] = {Kind.NUMBER: int | None, Kind.FLAG: bool | None}
    words = f"{field.help}: {', '.join(field.choices)}" if field.choices else field.help
    names = (f"{field.option}/--no-{field.option[2:]}",) if field.kind is Kind.FLAG else (field.option,)
    about = typer.Option(*names, help=words, show_default=False, metavar=_metavar(field))
    return field.argument, Annotated[types.get(field.kind, str | None), about], dataclasses.field(default=None)


def _metavar(field: Field) -> str | None:
    return {Kind.DURATION: "DURATION", Kind.NUMBER: "N", Kind.FLAG: None}.get(field.kind, "TEXT")


if TYPE_CHECKING:

    @dataclass(frozen=True)
    class Fields:
        """The options of a start, for commands to take (``teal_cli.options.grouped``)."""
else:
    Fields = dataclasses.make_dataclass("Fields", [_option(field) for field in FIELDS], frozen=True)
