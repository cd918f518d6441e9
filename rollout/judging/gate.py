"""Judge whether the whole group is well enough for another batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rollout.model.azure.health import serves
from rollout.model.azure.scale_set import Vm
from rollout.model.order import Progress, done, failed
from rollout.model.parameters import Parameters


def judge_group(vms: Sequence[Vm], parameters: Parameters, after: timedelta = timedelta(0)) -> Progress:
    """Compare the unhealthy share of all VMs, of either colour, with ``max_unhealthy_percentage``.

    Of 10 VMs 2 are unhealthy: 20 passes, 19 does not. VMs that are being deleted do not count.
    """
    standing = [vm for vm in vms if not vm.leaving]
    unhealthy = sum(1 for vm in standing if not serves(vm, parameters.health_check_types))
    limit = parameters.max_unhealthy_percentage
    how = "are unhealthy" if parameters.health_check_types else "do not run"
    counted = f"{unhealthy} of all {len(standing)} VMs {how}"
    if 100 * unhealthy > limit * len(standing):
        return failed("groupUnhealthy", f"{counted}: more than the {limit} % allowed", after)
    return done(f"{counted}: within the {limit} % allowed", after)
