"""Replace one batch of blue VMs by green ones."""

from __future__ import annotations

from orchestrators.broken import Broken, cause_of
from orchestrators.steps import Recipe, RecipeContext, StepOutcome, StepRecipe, carry_out, carry_out_all, record, show
from rollout.model.codec import Json, decode, encode
from rollout.model.events import EventType
from rollout.model.order import Progress, Run, StepState
from rollout.model.status import Status

JUDGE = StepRecipe("judge_batch", EventType.BATCH_HEALTHY, unjudged=EventType.BATCH_NOT_JUDGED)
GATE = (StepRecipe("check_group"),)
LAUNCH = (
    StepRecipe("launch_green", EventType.BATCH_LAUNCHED),
    JUDGE,
)
SAVE_EVIDENCE = StepRecipe("save_evidence")
REPLACE_SICK = (
    StepRecipe("discard_sick", EventType.SICK_DISCARDED),
    StepRecipe("launch_green", EventType.BATCH_LAUNCHED),
    JUDGE,
)
RETIRE = (
    StepRecipe("detach_blue", EventType.BATCH_DETACHED),
    StepRecipe("terminate_blue", EventType.BATCH_TERMINATED),
)


def replace_batch(context: RecipeContext) -> Recipe[Json]:
    """Replace the batch, and say how it ended; a fault of Teal's own is one of the ways."""
    run = decode(Run, context.get_input())
    show(context, run, Status.ROLLING_BACK if run.back else Status.IN_PROGRESS, "replacing its VMs")
    try:
        run, progress = yield from replace_vms(context, run)
    except Broken as broken:
        run, progress = cause_of(run, broken)
    if progress.state in (StepState.FAILED, StepState.LOCK_LOST):
        run = yield from record(context, run, EventType.BATCH_FAILED, progress.reason, {"code": progress.code})
    outcome: Json = encode(StepOutcome(progress, run.sequence, run.heard, run.time))
    return outcome


def replace_vms(context: RecipeContext, run: Run) -> Recipe[tuple[Run, Progress]]:
    """Launch green, judge it through the grace period, replace its sick VMs once, and only then retire blue."""
    run, progress = yield from carry_out_all(context, run, (*GATE, *LAUNCH) if run.gated else LAUNCH)
    if progress.done:
        run = yield from keep_evidence(context, run, progress)
    if progress.done and progress.data.get("replace"):
        run, progress = yield from carry_out_all(context, run.next_round(), REPLACE_SICK)
        if progress.done:
            run = yield from keep_evidence(context, run, progress)
    if progress.done:
        run, progress = yield from carry_out_all(context, run, RETIRE)
    return run, progress


def keep_evidence(context: RecipeContext, run: Run, verdict: Progress) -> Recipe[Run]:
    """Where the verdict counts sick VMs, keep what is known of them. What becomes of that stops nothing."""
    if verdict.data.get("sick"):
        run, _ = yield from carry_out(context, run, SAVE_EVIDENCE)
    return run
