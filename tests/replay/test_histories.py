"""Orchestrations that earlier versions began go on with the recipes of today."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from function_app import RECIPES
from local.durable.actions import parse_answer
from local.durable.history import HistoryEventType
from local.durable.replay import NonDeterminism, Replay
from local.functions.index import index_app
from local.functions.worker import FunctionWorker
from local.recording import REPLAY, ROWS, default_version
from orchestrators.deploy_group import deploy_group
from orchestrators.wait import wait_until_done

pytestmark = pytest.mark.slow

FILES = sorted(path for path in REPLAY.glob("*/*.json") if path.name != ROWS)

#: What may be said otherwise: no recipe and no activity looks at it.
WORDS = frozenset({"message"})


def worker_of(*recipes: Callable[[Any], Any]) -> FunctionWorker:
    """The worker of an app with these recipes, on the real SDK."""
    blueprint = df.Blueprint()
    for recipe in recipes:
        blueprint.orchestration_trigger(context_name="context")(recipe)
    app = df.DFApp()
    app.register_functions(blueprint)
    return FunctionWorker(index_app(app), lambda: "")


TODAY = worker_of(*RECIPES)


def executions(path: Path) -> list[Any]:
    found: list[Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def instance_of(execution: Any) -> str:
    return str(execution["context"]["instanceId"])


def context_of(execution: Any, events: int) -> str:
    """What the host gave in the turn that had so many events: those since its beginning are new."""
    context = copy.copy(execution["context"])
    history = [copy.copy(event) for event in context["history"][:events]]
    began = max(at for at, event in enumerate(history) if event["EventType"] == HistoryEventType.ORCHESTRATOR_STARTED)
    for event in history[began:]:
        event["IsPlayed"] = False
    given = json.loads(history[1]["Input"])
    return json.dumps(context | {"history": history, "input": given, "isReplaying": began > 0})


def differences(worker: FunctionWorker, execution: Any) -> Iterator[str]:
    """What is otherwise than it was recorded, turn by turn."""
    for number, (events, count) in enumerate(execution["turns"], 1):
        context = context_of(execution, events)
        try:
            answer = parse_answer(worker.run_orchestrator(execution["recipe"], context))
            Replay(answer.actions).run(json.loads(context)["history"])
        except NonDeterminism as error:
            yield f"turn {number}: {error}"
            return
        except Exception as error:
            yield f"turn {number}: it failed: {str(error).splitlines()[0]}"
            return
        is_last = number == len(execution["turns"])
        expected = execution["actions"][:count]
        if not is_same(expected, answer.actions, cancellations=is_last):
            yield f"turn {number}: recorded were {expected}, now there are {answer.actions}"
        if is_last and not contains(json.loads(answer.output or "null"), execution["output"]):
            yield f"turn {number}: recorded was {execution['output']}, now it returns {answer.output}"


def is_same(recorded: Any, now: Any, *, cancellations: bool) -> bool:
    """Whether actions ask for the same; of a timer that was canceled later, earlier turns do not know that."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        keys = (recorded.keys() | now.keys()) - (set() if cancellations else {"isCanceled"})
        return all(
            contains(decoded(now.get(key)), decoded(recorded.get(key)))
            if key == "input"
            else is_same(recorded.get(key), now.get(key), cancellations=cancellations)
            for key in keys
        )
    if isinstance(recorded, list | tuple) and isinstance(now, list | tuple):
        return len(recorded) == len(now) and all(
            is_same(*pair, cancellations=cancellations) for pair in zip(recorded, now, strict=True)
        )
    return bool(recorded == now)


def decoded(text: Any) -> Any:
    """The input of an action: JSON text, or for some actions text of such a text."""
    value = text
    while isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            break
    return value


