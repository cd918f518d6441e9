"""What the soak's runs are made of: every trouble that there is, decided by the run's number alone."""

from __future__ import annotations

import inspect
import re

import pytest

from local.azure.interference import Interference
from local.azure.world import Fault
from local.durable.faults import ActivityLoss, TurnLoss
from local.soak.breakage import AZURE, BREAKAGE
from local.soak.exemptions import EXEMPT, exempt, traits
from local.soak.interference import ACTS
from local.soak.script import TROUBLE, Seed, write_script
from local.soak.worlds import Setting, world_of
from local.virtual.checkers import CHECKERS, checker_name


def test_everything_that_the_simulator_lets_others_do_is_done() -> None:
    methods = {name for name, _ in inspect.getmembers(Interference, inspect.isfunction) if not name.startswith("_")}
    assert set(ACTS) == methods


def test_everything_that_can_go_wrong_with_a_request_goes_wrong() -> None:
    rules = [Fault.model_validate(rule) for rule in AZURE.values()]
    # What a fault is for, and how its effect looks in detail.
    aside = {"method", "path", "raises_capacity", "calls", "body", "headers", "operation_error"}
    effects = {name for rule in rules for name in rule.model_fields_set} - aside
    assert effects == set(Fault.model_fields) - aside


def test_azure_has_no_room_where_more_vms_are_asked_for_and_nowhere_else() -> None:
    said = {kind for kind, rule in AZURE.items() if rule.get("raisesCapacity")}
    assert (
        said == {kind for kind in AZURE if kind.startswith("allocation")} == {"allocationRefused", "allocationFailed"}
    )


def test_everything_that_can_go_wrong_with_a_delivery_goes_wrong() -> None:
    assert {f"activity {loss}" for loss in ActivityLoss} | {f"turn {loss}" for loss in TurnLoss} <= set(BREAKAGE)


def test_a_thousand_faulty_scripts_have_all_of_it() -> None:
    kinds = {step.kind for number in range(1000) for step in write_script(Seed(number, faulty=True)).steps}
    assert set(TROUBLE) <= kinds


def test_no_clean_script_has_any_of_it() -> None:
    kinds = {step.kind for number in range(300) for step in write_script(Seed(number, faulty=False)).steps}
    assert kinds == {"deploy", "retry", "say", "takeBack", "untilQuiet", "calls"}


def test_the_number_decides_everything() -> None:
    assert write_script(Seed(7, faulty=True)) == write_script(Seed(7, faulty=True))
    assert write_script(Seed(7, faulty=True)) != write_script(Seed(8, faulty=True))


def test_a_faulty_run_is_the_clean_one_of_its_number_with_trouble_in_between() -> None:
    clean, faulty = (write_script(Seed(7, faulty)) for faulty in (False, True))
    assert clean.setting == faulty.setting
    assert [step for step in faulty.steps if step.kind not in TROUBLE] == list(clean.steps)


def test_every_setting_is_a_world() -> None:
    for number in range(60):
        setting = write_script(Seed(number, faulty=False)).setting
        (scale_set,) = world_of(setting).scale_sets
        assert (scale_set.orchestration_mode, scale_set.capacity) == (setting.mode, setting.vms)


def test_what_is_exempt_is_a_promise_and_why_is_something_that_happens() -> None:
    assert {name for names in EXEMPT.values() for name in names} <= {checker_name(one) for one in CHECKERS}
    assert set(EXEMPT) <= {*ACTS, "partTerminated", "clockSet", "unchecked", "tolerated", "skippedOutOfTraffic"}


@pytest.mark.parametrize(
    ("asked", "balancer", "expected"),
    [
        ({}, "", set()),
        ({"healthCheckTypes": ["vmState"]}, "", {"unchecked"}),
        ({"healthCheckTypes": ["applicationHealth"]}, "", set()),
        ({"healthCheckTypes": ["applicationHealth"]}, "loadBalancer", {"unchecked"}),
        ({"healthCheckTypes": ["loadBalancer"], "tolerateUnhealthy": True}, "loadBalancer", {"tolerated"}),
    ],
)
def test_what_is_asked_for_may_take_a_promise_back(asked: dict[str, object], balancer: str, expected: set[str]) -> None:
    assert traits(asked, Setting("Uniform", 2, balancer)) == expected


def test_only_what_happened_exempts() -> None:
    assert exempt([]) == exempt(["hostKilled", "requestLost"]) == frozenset()
    assert exempt(["sicken", "hostKilled"]) == {"never_fewer_serving"}


def test_a_seed_says_how_it_is_played_again() -> None:
    assert re.fullmatch(r"python -m local\.soak --seed 17 --faulty", Seed(17, faulty=True).command)
