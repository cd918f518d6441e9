"""Roll one group to an image: one generation to prepare, then one for each batch."""

from __future__ import annotations

from dataclasses import replace

from orchestrators.broken import cause_of
from orchestrators.endings import (
    VERIFY_END,
    PutBack,
    break_off,
    end,
    fail,
    let_go,
    roll_back,
    rolled_back,
    stop,
    without_lock,
)
from orchestrators.gate import await_approval
from orchestrators.steps import (
    Recipe,
    RecipeContext,
    StepRecipe,
    carry_out,
    carry_out_batch,
    heeded,
    record,
    show,
)
from rollout.model.choices import OnFailure
from rollout.model.codec import Json, decode, encode
from rollout.model.events import EventType
from rollout.model.order import BakePeriod, Progress, Run, StepState
from rollout.model.rows.commands import CommandKind
from rollout.model.status import Status

TAKE_TURN = StepRecipe("take_turn", EventType.TURN_TAKEN)
PREPARE = StepRecipe("prepare_deployment", EventType.PLANNED)
HOLD_PROCESSES = StepRecipe("hold_processes", EventType.PROCESSES_HELD)
APPLY_IMAGE = StepRecipe("apply_image", EventType.IMAGE_APPLIED)
BAKE = StepRecipe("bake", EventType.BAKED)


def deploy_group(context: RecipeContext) -> Recipe[Json | None]:
    """Deploy; and where a fault of Teal's own comes in between, end the deployment in order."""
    run = decode(Run, context.get_input()).begun()
    try:
        return (yield from deploy(context, run))
    except Exception as error:
        run, cause = cause_of(run, error)
    return (yield from break_off(context, run, cause))


def deploy(context: RecipeContext, run: Run) -> Recipe[Json | None]:
    """Prepare, then replace batch after batch, then finish; or stop, or roll back, or put back what was changed."""
    going = Status.ROLLING_BACK if run.back else Status.IN_PROGRESS
    show(context, run, going, "replacing its VMs" if run.batch else "Planning")
    if run.batch:
        run, progress = yield from one_batch(context, run)
    else:
        run, progress = yield from prepare(context, run)
    if progress.done and run.batch < run.batches:
        context.continue_as_new(encode(run.next_batch()))
        return None
    if progress.done:
        run, progress = yield from carry_out(context, replace(run, batch=0), VERIFY_END)
    if not progress.done:
        return (yield from depart(context, run, progress))
    return (yield from finish(context, run, progress))


def prepare(context: RecipeContext, run: Run) -> Recipe[tuple[Run, Progress]]:
    """Wait for the turn, plan under the lock and, where there is something to do, change the set."""
    if run.queued:
        run, turn = yield from carry_out(context, run, TAKE_TURN)
        if not turn.done:
            return run, turn
        run = replace(run, epoch=turn.data["epoch"])
    run, plan = yield from carry_out(context, run, PREPARE)
    if not plan.done:
        # Nothing is its own yet that could be rolled back: only what a lost deployment left is put back.
        left_open = plan.data.get("leftOpen", False)
        return replace(run, changed=left_open, on_failure=OnFailure.DISCARD_GREEN), plan
    run = planned(run, plan)
    if not (plan.data["batches"] or plan.data["otherImage"]):
        return run, plan
    run = replace(run, changed=True)
    run, held = yield from carry_out(context, run, HOLD_PROCESSES)
    if not held.done:
        return run, held
    return (yield from carry_out(context, run, APPLY_IMAGE))


def planned(run: Run, plan: Progress) -> Run:
    """What the recipes need to know of the plan."""
    known = plan.data
    return replace(
        run,
        batches=known["batches"],
        inherited=known.get("inherited", False),
        gated=known.get("gated", False),
        approvals=tuple(known.get("approvals", ())),
        approves_every=known.get("approvesEvery", False),
        bakes=decode(tuple[BakePeriod, ...], known.get("bakes", ())),
        on_failure=OnFailure(known.get("onFailure", run.on_failure)),
    )


def one_batch(context: RecipeContext, run: Run) -> Recipe[tuple[Run, Progress]]:
    """Replace the run's batch; then, where that was asked for, watch the green VMs, and let somebody approve."""
    run, progress = yield from carry_out_batch(context, run)
    if progress.done and run.baking:
        run, progress = yield from bake(context, run, run.baking)
    if progress.done and run.wants_approval:
        run, progress = yield from await_approval(context, run)
    return run, progress


def bake(context: RecipeContext, run: Run, baking: BakePeriod) -> Recipe[tuple[Run, Progress]]:
    """Watch the new VMs for a while; their health is still judged."""
    seconds = encode(baking.time)
    message = f"watching the green VMs for {seconds} s: {baking.reason}"
    run = yield from record(context, run, EventType.BAKE_STARTED, message, {"seconds": seconds})
    return (yield from carry_out(context, run, BAKE))


def depart(context: RecipeContext, run: Run, progress: Progress) -> Recipe[Json | None]:
    """What becomes of a deployment that does not go on: a person's command, or a failure."""
    run = heeded(run, progress)
    if progress.state is StepState.INTERRUPTED and progress.code == CommandKind.STOP:
        return (yield from stop(context, run, progress))
    answered = run.changed and not run.back and progress.state is not StepState.LOCK_LOST
    if progress.state is StepState.INTERRUPTED or (answered and run.on_failure is OnFailure.ROLL_BACK):
        return (yield from roll_back(context, run, progress))
    return (yield from fail(context, run, progress))


def finish(context: RecipeContext, run: Run, verified: Progress) -> Recipe[Json | None]:
    """Bring back what was held, free the group, and say that the deployment is finished, or rolled back."""
    run = run.unsteered()
    if run.back:
        return (yield from rolled_back(context, run, verified))
    reason = verified.reason
    run, held = yield from let_go(context, run, PutBack(image=True, settled=True))
    if not held:
        run, reason = yield from without_lock(context, run, reason)
    run = yield from record(context, run, EventType.FINISHED, reason, {**verified.data, "settled": held})
    return end(context, run, Status.FINISHED, reason)
