"""The parts of recipes: carry out a step, write down a fact, show where it stands."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from orchestrators.broken import INTERNAL_ERROR, Broken, IllegalEvent, first_line
from orchestrators.children import own_id
from rollout.model.codec import Json, decode, encode, encode_time
from rollout.model.events import AFTER_END, EventResult, EventType
from rollout.model.names import batch_instance_id, paused_instance_id, wait_instance_id
from rollout.model.order import Order, Parts, Progress, Run, StepState, failed
from rollout.model.rows.commands import CommandKind
from rollout.model.rows.deployment import Event
from rollout.model.status import Status
from rollout.model.timeline import Timeline
from rollout.model.words import batch_named, counted

T = TypeVar("T")

#: A recipe, or a part of one: yields what it waits for, and is sent the results.
Recipe = Generator[Any, Any, T]

#: The code of a batch whose orchestration could not say how it ended.
BATCH_LOST = "batchLost"


class RecipeContext(Protocol):
    """The part that recipes use of the SDK's ``DurableOrchestrationContext``."""

    instance_id: str
    current_utc_datetime: datetime

    def get_input(self) -> Any: ...
    def call_activity(self, name: str, input_: Any) -> Any: ...
    def call_sub_orchestrator(self, name: str, input_: Any, instance_id: str) -> Any: ...
    def create_timer(self, fire_at: datetime) -> Any: ...
    def wait_for_external_event(self, name: str) -> Any: ...
    def task_all(self, tasks: list[Any]) -> Any: ...
    def task_any(self, tasks: list[Any]) -> Any: ...
    def continue_as_new(self, input_: Any) -> None: ...
    def set_custom_status(self, status: Any) -> None: ...


@dataclass(frozen=True)
class StepRecipe:
    """An activity to repeat until it is done, and the fact that it then is; another where nothing was judged."""

    activity: str
    fact: EventType | None = None
    unjudged: EventType | None = None

    def fact_of(self, progress: Progress) -> EventType | None:
        """The fact to write down once the activity is done."""
        return self.fact if progress.data.get("judged", True) else self.unjudged


AWAIT_RESUME = StepRecipe("await_resume")


@dataclass(frozen=True)
class Watch:
    """A wait: the order to repeat, since when, how many looks there were, and how often one did not work
    out, in a row and at all. ``parts``: what is to be read before the next look. ``told``: it wrote facts that a look
    found, so that its run has come further.
    """

    activity: str
    run: Run
    since: datetime | None = None
    looks: int = 0
    setbacks: int = 0
    all_setbacks: int = 0
    last_setback: str = ""
    parts: Parts | None = None
    told: bool = False


@dataclass(frozen=True)
class StepOutcome:
    """The answer of a child that wrote events: how it ended, its last event, and the last command that it heeded."""

    progress: Progress
    sequence: int
    heard: int = 0
    time: Timeline | None = None


@dataclass(frozen=True)
class PausedStep:
    """A step in which a pause came, and which is carried out anew after the resume."""

    activity: str
    run: Run
    command: Progress


@dataclass(frozen=True)
class ResumedStep:
    """How a step that was paused ended in the end."""

    run: Run
    progress: Progress


def carry_out(context: RecipeContext, run: Run, step: StepRecipe) -> Recipe[tuple[Run, Progress]]:
    """Wait until the step is done, then write the fact down.

    A pause holds up a step that is steered; it then begins its wait anew.
    """
    run, progress = yield from until_done(context, run, step.activity)
    if run.steered and is_pause(progress):
        run, progress = yield from paused(context, PausedStep(step.activity, caught_up(run, progress), progress))
    run = caught_up(run, progress)
    if progress.setbacks:
        run = yield from record(context, run, EventType.STEP_RETRIED, *_setbacks(step, progress))
    fact = step.fact_of(progress) if progress.done and not progress.silent else None
    if fact is not None:
        run = yield from record(context, run, fact, progress.reason, told(progress))
    if progress.after:
        yield context.create_timer(context.current_utc_datetime + progress.after)
        run = ticked(context, run, progress.after)
    return run, progress


def caught_up(run: Run, progress: Progress) -> Run:
    """The run after the events that were written, and the time that passed, while it waited."""
    return replace(run, sequence=max(run.sequence, progress.data.get("sequence", 0)), time=progress.time or run.time)


def told(progress: Progress) -> Json:
    """The part of a step's answer that an event keeps: all but the number that the recipe goes on from."""
    return {name: value for name, value in progress.data.items() if name != "sequence"}


