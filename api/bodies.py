"""The bodies that requests carry. Strict: no field is guessed, converted or ignored.

The field names are those of Elastigroup's API. ``null`` is an optional field that says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from api.errors import Code
from rollout.group import (
    SIGNAL_TIMEOUT_MAX,
    SIGNAL_TIMEOUT_MIN,
    Defaults,
    Group,
    HealthCheckType,
    SignalRule,
    SignalType,
)
from rollout.parameters import COMMENT_LENGTH_MAX, DRAINING_TIMEOUT_MAX, GRACE_PERIOD_MAX, GRACE_PERIOD_MIN, Asked

#: The longest text that any field but the comment may have; an ARM resource id is far shorter.
TEXT_LENGTH_MAX = 1024

SCALE_SET_FORM = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/virtualMachineScaleSets/…"
IMAGE_FORM = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/galleries/…/images/…"

_SEGMENTS = r"/subscriptions/[^/\s?#]+/resourceGroups/[^/\s?#]+/providers/Microsoft\.Compute"
_SCALE_SET_ID = re.compile(rf"{_SEGMENTS}/virtualMachineScaleSets/[^/\s?#]+", re.IGNORECASE)
_IMAGE_ID = re.compile(rf"{_SEGMENTS}/galleries/[^/\s?#]+/images/[^/\s?#]+", re.IGNORECASE)


@dataclass(frozen=True)
class Range:
    """Checks a whole number from ``least`` to ``most``. In JSON ``83.0`` is one, ``true`` and ``"83"`` are not."""

    least: int
    most: int
    unit: str = ""

    def __call__(self, value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            kind = f"a whole number of {self.unit}" if self.unit else "a whole number"
            raise fault(Code.INVALID_TYPE, f"must be {kind}, not {json_kind(value)}")
        if not self.least <= value <= self.most:
            bound = f"at least {self.least}" if value < self.least else f"at most {self.most}"
            given = f", not {value}" if abs(value) < 10**9 else ""
            raise fault(Code.OUT_OF_RANGE, f"must be {bound}{self.unit and f' {self.unit}'}{given}")
        return value


def fault(code: Code, message: str) -> PydanticCustomError:
    """A fault of one field; its name comes before ``message`` where it is told."""
    return PydanticCustomError(code, "{message}", {"message": message})


def json_kind(value: Any) -> str:
    """What a JSON value is, for a message."""
    if isinstance(value, float) and not value.is_integer():
        return "a fraction"
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return kinds.get(type(value), "null")


def _text(value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise fault(Code.INVALID_VALUE, "must not be empty")
    return _no_longer_than(TEXT_LENGTH_MAX, value)


def _comment(value: str | None) -> str | None:
    return _no_longer_than(COMMENT_LENGTH_MAX, value)


def _no_longer_than(length: int, value: str | None) -> str | None:
    if value is not None and len(value) > length:
        raise fault(Code.OUT_OF_RANGE, f"must have at most {length} characters, not {len(value)}")
    return value


def _scale_set_id(value: str) -> str:
    if not _SCALE_SET_ID.fullmatch(value):
        raise fault(Code.INVALID_VALUE, f"must be the resource id of a scale set, {SCALE_SET_FORM}")
    return value


def _image_id(value: str | None) -> str | None:
    if value is not None and not _IMAGE_ID.fullmatch(value):
        raise fault(Code.INVALID_VALUE, f"must be the resource id of a gallery image without a version, {IMAGE_FORM}")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise fault(Code.INVALID_TYPE, f"must be true or false, not {json_kind(value)}")
    return value


def _health_check_types(value: Any) -> tuple[HealthCheckType, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise fault(Code.INVALID_TYPE, "must be a list of strings")
    unknown = [item for item in value if item not in list(HealthCheckType)]
    if unknown:
        known = ", ".join(HealthCheckType)
        raise fault(Code.UNKNOWN_HEALTH_CHECK_TYPE, f"knows {known}, not {unknown[0][:40]}")
    return tuple(dict.fromkeys(HealthCheckType(item) for item in value))


def _signal_type(value: Any) -> SignalType:
    if not isinstance(value, str):
        raise fault(Code.INVALID_TYPE, f"must be a string, not {json_kind(value)}")
    if value not in list(SignalType):
        raise fault(Code.INVALID_VALUE, f"knows {', '.join(SignalType)}, not {value[:40]}")
    return SignalType(value)


PERCENTAGE = Range(1, 100)
GRACE_PERIOD = Range(round(GRACE_PERIOD_MIN.total_seconds()), round(GRACE_PERIOD_MAX.total_seconds()), "seconds")
STABLE_FOR = Range(0, round(GRACE_PERIOD_MAX.total_seconds()), "seconds")
DRAINING_TIMEOUT = Range(0, round(DRAINING_TIMEOUT_MAX.total_seconds()), "seconds")
SIGNAL_TIMEOUT = Range(round(SIGNAL_TIMEOUT_MIN.total_seconds()), round(SIGNAL_TIMEOUT_MAX.total_seconds()), "seconds")

Percentage = Annotated[int | None, BeforeValidator(PERCENTAGE)]
GracePeriod = Annotated[int | None, BeforeValidator(GRACE_PERIOD)]
StableFor = Annotated[int | None, BeforeValidator(STABLE_FOR)]
DrainingTimeout = Annotated[int | None, BeforeValidator(DRAINING_TIMEOUT)]
SignalTimeout = Annotated[int | None, BeforeValidator(SIGNAL_TIMEOUT)]
KnownSignal = Annotated[SignalType, BeforeValidator(_signal_type)]
HealthCheckTypes = Annotated[tuple[HealthCheckType, ...] | None, BeforeValidator(_health_check_types)]


class Body(BaseModel):
    """What every body keeps to."""

    # Schemas are built when a body is first parsed: most invocations of the app are activities and never parse one.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel, defer_build=True)


class DefaultsBody(Body):
    """``defaults`` of a group."""

    batch_size_percentage: Percentage = None
    grace_period: GracePeriod = None
    batch_min_healthy_percentage: Percentage = None

    def defaults(self) -> Defaults:
        """The same as the core's value."""
        return Defaults(self.batch_size_percentage, _duration(self.grace_period), self.batch_min_healthy_percentage)


