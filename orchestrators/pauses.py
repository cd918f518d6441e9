"""A step that is paused: wait for a resume, then carry the step out anew."""

from __future__ import annotations

from dataclasses import replace

from orchestrators.broken import Broken, cause_of
from orchestrators.steps import PausedStep, Recipe, RecipeContext, StepOutcome, is_pause, pause, wait_for
from rollout.model.codec import Json, decode, encode


def pass_pauses(context: RecipeContext) -> Recipe[Json | None]:
    """Go through a pause, and the step after it: a new generation for each pause that follows.

    So however often a deployment is paused, the history of the recipe that is paused holds one child.
    """
    paused = decode(PausedStep, context.get_input())
    run = paused.run
    try:
        run, progress = yield from pause(context, run, paused.command)
        if progress.done:
            progress = yield from wait_for(context, run, paused.activity)
            run = replace(run, time=progress.time or run.time)
    except Broken as broken:
        run, progress = cause_of(run, broken)
    if is_pause(progress):
        context.continue_as_new(encode(replace(paused, run=run, command=progress)))
        return None
    outcome: Json = encode(StepOutcome(progress, run.sequence, run.heard, run.time))
    return outcome