def _of_child(run: Run, outcome: StepOutcome) -> tuple[Run, Progress]:
    """The run and its end after a child that wrote events; raises its fault."""
    run = replace(run, sequence=outcome.sequence, heard=outcome.heard, time=outcome.time or run.time)
    if outcome.progress.code == INTERNAL_ERROR:
        raise Broken(run, outcome.progress.reason)
    return run, outcome.progress


def is_pause(progress: Progress) -> bool:
    """True where a pause came in between."""
    return progress.state is StepState.INTERRUPTED and progress.code == CommandKind.PAUSE


def paused(context: RecipeContext, step: PausedStep) -> Recipe[tuple[Run, Progress]]:
    """Pause a step, and carry it out anew, in an orchestration of its own, in which each pause has its own history."""
    name = paused_instance_id(context.instance_id, step.activity, step.run.batch, step.run.heard)
    try:
        answer = yield context.call_sub_orchestrator("pause_step", encode(step), own_id(context, name))
    except Exception as error:
        return step.run, failed("waitLost", f"The orchestration of a paused {step.activity} ended: {first_line(error)}")
    resumed = decode(ResumedStep, answer)
    if resumed.progress.code == INTERNAL_ERROR:
        raise Broken(resumed.run, resumed.progress.reason)
    return resumed.run, resumed.progress


def pause(context: RecipeContext, run: Run, command: Progress) -> Recipe[tuple[Run, Progress]]:
    """Wait for a resume; where something else is decided, that interrupts what was paused."""
    run = heeded(run, command).unsteered()
    run = yield from record(context, run, EventType.PAUSED, command.reason, {**command.data, **until(context, run)})
    run, decided = yield from carry_out(context, run, AWAIT_RESUME)
    run = replace(heeded(run, decided), steered=True)
    if decided.done:
        run = yield from record(context, run, EventType.RESUMED, decided.reason, {"heard": run.heard})
    return run, decided


def until(context: RecipeContext, run: Run) -> Json:
    """When the wait for a person that begins now ends at the latest, and what is done then."""
    deadline = encode_time(shown_time(context, run) + run.wait_timeout)
    return {"deadline": deadline, "action": run.action_on_timeout}


def heeded(run: Run, progress: Progress) -> Run:
    """The run after the command that ``progress`` tells of, if it does."""
    return replace(run, heard=max(run.heard, progress.data.get("heard", 0)))


def _setbacks(step: StepRecipe, progress: Progress) -> tuple[str, Json]:
    """One fact for all the times that a step had to be tried again, however many they were."""
    times = counted(progress.setbacks, "time")
    message = f"{step.activity} was tried again {times}; at last because: {progress.last_setback}"
    return message, {"activity": step.activity, "setbacks": progress.setbacks}


def carry_out_all(context: RecipeContext, run: Run, steps: Sequence[StepRecipe]) -> Recipe[tuple[Run, Progress]]:
    """One step after the other, up to the first that does not reach its goal."""
    for step in steps:
        run, progress = yield from carry_out(context, run, step)
        if not progress.done:
            break
    return run, progress


def carry_out_batch(context: RecipeContext, run: Run) -> Recipe[tuple[Run, Progress]]:
    """Replace the run's batch, in an orchestration of its own.

    A generation must not begin with a sub-orchestration. If the host dies after the messages of the turn that continued
    as new went out and before that turn was saved, the turn is taken again, under another execution id; the
    sub-orchestration runs already, and its end is sent to the execution that never was. An activity is sent again.
    """
    run = yield from record(context, run, EventType.BATCH_STARTED, "started", {})
    try:
        instance_id = own_id(context, batch_instance_id(run.deployment_id, run.batch))
        answer = yield context.call_sub_orchestrator("replace_batch", encode(run), instance_id)
    except Exception as error:
        return run, failed(BATCH_LOST, f"The orchestration of batch {run.batch} ended: {first_line(error)}")
    return _of_child(run, decode(StepOutcome, answer))


def record(
    context: RecipeContext, run: Run, fact: EventType, message: str, data: Json, *, checked: bool = True
) -> Recipe[Run]:
    """Number and date a fact and write it into the history. What happens after an end is numbered as it is written.

    ``Broken``: it could not be written, or is none that can happen to a deployment where this one stands. One that is
    not ``checked`` is written all the same.
    """
    run = ticked(context, run)
    event = Event(
        sequence=run.sequence + 1,
        at=shown_time(context, run),
        type=fact,
        message=in_batch(run, message),
        batch=run.batch or None,
        data=data,
    )
    entry = {"deploymentId": run.deployment_id, "event": encode(event)} | ({} if checked else {"checked": False})
    if fact in AFTER_END:
        entry["epoch"] = run.epoch
    result = yield from _written(context, run, entry)
    if result.busy:
        raise Broken(run, f"{fact} could not be written down: {result.busy}")
    run = replace(run, sequence=event.sequence)
    if refused := result.illegal:
        said = f"a deployment that is {refused.current} cannot become {refused.following} ({fact})"
        raise IllegalEvent(run, f"A fault of Teal's own: {said}")
    return run


