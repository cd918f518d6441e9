"""What the VMs say of themselves, in a group that declares signals."""

from __future__ import annotations

from datetime import timedelta

from local.azure.arm.resources import VmInstance
from local.durable.errors import HostKilled
from local.soak.scene import SoakScene

#: How often VMs look whether there is anything to say.
EVERY = timedelta(seconds=20)


async def speak(scene: SoakScene) -> None:
    """Let each VM say once that it is ready, when its application answers, and once that it may go, when it is out of
    its pools; every fifth VM never says the latter.
    """
    said: set[tuple[str, str]] = set()
    while True:
        for vm in scene.vms():
            for kind in _meant(vm):
                if kind in scene.setting.signals and (vm.vm_id, kind) not in said and await _say(scene, vm, kind):
                    said.add((vm.vm_id, kind))
        await scene.sleep(EVERY)


def _meant(vm: VmInstance) -> list[str]:
    if not vm.answers:
        return []
    may_go = not vm.in_pool and vm.number % 5
    return ["vmReady", *(["vmReadyToShutdown"] if may_go else [])]


async def _say(scene: SoakScene, vm: VmInstance, kind: str) -> bool:
    body = {"vmName": vm.name, "vmId": vm.vm_id, "resourceGroupName": "demo", "signalType": kind}
    try:
        reply = await scene.platform.post("/api/vm/signal", body)
    except (HostKilled, ConnectionError):
        return False
    return reply.status in (200, 202)
