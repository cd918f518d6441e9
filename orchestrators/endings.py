"""The ends of a deployment other than the good one: failed, stopped, rolled back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrators.broken import cause_of
from orchestrators.steps import BATCH_LOST, Context, Recipe, Step, carry_out, in_batch, record, show
from rollout.codec import Json, decode, encode
from rollout.deployment import Left, OnFailure
from rollout.events import EventType
from rollout.order import Progress, Run, State
from rollout.status import Status

RAISE_EPOCH = Step("raise_epoch")
TELL_CHANGES = Step("tell_changes")
SAVE_EVIDENCE = Step("save_evidence")
DISCARD_GREEN = Step("discard_green", EventType.GREEN_DISCARDED)
KEEP_GREEN = Step("keep_green", EventType.GREEN_KEPT)
SETTLE_VMS = Step("settle_vms")
TAKE_STOCK = Step("take_stock")
VERIFY_END = Step("verify_end")
RESTORE_IMAGE = Step("restore_image", EventType.IMAGE_RESTORED)
CHECK_WAY_BACK = Step("check_way_back")
PLAN_ROLL_BACK = Step("plan_roll_back", EventType.ROLL_BACK_PLANNED)
RESTORE_PROCESSES = Step("restore_processes", EventType.PROCESSES_RESTORED)
RELEASE_GROUP = Step("release_group")


@dataclass(frozen=True)
class PutBack:
    """How far a deployment came in putting back what it changed: the model has a good ``image``; all is ``settled``.

    ``fenced``: it still had the lock when it began. ``why_not``: what kept the image from being put back.
    """

    image: bool
    settled: bool
    fenced: bool = True
    why_not: Progress | None = None


def fail(context: Context, run: Run, cause: Progress) -> Recipe[Json | None]:
    """Put back what was changed, free the group, and say why the deployment failed.

    Where the lock is lost, nothing of the set is this deployment's to change any more.
    """
    reason, back = in_batch(run, cause.reason), PutBack(image=False, settled=False, fenced=False)
    if cause.state is not State.LOCK_LOST:
        run, back = yield from put_back(context, run, cause)
        run, held = yield from let_go(context, run, back)
        back = replace(back, settled=back.settled and held)
    run = replace(run, batch=0)
    if run.changed and not back.fenced:
        run, reason = yield from without_lock(context, run, reason)
    data = {"code": cause.code, **left(run, back.settled)}
    run = yield from record(context, run, EventType.FAILED, reason, data)
    return end(context, run.failed(cause.code, reason), Status.FAILED, reason)


def break_off(context: Context, run: Run, cause: Progress) -> Recipe[Json | None]:
    """End a deployment that a fault of Teal's own stopped: once in order, and where that does not work out, at once."""
    try:
        return (yield from fail(context, run, cause))
    except Exception as error:
        run, cause = cause_of(run, error)
    return (yield from abandon(context, run, cause))


def abandon(context: Context, run: Run, cause: Progress) -> Recipe[Json]:
    """Free the group, and write the end whether or not it follows. The journal is left to the watchdog."""
    run, _ = yield from carry_out(context, replace(run, batch=0).unsteered(), RELEASE_GROUP)
    data = {"code": cause.code, "settled": False}
    run = yield from record(context, run, EventType.FAILED, cause.reason, data, checked=False)
    return end(context, run.failed(cause.code, cause.reason), Status.FAILED, cause.reason)


def stop(context: Context, run: Run, command: Progress) -> Recipe[Json | None]:
    """Leave the VMs as they are; put the image back, keep autoscale from undoing it for a while, and free the group."""
    show(context, run, Status.STOPPING, command.reason)
    run = yield from record(context, replace(run, batch=0), EventType.STOPPING, command.reason, command.data)
    run, fenced = yield from fence(context, run)
    reason = f"stopped before anything was changed: {command.reason}"
    if fenced and run.changed:
        run, remaining = yield from carry_out(context, run, SETTLE_VMS)
        run, restored = yield from restore_image(context, run)
        run, _ = yield from let_go(context, replace(run, keep=True), PutBack(restored.done, settled=False))
        reason = f"{remaining.reason} ({command.reason})"
    elif run.changed:
        run, reason = yield from without_lock(context, run, f"stopped without the lock ({command.reason})")
    elif fenced:
        run, _ = yield from carry_out(context, run, RELEASE_GROUP)
    settled = not run.changed and not run.inherited
    run = yield from record(context, run, EventType.STOPPED, reason, left(run, settled))
    return end(context, run, Status.STOPPED, reason)


