"""Where each row lives: partition and row keys of Table Storage, made from what the row is about.

Rows come back in the order of their row keys, compared as text, so numbers are padded and a deployment's time counts
backwards: the newest come first. Every key follows from ids and numbers that the reader has; nothing needs an index.

Table Storage refuses ``/ \\ # ?`` and control characters in keys, and other tools trip over ``%``
(https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model#characters-disallowed-in-key-fields).
They are encoded rather than hashed, so that a person who browses the tables can read a lock's key.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rollout.model.group import SignalType
from rollout.model.names import parse_deployment_id
from rollout.model.rows.deployment import IntentKind
from rollout.model.status import Color

#: The partition that holds every group.
GROUPS = "groups"

#: The partition that holds the state of every group.
GROUP_STATES = "states"

#: The row key of a lock, alone in its scale set's partition.
LOCK = "lock"

#: The partition that holds every journal of what is held.
HOLDS = "holds"

#: The partition that holds every danger.
DANGERS = "dangers"

#: The partition that holds when each timer ran.
TIMERS = "timers"

#: The partition that holds every notification.
NOTIFICATIONS = "notifications"

#: Seconds from the year 1 to the year 9999 have at most twelve digits.
_LAST_SECOND = 999_999_999_999
_FIRST_TIME = datetime(1, 1, 1, tzinfo=UTC)

_NUMBER_WIDTH = 5
_SEQUENCE_WIDTH = 10
_REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f/\\#?%=]")
_COLORS = {Color.BLUE: "0", Color.GREEN: "1"}


@dataclass(frozen=True)
class Key:
    """The address of one row in its table."""

    partition: str
    row: str


@dataclass(frozen=True)
class KeyRange:
    """Row keys from ``start`` on and before ``end``."""

    start: str
    end: str


def encode_key(text: str) -> str:
    """``text`` as a key: refused characters become ``=`` and two hexadecimal digits. No two texts share a key.

    >>> encode_key("/subscriptions/s")
    '=2Fsubscriptions=2Fs'
    """
    return _REFUSED.sub(lambda match: f"={ord(match[0]):02X}", text)


def group_key(group_id: str) -> Key:
    """Every group lives in one partition."""
    return Key(GROUPS, encode_key(group_id))


def deployment_key(deployment_id: str) -> Key | None:
    """The partition is the group, the row counts time backwards; ``None`` where this is no deployment's id.

    >>> deployment_key("web-20261123T081500Z-1a2b3c")
    Key(partition='web', row='936068981499-1a2b3c')
    """
    name = parse_deployment_id(deployment_id)
    if name is None:
        return None
    return Key(name.group_id, f"{_backwards(name.at)}-{name.token}")


def deployments_before(time: datetime) -> KeyRange:
    """The rows of deployments, of whatever group, that were asked for before ``time``, or in the same second."""
    return KeyRange(_backwards(time), "~")


def batch_row(number: int) -> str:
    """Batches in the order of their numbers."""
    return _padded(number, _NUMBER_WIDTH)


def vm_row(batch: int, color: Color | None, vm_id: str) -> str:
    """VMs by batch, blue before green. A VM's batch and color never change within a deployment, so it has one row.

    Those that others made, without a color, come last, so that no range of batches has them. Azure does not keep the
    case of a VM's id, so the key has none.
    """
    vm = encode_key(vm_id.lower())
    return f"others-{vm}" if color is None else f"{batch_row(batch)}-{_COLORS[color]}-{vm}"


def evidence_key(deployment_id: str, vm_id: str) -> Key:
    """One partition a deployment, one row a VM; a VM's id has no case."""
    return Key(encode_key(deployment_id), encode_key(vm_id.lower()))


def event_row(sequence: int) -> str:
    """Events in sequence."""
    return _padded(sequence, _SEQUENCE_WIDTH)


def intent_row(batch: int, kind: IntentKind, number: int) -> str:
    """Intents by batch, kind and number."""
    return f"{batch_row(batch)}-{kind.value}-{_padded(number, _NUMBER_WIDTH)}"


def health_part_row(batch: int, number: int) -> str:
    """The parts of a look by batch and number."""
    return f"{batch_row(batch)}-{_padded(number, _NUMBER_WIDTH)}"


def command_row(number: int) -> str:
    """Commands by number."""
    return _padded(number, _NUMBER_WIDTH)