class SignalRuleBody(Body):
    """One of a group's ``signals``."""

    type: KnownSignal
    timeout: SignalTimeout = None

    def rule(self) -> SignalRule:
        """The same as the core's value."""
        return SignalRule(self.type, _duration(self.timeout) or SIGNAL_TIMEOUT_MAX)


def _each_once(value: list[SignalRuleBody] | None) -> list[SignalRuleBody] | None:
    types = [rule.type for rule in value or ()]
    if repeated := [kind for kind in SignalType if types.count(kind) > 1]:
        raise fault(Code.INVALID_VALUE, f"must declare {repeated[0]} once")
    return value


class GroupBody(Body):
    """``PUT /groups/{groupId}``: the whole definition; what it leaves out goes back to the default."""

    scale_set_id: Annotated[str, AfterValidator(_text), AfterValidator(_scale_set_id)]
    image_id: Annotated[str | None, AfterValidator(_text), AfterValidator(_image_id)] = None
    health_check_types: HealthCheckTypes = None
    signals: Annotated[list[SignalRuleBody] | None, AfterValidator(_each_once)] = None
    draining_timeout: DrainingTimeout = None
    defaults: DefaultsBody | None = None

    def group(self, group_id: str, existing: Group | None, now: datetime) -> Group:
        """The group's row; ``existing`` is the one that it replaces."""
        own = Group(group_id, self.scale_set_id)
        return Group(
            id=group_id,
            scale_set_id=self.scale_set_id,
            image_id=self.image_id,
            health_check_types=own.health_check_types if self.health_check_types is None else self.health_check_types,
            draining_timeout=_duration(self.draining_timeout),
            defaults=own.defaults if self.defaults is None else self.defaults.defaults(),
            created_at=now if existing is None else existing.created_at,
            updated_at=now,
            signals=tuple(rule.rule() for rule in self.signals or ()),
        )


class DeploymentBody(Body):
    """``POST /groups/{groupId}/deployments``."""

    image: Annotated[str, AfterValidator(_text)]
    batch_size_percentage: Percentage = None
    grace_period: GracePeriod = None
    allocation_timeout: GracePeriod = None
    stable_for: StableFor = None
    batch_min_healthy_percentage: Percentage = None
    min_health: Percentage = None
    max_unhealthy_percentage: Percentage = None
    tolerate_unhealthy: Annotated[bool, BeforeValidator(_boolean)] = False
    draining_timeout: DrainingTimeout = None
    health_check_types: HealthCheckTypes = None
    comment: Annotated[str | None, AfterValidator(_comment)] = None

    def asked(self) -> Asked:
        """The same as the core's value."""
        return Asked(
            image=self.image,
            batch_size_percentage=self.batch_size_percentage,
            grace_period=_duration(self.grace_period),
            allocation_timeout=_duration(self.allocation_timeout),
            stable_for=_duration(self.stable_for),
            batch_min_healthy_percentage=self.batch_min_healthy_percentage,
            min_health=self.min_health,
            max_unhealthy_percentage=self.max_unhealthy_percentage,
            tolerate_unhealthy=self.tolerate_unhealthy,
            draining_timeout=_duration(self.draining_timeout),
            health_check_types=self.health_check_types,
            comment=self.comment or "",
        )


class SignalBody(Body):
    """``POST /vm/signal``: the body of Elastigroup's API, and ``vmId``."""

    vm_name: Annotated[str, AfterValidator(_text)]
    signal_type: KnownSignal
    resource_group_name: Annotated[str, AfterValidator(_text)]
    vm_id: Annotated[str | None, AfterValidator(_text)] = None


def _duration(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