def roll_back(context: Context, run: Run, cause: Progress) -> Recipe[Json | None]:
    """Put back what was changed; then bring back what was retired already, as further batches.

    Whether the image before is still there is looked at before anything goes for it. A batch that is lost may have
    written more events than it told of, which is known with the new epoch.
    """
    failed = {} if cause.state is State.INTERRUPTED else {"code": cause.code, "cause": in_batch(run, cause.reason)}
    run = run.failed(cause.code, in_batch(run, cause.reason)) if failed else run
    show(context, run, Status.ROLLING_BACK, cause.reason)
    run, fenced = yield from fence(context, replace(run, on_failure=OnFailure.DISCARD_GREEN))
    said = {"heard": run.heard, "by": cause.data.get("by", "")}
    run = yield from record(context, run, EventType.ROLLING_BACK, cause.reason, {**said, **failed})
    way, back = Progress(State.DONE, "nothing was changed"), PutBack(fenced, settled=False, fenced=fenced)
    if fenced and run.changed:
        run, way = yield from carry_out(context, run, CHECK_WAY_BACK)
        run, back = yield from undo(context, run, cause)
    run = run.turned_back()
    unchanged = {"batches": 0, "settled": not run.inherited}
    plan = Progress(State.DONE, f"nothing was changed ({cause.reason})", data=unchanged)
    if run.changed and not (way.done and back.image):
        obstacle = back.why_not if way.done else way
        return (yield from give_up(context, run, back, closed(obstacle, cause)))
    if run.changed:
        run, plan = yield from carry_out(context, run, PLAN_ROLL_BACK)
    if not plan.done:
        return (yield from give_up(context, run, back, plan))
    if plan.data["batches"]:
        first, batches = plan.data["first"], plan.data["batches"]
        run = replace(run, batch=first, batches=first + batches - 1, steered=True, gated=False, round=1)
        context.continue_as_new(encode(run))
        return None
    if run.changed:
        run, plan = yield from carry_out(context, run, VERIFY_END)
    if not plan.done:
        return (yield from give_up(context, run, back, plan))
    return (yield from rolled_back(context, run, plan))


def rolled_back(context: Context, run: Run, verified: Progress) -> Recipe[Json]:
    """Bring back what was held, free the group, and say that the deployment is rolled back, and what of it stays."""
    reason, settled = verified.reason, verified.data.get("settled", True)
    run, held = yield from let_go(context, run, PutBack(image=True, settled=settled))
    if not held:
        run, reason = yield from without_lock(context, run, reason)
    told: Json = {name: verified.data[name] for name in ("stayed", "stayedVms") if name in verified.data}
    data = {**told, **left(run, settled and held)}
    run = yield from record(context, run, EventType.ROLLED_BACK, reason, data)
    return end(context, run, Status.ROLLED_BACK, reason)


def give_up(context: Context, run: Run, back: PutBack, cause: Progress) -> Recipe[Json | None]:
    """The deployment can neither go on nor back."""
    reason = f"cannot be rolled back: {cause.reason}"
    run, _ = yield from let_go(context, run, replace(back, settled=False))
    lost = cause.state is State.LOCK_LOST or not back.fenced
    if lost:
        run, reason = yield from without_lock(context, run, reason)
    code = State.LOCK_LOST if lost else cause.code
    run = yield from record(context, run, EventType.FAILED, reason, {"code": code, **left(run, settled=False)})
    return end(context, run.failed(code, reason), Status.FAILED, reason)


def closed(obstacle: Progress | None, cause: Progress) -> Progress:
    """Why a deployment that is to go back, for some ``cause``, cannot."""
    if obstacle is None:
        return cause
    return replace(obstacle, reason=f"{obstacle.reason} ({cause.reason})")


