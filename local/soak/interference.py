"""What others do to the set, the gallery and their surroundings while Teal works: everything the simulator knows.

Each act is a line: what is done, with dice of its own. It answers whether there was anything to do it to. What would
last for ever is undone at the end of the run, so that Teal gets its chance to put things in order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

from local.azure.arm.messages import Json
from local.azure.interference import Interference
from local.soak.scene import SoakScene

Act = Callable[[SoakScene, Interference, Random], bool]


def _on_a_vm(act: Callable[[SoakScene, Interference, Random, str], None]) -> Act:
    """An act on any VM of the set."""

    def done(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
        vm = scene.some_vm(dice)
        if vm is not None:
            act(scene, interfere, dice, vm)
        return vm is not None

    return done


def _on_the_set(act: Callable[[SoakScene, Interference, Random], None]) -> Act:
    """An act on the set, if it is there."""

    def done(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
        is_there = scene.is_there()
        if is_there:
            act(scene, interfere, dice)
        return is_there

    return done


def _stop(scene: SoakScene, interfere: Interference, dice: Random, vm: str) -> None:
    interfere.stop(scene.scale_set_id, vm, deallocate=dice.random() < 0.5)


def _start(scene: SoakScene, interfere: Interference, dice: Random, vm: str) -> None:
    """Stop it first: a VM that runs cannot be started."""
    interfere.stop(scene.scale_set_id, vm, deallocate=dice.random() < 0.5)
    interfere.start(scene.scale_set_id, vm)


def _sicken(scene: SoakScene, interfere: Interference, dice: Random, vm: str) -> None:
    interfere.sicken(scene.scale_set_id, vm)
    if dice.random() < 0.5:
        scene.undo_for_vm(vm, lambda: interfere.sicken(scene.scale_set_id, vm, sick=False))


def _fail_interface(scene: SoakScene, interfere: Interference, dice: Random, vm: str) -> None:
    interfere.fail_interface(scene.scale_set_id, vm)
    scene.undo_for_vm(vm, lambda: interfere.fail_interface(scene.scale_set_id, vm, failed=False))


def _protect(scene: SoakScene, interfere: Interference, dice: Random, vm: str) -> None:
    field = dice.choice(["protectFromScaleSetActions", "protectFromScaleIn"])
    interfere.protect(scene.scale_set_id, vm, {field: True})
    scene.undo_for_vm(vm, lambda: interfere.protect(scene.scale_set_id, vm, None))


def _evict(scene: SoakScene, interfere: Interference, dice: Random, vm: str) -> None:
    """Any VM, or the newest, which may be a green one that nobody has judged yet."""
    if dice.random() < 0.5:
        vm = max(scene.vms(), key=lambda one: one.created_at).vm_id
    interfere.evict(scene.scale_set_id, vm, "Delete" if dice.random() < 0.5 else "Deallocate")


def _standby_pool(scene: SoakScene, interfere: Interference, dice: Random) -> None:
    """The next few VMs come from a pool that was filled with the first image."""
    interfere.standby_pool(scene.scale_set_id, dice.choice([1, 2]), f"{scene.image_id}/versions/1.0.0")


def _take_out(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
    vm = scene.some_vm(dice)
    if not scene.pool_id or vm is None:
        return False
    interfere.take_out(scene.scale_set_id, vm, scene.pool_id)
    return True


def _set_down(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
    vm = scene.some_vm(dice)
    if scene.setting.balancer != "loadBalancer" or not scene.pool_id or vm is None:
        return False
    interfere.set_down(scene.scale_set_id, vm, scene.pool_id)
    return True


def _delete_pool(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
    if not scene.pool_id:
        return False
    interfere.delete_pool(scene.pool_id)
    scene.pool_id = ""
    return True


def _attach(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
    """A VM that is called as the set's own are, or as nobody's."""
    if not scene.is_there() or scene.setting.mode != "Flexible":
        return False
    name = dice.choice([f"web_{dice.randint(0, 2**32 - 1):08x}", f"web_db{dice.randint(0, 99):02}", "legacy"])
    if name in {vm.name for vm in scene.vms()}:
        return False
    interfere.attach(scene.scale_set_id, name, age=timedelta(days=dice.choice([0, 400])))
    return True


def _scale(scene: SoakScene, interfere: Interference, dice: Random) -> None:
    interfere.scale(scene.scale_set_id, dice.randint(0, scene.setting.vms + 2))


def _autoscale(scene: SoakScene, interfere: Interference, dice: Random) -> None:
    interfere.autoscale(scene.scale_set_id, dice.choice([-2, -1, 1, 2]))


def _change_autoscale(scene: SoakScene, interfere: Interference, dice: Random) -> None:
    if dice.random() < 0.3:
        interfere.change_autoscale(scene.scale_set_id, enabled=False)
    else:
        low = dice.randint(0, 2)
        interfere.change_autoscale(scene.scale_set_id, minimum=low, default=low, maximum=low + dice.randint(1, 8))


def _patch(scene: SoakScene, interfere: Interference, dice: Random) -> None:
    """Another image in the model, or something that no deployment is about."""
    image = {"imageReference": {"id": f"{scene.image_id}/versions/{dice.choice(['1.0.0', '1.1.0', '1.3.0'])}"}}
    changes: Json = dice.choice(
        [
            {"properties": {"virtualMachineProfile": {"storageProfile": image}}},
            {"properties": {"scaleInPolicy": {"rules": ["NewestVM"]}}},
            {"tags": {"team": "shop"}},
        ]
    )
    interfere.patch(scene.scale_set_id, changes)


def _name_image(scene: SoakScene, interfere: Interference, dice: Random) -> None:
    """Any version that ever was, good or bad, or the latest there is."""
    version = dice.choice(["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", ""])
    interfere.name_image(scene.scale_set_id, f"{scene.image_id}{version and f'/versions/{version}'}")


def _rolling_upgrade(scene: SoakScene, interfere: Interference, dice: Random) -> None:
    interfere.rolling_upgrade(scene.scale_set_id, "RollingForward")
    scene.undo_for_set(lambda: interfere.rolling_upgrade(scene.scale_set_id, None))


def _lock(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
    level = "ReadOnly" if dice.random() < 0.3 else "CanNotDelete"
    interfere.lock(dice.choice(["demo", scene.scale_set_id]), level=level)  # type: ignore[arg-type]
    scene.undo.append(interfere.unlock)
    return True


def _unlock(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
    """A lock that is there for a moment."""
    interfere.lock("demo")
    interfere.unlock()
    return True


def _hold(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
    """Not beside another operation: where writes cancel each other, that would be others' concern alone."""
    if not scene.is_there() or scene.platform.cloud.scale_set(scene.scale_set_id).provisioning_state != "Succeeded":
        return False
    interfere.hold(scene.scale_set_id, timedelta(seconds=dice.choice([20, 120, 900])))
    return True


