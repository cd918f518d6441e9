"""Pause a step, as often as somebody says, and carry it out anew: one generation a pause."""

from __future__ import annotations

from dataclasses import replace

from orchestrators.broken import Broken, cause_of
from orchestrators.gate import AWAIT_APPROVAL, open_gate
from orchestrators.steps import PausedStep, Recipe, RecipeContext, ResumedStep, is_pause, pause, wait
from rollout.model.codec import Json, decode, encode
from rollout.model.order import Progress, Run


def pause_step(context: RecipeContext) -> Recipe[Json | None]:
    """Wait for the resume, then repeat the step; where it is paused once more, in a new generation."""
    step = decode(PausedStep, context.get_input())
    try:
        run, progress = yield from pause(context, step.run, step.command)
        if progress.done:
            run, progress = yield from repeat(context, run, step.activity)
            run = replace(run, time=progress.time or run.time)
    except Broken as broken:
        run, progress = cause_of(broken.run, broken)
    if is_pause(progress):
        context.continue_as_new(encode(PausedStep(step.activity, run, progress)))
        return None
    resumed: Json = encode(ResumedStep(run, progress))
    return resumed


def repeat(context: RecipeContext, run: Run, activity: str) -> Recipe[tuple[Run, Progress]]:
    """The step once more; a gate opens anew."""
    if activity == AWAIT_APPROVAL.activity:
        return (yield from open_gate(context, run))
    return run, (yield from wait(context, run, activity))
