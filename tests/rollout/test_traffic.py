"""Who is to leave which pool, and what balancers' words make of a VM."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.group import HealthCheckType
from rollout.health import Health, Observation
from rollout.traffic import (
    Change,
    Membership,
    Server,
    balancer_of,
    draining_time,
    gets_traffic,
    leaving_pools,
    observe_pools,
    observe_servers,
    pools_of,
    returning_to_pools,
    source_of,
)

LB = "/subscriptions/s/resourcegroups/g/providers/microsoft.network/loadbalancers/lb/backendaddresspools/web"
OTHER_LB = LB.replace("/lb/", "/other/")
GATEWAY = "/subscriptions/s/resourcegroups/g/providers/microsoft.network/applicationgateways/gw/backendaddresspools/web"
POOLS = (LB.upper(), GATEWAY)
RUNNING = Observation(HealthCheckType.VM_STATE, Health.HEALTHY, "running")
SOURCE = HealthCheckType.APPLICATION_GATEWAY


def member(vm_id: str, *pools: str, down: Collection[str] = ()) -> Membership:
    return Membership(
        vm_id, frozenset(pools), frozenset(down), frozenset({f"/nic/{vm_id}"}), frozenset({f"ip-{vm_id}"})
    )


def test_pool_says_whose_it_is_in_any_case() -> None:
    assert (source_of(POOLS[0]), source_of(POOLS[1])) == (HealthCheckType.LOAD_BALANCER, SOURCE)
    assert pools_of(POOLS, HealthCheckType.LOAD_BALANCER) == (LB,)
    assert balancer_of(LB).endswith("/loadbalancers/lb")


@pytest.mark.parametrize(
    ("members", "refused", "expected"),
    [
        ([member("a"), member("b")], (), Change()),
        ([member("a", LB), member("b", LB)], (), Change({LB: frozenset("ab")})),
        ([member("a", LB, down=[LB]), member("b", LB)], (), Change({LB: frozenset("b")})),
        ([member("a", LB, down=[LB])], (LB,), Change()),
        ([member("a", LB, OTHER_LB)], (LB,), Change({OTHER_LB: frozenset("a")}, {"a": frozenset({LB})})),
        ([member("a", GATEWAY)], (), Change({}, {"a": frozenset({GATEWAY})})),
        ([member("a", LB, GATEWAY)], (), Change({LB: frozenset("a")}, {"a": frozenset({GATEWAY})})),
    ],
    ids=["in none", "one write for all", "Down already", "Down before the refusal", "refused", "gateway", "both"],
)
def test_vms_leave_the_pools_they_are_in(members: list[Membership], refused: tuple[str, ...], expected: Change) -> None:
    assert leaving_pools(members, refused) == expected
    assert expected.is_empty == (not expected.states and not expected.configurations)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([member("a", LB, GATEWAY)], Change()),
        ([member("a", LB, GATEWAY, down=[LB])], Change({LB: frozenset("a")})),
        ([member("a", LB)], Change({}, {"a": frozenset({GATEWAY})})),
        ([member("a", down=[LB])], Change({LB: frozenset("a")}, {"a": frozenset({LB, GATEWAY})})),
        ([member("a", LB, GATEWAY, OTHER_LB)], Change()),
    ],
    ids=["in all", "Down", "out of one", "out of all", "in more than the model says"],
)
def test_vms_come_back_into_the_pools_of_the_model(members: list[Membership], expected: Change) -> None:
    assert returning_to_pools(members, POOLS) == expected


pool_sets = st.frozensets(st.sampled_from([LB, OTHER_LB, GATEWAY]))


@given(pool_sets, pool_sets, pool_sets)
def test_vm_that_left_gets_no_traffic_and_one_that_came_back_gets_all(
    inside: frozenset[str], down: frozenset[str], refused: frozenset[str]
) -> None:
    load_balancers = frozenset({LB, OTHER_LB})
    before = member("a", *inside, down=inside & down & load_balancers)
    change = leaving_pools([before], refused & load_balancers)
    left = member(
        "a", *(before.pools - change.configurations.get("a", frozenset())), down={*before.down, *change.states.keys()}
    )
    assert left.pools <= left.down
    assert leaving_pools([left], refused & load_balancers).is_empty
    back = returning_to_pools([left], POOLS)
    returned = member(
        "a", *(left.pools | back.configurations.get("a", frozenset())), down=left.down - back.states.keys()
    )
    assert gets_traffic(returned, POOLS)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (member("a", LB, GATEWAY), RUNNING),
        (
            member("a", LB, GATEWAY, down=[LB]),
            Observation(RUNNING.source, Health.WAITING, "running, but Down in lb/web"),
        ),
        (member("a", LB), Observation(RUNNING.source, Health.WAITING, "running, but not in gw/web")),
        (None, Observation(RUNNING.source, Health.WAITING, "running, but not in gw/web")),
    ],
    ids=["in all", "Down", "not in all", "without interfaces"],
)
def test_running_vm_counts_once_it_is_in_its_pools(found: Membership | None, expected: Observation) -> None:
    assert observe_pools(RUNNING, found, POOLS) == expected


def test_without_pools_and_for_vms_that_do_not_run_the_state_says_it_all() -> None:
    starting = Observation(RUNNING.source, Health.WAITING, "is being created")
    assert observe_pools(starting, None, POOLS) == starting
    assert observe_pools(RUNNING, None, ()) == RUNNING


def server(word: str, **given: Any) -> Server:
    return Server(**({"configuration": "/nic/a", "address": "ip-a", "word": word} | given))


@pytest.mark.parametrize("word", ["Up", "UP", "Healthy", "healthy"])
def test_words_for_a_healthy_server(word: str) -> None:
    assert observe_servers(SOURCE, member("a"), [server(word)]) == Observation(SOURCE, Health.HEALTHY, word.lower())


@pytest.mark.parametrize("word", ["Down", "unhealthy", "Partial", "DRAINING", "Unknown", "", "Sleepy"])
def test_every_other_word_is_unhealthy(word: str) -> None:
    seen = observe_servers(SOURCE, member("a"), [server("Up"), server(word, detail="503"), server("Up")])
    assert seen == Observation(SOURCE, Health.UNHEALTHY, f"{word.lower()}: 503")


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
def test_server_is_known_by_its_configuration_and_by_its_address_where_it_has_none(said: Server, is_it: bool) -> None:
    seen = observe_servers(SOURCE, member("a"), [said])
    assert seen.health is (Health.HEALTHY if is_it else Health.WAITING)


def test_vm_that_no_pool_lists_waits() -> None:
    for found in (None, member("a")):
        assert observe_servers(SOURCE, found, []).detail == "not listed by any pool yet"


def test_while_an_answer_is_outstanding_the_earlier_one_holds() -> None:
    earlier = Observation(SOURCE, Health.HEALTHY, "up")
    assert observe_servers(SOURCE, member("a"), None, earlier) == earlier
    assert observe_servers(SOURCE, member("a"), None) == Observation(SOURCE, Health.WAITING, "asked, not answered yet")


def test_long_probe_logs_are_cut() -> None:
    assert len(observe_servers(SOURCE, member("a"), [server("Down", detail="x" * 5000)]).detail) == 300


def test_the_longer_of_the_two_drainings_counts() -> None:
    minute = timedelta(minutes=1)
    assert (draining_time(minute, timedelta(0)), draining_time(timedelta(0), minute)) == (minute, minute)
