"""Keep what changes a scale set by itself from interfering with a deployment, and bring it back at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from activities.former import tell_of_given_back
from activities.image import WAIT_LIMIT
from activities.rights import obstacle
from activities.rows import deployment_of
from rollout.holds.holds import HoldNeeds, conflicts, held_kinds, keep_after, keep_time, plan_hold, unreadable
from rollout.holds.inherited import named, restored_words, taken_over, told
from rollout.holds.moves import closed, is_of_the_set, next_writes, refused, to_hold, to_restore
from rollout.model.azure.scale_set import ScaleSet
from rollout.model.codec import encode_time
from rollout.model.order import Order, Progress, again, done, failed
from rollout.model.rows.danger import MODEL_NAMES_BAD_IMAGE, names
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.holds import Hold, HoldKind, Process
from rollout.ports.errors import Refused
from rollout.ports.ports import Ports


async def hold_processes(ports: Ports, order: Order) -> Progress:
    """Write down what will be held, with its old value; then hold it, one write of the set at a time.

    Answers the kinds that are ``held``, what somebody changed at the same time (``conflicts``), and what could not be
    read and is not held (``unreadable``). It follows the plan, whose batches say how much room is needed.
    """
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if scale_set is None:
        return failed("scaleSetGone", "The scale set does not exist any more")
    processes = await ports.processes.read(scale_set)
    if refusal := await obstacle(ports, order):
        return refusal
    journal = await _journal(ports, order, scale_set, processes)
    move = to_hold(journal.items, processes)
    for group in next_writes(move.writes, scale_set.settled):
        if refusal := await obstacle(ports, order):
            return refusal
        await ports.processes.write(scale_set, group)
    if waiting := _on_its_way(order, scale_set, move.writes, "hold what would interfere"):
        return waiting
    return _held(replace(journal, items=move.items), processes)


async def _journal(ports: Ports, order: Order, scale_set: ScaleSet, processes: Sequence[Process]) -> Hold:
    """This deployment's journal. What an earlier one still holds is inherited, with what was there before it."""
    earlier = await ports.store.holds.get(order.scale_set_id)
    if earlier is not None and earlier.deployment_id == order.deployment_id:
        return earlier
    deployment = await deployment_of(ports, order)
    batches = await ports.store.batches.list(order.deployment_id)
    # The plan has a row for each VM; to list them once more would cost a large set a minute of its requests.
    planned = await ports.store.vms.list(order.deployment_id)
    count = max(len(planned), scale_set.capacity, deployment.target_size)
    needs = HoldNeeds.of(batches, count, deployment.parameters.adjust)
    items = plan_hold(processes, needs, taken_over(earlier) if earlier is not None else ())
    journal = Hold(order.scale_set_id, order.deployment_id, items, order.at)
    if items:
        await ports.store.holds.put(journal)
    elif earlier is not None:
        await ports.store.holds.delete(order.scale_set_id)
    return journal


async def _standing(ports: Ports, order: Order) -> int:
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    return sum(1 for vm in listed.vms if not vm.leaving)


def _held(journal: Hold, processes: Sequence[Process]) -> Progress:
    held, theirs, unread = held_kinds(journal.items), conflicts(journal.items), unreadable(processes)
    words = [f"Held: {named(held)}" if held else "Nothing to hold", *theirs]
    words += [f"not held, because it cannot be read: {what}" for what in unread]
    progress = done("; ".join(words), held=held, conflicts=theirs, unreadable=unread)
    return replace(progress, silent=not (held or theirs or unread))


async def restore_processes(ports: Ports, order: Order) -> Progress:
    """Bring back what the journal says, wherever Teal's value is still there.

    Answers the kinds that are ``restored``, what is not because somebody changed it or Azure refused (``conflicts``),
    and, with ``order.keep``, the kinds that stay held until ``keepFor`` is over (``kept``). The journal's row goes with
    the lock (``release_group``), so that an answer that was lost can be given again.
    """
    journal = await ports.store.holds.get(order.scale_set_id)
    if journal is None:
        return _restored(Hold(order.scale_set_id, order.deployment_id, (), order.at))
    deployment = await ports.store.deployments.get(order.deployment_id)
    inherits = journal.keep_until is None or (deployment is not None and deployment.started_at is not None)
    if journal.deployment_id != order.deployment_id and not inherits:
        # It did not come so far as to inherit the journal, which has a time at which it is brought back.
        return replace(done(f"What {journal.deployment_id} holds stays held"), silent=True)
    if journal.over:
        return _restored(journal)
    if refusal := await obstacle(ports, order):
        return refusal
    if stays := await _stays_held(ports, order, journal):
        return stays
    # Before Azure is asked anything: where it does not answer, the watchdog finds by this what is still to come back.
    journal = await _begun(ports, order, journal, deployment)
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    processes = await ports.processes.read(scale_set) if scale_set is not None else ()
    return await _bring_back(ports, order, await _keeping(ports, order, journal), scale_set, processes)