def put_back(context: Context, run: Run, cause: Progress) -> Recipe[tuple[Run, PutBack]]:
    """Undo what was changed, where the lock is still the deployment's."""
    run, fenced = yield from fence(context, run)
    if not fenced or not run.changed:
        return run, PutBack(image=fenced, settled=False, fenced=fenced)
    return (yield from undo(context, run, cause))


def undo(context: Context, run: Run, cause: Progress) -> Recipe[tuple[Run, PutBack]]:
    """Discard, or keep, the green VMs that were not judged healthy, and restore the previous image.

    A roll back that comes to this leaves VMs that were to go, so the set is not in order.
    """
    if cause.code == BATCH_LOST:
        run = yield from record(context, run, EventType.BATCH_FAILED, cause.reason, {"code": cause.code})
    discarded = cause
    if run.batch:
        run, _ = yield from carry_out(context, run, SAVE_EVIDENCE)
        keeps = run.on_failure is OnFailure.KEEP
        run, discarded = yield from carry_out(context, run, KEEP_GREEN if keeps else DISCARD_GREEN)
        run = replace(run, keep=keeps)
    clean = not run.batch or (discarded.done and not discarded.data.get("surplus", False))
    run, restored = yield from restore_image(context, replace(run, batch=0))
    settled = restored.done and clean and not run.inherited and not run.back
    return run, PutBack(restored.done, settled, why_not=None if restored.done else restored)


def fence(context: Context, run: Run) -> Recipe[tuple[Run, bool]]:
    """Raise the epoch: whatever of the deployment is still under way may no longer write. False: the lock is lost."""
    run, fenced = yield from carry_out(context, run.unsteered(), RAISE_EPOCH)
    if not fenced.done:
        return run, False
    return replace(run, epoch=fenced.data["epoch"]), True


def restore_image(context: Context, run: Run) -> Recipe[tuple[Run, Progress]]:
    """Put the previous image back into the model, or say that this did not work."""
    run, restored = yield from carry_out(context, run, RESTORE_IMAGE)
    if not restored.done:
        run = yield from record(context, run, EventType.IMAGE_NOT_RESTORED, restored.reason, {"code": restored.code})
    return run, restored


def let_go(context: Context, run: Run, back: PutBack) -> Recipe[tuple[Run, bool]]:
    """Restore what was held, unless the model names an image that was not judged good; then free the group.

    Where the set is not in order, it is written down before that how it is left. False: the lock is lost, so that what
    was held is another deployment's to bring back.
    """
    run, held = replace(run, batch=0), True
    if back.image:
        run, restored = yield from carry_out(context, run, RESTORE_PROCESSES)
        held = restored.state is not State.LOCK_LOST
    if run.changed and back.fenced and held and not back.settled:
        run = yield from take_stock(context, run)
    run, _ = yield from carry_out(context, run, RELEASE_GROUP)
    return run, held


def without_lock(context: Context, run: Run, reason: str) -> Recipe[tuple[Run, str]]:
    """The reason, with who has the scale set now and what was changed before."""
    run, told = yield from carry_out(context, replace(run, batch=0).unsteered(), TELL_CHANGES)
    return run, f"{reason}; {told.reason}"


def take_stock(context: Context, run: Run) -> Recipe[Run]:
    """The run that knows how it leaves the set; not where that could not be read."""
    run, stock = yield from carry_out(context, run, TAKE_STOCK)
    return replace(run, left=decode(Left, stock.data["left"]) if "left" in stock.data else None)


def left(run: Run, settled: bool) -> Json:
    """What an end says of the set: whether it is in order, and how it was left where it is not."""
    return {"settled": settled, **({"left": encode(run.left)} if run.left is not None else {})}


def end(context: Context, run: Run, status: Status, message: str) -> Json:
    """The orchestration's own output: how the deployment ended, of which Durable's ``Completed`` says nothing."""
    show(context, run, status, message)
    return {"status": status, "reason": message, "error": encode(run.problem)}