def _publish(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
    """A version that is as good as they come, or as bad; `latest` means it from then on."""
    number = f"2.{dice.randint(0, 10**6)}.0"
    delay = timedelta(seconds=dice.choice([0, 0, 300]))
    interfere.publish(scene.image_id, number, creating_for=delay, fails=dice.random() < 0.2)
    return True


def _change_version(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
    return _on_a_version(scene, dice, lambda version: interfere.change_version(version, exclude_from_latest=True))


def _delete_version(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
    return _on_a_version(scene, dice, interfere.delete_version)


def _on_a_version(scene: SoakScene, dice: Random, act: Callable[[str], None]) -> bool:
    try:
        act(f"{scene.image_id}/versions/{dice.choice(['1.0.0', '1.1.0', '1.2.0', '1.4.0'])}")
    except (KeyError, ValueError):
        return False  # It is gone already, or another operation is under way on it.
    return True


def _announce(scene: SoakScene, interfere: Interference, dice: Random) -> bool:
    interfere.announce(f"{scene.image_id}/versions/{dice.choice(['1.1.0', '9.9.9'])}")
    return True


#: Every act, by the name of the simulator's method: a test holds the table to its methods.
ACTS: dict[str, Act] = {
    "delete_vm": _on_a_vm(lambda scene, interfere, dice, vm: interfere.delete_vm(scene.scale_set_id, vm)),
    "evict": _on_a_vm(_evict),
    "attach": _attach,
    "take_out": _take_out,
    "set_down": _set_down,
    "delete_pool": _delete_pool,
    "scale": _on_the_set(_scale),
    "autoscale": _on_the_set(_autoscale),
    "change_autoscale": _on_the_set(_change_autoscale),
    "repair": _on_a_vm(lambda scene, interfere, dice, vm: interfere.repair(scene.scale_set_id, vm)),
    "fail_interface": _on_a_vm(_fail_interface),
    "delete_scale_set": _on_the_set(lambda scene, interfere, dice: interfere.delete_scale_set(scene.scale_set_id)),
    "stop": _on_a_vm(_stop),
    "start": _on_a_vm(_start),
    "sicken": _on_a_vm(_sicken),
    "protect": _on_a_vm(_protect),
    "patch": _on_the_set(_patch),
    "name_image": _on_the_set(_name_image),
    "standby_pool": _on_the_set(_standby_pool),
    "rolling_upgrade": _on_the_set(_rolling_upgrade),
    "lock": _lock,
    "unlock": _unlock,
    "hold": _hold,
    "publish": _publish,
    "change_version": _change_version,
    "delete_version": _delete_version,
    "announce": _announce,
}
