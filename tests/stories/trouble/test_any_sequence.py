"""Any sequence of starts, retries, commands, faults, crashes and interference ends well.

Hypothesis makes the sequences up and cuts a failing one short. It prints the steps, which can be played again as they
are. ``TEAL_EXAMPLES=2000 pytest tests/stories/trouble/test_any_sequence.py`` looks for longer.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from local.azure.interference import Interference
from local.azure.world import Fault, World, demo_world, parse_world
from local.clock import VirtualLoop
from local.durable.host import InstanceEnded, UnknownInstance
from local.durable.options import QUIET
from local.virtual import VirtualPlatform
from local.virtual.checkers import violations
from local.virtual.checkers.watched import WatchedSet
from rollout.model.rows.deployment import Deployment

pytestmark = pytest.mark.slow

T = TypeVar("T")

COMMANDS = ("pause", "resume", "approve", "stop", "rollBack")

#: What goes wrong with a few of Azure's next requests.
AZURE_FAULTS: dict[str, dict[str, Any]] = {
    "request lost": {"loseRequest": True},
    "answer lost": {"loseResponse": True},
    "throttled": {"status": 429, "headers": {"Retry-After": "60"}},
    "stale": {"status": 412},
    "out of order": {"status": 503},
    "operation failed": {"method": "PATCH", "operationStatus": "Failed"},
    "no hardware": {"method": "PATCH", "allocationFailures": 1},
}

#: What somebody does to a VM.
CHANGES: dict[str, Callable[[Interference, str, str], None]] = {
    "delete": Interference.delete_vm,
    "evict": lambda interfere, scale_set, vm: interfere.evict(scale_set, vm, "Delete"),
    "sicken": Interference.sicken,
    "repair": Interference.repair,
    "stop": Interference.stop,
    "deallocate": lambda interfere, scale_set, vm: interfere.stop(scale_set, vm, deallocate=True),
    "protect": lambda interfere, scale_set, vm: interfere.protect(scale_set, vm, {"protectFromScaleSetActions": True}),
}

#: Promises that Teal cannot keep where somebody else takes VMs out of service, deletes or makes some.
OTHERS_CHANGED_VMS = frozenset({"never_fewer_serving", "rows_as_the_set", "rows_agree"})

#: Everything that waits for a person, drains, bakes or backs off is over by then, and what was kept has gone.
LONG_ENOUGH = timedelta(days=4)


def lone_set(mode: str, vms: int) -> World:
    """The demo's first set alone, with so many VMs; what autoscale may do to it has bounds that a surge leaves."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"] = [one for one in document["scaleSets"] if one["name"] == "web"]
    document["groups"] = [one for one in document["groups"] if one["id"] == "web"]
    document["scaleSets"][0] |= {"capacity": vms, "orchestrationMode": mode}
    return parse_world(document)


#: What every start asks for, so that little time goes by.
QUICK = {"gracePeriod": 180, "drainingTimeout": 60, "waitTimeout": 1800}

CONFLICTS = st.sampled_from(["reject", "queue", "supersede"])

POLICIES = st.sampled_from(["refuse", "skip", "skip", "replace"])

#: What a start may ask for besides.
ASKED = st.fixed_dictionaries(
    {
        "batchSize": st.sampled_from([1, 2]),
        "onFailure": st.sampled_from(["discardGreen", "keep", "rollBack"]),
        "actionOnTimeout": st.sampled_from(["approve", "stop", "rollBack"]),
        "approvals": st.sampled_from(["none", "everyBatch"]),
        "bakeTime": st.sampled_from([0, 300]),
        "keepFor": st.sampled_from([0, 3600]),
    },
    optional={
        "canary": st.sampled_from(
            [{"size": 1}, {"size": 1, "approval": True}, {"size": 1, "bakeTime": 120}, {"size": 2, "bakeTime": 120}]
        ),
        "stoppedVms": POLICIES,
        "protectedVms": POLICIES,
    },
)


