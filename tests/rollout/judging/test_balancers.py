"""What balancers' words make of a VM, and what it means where it is not in its pools."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest

from rollout.judging.balancers import draining_time, observe_pools, observe_servers
from rollout.model.azure.balancers import BackendServer
from rollout.model.azure.health import Observation, VmHealth
from rollout.model.azure.pools import IpConfiguration, Membership
from rollout.model.choices import HealthCheckType

LB = "/subscriptions/s/resourcegroups/g/providers/microsoft.network/loadbalancers/lb/backendaddresspools/web"
GATEWAY = "/subscriptions/s/resourcegroups/g/providers/microsoft.network/applicationgateways/gw/backendaddresspools/web"
POOLS = (LB.upper(), GATEWAY)
RUNNING = Observation(HealthCheckType.VM_STATE, VmHealth.HEALTHY, "running")
SOURCE = HealthCheckType.APPLICATION_GATEWAY


def member(vm_id: str, *pools: str, down: Collection[str] = ()) -> Membership:
    return Membership(vm_id, (IpConfiguration(f"/nic/{vm_id}", frozenset(pools), frozenset(down), f"ip-{vm_id}"),))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (member("a", LB, GATEWAY), RUNNING),
        (
            member("a", LB, GATEWAY, down=[LB]),
            Observation(RUNNING.source, VmHealth.WAITING, "running, but Down in lb/web"),
        ),
        (member("a", LB), Observation(RUNNING.source, VmHealth.WAITING, "running, but not in gw/web")),
        (None, Observation(RUNNING.source, VmHealth.WAITING, "running, but not in gw/web")),
    ],
    ids=["in all", "Down", "not in all", "without interfaces"],
)
def test_running_vm_counts_once_it_is_in_its_pools(found: Membership | None, expected: Observation) -> None:
    assert observe_pools(RUNNING, found, POOLS) == expected


def test_without_pools_and_for_vms_that_do_not_run_the_state_says_it_all() -> None:
    starting = Observation(RUNNING.source, VmHealth.WAITING, "is being created")
    assert observe_pools(starting, None, POOLS) == starting
    assert observe_pools(RUNNING, None, ()) == RUNNING


def server(word: str, **given: Any) -> BackendServer:
    return BackendServer(**({"configuration": "/nic/a", "address": "ip-a", "word": word} | given))


@pytest.mark.parametrize("word", ["Up", "UP", "Healthy", "healthy"])
def test_words_for_a_healthy_server(word: str) -> None:
    assert observe_servers(SOURCE, member("a"), [server(word)]) == Observation(SOURCE, VmHealth.HEALTHY, word.lower())


@pytest.mark.parametrize("word", ["Down", "unhealthy", "Partial", "DRAINING", "Unknown", "", "Sleepy"])
def test_every_other_word_is_unhealthy(word: str) -> None:
    seen = observe_servers(SOURCE, member("a"), [server("Up"), server(word, detail="503"), server("Up")])
    assert seen == Observation(SOURCE, VmHealth.UNHEALTHY, f"{word.lower()}: 503")


@pytest.mark.parametrize(
    ("said", "is_it"),
    [
        (server("Up"), True),
        (server("Up", address="ip-b"), True),
        (server("Up", configuration=""), True),
        (server("Up", configuration="", address="ip-b"), False),
        (server("Up", configuration="/nic/b"), False),
    ],
    ids=["both", "another address", "by address", "another VM", "its address is another VM's by now"],
)
def test_server_is_known_by_its_configuration_and_by_its_address_where_it_has_none(
    said: BackendServer, is_it: bool
) -> None:
    seen = observe_servers(SOURCE, member("a"), [said])
    assert seen.health is (VmHealth.HEALTHY if is_it else VmHealth.WAITING)


def test_vm_that_no_pool_lists_waits() -> None:
    for found in (None, member("a")):
        assert observe_servers(SOURCE, found, []).detail == "not listed by any pool yet"


def test_while_an_answer_is_outstanding_the_earlier_one_holds() -> None:
    earlier = Observation(SOURCE, VmHealth.HEALTHY, "up")
    assert observe_servers(SOURCE, member("a"), None, earlier) == earlier
    assert observe_servers(SOURCE, member("a"), None) == Observation(
        SOURCE, VmHealth.WAITING, "asked, not answered yet"
    )


def test_long_probe_logs_are_cut() -> None:
    assert len(observe_servers(SOURCE, member("a"), [server("Down", detail="x" * 5000)]).detail) == 300


def test_the_longer_of_the_two_drainings_counts() -> None:
    minute = timedelta(minutes=1)
    assert (draining_time(minute, timedelta(0)), draining_time(timedelta(0), minute)) == (minute, minute)
