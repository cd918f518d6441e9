"""Which promises nobody can keep after what happened in a run: one table, by what happened.

Everything that is not named here is held. A promise is exempt for what others did to VMs, to the set or to a step, or
for what was asked for; for what breaks in Azure, in the Durable host or in the processes never.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local.soak.worlds import Setting

#: VMs were taken out of service by others.
SERVING = frozenset({"never_fewer_serving"})

#: VMs were made or deleted by others: rows know what Teal did.
VMS = SERVING | {"rows_as_the_set", "rows_agree"}

#: By kind of trouble, or by what was asked for.
EXEMPT: dict[str, frozenset[str]] = {
    # What was asked for.
    "unchecked": SERVING,  # what gives the VMs their traffic is not asked whether they serve
    "tolerated": SERVING,  # blue VMs go though their green ones are sick
    "skippedOutOfTraffic": SERVING,  # VMs that count, and serve no more, are to be left alone
    # What others did to VMs.
    "delete_vm": VMS,
    "evict": VMS,
    "scale": VMS,
    "autoscale": VMS,
    "change_autoscale": VMS | {"journal_restored"},  # what was there before is not what is to be there
    "repair": VMS,
    "stop": SERVING,
    "start": SERVING,
    "sicken": SERVING,
    "attach": VMS,
    "take_out": SERVING,
    "set_down": SERVING,
    "delete_pool": SERVING,
    # What others did to Teal: the step that deletes green VMs, or gives them rows, may be the one that was ended.
    "partTerminated": frozenset({"rows_as_the_set"}),
    # Azure's clock is not the app's any more, and these are about what had happened when, and which came last.
    "clockSet": frozenset({"vms_shown_at_the_end", "told_after_the_end", "rows_as_the_set", "queue_in_order"}),
    # What others did to the set and to what is around it.
    # Azure cancels what is under way on a set that is deleted.
    "delete_scale_set": VMS
    | {"good_image", "no_vm_cut_off", "journal_restored", "only_meant_images_applied", "writes_never_overlap"},
    # Nor is the scale-in policy of before the one that is to be there.
    "patch": frozenset({"good_image", "journal_restored"}),
    "name_image": frozenset({"good_image"}),
    "lock": frozenset({"good_image"}),  # the previous image could not be put back, and the deployment says so
    "delete_version": frozenset({"good_image"}),  # nor one that is gone
}


def exempt(happened: Iterable[str]) -> frozenset[str]:
    """The names of the checkers that are not asked."""
    return frozenset(name for one in happened for name in EXEMPT.get(one, frozenset()))


def traits(asked: Mapping[str, Any], setting: Setting, answer: Any = None) -> frozenset[str]:
    """What of a start takes a promise back: what is asked for, and what its ``answer`` warns of."""
    decides = setting.balancer or "applicationHealth"
    unchecked = decides not in asked.get("healthCheckTypes", setting.health_check_types)
    found = {"unchecked": unchecked, "tolerated": bool(asked.get("tolerateUnhealthy"))}
    warned = {one["code"] for one in answer.get("findings", ())} if isinstance(answer, dict) else set()
    return frozenset(name for name, is_so in found.items() if is_so) | warned
