"""Put in order what a deployment left whose orchestration is gone, or what one that ended kept for a while."""

from __future__ import annotations

from dataclasses import replace

from orchestrators.broken import IllegalEvent, cause_of
from orchestrators.endings import (
    RELEASE_GROUP,
    RESTORE_IMAGE,
    RESTORE_PROCESSES,
    SETTLE_VMS,
    abandon,
    end,
    left,
    take_stock,
)
from orchestrators.steps import Recipe, RecipeContext, StepRecipe, carry_out, record, show
from rollout.lifecycle.watchdog import ORCHESTRATOR_LOST
from rollout.model.codec import Json, decode
from rollout.model.events import EventType
from rollout.model.order import Progress, Run, StepState
from rollout.model.status import Status

RECLAIM = StepRecipe("reclaim")
DISCARD_KEPT = StepRecipe("discard_green", EventType.KEPT_DISCARDED)
RESTORE_KEPT = StepRecipe("restore_processes", EventType.KEPT_RESTORED)

#: Of a set that is gone nothing can do harm any more: what is left to do is to forget what was held of it.
SET_GONE = "scaleSetGone"


def restore_group(context: RecipeContext) -> Recipe[Json]:
    """Put the set right; where the deployment's row does not take what that is, free the group and write the end.

    Any other fault ends this orchestration, and it is begun again later.
    """
    run = decode(Run, context.get_input())
    try:
        return (yield from restore(context, run))
    except IllegalEvent as refused:
        run, cause = cause_of(run, refused)
    return (yield from abandon(context, run, cause))


def restore(context: RecipeContext, run: Run) -> Recipe[Json]:
    """Take the lock in the next epoch, then put the set right, and free the group.

    Where another deployment has the lock, or takes it on the way, all this is for that one to do.
    """
    show(context, run, Status.IN_PROGRESS, "putting in order what a deployment left")
    run, reclaimed = yield from carry_out(context, run, RECLAIM)
    if not reclaimed.done:
        return end(context, run, Status.FAILED, reclaimed.reason)
    run = replace(run, epoch=reclaimed.data["epoch"])
    if reclaimed.data["ended"]:
        return (yield from let_go_of_kept(context, run, reclaimed))
    return (yield from write_off(context, run, reclaimed))


def let_go_of_kept(context: RecipeContext, run: Run, reclaimed: Progress) -> Recipe[Json]:
    """The deployment has an end, which stays as it is; what becomes of what it left is added to its history.

    Where the VMs do not go, the journal stays as it is, and all this is tried again.
    """
    kept = reclaimed
    if batch := reclaimed.data["discard"]:
        run = replace(run, batch=batch, batches=reclaimed.data["batches"])
        run, kept = yield from carry_out(context, run, DISCARD_KEPT)
    if kept.done:
        run, kept = yield from carry_out(context, replace(run, batch=0), RESTORE_KEPT)
    run, _ = yield from carry_out(context, replace(run, batch=0), RELEASE_GROUP)
    return end(context, run, Status.FINISHED if kept.done else Status.FAILED, kept.reason)


def write_off(context: RecipeContext, run: Run, reclaimed: Progress) -> Recipe[Json]:
    """Restore the image and what was held, say what remains of the deployment, and that it has failed.

    No VM is deleted: which of them should go is for the next deployment to find out. The end is written before the
    group is free, so that the next one cannot find it unwritten.
    """
    if reclaimed.data["open"]:
        run = yield from record(
            context, run, EventType.BATCH_FAILED, "its orchestration is gone", {"code": ORCHESTRATOR_LOST}
        )
    run, image = yield from restore_image(context, replace(run, batch=0))
    held = image
    if image.done or image.code == SET_GONE:
        run, held = yield from carry_out(context, run, RESTORE_PROCESSES)
    if StepState.LOCK_LOST in (image.state, held.state):
        return end(context, run, Status.FAILED, held.reason)
    reason = reclaimed.reason
    if reclaimed.data["planned"]:
        run, remaining = yield from carry_out(context, run, SETTLE_VMS)
        reason = f"{reason}; {remaining.reason}"
        run = yield from take_stock(context, run)
    data = {"code": ORCHESTRATOR_LOST, **left(run, settled=False)}
    run = yield from record(context, run, EventType.FAILED, reason, data)
    run, _ = yield from carry_out(context, run, RELEASE_GROUP)
    return end(context, run, Status.FAILED, reason)


def restore_image(context: RecipeContext, run: Run) -> Recipe[tuple[Run, Progress]]:
    """Put the previous image back, where it is known; or say that this did not work."""
    if not run.changed:
        return run, Progress(StepState.DONE, "The image was never changed")
    run, restored = yield from carry_out(context, run, RESTORE_IMAGE)
    if restored.state is StepState.FAILED:
        run = yield from record(context, run, EventType.IMAGE_NOT_RESTORED, restored.reason, {"code": restored.code})
    return run, restored