def contains(now: Any, recorded: Any) -> bool:
    """Whether everything recorded is still said; there may be more fields, and other words."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        return all(key in now and (key in WORDS or contains(now[key], recorded[key])) for key in recorded)
    if isinstance(recorded, list) and isinstance(now, list):
        return len(recorded) == len(now) and all(map(contains, now, recorded))
    return bool(recorded == now)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_recorded_histories_are_replayed(path: Path) -> None:
    found = [
        f"{execution['recipe']} {instance_of(execution)}: {difference}"
        for execution in executions(path)
        for difference in differences(TODAY, execution)
    ]
    assert found == []


def test_this_version_is_recorded_and_every_recipe_with_it() -> None:
    folder = REPLAY / default_version()
    recorded = {one["recipe"] for path in FILES if path.parent == folder for one in executions(path)}
    assert recorded == {recipe.__name__ for recipe in RECIPES}


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=lambda folder: folder.name)
def test_folder_is_named_after_the_version_of_its_instances(folder: Path) -> None:
    begun = [
        one["context"]["history"][1] for path in folder.glob("*.json") if path.name != ROWS for one in executions(path)
    ]
    assert {event["Version"] for event in begun} == {folder.name}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_800_000


class Changed:
    """The context of a recipe, with something about it changed."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


class OtherInstance(Changed):
    def call_sub_orchestrator(self, name: str, input_: Any, instance_id: str) -> Any:
        return self._context.call_sub_orchestrator(name, input_, f"{instance_id}-again")


class LessSaid(Changed):
    def call_sub_orchestrator(self, name: str, input_: Any, instance_id: str) -> Any:
        return self._context.call_sub_orchestrator(name, {**input_, "run": {}}, instance_id)


class MoreSaid(Changed):
    def call_sub_orchestrator(self, name: str, input_: Any, instance_id: str) -> Any:
        return self._context.call_sub_orchestrator(name, {**input_, "mood": "good"}, instance_id)


class OtherWords(Changed):
    def call_activity_with_retry(self, name: str, retry_options: Any, input_: Any) -> Any:
        event = {**input_["event"], "message": "in other words"}
        return self._context.call_activity_with_retry(name, retry_options, {**input_, "event": event})


class OtherTimer(Changed):
    def create_timer(self, fire_at: Any) -> Any:
        return self._context.create_timer(fire_at.replace(microsecond=1))


def with_context(recipe: Callable[[Any], Any], changed: type[Changed]) -> Callable[[Any], Any]:
    def run(context: Any) -> Any:
        return (yield from recipe(changed(context)))

    return named(recipe, run)


def named(recipe: Callable[[Any], Any], changed: Callable[[Any], Any]) -> Callable[[Any], Any]:
    changed.__name__ = recipe.__name__
    return changed


def step_before(context: Any) -> Any:
    yield context.call_activity("verify_end", {})
    return (yield from deploy_group(context))


def step_after(context: Any) -> Any:
    result = yield from deploy_group(context)
    yield context.call_activity("verify_end", {})
    return result


def nothing_done(context: Any) -> Any:
    yield context.create_timer(context.current_utc_datetime)
    return None


def not_canceled(context: Any) -> Any:
    """The recipe, with timers that cannot be canceled."""
    waiting = wait_until_done(context)
    task = next(waiting)
    while True:
        for child in getattr(task, "children", ()):
            if hasattr(child, "cancel"):
                child.cancel = lambda: None
        try:
            task = waiting.send((yield task))
        except StopIteration as end:
            return end.value


def told(recipe: Callable[[Any], Any]) -> Iterator[str]:
    """What the recordings of this version say against a recipe in the place of the one of its name."""
    worker = worker_of(recipe)
    for path in sorted((REPLAY / default_version()).glob("*.json")):
        for execution in executions(path) if path.name != ROWS else ():
            if execution["recipe"] == recipe.__name__:
                yield from differences(worker, execution)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (named(deploy_group, step_before), "Non-Deterministic workflow detected"),
        (named(deploy_group, step_after), "now there are"),
        (named(deploy_group, nothing_done), "Non-Deterministic workflow detected"),
        (with_context(deploy_group, OtherInstance), "now there are"),
        (with_context(deploy_group, LessSaid), "now there are"),
        (with_context(wait_until_done, OtherTimer), "now there are"),
        (named(wait_until_done, not_canceled), "now there are"),
    ],
    ids=["more at first", "more at last", "another step", "other ids", "less said", "other times", "not canceled"],
)
def test_recipe_that_goes_another_way_is_found_out(recipe: Callable[[Any], Any], words: str) -> None:
    assert any(words in difference for difference in told(recipe))


@pytest.mark.parametrize("changed", [Changed, MoreSaid, OtherWords])
def test_recipe_that_says_more_or_says_it_otherwise_goes_the_same_way(changed: type[Changed]) -> None:
    assert list(told(with_context(deploy_group, changed))) == []
