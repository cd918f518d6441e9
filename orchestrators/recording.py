"""Writing a fact down while Teal's own storage is out of order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrators.broken import first_line
from orchestrators.steps import Recipe, RecipeContext, backoff
from orchestrators.wait import CRASHES_MAX, LOOKS_PER_GENERATION, SETBACKS_MAX
from rollout.model.codec import Json, decode, encode
from rollout.model.events import EventResult


@dataclass(frozen=True)
class Writing:
    """What is to be written, and how often it was tried in vain: ``busy`` or, with a fault, ``crashed``."""

    entry: Json
    busy: int = 0
    crashed: int = 0


def write_event(context: RecipeContext) -> Recipe[Json | None]:
    """Try again and again, less and less often, for more than an hour; a new generation every few tries."""
    writing = decode(Writing, context.get_input())
    for _ in range(LOOKS_PER_GENERATION):
        yield context.create_timer(context.current_utc_datetime + backoff(writing.busy + writing.crashed))
        try:
            answer: Json = yield context.call_activity("record_event", writing.entry)
            result = decode(EventResult, answer or {})
            writing = replace(writing, busy=writing.busy + 1)
        except Exception as error:
            result = EventResult(busy=first_line(error))
            writing = replace(writing, crashed=writing.crashed + 1)
        if not result.busy or writing.busy >= SETBACKS_MAX or writing.crashed >= CRASHES_MAX:
            written: Json = encode(result)
            return written
    context.continue_as_new(encode(writing))
    return None
