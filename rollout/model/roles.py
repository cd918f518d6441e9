"""Who may do what: the table of routes and roles, and the one decision that is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """How callers are known: by the key that they send, or as a person or app of Microsoft Entra."""

    KEYS = "keys"
    ENTRA = "entra"


class Role(StrEnum):
    """What a caller is to Teal. The words are those of the setting, of Entra's app roles, and of ``GET /me``."""

    READER = "reader"
    DEPLOYER = "deployer"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"
    VM = "vm"


#: What each role may: its own, and all that these may. A VM is apart from people.
_INCLUDES: Mapping[Role, frozenset[Role]] = {
    Role.READER: frozenset({Role.READER}),
    Role.DEPLOYER: frozenset({Role.READER, Role.DEPLOYER}),
    Role.APPROVER: frozenset({Role.READER, Role.APPROVER}),
    Role.ADMINISTRATOR: frozenset(Role),
    Role.VM: frozenset({Role.VM}),
}

#: The least role that each route needs, by the name of its function; ``None``: anyone may. No route may be missing.
NEEDS: Mapping[str, Role | None] = {
    "get_health": None,
    "get_openapi": None,
    "get_docs": None,
    # The page says nothing of itself: it reads with the key of whoever looks.
    "get_dashboard": None,
    "get_me": Role.READER,
    "list_groups": Role.READER,
    "get_group": Role.READER,
    "put_group": Role.ADMINISTRATOR,
    "delete_group": Role.ADMINISTRATOR,
    "list_images": Role.READER,
    "list_group_vms": Role.READER,
    "list_group_deployments": Role.READER,
    "start_deployment": Role.DEPLOYER,
    "list_deployments": Role.READER,
    "get_deployment": Role.READER,
    "get_latest_deployment": Role.READER,
    "get_deployment_operation": Role.READER,
    "get_deployment_operation_status": Role.READER,
    "list_deployment_vms": Role.READER,
    # A serial log may hold what a VM's software should not have said.
    "get_vm_evidence": Role.DEPLOYER,
    "get_vm_serial_log": Role.DEPLOYER,
    "list_deployment_batches": Role.READER,
    "list_deployment_events": Role.READER,
    "get_deployment_durable": Role.READER,
    "list_deployment_commands": Role.READER,
    "pause_deployment": Role.DEPLOYER,
    "resume_deployment": Role.DEPLOYER,
    "stop_deployment": Role.DEPLOYER,
    "roll_back_deployment": Role.DEPLOYER,
    "approve_deployment": Role.APPROVER,
    "take_back_deployment": Role.DEPLOYER,
    "list_notifications": Role.READER,
    "make_signal_key": Role.ADMINISTRATOR,
    "signal_vm": Role.VM,
}

#: What is asked for by machines that sign in nowhere: a key of the function is needed in both modes.
ALWAYS_KEYED = frozenset({"signal_vm"})

#: What people do, by the names of ``canBe`` and more: each is a route.
COMMANDS: Mapping[str, str] = {
    "start": "start_deployment",
    "plan": "start_deployment",
    "retry": "start_deployment",
    "takeBack": "take_back_deployment",
    "pause": "pause_deployment",
    "resume": "resume_deployment",
    "stop": "stop_deployment",
    "rollBack": "roll_back_deployment",
    "approve": "approve_deployment",
    "putGroup": "put_group",
    "deleteGroup": "delete_group",
    "readEvidence": "get_vm_evidence",
    "makeSignalKey": "make_signal_key",
}


@dataclass(frozen=True)
class Caller:
    """Who asks. ``object_id``: of the person or app in Microsoft Entra, which no name can stand for."""

    mode: Mode
    name: str
    roles: tuple[Role, ...]
    object_id: str = ""

    @property
    def recorded_as(self) -> str:
        """What starts and commands say of who asked for them.

        >>> Caller(Mode.ENTRA, "ada@example.com", (Role.DEPLOYER,), "6d3a9c1e").recorded_as
        'ada@example.com (6d3a9c1e)'
        """
        return f"{self.name} ({self.object_id})" if self.object_id else self.name


#: A caller with a key that is no role's: all keys but those open everything.
ANY_KEY = Caller(Mode.KEYS, "function key", (Role.ADMINISTRATOR,))


@dataclass(frozen=True)
class AccessDecision:
    """Whether a caller may do something, and why not. ``needs`` is the least role that may."""

    allowed: bool
    needs: Role | None
    reason: str = ""


def decide(caller: Caller, function: str) -> AccessDecision:
    """Whether ``caller`` may call a route's ``function``. Raises ``KeyError`` for one without a row."""
    needs = NEEDS[function]
    if needs is None or any(needs in _INCLUDES[role] for role in caller.roles):
        return AccessDecision(True, needs)
    has = f"is {' and '.join(caller.roles)}" if caller.roles else "has no role"
    return AccessDecision(False, needs, f"{caller.recorded_as} {has}, and {function} needs {needs}")


def functions_of(role: Role) -> tuple[str, ...]:
    """The functions that need a caller, and that one with ``role`` may call: its key is made on these."""
    return tuple(name for name, needs in NEEDS.items() if needs is not None and needs in _INCLUDES[role])


def is_keyed(function: str, mode: Mode) -> bool:
    """Whether the Functions host asks for a key before the function is called."""
    return NEEDS[function] is not None and (mode is Mode.KEYS or function in ALWAYS_KEYED)
