"""The one way of waiting: repeat an activity until it is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrators.broken import first_line
from orchestrators.parts import read_parts, steps_of
from orchestrators.steps import Recipe, RecipeContext, Watch, backoff, order_of, wake_event
from rollout.model.codec import Json, decode, encode
from rollout.model.order import IN_PARTS, SETBACK, Progress, StepState, again, failed

#: Looks per generation: a history of a few dozen events, replayed at every turn, however long the wait.
LOOKS_PER_GENERATION = 5

#: Activities and timers per generation, where looks are read in parts: four events each, and five at its beginning and
#: end, keep a history under 200.
STEPS_PER_GENERATION = 36

#: How often in a row Azure or Teal's own storage may fail before the step does: more than an hour with backoff.
SETBACKS_MAX = 20

#: How often in a row an activity may raise: most likely a fault of Teal's own, which trying again does not mend.
CRASHES_MAX = 6

#: The code of an ``again`` that stands for an activity that raised.
CRASH = "crash"

#: The activity, the timer after it, and the event that may cut that short.
_STEPS_OF_A_LOOK = 3

_SHORTEST_WAIT = timedelta(seconds=1)

#: A longer timer cannot be canceled (https://github.com/Azure/azure-functions-durable-python/issues/573).
LONGEST_WAIT = timedelta(days=1)


def wait_until_done(context: RecipeContext) -> Recipe[Json | None]:
    """Carry out the watched activity, again and again, until it is done, has failed, or lost its right to act.

    A new generation every few looks. Activities bound their own waits; this bounds setbacks.
    """
    watch = decode(Watch, context.get_input())
    watch = replace(watch, since=watch.since or context.current_utc_datetime)
    steps = 0
    for look in range(LOOKS_PER_GENERATION):
        steps += steps_of(watch.parts) + _STEPS_OF_A_LOOK
        if look and steps > STEPS_PER_GENERATION:
            break
        progress = yield from _look(context, watch)
        if progress.state is not StepState.AGAIN:
            answer: Json = encode(replace(progress, setbacks=watch.all_setbacks, last_setback=watch.last_setback))
            return answer
        context.set_custom_status({"message": progress.reason})
        in_time = yield from _pass_time(context, watch, progress)
        watch = replace(_counted(watch, progress), parts=progress.parts if in_time else None)
    context.continue_as_new(encode(watch))
    return None


def _pass_time(context: RecipeContext, watch: Watch, progress: Progress) -> Recipe[bool]:
    """Let the time until the next look pass. Where the activity listens for commands, one cuts it short: false.

    Nothing is waited for where only parts are to be read first.

    The event only wakes: what it carries is not looked at, and each look waits for one of another name, because the SDK
    hands an event that came early to every later wait of its name
    (https://github.com/Azure/azure-functions-durable-python/issues/507). A timer that lost is canceled: it would keep
    the instance running.
    """
    if progress.code == IN_PARTS:
        return True
    wait = min(max(progress.after, _SHORTEST_WAIT), LONGEST_WAIT)
    timer = context.create_timer(context.current_utc_datetime + wait)
    if not progress.listen:
        yield timer
        return True
    woken = context.wait_for_external_event(wake_event(watch))
    first = yield context.task_any([timer, woken])
    if first is woken:
        timer.cancel()
    return first is not woken


def _counted(watch: Watch, progress: Progress) -> Watch:
    watch = replace(watch, looks=watch.looks + 1)
    if progress.code == IN_PARTS:
        return watch
    if progress.code not in (SETBACK, CRASH):
        return replace(watch, setbacks=0)
    return replace(
        watch,
        setbacks=watch.setbacks + 1,
        all_setbacks=watch.all_setbacks + 1,
        last_setback=progress.reason,
    )


def _look(context: RecipeContext, watch: Watch) -> Recipe[Progress]:
    since = watch.since or context.current_utc_datetime
    parts = yield from read_parts(context, watch, since)
    if parts.refused:
        return parts.refused
    order = replace(order_of(context, watch, since), asked=parts.since, patience=parts.patience)
    try:
        answer = yield context.call_activity(watch.activity, encode(order))
        progress = decode(Progress, answer)
    except Exception as error:
        progress = replace(again(watch.run.poll_interval, first_line(error)), code=CRASH)
    return _after_setbacks(watch, progress) if progress.code in (SETBACK, CRASH) else progress


def _after_setbacks(watch: Watch, progress: Progress) -> Progress:
    """The first setback waits as it says; those that follow back off, until it is enough."""
    limit = CRASHES_MAX if progress.code == CRASH else SETBACKS_MAX
    if watch.setbacks >= limit:
        return failed("stepFailed", f"{watch.activity} did not work {limit} times in a row: {progress.reason}")
    if not watch.setbacks:
        return progress
    return replace(progress, after=max(progress.after, backoff(watch.run.poll_interval, watch.setbacks)))
