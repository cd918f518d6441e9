"""The fields that bodies are made of: each a type that checks one value and says what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from api.transport.errors import Code
from rollout.automation.image_rule import parse_versions
from rollout.model.choices import (
    AFTER_CANARY,
    EVERY_BATCH,
    NO_APPROVALS,
    HealthCheckType,
    OnConflict,
    OnFailure,
    VmPolicy,
)
from rollout.model.group import SIGNAL_TIMEOUT_MAX, SIGNAL_TIMEOUT_MIN, SignalType
from rollout.model.image_rule import REPLICATION_TIMEOUT_MAX, REPLICATION_TIMEOUT_MIN
from rollout.model.names import GROUP_ID
from rollout.model.parameters import (
    BAKE_TIME_MAX,
    BATCH_SIZE_MAX,
    COMMENT_LENGTH_MAX,
    DRAINING_TIMEOUT_MAX,
    GRACE_PERIOD_MAX,
    GRACE_PERIOD_MIN,
    KEEP_FOR_MAX,
    WAIT_TIMEOUT_MAX,
    WAIT_TIMEOUT_MIN,
)
from rollout.model.rows.commands import Action
from rollout.model.schedule import MAX_LATENESS_MAX, MAX_LATENESS_MIN
from services.calendar import cron_fault, time_zone_fault

E = TypeVar("E", bound=StrEnum)

#: The longest text that any field but the comment may have; an ARM resource id is far shorter.
TEXT_LENGTH_MAX = 1024

SCALE_SET_FORM = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/virtualMachineScaleSets/…"
IMAGE_FORM = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/galleries/…/images/…"

#: A URL with such a segment names another resource than it seems to.
_DOTS = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")

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


def text(value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise fault(Code.INVALID_VALUE, "must not be empty")
    return _no_longer_than(TEXT_LENGTH_MAX, value)


def without_dots(value: str | None) -> str | None:
    """No segment of an id is ``.`` or ``..``."""
    if value is not None and _DOTS.search(value):
        raise fault(Code.INVALID_VALUE, "must have no segment that is . or ..")
    return value


def comment(value: str | None) -> str | None:
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


def _boolean(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
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


@dataclass(frozen=True)
class OneOf:
    """Checks a word: one of an enumeration's."""

    words: type[StrEnum]

    def __call__(self, value: Any) -> StrEnum | None:
        return None if value is None else one_of(self.words, value)


def one_of(words: type[E], value: Any) -> E:
    """The word that ``value`` is."""
    if not isinstance(value, str):
        raise fault(Code.INVALID_TYPE, f"must be a string, not {json_kind(value)}")
    if value not in list(words):
        raise fault(Code.INVALID_VALUE, f"knows {', '.join(words)}, not {value[:40]}")
    return words(value)


def _signal_type(value: Any) -> SignalType:
    return one_of(SignalType, value)


def versions(value: str | None) -> str | None:
    """Which versions, as ``rollout.automation.image_rule.parse_versions`` understands them."""
    if text(value) is not None and parse_versions(value or "") is None:
        raise fault(Code.INVALID_VALUE, "must be versions such as 1.x, 1.2, >=2.0 or >=1.2 <2, and hold at least one")
    return value


def schedule_name(value: str) -> str:
    """A name that is unique in its group."""
    if not GROUP_ID.fullmatch(value):
        raise fault(Code.INVALID_VALUE, "must be 1 to 40 lower-case letters, digits and hyphens, and begin with none")
    return value


def cron(value: str) -> str:
    """A cron expression of five fields that comes."""
    if why := cron_fault(value):
        raise fault(Code.INVALID_VALUE, why)
    return value


def time_zone(value: str | None) -> str | None:
    """The name of a time zone of the IANA database."""
    if value is not None and (why := time_zone_fault(value)):
        raise fault(Code.INVALID_VALUE, why)
    return value


def approval_word(value: Any) -> str | None:
    """When a person must approve, in a word."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise fault(Code.INVALID_TYPE, f"must be a string, not {json_kind(value)}")
    if value not in (NO_APPROVALS, AFTER_CANARY, EVERY_BATCH):
        raise fault(Code.INVALID_VALUE, f"knows {NO_APPROVALS}, {AFTER_CANARY}, {EVERY_BATCH}, not {value[:40]}")
    return value


def _approvals(value: Any) -> str | tuple[int, ...] | None:
    """One of the words, or the numbers of batches."""
    if not isinstance(value, list):
        return approval_word(value)
    numbers = {BATCH_NUMBER(item) for item in value}
    if None in numbers:
        raise fault(Code.INVALID_TYPE, "must hold whole numbers, not null")
    return tuple(sorted(number for number in numbers if number is not None)) or NO_APPROVALS


def duration(seconds: int | None) -> timedelta | None:
    """The same as the core's value."""
    return None if seconds is None else timedelta(seconds=seconds)


