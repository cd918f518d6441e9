"""Fan out: the parts of a look, read side by side, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from orchestrators.broken import first_line
from orchestrators.steps import Recipe, RecipeContext, Watch, order_of
from rollout.model.codec import decode, encode
from rollout.model.order import PartOrder, Parts, Progress, StepState, again


@dataclass(frozen=True)
class Collected:
    """What became of the parts that were read since then: how long Azure asked to be left alone, or what it refused."""

    since: datetime | None = None
    patience: timedelta = timedelta(0)
    refused: Progress | None = None


def read_parts(context: RecipeContext, watch: Watch, since: datetime) -> Recipe[Collected]:
    """Read the parts that the last look asked for, some together; where one meets a busy Azure, no more follow it.

    What was read is in rows, for the look to collect. It asks again for what is not there.
    """
    parts = watch.parts
    if parts is None:
        return Collected()
    begun, answers = context.current_utc_datetime, list[Progress]()
    for wave, numbers in enumerate(_waves(parts)):
        if wave:
            # Each from the first one's time: timers that fire a little early must not add up.
            yield context.create_timer(begun + wave * parts.pause)
        order = order_of(context, watch, since)
        orders = [replace(order, part=PartOrder(number, parts.size)) for number in numbers]
        answers += yield from _side_by_side(
            context, [context.call_activity(parts.activity, encode(one)) for one in orders]
        )
        if not all(answer.done for answer in answers):
            break
    patience = max((answer.after for answer in answers if answer.state is StepState.AGAIN), default=timedelta(0))
    refused = next((answer for answer in answers if answer.state is StepState.FAILED), None)
    return Collected(parts.since or begun, patience, refused)


def steps_of(parts: Parts | None) -> int:
    """How many activities and timers parts take."""
    return len(parts.numbers) + len(_waves(parts)) - 1 if parts else 0


def _waves(parts: Parts) -> list[tuple[int, ...]]:
    return [parts.numbers[: parts.together], *((number,) for number in parts.numbers[parts.together :])]


def _side_by_side(context: RecipeContext, tasks: Sequence[Any]) -> Recipe[list[Progress]]:
    """Their answers, once all are through: ``task_all`` gives up at the first that raises, and the others go on."""
    with suppress(Exception):
        yield context.task_all(list(tasks))
    answers = []
    for task in tasks:
        try:
            answers.append(decode(Progress, (yield task)))
        except Exception as error:
            answers.append(again(timedelta(0), first_line(error)))
    return answers