class AnySequence(RuleBasedStateMachine):
    """One platform in virtual time, to which anything is done. ``others``: VMs were changed by somebody else."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner(loop_factory=VirtualLoop)
        self._others = False

    def _run(self, step: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(step)

    @initialize(mode=st.sampled_from(["Uniform", "Flexible"]), vms=st.integers(2, 4))
    def begin(self, mode: str, vms: int) -> None:
        """Open the platform."""

        async def opened() -> None:
            self.platform = VirtualPlatform(lone_set(mode, vms), options=QUIET)
            await self.platform.__aenter__()
            self.scale_set_id = str(self.platform.world.groups[0]["scaleSetId"])
            self.watched = WatchedSet.begin(self.platform, self.scale_set_id, "web")

        self._run(opened())

    @rule(
        image=st.sampled_from(["1.1.0", "1.1.0", "1.2.0", "1.0.0"]),
        conflict=CONFLICTS,
        asked=ASKED,
        force=st.booleans(),
    )
    def start(self, image: str, conflict: str, asked: dict[str, Any], force: bool) -> None:
        """Somebody starts a deployment, whatever is under way."""
        self._start({**QUICK, **asked, "image": image, "onConflict": conflict, "force": force})

    @rule(conflict=CONFLICTS, asked=st.one_of(st.just({}), ASKED))
    def retry(self, conflict: str, asked: dict[str, Any]) -> None:
        """Somebody has the newest deployment go on where it ended, if it has."""
        if rows := self._rows():
            self._start({**asked, "retryOf": rows[0].id, "onConflict": conflict})

    @rule(kind=st.sampled_from(COMMANDS), nth=st.integers(0, 1))
    def command(self, kind: str, nth: int) -> None:
        """Somebody tells the newest deployment, or the one before it, something."""
        rows = self._rows()
        if nth < len(rows):
            reply = self._run(self.platform.post(f"/api/deployments/{rows[nth].id}/{kind}", {}))
            assert reply.status in (202, 409), reply

    @rule(seconds=st.sampled_from([3, 16, 45, 90, 240, 900, 4000]))
    def time_passes(self, seconds: int) -> None:
        """Nothing is done for a while."""
        self._sleep(timedelta(seconds=seconds))

    @rule(kind=st.sampled_from(sorted(AZURE_FAULTS)), first=st.integers(1, 6))
    def azure_fails(self, kind: str, first: int) -> None:
        """Some of Azure's next requests go wrong."""
        fault = {**AZURE_FAULTS[kind], "calls": [first, first + 1]}
        self.platform.cloud.faults.add(Fault.model_validate(fault))

    @rule()
    def host_is_killed(self) -> None:
        """The process dies, and another goes on."""
        self._run(self.platform.restart_host())

    @rule()
    def orchestration_is_terminated(self) -> None:
        """Somebody ends the newest deployment's orchestration through Durable Functions."""
        rows = self._rows()
        if rows:
            try:
                self.platform.host.durable.terminate(rows[0].id, "by hand")
            except (UnknownInstance, InstanceEnded):
                return

    @rule(nth=st.integers(0, 3), what=st.sampled_from(sorted(CHANGES)))
    @precondition(lambda self: hasattr(self, "platform"))
    def somebody_changes_a_vm(self, nth: int, what: str) -> None:
        """A VM is deleted, stopped, protected, evicted or repaired, or falls ill."""
        vms = self.platform.cloud.scale_set(self.scale_set_id).active()
        if nth < len(vms):
            self._others = True
            CHANGES[what](self.platform.cloud.interfere, self.scale_set_id, vms[nth].vm_id)

    @rule(change=st.sampled_from([-1, 1]))
    def set_is_scaled(self, change: int) -> None:
        """Autoscale or a person changes the number of VMs by one."""
        self._others = True
        self.platform.cloud.interfere.autoscale(self.scale_set_id, change, minimum=1)

    def teardown(self) -> None:
        """Leave everything alone for as long as it takes; then every promise holds."""
        if not hasattr(self, "platform"):
            self._runner.close()
            return
        try:
            self.platform.cloud.faults.clear()
            self._sleep(LONG_ENOUGH)
            found = self._run(violations(self.watched, OTHERS_CHANGED_VMS if self._others else frozenset()))
            assert found == [], "\n".join([*found, *self._story()])
        finally:
            self._run(self.platform.__aexit__())
            self._runner.close()

    def _start(self, asked: dict[str, Any]) -> None:
        reply = self._run(self.platform.post("/api/groups/web/deployments", asked))
        assert reply.status in (202, 409, 422, 502, 503), reply

    def _rows(self) -> tuple[Deployment, ...]:
        return self._run(self.platform.store.deployments.newest("web", 10))

    def _sleep(self, duration: timedelta) -> None:
        self._run(self.platform.clock.sleep(duration))

    def _story(self) -> list[str]:
        return [line for row in reversed(self._rows()) for line in [row.id, *self._run(self.platform.story(row.id))]]


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(
    max_examples=int(os.environ.get("TEAL_EXAMPLES", "10")),
    stateful_step_count=14,
    deadline=None,
    derandomize="TEAL_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