def _written(context: RecipeContext, run: Run, entry: Json) -> Recipe[EventResult]:
    """Write it; while storage is out of order in a child of its own, so that this history stays short."""
    try:
        answer = yield context.call_activity("record_event", entry)
        result = decode(EventResult, answer or {})
        if not result.busy:
            return result
    except Exception:
        pass  # It is tried again, and what goes wrong then is told.
    instance_id = own_id(context, f"{context.instance_id}:write-{run.sequence + 1}")
    try:
        answer = yield context.call_sub_orchestrator("write_event", {"entry": entry}, instance_id)
    except Exception as error:
        return EventResult(busy=first_line(error))
    return decode(EventResult, answer)


def wake_event(watch: Watch) -> str:
    """The event that may end the wait after the present look."""
    return f"wake-{watch.looks}"


def order_of(context: RecipeContext, watch: Watch, since: datetime) -> Order:
    """The order of an activity, with the recipe's recorded time."""
    run = watch.run
    time = run.time or Timeline.begin(context.current_utc_datetime)
    return Order(
        deployment_id=run.deployment_id,
        scale_set_id=run.scale_set_id,
        epoch=run.epoch,
        batch=run.batch,
        at=time.at,
        since=since,
        round=run.round,
        heard=run.heard,
        steered=run.steered,
        waiter=context.instance_id,
        wake=wake_event(watch),
        keep=run.keep,
        acting=run.acting,
        setbacks=watch.setbacks,
        back=run.back,
        standstills=time.standstills,
        resumed=time.resumed,
    )


def ticked(context: RecipeContext, run: Run, planned: timedelta = timedelta(0)) -> Run:
    """The run as of now; ``planned`` is how long after the last time that was to be."""
    now = context.current_utc_datetime
    return replace(run, time=run.time.moved(now, planned) if run.time is not None else Timeline.begin(now))


def shown_time(context: RecipeContext, run: Run) -> datetime:
    """The time that is shown for what happens now: never before that of what happened earlier."""
    now = ticked(context, run).time
    return now.at if now is not None else context.current_utc_datetime


def show(context: RecipeContext, run: Run, status: Status, message: str) -> None:
    """Show where the deployment stands in the instance's custom status."""
    complete = status in (Status.FINISHED, Status.ROLLED_BACK)
    context.set_custom_status(
        {
            "status": status,
            "batch": run.reached,
            "batches": run.batches,
            "percent": 100 if complete else run.percent,
            "message": in_batch(run, message),
            "at": encode_time(shown_time(context, run)),
        }
    )


def in_batch(run: Run, message: str) -> str:
    """``Batch 2 of 5: 2 green VMs launched``."""
    if not run.batch:
        return message
    return batch_named(run.batch, run.batches) + message


def until_done(context: RecipeContext, run: Run, activity: str) -> Recipe[tuple[Run, Progress]]:
    """Wait until the activity is done, or something comes in between.

    What happens on the way is written down, and the wait goes on as it began.
    """
    progress = yield from _wait(context, run, activity)
    while progress.state is StepState.NOTED:
        run = yield from record(
            context, caught_up(run, progress), EventType(progress.code), progress.reason, told(progress)
        )
        yield context.create_timer(context.current_utc_datetime + progress.after)
        run = ticked(context, run, progress.after)
        progress = yield from _wait(context, run, activity, progress.since)
    return run, progress


def _wait(context: RecipeContext, run: Run, activity: str, since: datetime | None = None) -> Recipe[Progress]:
    name = wait_instance_id(context.instance_id, activity, run.batch, run.round, run.heard, run.epoch)
    instance_id = own_id(context, name)
    watch = Watch(activity, ticked(context, run), since)
    try:
        answer = yield context.call_sub_orchestrator("wait_until_done", encode(watch), instance_id)
    except Exception as error:
        return failed("waitLost", f"The orchestration of {activity} ended: {first_line(error)}")
    return decode(Progress, answer)


#: How long after a first setback a recipe looks again, whatever the interval of looks that are no setbacks.
AFTER_SETBACK = timedelta(seconds=15)


def backoff(setbacks: int) -> timedelta:
    """``AFTER_SETBACK``, doubled with every setback in a row, up to five minutes."""
    return min(AFTER_SETBACK * (1 << min(setbacks, 10)), timedelta(minutes=5))