def request_key(scope: str, key: str) -> Key:
    """One row a partition. A client chooses its key, of any characters, so what is stored is a digest."""
    return Key(hashlib.sha256(f"{scope}\n{key}".encode()).hexdigest(), "request")


def rows_of_batch(batch: int) -> KeyRange:
    """The VMs, the intents or the parts of a look, of one batch."""
    # The tilde comes after every character that follows the number.
    return KeyRange(f"{batch_row(batch)}-", f"{batch_row(batch)}~")


def rows_of_batches() -> KeyRange:
    """The VMs that have a part in a batch, or stay: not those that others made."""
    # The colon comes after every digit.
    return KeyRange("0", ":")


def rows_after(row: str) -> KeyRange:
    """The rows that follow one whose key is as long as theirs."""
    return KeyRange(f"{row}~", "~")


def events_after(sequence: int) -> KeyRange:
    """The events that follow ``sequence``, which may be any number: a reader may ask for what is not there."""
    last = 10**_SEQUENCE_WIDTH - 1
    return KeyRange(f"{_padded(min(max(sequence, 0), last), _SEQUENCE_WIDTH)}~", "~")


def lock_key(scale_set_id: str) -> Key:
    """One partition a scale set. ARM does not keep the case of resource ids, so the key has none."""
    return Key(encode_key(scale_set_id.lower()), LOCK)


def queue_key(scale_set_id: str, deployment_id: str) -> Key:
    """One partition a scale set, whose id has no case; one row a deployment."""
    return Key(encode_key(scale_set_id.lower()), encode_key(deployment_id))


def hold_key(scale_set_id: str) -> Key:
    """Every journal lives in one partition; ids have no case."""
    return Key(HOLDS, encode_key(scale_set_id.lower()))


def danger_key(scale_set_id: str, code: str) -> Key:
    """Every danger lives in one partition, those of a scale set together; ids have no case."""
    return Key(DANGERS, f"{encode_key(scale_set_id.lower())}:{code}")


def dangers_of(scale_set_id: str) -> KeyRange:
    """The dangers of one scale set."""
    begin = f"{encode_key(scale_set_id.lower())}:"
    return KeyRange(begin, f"{begin}~")


def try_key(scale_set_id: str, version_id: str) -> Key:
    """One partition a scale set, one row an image version; neither id has a case."""
    return Key(encode_key(scale_set_id.lower()), encode_key(version_id.lower()))


def notification_key(notification_id: str, time: datetime) -> Key:
    """Every notification lives in one partition, newest first; what is sent twice, with its time, has one row.

    Anybody may send an id, of any characters and length, so what is stored of it is a digest.
    """
    digest = hashlib.sha256(notification_id.encode(errors="surrogatepass")).hexdigest()[:32]
    return Key(NOTIFICATIONS, f"{_backwards(time)}-{digest}")


def notifications_before(time: datetime) -> KeyRange:
    """The notifications that are older than ``time``, or of the same second."""
    return KeyRange(_backwards(time), "~")


def wanted_key(group_id: str, notification: str) -> Key:
    """One partition a group; ``notification`` is the row key of a notification."""
    return Key(encode_key(group_id), encode_key(notification))


def follower_key(group_id: str) -> Key:
    """One row a group."""
    return Key(encode_key(group_id), "follower")


def schedule_key(group_id: str, name: str) -> Key:
    """One partition a group, one row a schedule."""
    return Key(encode_key(group_id), encode_key(name))


def signal_key(scale_set_id: str, vm_id: str, kind: SignalType) -> Key:
    """One partition a scale set, one row a VM and type of signal; neither id has a case."""
    return Key(signals_of(scale_set_id), f"{encode_key(vm_id.lower())}-{kind.value}")


def signals_of(scale_set_id: str) -> str:
    """The partition of the signals of a scale set's VMs."""
    return encode_key(scale_set_id.lower())


def _padded(number: int, width: int) -> str:
    if not 0 <= number < 10**width:
        raise ValueError(f"{number} does not fit a key of {width} digits")
    return f"{number:0{width}d}"


def _backwards(time: datetime) -> str:
    """Twelve digits that become smaller every second: what is sorted by them has the newest first."""
    return f"{_LAST_SECOND - (time - _FIRST_TIME) // timedelta(seconds=1):012d}"
