"""Replace one batch of blue VMs by green ones."""

from __future__ import annotations

from orchestrators.steps import Context, Outcome, Recipe, Step, carry_out_all, record, show
from rollout.codec import Json, decode, encode
from rollout.events import EventType
from rollout.order import Run
from rollout.status import Status

STEPS = (
    Step("launch_green", EventType.BATCH_LAUNCHED),
    Step("judge_batch", EventType.BATCH_HEALTHY),
    Step("detach_blue", EventType.BATCH_DETACHED),
    Step("terminate_blue", EventType.BATCH_TERMINATED),
)


def replace_batch(context: Context) -> Recipe[Json]:
    """Launch green, judge it through the grace period, and only then retire blue."""
    run = decode(Run, context.get_input())
    show(context, run, Status.IN_PROGRESS, "replacing its VMs")
    run, progress = yield from carry_out_all(context, run, STEPS)
    if not progress.done:
        run = yield from record(context, run, EventType.BATCH_FAILED, progress.reason, {"code": progress.code})
    outcome: Json = encode(Outcome(progress, run.sequence))
    return outcome
