"""Which role may what."""

from __future__ import annotations

import pytest

from rollout.model.roles import ANY_KEY, COMMANDS, NEEDS, Caller, Mode, Role, decide, functions_of, is_keyed

#: Who may, by the least role that does.
MAY = {
    Role.READER: {Role.READER, Role.DEPLOYER, Role.APPROVER, Role.ADMINISTRATOR},
    Role.DEPLOYER: {Role.DEPLOYER, Role.ADMINISTRATOR},
    Role.APPROVER: {Role.APPROVER, Role.ADMINISTRATOR},
    Role.ADMINISTRATOR: {Role.ADMINISTRATOR},
    Role.VM: {Role.VM, Role.ADMINISTRATOR},
    None: set(Role),
}


def caller(*roles: Role) -> Caller:
    return Caller(Mode.KEYS, "somebody", roles)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_what_is_its_own_or_a_lesser_ones(role: Role) -> None:
    for function, needs in NEEDS.items():
        assert decide(caller(role), function).allowed == (role in MAY[needs]), function


def test_what_is_approved_by_one_is_not_started_by_the_same_unless_both_roles_are_given() -> None:
    both = caller(Role.DEPLOYER, Role.APPROVER)
    assert decide(both, "approve_deployment").allowed
    assert decide(both, "start_deployment").allowed
    assert not decide(caller(Role.DEPLOYER), "approve_deployment").allowed
    assert not decide(caller(Role.APPROVER), "start_deployment").allowed


def test_a_refusal_says_who_has_what_and_what_is_needed() -> None:
    decision = decide(caller(Role.READER), "stop_deployment")
    assert (decision.needs, decision.reason) == (
        Role.DEPLOYER,
        "somebody is reader, and stop_deployment needs deployer",
    )
    assert decide(caller(), "stop_deployment").reason == "somebody has no role, and stop_deployment needs deployer"
    both = decide(caller(Role.DEPLOYER, Role.APPROVER), "put_group")
    assert both.reason == "somebody is deployer and approver, and put_group needs administrator"


def test_evidence_and_what_writes_is_no_readers() -> None:
    assert NEEDS["get_vm_evidence"] is NEEDS["get_vm_serial_log"] is Role.DEPLOYER
    reads = {name for name in NEEDS if name.startswith(("get_", "list_"))} - {"get_vm_evidence", "get_vm_serial_log"}
    assert {name for name, needs in NEEDS.items() if needs in (None, Role.READER)} == reads


def test_a_key_is_made_on_what_its_role_may() -> None:
    assert functions_of(Role.VM) == ("signal_vm",)
    assert set(functions_of(Role.APPROVER)) == {*functions_of(Role.READER), "approve_deployment"}
    assert set(functions_of(Role.ADMINISTRATOR)) == {name for name, needs in NEEDS.items() if needs is not None}


def test_with_people_known_only_what_vms_call_needs_a_key() -> None:
    assert [name for name in NEEDS if is_keyed(name, Mode.ENTRA)] == ["signal_vm"]
    assert {name for name in NEEDS if not is_keyed(name, Mode.KEYS)} >= {"get_health", "get_openapi", "get_docs"}


def test_who_is_recorded_has_an_object_id_where_there_is_one() -> None:
    assert Caller(Mode.ENTRA, "ada@example.com", (), "6d3a").recorded_as == "ada@example.com (6d3a)"
    assert ANY_KEY.recorded_as == "function key"


def test_every_command_is_a_route() -> None:
    assert set(COMMANDS.values()) <= set(NEEDS)
