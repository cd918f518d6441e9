"""The gate after a batch: somebody must approve before the deployment goes on."""

from __future__ import annotations

from dataclasses import replace

from orchestrators.steps import (
    PausedStep,
    Recipe,
    RecipeContext,
    StepRecipe,
    carry_out,
    heeded,
    is_pause,
    paused,
    record,
    until,
)
from rollout.model.events import EventType
from rollout.model.order import Progress, Run

HEED_COMMANDS = StepRecipe("heed_commands")
AWAIT_APPROVAL = StepRecipe("await_approval")


def await_approval(context: RecipeContext, run: Run) -> Recipe[tuple[Run, Progress]]:
    """Wait until somebody approves, or decides otherwise, or the time for that is over; a pause comes before it."""
    run, decided = yield from open_gate(context, run)
    if is_pause(decided):
        run, decided = yield from paused(context, PausedStep(AWAIT_APPROVAL.activity, run, decided))
    return run, decided


def open_gate(context: RecipeContext, run: Run) -> Recipe[tuple[Run, Progress]]:
    """Heed what was said before; then wait at the gate.

    A pause that was accepted while the gate opened comes before it too: after the resume the gate opens anew.
    """
    run, decided = yield from carry_out(context, run, HEED_COMMANDS)
    if decided.done:
        run, decided = yield from at_the_gate(context, run)
    return run, decided


def at_the_gate(context: RecipeContext, run: Run) -> Recipe[tuple[Run, Progress]]:
    """Open the gate, and wait there for what a person, or the end of the time, decides."""
    run = yield from record(context, run, EventType.APPROVAL_AWAITED, "waiting for approval", until(context, run))
    run, decided = yield from carry_out(context, run.unsteered(), AWAIT_APPROVAL)
    run = replace(run, steered=True)
    if is_pause(decided):
        return run, decided
    run = heeded(run, decided)
    if decided.done:
        all_gates = decided.data.get("all", False)
        run = yield from record(
            context, run, EventType.APPROVED, decided.reason, {"heard": run.heard, "all": all_gates}
        )
        run = run.approved() if all_gates else run
    return run, decided
