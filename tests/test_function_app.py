"""The app as the Functions host sees it."""

from __future__ import annotations

import re

import function_app
from local.functions.index import EVENT_GRID, index_app
from local.functions.keys import Level
from rollout.model.roles import NEEDS, Mode, is_keyed
from settings import Settings
from triggers.timers import timers

FUNCTIONS = {function.name: function for function in index_app(function_app.app)}


def test_every_recipe_activity_route_and_timer_is_a_function() -> None:
    recipes = {recipe.__name__ for recipe in function_app.RECIPES}
    activities = {body.__name__ for body in function_app.ACTIVITIES} | {"record_event"}
    activities |= {body.__name__ for body in (*function_app.FOLLOWING, *function_app.PARTS)}
    assert recipes | activities <= set(FUNCTIONS)
    timed = {timer.name for timer in timers(Settings())}
    listening = {"imagePublished"}
    unrouted = {name for name, function in FUNCTIONS.items() if function.route is None}
    assert unrouted == recipes | activities | timed | listening
    assert {name for name, function in FUNCTIONS.items() if function.trigger == EVENT_GRID} == listening
    assert {name for name, function in FUNCTIONS.items() if function.schedule} == timed


def test_every_http_function_has_a_row_that_says_who_may_call_it_and_every_row_a_function() -> None:
    served = {name: function.level for name, function in FUNCTIONS.items() if function.route is not None}
    assert set(served) == set(NEEDS)
    keyed = {name for name, level in served.items() if level is Level.FUNCTION}
    assert keyed == {name for name in NEEDS if is_keyed(name, Mode.KEYS)}
    assert {level for name, level in served.items() if name not in keyed} == {Level.ANONYMOUS}


def test_no_binding_has_a_name_that_the_host_drops() -> None:
    bindings = [binding.name for function in function_app.app.get_functions() for binding in function.get_bindings()]
    assert bindings
    assert [name for name in bindings if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9]{0,127}|\$return", name)] == []
