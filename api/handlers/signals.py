"""``POST /vm/signal``: what a VM says of itself; and ``POST /groups/{groupId}/signalKey``: by which it is believed.

Functions of their own: the function key that VMs carry opens nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from api.handlers.lookup import find_group
from api.handlers.rendering import render_signal
from api.transport.errors import Code, Refusal
from api.transport.http import Answer, Request
from rollout.judging.signal_keys import is_signal_key, signal_key
from rollout.judging.signals import SignalObjection, accept, addressed
from rollout.model.azure.scale_set import Vm
from rollout.model.group import Group, SignalRule
from rollout.model.rows.signals import Signal
from rollout.ports.ports import Ports
from services.readable_groups import readable_groups

if TYPE_CHECKING:
    from api.contract.bodies import SignalBody

#: Carries the key of the VM's group.
KEY_HEADER = "x-teal-signal-key"

_log = logging.getLogger("teal")

#: The field that is at fault.
_TARGETS = {
    SignalObjection.NOT_DECLARED: "signalType",
    SignalObjection.VM_NOT_FOUND: "vmName",
    SignalObjection.VM_REPLACED: "vmId",
}


async def make_signal_key(ports: Ports, request: Request, *, secrets: Sequence[str] = ()) -> Answer:
    """The key that the group's VMs send with their signals: the same each time."""
    group = await find_group(ports, request)
    if not secrets:
        message = "Signals need no key of the group as long as TEAL_SIGNAL_SECRET is not set. Set it, and ask again"
        raise Refusal(Code.SIGNAL_SECRET_MISSING, message)
    _log.info("The key for signals of group %s was told to %s", group.id, request.caller.recorded_as)
    return Answer(200, {"groupId": group.id, "header": KEY_HEADER, "key": signal_key(secrets[0], group.id)})


async def signal_vm(ports: Ports, request: Request, *, secrets: Sequence[str] = ()) -> Answer:
    """Keep a VM's signal: 202 with what is recorded, or 200 where the VM has sent it before.

    It is kept for whenever a deployment asks for it. A VM that got no answer may send it again. With ``secrets``, the
    signal counts only with the key of the VM's group.
    """
    from api.contract.bodies import SignalBody
    from api.contract.parsing import parse_body

    body = parse_body(request, SignalBody)
    group, vm = await _sender(ports, body, _trusting(request, secrets))
    declared = await _declared(ports, group)
    answer = accept(declared, body.signal_type, body.vm_name[:80], vm, body.vm_id)
    if answer.objection is not None or vm is None:
        objection = answer.objection or SignalObjection.VM_NOT_FOUND
        raise Refusal(Code(objection), f"Not accepted: {answer.words}", _TARGETS[objection])
    signal = Signal(vm.vm_id, vm.name, body.signal_type, ports.clock.now())
    if await ports.store.signals.put(group.scale_set_id, signal):
        _log.info("%s of %s (%s) was received for group %s", signal.type, vm.name, vm.vm_id, group.id)
        return Answer(202, render_signal(signal, group))
    first = await ports.store.signals.get(group.scale_set_id, vm.vm_id, body.signal_type)
    return Answer(200, render_signal(first or signal, group))


def _trusting(request: Request, secrets: Sequence[str]) -> Callable[[Group], bool]:
    """Whether a group takes the word of whoever sent the request."""
    key = request.headers.get(KEY_HEADER, "")
    return lambda group: not secrets or is_signal_key(secrets, group.id, key)


async def _sender(ports: Ports, body: SignalBody, trusts: Callable[[Group], bool]) -> tuple[Group, Vm | None]:
    """The group that the VM belongs to, and the VM that has its name now.

    Where several sets of one name are in several subscriptions, only ``vmId`` tells which it is.
    """
    groups = addressed(await readable_groups(ports), body.resource_group_name, body.vm_name)
    if not groups:
        message = (
            f"No group's scale set in resource group {body.resource_group_name[:90]} may have a VM "
            f"{body.vm_name[:80]}: a VM's name is its set's, an underscore and an instance id"
        )
        raise Refusal(Code.GROUP_NOT_FOUND, message, "vmName")
    groups = tuple(filter(trusts, groups))
    if not groups:
        message = f"Send the key of the VM's group as {KEY_HEADER}: POST /api/groups/{{groupId}}/signalKey answers it"
        raise Refusal(Code.SIGNAL_KEY_INVALID, message, KEY_HEADER)
    if len(groups) > 1 and body.vm_id is None:
        names = ", ".join(group.id for group in groups)
        raise Refusal(Code.VM_AMBIGUOUS, f"The VM may be of the groups {names}: send its vmId", "vmId")
    return _choose(
        body, [(group, await ports.scale_sets.read_vm(group.scale_set_id, body.vm_name)) for group in groups]
    )


def _choose(body: SignalBody, found: Sequence[tuple[Group, Vm | None]]) -> tuple[Group, Vm | None]:
    """That of the VM with this ``vmId``; else of one that has its name now, if any."""
    wanted = (body.vm_id or "").lower()
    exact = [(group, vm) for group, vm in found if vm is not None and vm.vm_id.lower() == wanted]
    named = [(group, vm) for group, vm in found if vm is not None]
    return [*exact, *named, *found][0]


async def _declared(ports: Ports, group: Group) -> tuple[SignalRule, ...]:
    """What the group declares, and what it did when the deployment that is under way began: that waits for it yet."""
    lock = await ports.store.locks.get(group.scale_set_id)
    deployment = await ports.store.deployments.get(lock.owner) if lock is not None and lock.owner else None
    return group.signals + (deployment.parameters.signals if deployment is not None else ())
