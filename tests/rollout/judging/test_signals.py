"""Which signals are accepted, and what follows from those that came, or did not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.judging.signals import SignalObjection, accept, addressed, observe_ready, wait_of
from rollout.model.azure.health import VmHealth
from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.choices import HealthCheckType
from rollout.model.group import Group, SignalRule, SignalType
from rollout.model.parameters import Parameters, fill
from rollout.model.request import StartRequest
from rollout.model.rows.signals import Signal, by_vm, certain_wait, rule_of

AT = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)
READY = SignalRule(SignalType.VM_READY, timedelta(seconds=300))
SHUTDOWN = SignalRule(SignalType.VM_READY_TO_SHUTDOWN, timedelta(seconds=600))
VM = Vm("aaaa", "web_3", "3", ImageReference(), "Succeeded")


def scale_set_id(resource_group: str, name: str, subscription: str = "s") -> str:
    return (
        f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
        f"/providers/Microsoft.Compute/virtualMachineScaleSets/{name}"
    )


@pytest.mark.parametrize(
    ("declared", "vm", "vm_id", "objection", "words"),
    [
        ((READY,), VM, None, None, ""),
        ((SHUTDOWN, READY), VM, "AAAA", None, ""),
        ((READY,), replace(VM, provisioning_state="Creating"), "aaaa", None, ""),
        ((READY,), replace(VM, provisioning_state="Failed"), "aaaa", None, ""),
        ((), VM, None, SignalObjection.NOT_DECLARED, "the group declares no signals, not vmReady"),
        ((SHUTDOWN,), None, None, SignalObjection.NOT_DECLARED, "the group declares vmReadyToShutdown, not vmReady"),
        ((READY,), None, "aaaa", SignalObjection.VM_NOT_FOUND, "there is no VM web_3"),
        (
            (READY,),
            VM,
            "bbbb",
            SignalObjection.VM_REPLACED,
            "web_3 is VM aaaa now; bbbb was an earlier VM of that name",
        ),
        (
            (READY,),
            replace(VM, provisioning_state="Deleting"),
            "aaaa",
            SignalObjection.VM_NOT_FOUND,
            "web_3 is being deleted",
        ),
    ],
)
def test_a_signal_is_accepted_from_the_vm_that_is_there_if_it_is_declared(
    declared: tuple[SignalRule, ...], vm: Vm | None, vm_id: str | None, objection: SignalObjection | None, words: str
) -> None:
    answer = accept(declared, SignalType.VM_READY, "web_3", vm, vm_id)
    assert (answer.objection, answer.words) == (objection, words)


@pytest.mark.parametrize(
    ("resource_group", "vm_name", "found"),
    [
        ("demo", "web_3", ["web"]),
        ("DEMO", "Web_12", ["web"]),
        ("demo", "my_set_3", ["my-set"]),
        ("demo", "my_set_1a2b3c4d", ["my-set"]),
        ("twice", "api_0", ["api-1", "api-2"]),
        ("other", "web_3", []),
        ("demo", "api_3", []),
        ("demo", "web", []),
        ("demo", "eb_3", []),
        ("emo", "web_3", []),
        ("", "_", []),
    ],
)
def test_a_signal_is_for_the_groups_whose_set_may_have_the_vm(
    resource_group: str, vm_name: str, found: list[str]
) -> None:
    groups = [
        Group("web", scale_set_id("Demo", "web")),
        Group("my-set", scale_set_id("demo", "my_set")),
        Group("api-1", scale_set_id("twice", "api", "one")),
        Group("api-2", scale_set_id("twice", "api", "two")),
    ]
    assert [group.id for group in addressed(groups, resource_group, vm_name)] == found


@pytest.mark.parametrize(
    ("passed", "health", "detail"),
    [
        (timedelta(0), VmHealth.WAITING, "not received"),
        (READY.timeout - SECOND, VmHealth.WAITING, "not received"),
        (READY.timeout, VmHealth.UNHEALTHY, "not received within 300 s"),
    ],
)
def test_a_vm_that_is_not_ready_is_waited_for_until_the_timeout(
    passed: timedelta, health: VmHealth, detail: str
) -> None:
    seen = observe_ready(READY, None, passed)
    assert (seen.source, seen.health, seen.detail) == (SignalType.VM_READY, health, detail)


@pytest.mark.parametrize("passed", [timedelta(0), READY.timeout, timedelta(days=1)])
def test_a_vm_that_said_it_is_ready_is_healthy_however_late_it_came(passed: timedelta) -> None:
    signal = Signal("aaaa", "web_3", SignalType.VM_READY, AT)
    seen = observe_ready(READY, signal, passed)
    assert (seen.health, seen.detail) == (VmHealth.HEALTHY, "received at 2026-11-23T08:15:00.000Z")


@pytest.mark.parametrize(
    ("rule", "signaled", "passed", "remaining"),
    [
        (None, False, 0, 120),
        (None, False, 119, 1),
        (None, False, 120, 0),
        (None, True, 0, 120),
        (SHUTDOWN, False, 120, 480),
        (SHUTDOWN, False, 600, 0),
        (SHUTDOWN, False, 700, -100),
        (SHUTDOWN, True, 0, 0),
        (SHUTDOWN, True, 5, 0),
    ],
)
def test_a_declared_shutdown_signal_replaces_the_draining_timeout_and_ends_it(
    rule: SignalRule | None, signaled: bool, passed: int, remaining: int
) -> None:
    signal = Signal("aaaa", "web_3", SignalType.VM_READY_TO_SHUTDOWN, AT) if signaled else None
    wait = wait_of(passed * SECOND, timedelta(seconds=120), rule, signal)
    assert (wait.remaining, wait.ended) == (remaining * SECOND, remaining <= 0)


def test_a_wait_says_what_it_waits_for() -> None:
    signal = Signal("aaaa", "web_3", SignalType.VM_READY_TO_SHUTDOWN, AT)
    waits = [wait_of(timedelta(0), 120 * SECOND, rule, said) for rule, said in [(None, None), (SHUTDOWN, None)]]
    assert [wait.reason for wait in waits] == ["draining", "waiting for vmReadyToShutdown from"]
    assert wait_of(timedelta(0), 120 * SECOND, SHUTDOWN, signal).reason == "vmReadyToShutdown received"


def test_draining_is_sure_to_last_only_where_no_signal_can_end_it() -> None:
    assert certain_wait(120 * SECOND, (READY,)) == 120 * SECOND
    assert certain_wait(120 * SECOND, (READY, SHUTDOWN)) == timedelta(0)


def test_signals_are_found_by_their_sender_and_type() -> None:
    ready = Signal("AAAA", "web_3", SignalType.VM_READY, AT)
    leaving = replace(ready, type=SignalType.VM_READY_TO_SHUTDOWN)
    assert by_vm([ready, leaving], SignalType.VM_READY) == {"aaaa": ready}
    assert rule_of((READY, SHUTDOWN), SignalType.VM_READY_TO_SHUTDOWN) is SHUTDOWN
    assert rule_of((READY,), SignalType.VM_READY_TO_SHUTDOWN) is None


def test_a_deployment_goes_by_what_the_group_declared() -> None:
    group = Group("web", scale_set_id("demo", "web"), signals=(READY, SHUTDOWN))
    assert fill(StartRequest("1.1.0"), group).signals == (READY, SHUTDOWN)


@pytest.mark.parametrize(
    ("types", "signals", "checked"),
    [
        ((), (), False),
        ((), (SHUTDOWN,), False),
        ((), (READY,), True),
        ((HealthCheckType.VM_STATE,), (), True),
    ],
)
def test_health_checks_and_vm_ready_make_a_deployment_a_checked_one(
    types: tuple[HealthCheckType, ...], signals: tuple[SignalRule, ...], checked: bool
) -> None:
    assert Parameters("1.1.0", health_check_types=types, signals=signals).checked is checked
