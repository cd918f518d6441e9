"""The one way of waiting: repeat an activity until it is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrators.broken import first_line
from orchestrators.parts import read_parts, steps_of
from orchestrators.steps import (
    AFTER_SETBACK,
    Recipe,
    RecipeContext,
    Watch,
    backoff,
    order_of,
    record,
    ticked,
    wake_event,
)
from rollout.model.codec import Json, decode, encode
from rollout.model.events import EventType
from rollout.model.order import IN_PARTS, NEWS, SETBACK, Progress, StepState, again, failed
from rollout.model.timeline import LONGEST_LOOK

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
    watch = _ticked(context, watch)
    steps = 0
    for look in range(LOOKS_PER_GENERATION):
        steps += steps_of(watch.parts) + _STEPS_OF_A_LOOK
        if look and steps > STEPS_PER_GENERATION:
            break
        progress = yield from _look(context, watch)
        watch = _looked(context, watch, progress)
        watch, progress = yield from _tell(context, watch, progress)
        if progress.state is not StepState.AGAIN:
            return _ended(watch, progress)
        context.set_custom_status({"message": progress.reason})
        in_time = yield from _pass_time(context, watch, progress)
        watch = _ticked(context, watch, _how_long(progress))
        watch = replace(_counted(watch, progress), parts=progress.parts if in_time else None)
    context.continue_as_new(encode(watch))
    return None


def _tell(context: RecipeContext, watch: Watch, progress: Progress) -> Recipe[tuple[Watch, Progress]]:
    """Write what the look found of VMs into the history; whoever waits hears how far that has come then."""
    data = dict(progress.data)
    for news in data.pop(NEWS, ()):
        run = replace(watch.run, batch=0)
        run = yield from record(context, run, EventType(news["type"]), news["message"], {"vms": news["vms"]})
        watch = replace(watch, run=replace(watch.run, sequence=run.sequence, time=run.time), told=True)
    if watch.told and progress.state is not StepState.AGAIN:
        data["sequence"] = max(watch.run.sequence, data.get("sequence", 0))
    return watch, replace(progress, data=data)


def _ticked(context: RecipeContext, watch: Watch, planned: timedelta = timedelta(0)) -> Watch:
    run = ticked(context, watch.run, planned)
    return replace(watch, run=run, since=watch.since or (run.time.at if run.time is not None else None))


def _looked(context: RecipeContext, watch: Watch, progress: Progress) -> Watch:
    """The watch after a look. One that only asks for parts was none yet."""
    watch = _ticked(context, watch, LONGEST_LOOK)
    if watch.run.time is None or progress.code == IN_PARTS:
        return watch
    return replace(watch, run=replace(watch.run, time=watch.run.time.looked()))


def _ended(watch: Watch, progress: Progress) -> Json:
    answer: Json = encode(
        replace(progress, setbacks=watch.all_setbacks, last_setback=watch.last_setback, time=watch.run.time)
    )
    return answer


def _how_long(progress: Progress) -> timedelta:
    """How long it is to be until the next look. Nothing is waited for where only parts are to be read first."""
    return timedelta(0) if progress.code == IN_PARTS else min(max(progress.after, _SHORTEST_WAIT), LONGEST_WAIT)


def _pass_time(context: RecipeContext, watch: Watch, progress: Progress) -> Recipe[bool]:
    """Let the time until the next look pass. Where the activity listens for commands, one cuts it short: false.

    The event only wakes: what it carries is not looked at, and each look waits for one of another name, because the SDK
    hands an event that came early to every later wait of its name
    (https://github.com/Azure/azure-functions-durable-python/issues/507). A timer that lost is canceled: it would keep
    the instance running.
    """
    wait = _how_long(progress)
    if not wait:
        return True
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
    # Parts may have taken their time.
    now = _ticked(context, watch, LONGEST_LOOK)
    order = replace(order_of(context, now, since), asked=parts.since, patience=parts.patience)
    try:
        answer = yield context.call_activity(watch.activity, encode(order))
        progress = decode(Progress, answer)
    except Exception as error:
        progress = replace(again(AFTER_SETBACK, first_line(error)), code=CRASH)
    return _after_setbacks(watch, progress) if progress.code in (SETBACK, CRASH) else progress


def _after_setbacks(watch: Watch, progress: Progress) -> Progress:
    """The first setback waits as it says; those that follow back off, until it is enough."""
    limit = CRASHES_MAX if progress.code == CRASH else SETBACKS_MAX
    if watch.setbacks >= limit:
        return failed("stepFailed", f"{watch.activity} did not work {limit} times in a row: {progress.reason}")
    if not watch.setbacks:
        return progress
    return replace(progress, after=max(progress.after, backoff(watch.setbacks)))