def _seconds(least: timedelta, most: timedelta) -> Range:
    return Range(round(least.total_seconds()), round(most.total_seconds()), "seconds")


_NONE = timedelta(0)

PERCENTAGE = Range(1, 100)
BATCH_SIZE = Range(1, BATCH_SIZE_MAX, "VMs")
BATCH_NUMBER = Range(1, BATCH_SIZE_MAX)
BAKE_TIME = _seconds(_NONE, BAKE_TIME_MAX)
WAIT_TIMEOUT = _seconds(WAIT_TIMEOUT_MIN, WAIT_TIMEOUT_MAX)
KEEP_FOR = _seconds(_NONE, KEEP_FOR_MAX)
GRACE_PERIOD = _seconds(GRACE_PERIOD_MIN, GRACE_PERIOD_MAX)
STABLE_FOR = _seconds(_NONE, GRACE_PERIOD_MAX)
DRAINING_TIMEOUT = _seconds(_NONE, DRAINING_TIMEOUT_MAX)
SIGNAL_TIMEOUT = _seconds(SIGNAL_TIMEOUT_MIN, SIGNAL_TIMEOUT_MAX)
REPLICATION_TIMEOUT = _seconds(REPLICATION_TIMEOUT_MIN, REPLICATION_TIMEOUT_MAX)
MAX_LATENESS = _seconds(MAX_LATENESS_MIN, MAX_LATENESS_MAX)

Percentage = Annotated[int | None, BeforeValidator(PERCENTAGE)]
GracePeriod = Annotated[int | None, BeforeValidator(GRACE_PERIOD)]
StableFor = Annotated[int | None, BeforeValidator(STABLE_FOR)]
DrainingTimeout = Annotated[int | None, BeforeValidator(DRAINING_TIMEOUT)]
SignalTimeout = Annotated[int | None, BeforeValidator(SIGNAL_TIMEOUT)]
KnownSignal = Annotated[SignalType, BeforeValidator(_signal_type)]
HealthCheckTypes = Annotated[tuple[HealthCheckType, ...] | None, BeforeValidator(_health_check_types)]
BatchSize = Annotated[int | None, BeforeValidator(BATCH_SIZE)]
BakeTime = Annotated[int | None, BeforeValidator(BAKE_TIME)]
WaitTimeout = Annotated[int | None, BeforeValidator(WAIT_TIMEOUT)]
KeepFor = Annotated[int | None, BeforeValidator(KEEP_FOR)]
Approvals = Annotated[str | tuple[int, ...] | None, BeforeValidator(_approvals)]
ApprovalWord = Annotated[str | None, BeforeValidator(approval_word)]
ActionOnTimeout = Annotated[Action | None, BeforeValidator(OneOf(Action))]
Failure = Annotated[OnFailure | None, BeforeValidator(OneOf(OnFailure))]
Conflict = Annotated[OnConflict | None, BeforeValidator(OneOf(OnConflict))]
Policy = Annotated[VmPolicy | None, BeforeValidator(OneOf(VmPolicy))]
Flag = Annotated[bool | None, BeforeValidator(_boolean)]
Comment = Annotated[str | None, AfterValidator(comment)]
Text = Annotated[str, AfterValidator(text)]
OptionalText = Annotated[str | None, AfterValidator(text)]
Name = Annotated[Text, AfterValidator(without_dots)]
Image = Annotated[OptionalText, AfterValidator(without_dots)]
ScaleSetId = Annotated[Name, AfterValidator(_scale_set_id)]
ImageId = Annotated[Image, AfterValidator(_image_id)]
RuleImageId = Annotated[Name, AfterValidator(_image_id)]
Versions = Annotated[str | None, AfterValidator(versions)]
ReplicationTimeout = Annotated[int | None, BeforeValidator(REPLICATION_TIMEOUT)]
ScheduleName = Annotated[str, AfterValidator(schedule_name)]
Cron = Annotated[Text, AfterValidator(cron)]
TimeZone = Annotated[OptionalText, AfterValidator(time_zone)]
MaxLateness = Annotated[int | None, BeforeValidator(MAX_LATENESS)]
