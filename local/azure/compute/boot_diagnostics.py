"""Boot diagnostics: signed addresses (SAS) of a VM's screenshot and serial log, and the log itself.

Whoever has such an address reads the file without any other right until it runs out: nobody should store one.
"""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlencode

from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import (
    boot_diagnostics_disabled,
    invalid_parameter,
    range_not_satisfiable,
    resource_not_found,
    signature_refused,
)
from local.azure.arm.messages import ArmResponse, json_response
from local.azure.arm.resources import ScaleSetResource, VmInstance

#: Where the files are; Azure has them on hosts of its storage service.
LOG_PATH = "/bootdiagnostics/{vm_id}/serialconsole.log"
_SCREENSHOT_PATH = "/bootdiagnostics/{vm_id}/screenshot.bmp"

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")

_LIFETIME_MINUTES, _LIFETIME_MINUTES_MAX = 120, 1440


def of_instance(call: ArmCall) -> ArmResponse:
    """POST …/retrieveBootDiagnosticsData of a VM below its set."""
    scale_set = call.scale_set(as_parent=True)
    return _addresses(call, scale_set, call.instance(scale_set))


def of_virtual_machine(call: ArmCall) -> ArmResponse:
    """POST …/retrieveBootDiagnosticsData of a VM that is a resource of its own."""
    return _addresses(call, *call.virtual_machine())


def _addresses(call: ArmCall, scale_set: ScaleSetResource, vm: VmInstance) -> ArmResponse:
    diagnostics = (scale_set.models[vm.model].get("diagnosticsProfile") or {}).get("bootDiagnostics") or {}
    if not diagnostics.get("enabled"):
        raise boot_diagnostics_disabled(vm.name)
    given = call.request.query.get("sasuriexpirationtimeinminutes", str(_LIFETIME_MINUTES))
    if not given.isdecimal() or not 1 <= int(given) <= _LIFETIME_MINUTES_MAX:
        raise invalid_parameter("sasUriExpirationTimeInMinutes", f"It must be 1 to {_LIFETIME_MINUTES_MAX}.")
    expires_at = call.state.now + timedelta(minutes=int(given))
    end = expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    query = urlencode({"sv": "2018-03-28", "sr": "b", "sig": _signature(vm.vm_id, end), "se": end, "sp": "r"})
    body = {
        "consoleScreenshotBlobUri": f"{call.base_url}{_SCREENSHOT_PATH.format(vm_id=vm.vm_id)}?{query}",
        "serialConsoleLogBlobUri": f"{call.base_url}{LOG_PATH.format(vm_id=vm.vm_id)}?{query}",
    }
    return json_response(HTTPStatus.OK, body)


def _signature(vm_id: str, end: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{vm_id}/{end}").hex


def read_log(call: ArmCall) -> ArmResponse:
    """GET a VM's serial log, or a range of it: a line for everything that has become of the VM, oldest first."""
    vm_id, query = call.names["vm_id"], call.request.query
    end = query.get("se", "")
    if query.get("sig") != _signature(vm_id, end) or datetime.fromisoformat(end) < call.state.now:
        raise signature_refused()
    lines = [
        f"[{change.time.isoformat()}] {change.name}: {change.state}"
        for change in call.state.changes
        if change.vm_id == vm_id
    ]
    if not lines:
        raise resource_not_found("bootdiagnostics", vm_id, "")
    log = "\n".join([*lines, ""]).encode()
    if match := _RANGE.fullmatch(call.request.header("range") or ""):
        return _range(log, int(match[1]), int(match[2]))
    return ArmResponse(HTTPStatus.OK, {"content-type": "text/plain"}, log)


def _range(log: bytes, first: int, last: int) -> ArmResponse:
    """A part of a file; the storage service knows no ranges that count from the end.

    https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations
    """
    if first >= len(log):
        raise range_not_satisfiable()
    part = log[first : last + 1]
    headers = {"content-type": "text/plain", "content-range": f"bytes {first}-{first + len(part) - 1}/{len(log)}"}
    return ArmResponse(HTTPStatus.PARTIAL_CONTENT, headers, part)
