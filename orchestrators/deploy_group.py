"""Roll one group to an image: one generation to prepare, then one for each batch."""

from __future__ import annotations

from dataclasses import replace

from orchestrators.steps import (
    BATCH_LOST,
    Context,
    Recipe,
    Step,
    carry_out,
    carry_out_batch,
    in_batch,
    record,
    show,
)
from rollout.codec import Json, decode, encode
from rollout.events import EventType
from rollout.order import Progress, Run, State
from rollout.status import Status

PREPARE = Step("prepare_deployment", EventType.PLANNED)
APPLY_IMAGE = Step("apply_image", EventType.IMAGE_APPLIED)
RAISE_EPOCH = Step("raise_epoch")
SAVE_EVIDENCE = Step("save_evidence")
DISCARD_GREEN = Step("discard_green", EventType.GREEN_DISCARDED)
RESTORE_IMAGE = Step("restore_image", EventType.IMAGE_RESTORED)
VERIFY_END = Step("verify_end")
RELEASE_GROUP = Step("release_group")


def deploy_group(context: Context) -> Recipe[Json | None]:
    """Prepare, then replace batch after batch, then finish; or put back what was changed, and fail."""
    run = decode(Run, context.get_input())
    show(context, run, Status.IN_PROGRESS, "replacing its VMs" if run.batch else "Planning")
    if run.batch:
        run, progress = yield from carry_out_batch(context, run)
    else:
        run, progress = yield from prepare(context, run)
    if not progress.done:
        return (yield from fail(context, run, progress))
    if run.batch < run.batches:
        context.continue_as_new(encode(run.next_batch()))
        return None
    return (yield from finish(context, run))


def prepare(context: Context, run: Run) -> Recipe[tuple[Run, Progress]]:
    """Plan under the lock and, where there is something to do, change the image."""
    run, plan = yield from carry_out(context, run, PREPARE)
    if not plan.done or not (plan.data["batches"] or plan.data["otherImage"]):
        return run, plan
    known = {name: plan.data.get(name, False) for name in ("inherited", "gated")}
    run = replace(run, batches=plan.data["batches"], changed=True, **known)
    return (yield from carry_out(context, run, APPLY_IMAGE))


def finish(context: Context, run: Run) -> Recipe[Json | None]:
    """Check the end state, free the group, and say that the deployment is finished."""
    run, verified = yield from carry_out(context, replace(run, batch=0), VERIFY_END)
    if not verified.done:
        return (yield from fail(context, run, verified))
    run, _ = yield from carry_out(context, run, RELEASE_GROUP)
    run = yield from record(context, run, EventType.FINISHED, verified.reason, {})
    return end(context, run, Status.FINISHED, verified.reason)


def fail(context: Context, run: Run, cause: Progress) -> Recipe[Json | None]:
    """Put back what was changed, free the group, and say why the deployment failed.

    First the epoch is raised: whatever of the deployment is still under way may no longer write. Where the lock is lost
    already, nothing of the set is this deployment's to change any more.
    """
    failing, restored = run, False
    if cause.state is not State.LOCK_LOST:
        run, restored = yield from put_back(context, run, cause)
        run, _ = yield from carry_out(context, run, RELEASE_GROUP)
    reason = in_batch(failing, cause.reason)
    run = replace(run, batch=0)
    run = yield from record(context, run, EventType.FAILED, reason, {"code": cause.code, "settled": restored})
    return end(context, run, Status.FAILED, reason)


def put_back(context: Context, run: Run, cause: Progress) -> Recipe[tuple[Run, bool]]:
    """Discard the green VMs that were not judged healthy, and restore the previous image. True: all is in order."""
    run, fence = yield from carry_out(context, run, RAISE_EPOCH)
    if not fence.done:
        return run, False
    run = replace(run, epoch=fence.data["epoch"], sequence=max(run.sequence, fence.data["sequence"]))
    if not run.changed:
        return run, False
    if cause.code == BATCH_LOST:
        run = yield from record(context, run, EventType.BATCH_FAILED, cause.reason, {"code": cause.code})
    discarded = fence
    if run.batch:
        run, _ = yield from carry_out(context, run, SAVE_EVIDENCE)
        run, discarded = yield from carry_out(context, run, DISCARD_GREEN)
    run, restored = yield from carry_out(context, replace(run, batch=0), RESTORE_IMAGE)
    if not restored.done:
        run = yield from record(context, run, EventType.IMAGE_NOT_RESTORED, restored.reason, {"code": restored.code})
    surplus = run.inherited or discarded.data.get("surplus", False)
    return run, discarded.done and restored.done and not surplus


def end(context: Context, run: Run, status: Status, message: str) -> Json:
    """The orchestration's own output; people read the row."""
    show(context, run, status, message)
    return {"status": status, "reason": message}
