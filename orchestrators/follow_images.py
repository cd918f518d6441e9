"""Wait until the published versions that a group wants can be deployed, and deploy them: one instance a group."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrators.broken import first_line
from orchestrators.steps import AFTER_SETBACK, Recipe, RecipeContext, backoff
from rollout.automation.follow import Follow, FollowOrder
from rollout.model.codec import Json, decode, encode
from rollout.model.order import SETBACK, Progress, again
from rollout.model.timeline import LONGEST_LOOK, Timeline

#: Looks per generation: a history of a few dozen events, replayed at every turn, however long the wait.
LOOKS_PER_GENERATION = 5

#: How long a burst of notifications is waited for.
BURST = timedelta(seconds=15)


def follow_images(context: RecipeContext) -> Recipe[Json | None]:
    """Look at the versions, start what can be deployed, and look again, until nothing is wanted any more.

    A burst of notifications is waited for first, so that of versions that are published together the newest is
    deployed. What is waited for has deadlines, which the activities hold it to; setbacks have none.
    """
    follow = _ticked(context, decode(Follow, context.get_input()))
    if not follow.begun:
        follow = yield from _pass(context, follow, BURST)
    for _ in range(LOOKS_PER_GENERATION):
        progress = yield from _carry_out(context, follow, "decide_wanted")
        if progress.data.get("start"):
            progress = yield from _carry_out(context, follow, "start_wanted", progress.data["start"])
        if progress.done:
            return {"reason": progress.reason}
        context.set_custom_status({"message": progress.reason})
        blind = progress.code == SETBACK or progress.data.get("unwatched", False)
        follow = _ticked(context, follow, LONGEST_LOOK, blind)
        follow = replace(follow, setbacks=follow.setbacks + 1 if progress.code == SETBACK else 0)
        follow = yield from _pass(context, follow, max(progress.after, _patience(follow)), blind)
    context.continue_as_new(encode(replace(follow, begun=True)))
    return None


def _carry_out(context: RecipeContext, follow: Follow, activity: str, version: str = "") -> Recipe[Progress]:
    """One activity. One that raises is looked at again: what it was about is in its rows."""
    time = follow.time or Timeline.begin(context.current_utc_datetime)
    order = FollowOrder(follow.group_id, context.instance_id, time.at, version, time.standstills)
    try:
        answer = yield context.call_activity(activity, encode(order))
    except Exception as error:
        return replace(again(AFTER_SETBACK, first_line(error)), code=SETBACK)
    return decode(Progress, answer)


def _patience(follow: Follow) -> timedelta:
    """What is waited after setbacks in a row, longer and longer."""
    return backoff(follow.setbacks - 1) if follow.setbacks else timedelta(0)


def _pass(context: RecipeContext, follow: Follow, wait: timedelta, blind: bool = False) -> Recipe[Follow]:
    yield context.create_timer(context.current_utc_datetime + wait)
    return _ticked(context, follow, wait, blind)


def _ticked(context: RecipeContext, follow: Follow, planned: timedelta = timedelta(0), blind: bool = False) -> Follow:
    """The follower as of now. ``blind``: nobody meant to look since the last time."""
    now = context.current_utc_datetime
    time = follow.time or Timeline.begin(now)
    return replace(follow, time=time.blind(now) if blind else time.moved(now, planned))
