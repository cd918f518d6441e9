"""Who is to leave which pool, and who is to come back: IP configuration by IP configuration."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.model.azure.pools import (
    IpConfiguration,
    Membership,
    PoolMembership,
    balancer_of,
    gets_traffic,
    pools_of,
    source_of,
)
from rollout.model.azure.scale_set import ImageReference, PlannedConfiguration, ScaleSet
from rollout.model.choices import HealthCheckType
from rollout.steps.pools import PoolChange, cannot_be_had, leaving_pools, returning_to_pools, taken_by_model

LB = "/subscriptions/s/resourcegroups/g/providers/microsoft.network/loadbalancers/lb/backendaddresspools/web"
OTHER_LB = LB.replace("/lb/", "/other/")
GATEWAY = "/subscriptions/s/resourcegroups/g/providers/microsoft.network/applicationgateways/gw/backendaddresspools/web"
ADMIN = GATEWAY.replace("/web", "/admin")
POOLS = (LB.upper(), GATEWAY)


def card(name: str, *pools: str, down: Collection[str] = ()) -> IpConfiguration:
    """The IP configuration ``primary`` of a network interface."""
    return IpConfiguration(f"/nics/{name}/ipconfigurations/primary", frozenset(pools), frozenset(down))


def member(vm_id: str, *pools: str, down: Collection[str] = ()) -> Membership:
    return Membership(vm_id, (card(vm_id, *pools, down=down),))


def of(vm_id: str, *pools: str, name: str = "") -> PoolMembership:
    return PoolMembership(vm_id, f"/nics/{name or vm_id}/ipconfigurations/primary", pools)


def test_pool_says_whose_it_is_in_any_case() -> None:
    assert (source_of(POOLS[0]), source_of(POOLS[1])) == (
        HealthCheckType.LOAD_BALANCER,
        HealthCheckType.APPLICATION_GATEWAY,
    )
    assert pools_of(POOLS, HealthCheckType.LOAD_BALANCER) == (LB,)
    assert balancer_of(LB).endswith("/loadbalancers/lb")


@pytest.mark.parametrize(
    ("members", "refused", "expected"),
    [
        ([member("a"), member("b")], (), PoolChange()),
        ([member("a", LB), member("b", LB)], (), PoolChange((of("a", LB), of("b", LB)))),
        ([member("a", LB, down=[LB]), member("b", LB)], (), PoolChange((of("b", LB),))),
        ([member("a", LB, down=[LB])], (LB,), PoolChange()),
        ([member("a", LB, OTHER_LB)], (LB,), PoolChange((of("a", OTHER_LB),), (of("a", LB),))),
        ([member("a", GATEWAY)], (), PoolChange((), (of("a", GATEWAY),))),
        ([member("a", LB, GATEWAY)], (), PoolChange((of("a", LB),), (of("a", GATEWAY),))),
        (
            [Membership("a", (card("eth0", LB, GATEWAY), card("eth1", LB, ADMIN, down=[LB])))],
            (),
            PoolChange((of("a", LB, name="eth0"),), (of("a", GATEWAY, name="eth0"), of("a", ADMIN, name="eth1"))),
        ),
    ],
    ids=[
        "in none",
        "Down in one write",
        "Down already",
        "Down before the refusal",
        "refused",
        "gateway",
        "both",
        "two interfaces",
    ],
)
def test_vms_leave_the_pools_they_are_in(
    members: list[Membership], refused: tuple[str, ...], expected: PoolChange
) -> None:
    assert leaving_pools(members, refused) == expected
    assert expected.is_empty == (not expected.states and not expected.networks)


def test_one_write_sets_the_members_of_a_pool_and_another_those_of_the_next() -> None:
    change = leaving_pools([member("a", LB, OTHER_LB), member("b", LB)], ())
    assert change.states_by_pool() == {LB: (of("a", LB), of("b", LB)), OTHER_LB: (of("a", OTHER_LB),)}


TWO_CARDS = (of("a", GATEWAY, name="eth0"), of("a", ADMIN, name="eth1"))


@pytest.mark.parametrize(
    ("members", "taken", "missing", "expected"),
    [
        ([member("a", LB, GATEWAY)], [of("a", LB, GATEWAY)], (), PoolChange()),
        ([member("a", LB, GATEWAY, down=[LB])], [of("a", LB)], (), PoolChange((of("a", LB),))),
        ([member("a", LB, GATEWAY, down=[LB])], [], (), PoolChange()),
        ([member("a", LB)], [of("a", GATEWAY)], (), PoolChange((), (of("a", GATEWAY),))),
        ([member("a")], [of("a", LB), of("a", GATEWAY), of("a", LB)], (), PoolChange((), (of("a", GATEWAY, LB),))),
        ([member("a", LB)], [], (), PoolChange()),
        ([member("a")], [of("a", LB, GATEWAY)], (LB,), PoolChange((), (of("a", GATEWAY),))),
        ([member("a")], [of("b", LB)], (), PoolChange()),
        ([Membership("a", (card("eth0"), card("eth1")))], TWO_CARDS, (), PoolChange((), TWO_CARDS)),
        ([Membership("a", (card("eth1"),))], TWO_CARDS, (), PoolChange((), TWO_CARDS[1:])),
        ([Membership("b", (card("eth0"),))], TWO_CARDS, (), PoolChange()),
    ],
    ids=[
        "in all",
        "Down",
        "Down by somebody else",
        "out of one",
        "left in several writes",
        "out by somebody else",
        "pool gone",
        "another VM",
        "two interfaces",
        "interface gone",
        "the interface of a VM that is gone is another VM's by now",
    ],
)
def test_vms_come_back_into_the_pools_that_they_were_taken_out_of(
    members: list[Membership], taken: list[PoolMembership], missing: tuple[str, ...], expected: PoolChange
) -> None:
    assert returning_to_pools(members, taken, missing) == expected


def test_what_is_gone_is_told() -> None:
    members = [Membership("a", (card("eth0"),))]
    assert cannot_be_had(members, TWO_CARDS, ()) == "eth1"
    assert cannot_be_had(members, TWO_CARDS, (GATEWAY,)) == "gw/web, eth1"
    assert cannot_be_had([Membership("a", (card("eth0"), card("eth1")))], TWO_CARDS, ()) == ""
    assert cannot_be_had([], TWO_CARDS, (GATEWAY,)) == ""


FLEXIBLE = ("eth0-1a2b3c4d", "eth1-1a2b3c4d", "eth10-1a2b3c4d")


@pytest.mark.parametrize("names", [("eth0", "eth1", "eth10"), FLEXIBLE], ids=["Uniform", "Flexible"])
def test_what_nobody_wrote_down_is_what_the_model_says_of_the_interface(names: tuple[str, ...]) -> None:
    planned = [
        PlannedConfiguration(name, "primary", frozenset({pool}))
        for name, pool in (("ETH0", GATEWAY), ("eth1", ADMIN), ("eth10", LB))
    ]
    model = ScaleSet("/set", "web", "x", "1", 2, "Succeeded", ImageReference(), planned_network=tuple(planned))
    vm = Membership("a", tuple(card(name) for name in names))
    taken = taken_by_model([vm], model)
    assert [one.pools for one in taken] == [(GATEWAY,), (ADMIN,), (LB,)]


def test_what_nobody_wrote_down_is_down_too_and_an_interface_with_a_name_of_its_own_is_known_by_its_configuration() -> (
    None
):
    planned = (PlannedConfiguration("nic", "primary", frozenset({GATEWAY})),)
    model = ScaleSet("/set", "web", "x", "1", 2, "Succeeded", ImageReference(), planned_network=planned)
    assert taken_by_model([member("a", LB, down=[LB])], model) == (of("a", GATEWAY, LB),)


pool_sets = st.frozensets(st.sampled_from([LB, OTHER_LB, GATEWAY, ADMIN]))


@st.composite
def cards(draw: st.DrawFn) -> IpConfiguration:
    pools = draw(pool_sets)
    return card(draw(st.sampled_from(["eth0", "eth1"])), *pools, down=draw(pool_sets) & pools & {LB, OTHER_LB})


@given(st.lists(cards(), unique_by=lambda each: each.id), pool_sets, pool_sets)
def test_vm_that_came_back_is_where_it_was_configuration_by_configuration(
    before: list[IpConfiguration], refused: frozenset[str], refused_later: frozenset[str]
) -> None:
    """It leaves by two writes, the second after a load balancer refused the first."""
    first = leaving_pools([Membership("a", tuple(before))], refused)
    halfway = [left(each, PoolChange(first.states)) for each in before]
    second = leaving_pools([Membership("a", tuple(halfway))], refused | refused_later)
    out = Membership("a", tuple(left(each, second) for each in halfway))
    assert out.pools <= out.down
    assert leaving_pools([out], refused | refused_later).is_empty
    back = returning_to_pools([out], (*first.states, *first.networks, *second.states, *second.networks))
    assert [came_back(each, back) for each in out.configurations] == before
    expected = {pool for each in before for pool in each.pools}
    assert gets_traffic(Membership("a", tuple(before)), expected) == (not any(each.down for each in before))


def left(each: IpConfiguration, change: PoolChange) -> IpConfiguration:
    gone, down = (frozenset(pools_in(part, each)) for part in (change.networks, change.states))
    return IpConfiguration(each.id, each.pools - gone, (each.down | down) - gone)


def came_back(each: IpConfiguration, change: PoolChange) -> IpConfiguration:
    joined, up = (frozenset(pools_in(part, each)) for part in (change.networks, change.states))
    return IpConfiguration(each.id, each.pools | joined, each.down - up)


def pools_in(part: tuple[PoolMembership, ...], each: IpConfiguration) -> list[str]:
    return [pool for one in part if one.configuration == each.id for pool in one.pools]