async def _stays_held(ports: Ports, order: Order, journal: Hold) -> Progress | None:
    """Keep what is held, with nobody to look after it, as long as the model names an image that was judged bad."""
    danger = await ports.store.dangers.get(order.scale_set_id, MODEL_NAMES_BAD_IMAGE)
    scale_set = await ports.scale_sets.read(order.scale_set_id) if danger is not None else None
    if danger is None or scale_set is None or not names(danger, scale_set.image):
        return None
    await _rewritten(ports, journal, replace(journal, keep_until=None, discard_batch=0))
    return replace(done(f"What is held stays so: {danger.reason}"), silent=True)


async def _begun(ports: Ports, order: Order, journal: Hold, deployment: Deployment | None) -> Hold:
    """The journal once it says when all that it still holds comes back, whoever does that."""
    keep_for = deployment.parameters.keep_for if deployment is not None else timedelta(0)
    until = keep_time(journal, order.keep, order.at, keep_for)
    items = journal.items if journal.deployment_id == order.deployment_id else taken_over(journal)
    begun = replace(journal, deployment_id=order.deployment_id, keep_until=until, items=items)
    return await _rewritten(ports, journal, begun)


async def _keeping(ports: Ports, order: Order, journal: Hold) -> Hold:
    """The journal once it says what of it is to be kept."""
    if not order.keep or all(item.kept for item in journal.items if item.kind is HoldKind.AUTOSCALE):
        return journal
    items = keep_after(journal.items, await _standing(ports, order))
    return await _rewritten(ports, journal, replace(journal, items=items))


async def _rewritten(ports: Ports, before: Hold, after: Hold) -> Hold:
    if after != before:
        await ports.store.holds.put(after)
    return after


async def _bring_back(
    ports: Ports, order: Order, journal: Hold, scale_set: ScaleSet | None, processes: Sequence[Process]
) -> Progress:
    """Bring back what was held; where the set is gone there is nothing to bring back or to keep."""
    keep = order.keep and scale_set is not None
    move = to_restore(journal.items, processes, keep)
    if scale_set is not None:
        for group in next_writes(move.writes, scale_set.settled):
            if refusal := await obstacle(ports, order):
                return refusal
            try:
                await ports.processes.write(scale_set, group)
            except Refused as error:
                items = refused(journal.items, group, f"{error.code}: {error.message}")
                await ports.store.holds.put(replace(journal, items=items))
                return again(order.poll_interval, f"Azure refused: {error.message}")
        if waiting := _on_its_way(order, scale_set, move.writes, "bring back what was held"):
            return waiting
    if refusal := await obstacle(ports, order):
        return refusal
    items = closed(move.items, keep)
    await tell_of_given_back(ports, order, items)
    ended = replace(journal, items=told(items), discard_batch=journal.discard_batch if keep else 0)
    await ports.store.holds.put(ended)
    return _restored(ended)


def _restored(journal: Hold) -> Progress:
    kept = held_kinds(item for item in journal.items if not item.restored)
    back = held_kinds(item for item in journal.items if item.restored and not item.conflict)
    theirs = conflicts(journal.items)
    words = [restored_words(back, theirs)]
    if kept and journal.keep_until is not None:
        words.append(f"{named(kept)} stays as it is until {encode_time(journal.keep_until)}")
    progress = done("; ".join(words), restored=back, conflicts=theirs, kept=kept)
    return replace(progress, silent=not (back or theirs or kept))


def _on_its_way(order: Order, scale_set: ScaleSet, writes: Sequence[Process], purpose: str) -> Progress | None:
    """The thing to wait for: the set's own settings are changed one write at a time; ``None``: nothing."""
    if scale_set.settled and not any(map(is_of_the_set, writes)):
        return None
    if not scale_set.settled and order.waited >= WAIT_LIMIT:
        return failed("scaleSetBusy", f"{scale_set.name} was being changed for {WAIT_LIMIT}: could not {purpose}")
    return again(order.poll_interval, f"Waiting for a change of {scale_set.name}, to {purpose}")
