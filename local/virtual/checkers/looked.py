"""What is shown of VMs is compared with Azure while a run goes on: after each look of a deployment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from local.azure.arm.resources import VmChange
from local.virtual import VirtualPlatform
from rollout.model.rows.deployment import VmRecord
from rollout.model.status import VmStatus
from rollout.steps.known import shown
from rollout.steps.others import without_doubles

#: In so many looks what has become of a VM is to be shown.
LOOKS = 2

_THERE = frozenset(VmStatus) - {VmStatus.DELETED}
_DOWN = frozenset({VmStatus.UNHEALTHY, VmStatus.DETACHED})

#: What may be shown of a VM by what has become of it.
MAY_BE: dict[str, frozenset[VmStatus]] = {
    "deleting": frozenset(VmStatus),
    "gone": frozenset({VmStatus.DELETED}),
    "stopped": _DOWN,
    "failed": _DOWN,
    # One that was stopped and is started is created anew.
    "creating": _THERE,
    "upgrading": _THERE,
    "serving": _THERE,
    "notServing": _THERE,
}


def misshown(record: VmRecord, state: str) -> str:
    """In words, that a VM in this state is shown as it can not be; else empty."""
    status, reason = shown(record)
    if record.moved_to or status in MAY_BE.get(state, frozenset(VmStatus)):
        return ""
    return f"shows {record.name} as {status} ({reason}), and it is {state}"


@dataclass
class ShownWatch:
    """Watches one set, and counts for each deployment how often it has looked since a VM's last change.

    ``found``: by deployment, in words, what was shown otherwise after ``LOOKS``. Only what changed is compared, so that
    an idle look costs nothing.
    """

    platform: VirtualPlatform
    scale_set_id: str
    found: list[tuple[str, str]] = field(default_factory=list)
    _log: list[VmChange] = field(default_factory=list)
    _read: int = 0
    _now: dict[str, VmChange] = field(default_factory=dict)
    _told: dict[str, int] = field(default_factory=dict)
    _looks: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def begin(cls, platform: VirtualPlatform, scale_set_id: str) -> ShownWatch:
        """Watch the set from now on, in place of whoever did."""
        watch = cls(platform, scale_set_id.lower())
        platform.looks.watchers[watch.scale_set_id] = watch.looked
        return watch

    async def looked(self, deployment_id: str, at: datetime) -> None:
        """A deployment has made something of the list that it read then."""
        self._catch_up()
        looks, told = self._looks.setdefault(deployment_id, {}), self._told.get(deployment_id, 0)
        self._told[deployment_id] = len(self._log)
        looks.update((change.vm_id, 0) for change in self._log[told:])
        for vm_id in looks:
            looks[vm_id] += self._now[vm_id].time < at
        due = {vm_id for vm_id, times in looks.items() if times >= LOOKS}
        # A look that is delivered after the end sees what has become of VMs since, which the rows are not to show.
        row = await self.platform.store.deployments.get(deployment_id) if due else None
        if row is None or row.status.ended:
            return
        self._looks[deployment_id] = {vm_id: times for vm_id, times in looks.items() if vm_id not in due}
        for record in without_doubles(await self.platform.store.vms.all(deployment_id)):
            if record.vm_id in due and (words := misshown(record, self._now[record.vm_id].state)):
                self.found.append((deployment_id, f"{words}, {LOOKS} looks later, at {at:%d %H:%M:%S}"))

    def _catch_up(self) -> None:
        """Read on in Azure's log of VMs. Whether the application of one that runs serves is not what is shown."""
        changes = self.platform.cloud.changes
        for change in changes[self._read :]:
            before = self._now.get(change.vm_id)
            if change.state in MAY_BE and change.scale_set.lower() == self.scale_set_id:
                self._now[change.vm_id] = change
                if before is None or MAY_BE[before.state] != MAY_BE[change.state]:
                    self._log.append(change)
        self._read = len(changes)
