"""Evidence kept of a sick VM: its last readings, Azure's view, and its log's end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollout.model.azure.evidence import LOG_LENGTH, Inspection, VmEvidence
from rollout.model.codec import Json
from rollout.model.rows.deployment import VmRecord
from rollout.model.status import Color

#: Bytes of an instance view that are kept, as JSON in UTF-8.
VIEW_LENGTH = 32 * 1024

#: Characters of a text and items of a list in an instance view: the first that makes it short enough is taken, at last
#: one that always does.
_SIZES = ((4096, 50), (1024, 20), (256, 10))
_SHORTEST = (32, 3)

_STATUS = ("code", "level", "displayStatus", "message", "time")

#: Terminal colours and cursor movements (ECMA-48), then what is no text at all.
_TERMINAL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

#: The part of a SAS that opens what it names. VMs print the addresses that they download from.
_SIGNATURE = re.compile(r"sig(=|%3d)[^&\s\"'<>]*", re.IGNORECASE)


def sick(records: Iterable[VmRecord]) -> tuple[VmRecord, ...]:
    """The green VMs of a batch that are not healthy, but for those whose places others have taken already."""
    return tuple(
        record for record in records if record.color is Color.GREEN and not record.is_good and not record.replaced
    )


def evidence_of(record: VmRecord, inspection: Inspection, at: datetime) -> VmEvidence:
    """The evidence of a VM, without signatures and bounded in size."""
    view = inspection.instance_view
    return VmEvidence(
        record.vm_id,
        record.name,
        record.batch,
        at,
        record.status,
        record.reason,
        record.readings,
        None if view is None else trimmed(view),
        None if inspection.serial_log is None else plain(inspection.serial_log)[-LOG_LENGTH:],
        tuple(plain(note)[:1024] for note in inspection.notes),
    )


def plain(text: str) -> str:
    """``text`` without what only a terminal understands, and without signatures of SAS links.

    >>> plain("\\x1b[31mFAILED\\x1b[0m https://a.blob/x?sp=r&sig=abc%3D\\r\\n")
    'FAILED https://a.blob/x?sp=r&[signature removed]\\n'
    """
    text = _CONTROL_CHARACTER.sub("", _TERMINAL_SEQUENCE.sub("", text))
    return _SIGNATURE.sub("[signature removed]", text)


def trimmed(view: Mapping[str, Any]) -> Json:
    """The parts of an instance view that tell why a VM is sick, in at most ``VIEW_LENGTH`` bytes.

    The same fields for both orchestration modes (``VirtualMachineScaleSetVMInstanceView`` and
    ``VirtualMachineInstanceView``, https://learn.microsoft.com/rest/api/compute/virtual-machines/instance-view).
    Addresses of boot diagnostics are left out.
    """
    for text, items in _SIZES:
        short = _Trimming(text, items).view(view)
        if len(json.dumps(short, ensure_ascii=False).encode()) <= VIEW_LENGTH:
            return short
    return _Trimming(*_SHORTEST).view(view)


@dataclass(frozen=True)
class _Trimming:
    """One way of trimming: texts of so many characters, lists of so many items."""

    text: int
    items: int

    def view(self, view: Mapping[str, Any]) -> Json:
        agent = _mapping(view.get("vmAgent"))
        diagnostics = _mapping(view.get("bootDiagnostics"))
        return _filled(
            {
                **self._texts(view, ("osName", "osVersion")),
                "statuses": self._statuses(view),
                "vmHealth": _filled({"status": self._status(_mapping(view.get("vmHealth")).get("status"))}),
                "vmAgent": _filled(
                    {
                        **self._texts(agent, ("vmAgentVersion",)),
                        "statuses": self._statuses(agent),
                        "extensionHandlers": [
                            self._handler(handler) for handler in self._list(agent, "extensionHandlers")
                        ],
                    }
                ),
                "extensions": [self._extension(extension) for extension in self._list(view, "extensions")],
                "bootDiagnostics": _filled({"status": self._status(diagnostics.get("status"))}),
            }
        )

    def _extension(self, extension: Mapping[str, Any]) -> Json:
        return _filled(
            {
                **self._texts(extension, ("name", "type", "typeHandlerVersion")),
                "statuses": self._statuses(extension),
                "substatuses": self._statuses(extension, "substatuses"),
            }
        )

    def _handler(self, handler: Mapping[str, Any]) -> Json:
        texts = self._texts(handler, ("type", "typeHandlerVersion"))
        return _filled({**texts, "status": self._status(handler.get("status"))})

    def _statuses(self, owner: Mapping[str, Any], name: str = "statuses") -> list[Json]:
        return [self._status(status) for status in self._list(owner, name)]

    def _status(self, status: object) -> Json:
        return self._texts(_mapping(status), _STATUS)

    def _list(self, owner: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
        found = owner.get(name)
        return [_mapping(item) for item in found[: self.items]] if isinstance(found, list) else []

    def _texts(self, owner: Mapping[str, Any], names: Iterable[str]) -> Json:
        return {name: plain(str(owner[name]))[: self.text] for name in names if owner.get(name)}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _filled(fields: Json) -> Json:
    """The fields that hold anything."""
    return {name: value for name, value in fields.items() if value}
