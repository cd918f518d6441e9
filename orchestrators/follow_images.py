"""Wait until the published versions that a group wants can be deployed, and deploy them: one instance a group."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrators.broken import first_line
from orchestrators.steps import Recipe, RecipeContext, backoff
from rollout.automation.follow import Follow, FollowOrder
from rollout.model.codec import Json, decode, encode
from rollout.model.order import SETBACK, Progress, again

#: Looks per generation: a history of a few dozen events, replayed at every turn, however long the wait.
LOOKS_PER_GENERATION = 5


def follow_images(context: RecipeContext) -> Recipe[Json | None]:
    """Look at the versions, start what can be deployed, and look again, until nothing is wanted any more.

    A burst of notifications is waited for first, so that of versions that are published together the newest is
    deployed. What is waited for has deadlines, which the activities hold it to; setbacks have none.
    """
    follow = decode(Follow, context.get_input())
    if not follow.begun:
        yield from _pass(context, follow.poll_interval)
    for _ in range(LOOKS_PER_GENERATION):
        progress = yield from _carry_out(context, follow, "decide_wanted")
        if progress.data.get("start"):
            progress = yield from _carry_out(context, follow, "start_wanted", progress.data["start"])
        if progress.done:
            return {"reason": progress.reason}
        context.set_custom_status({"message": progress.reason})
        follow = replace(follow, setbacks=follow.setbacks + 1 if progress.code == SETBACK else 0)
        yield from _pass(context, max(progress.after, _patience(follow)))
    context.continue_as_new(encode(replace(follow, begun=True)))
    return None


def _carry_out(context: RecipeContext, follow: Follow, activity: str, version: str = "") -> Recipe[Progress]:
    """One activity. One that raises is looked at again: what it was about is in its rows."""
    order = FollowOrder(
        follow.group_id, context.instance_id, context.current_utc_datetime, follow.poll_interval, follow.scopes, version
    )
    try:
        answer = yield context.call_activity(activity, encode(order))
    except Exception as error:
        return replace(again(follow.poll_interval, first_line(error)), code=SETBACK)
    return decode(Progress, answer)


def _patience(follow: Follow) -> timedelta:
    """What is waited after setbacks in a row, longer and longer."""
    return backoff(follow.poll_interval, follow.setbacks - 1) if follow.setbacks else timedelta(0)


def _pass(context: RecipeContext, wait: timedelta) -> Recipe[None]:
    yield context.create_timer(context.current_utc_datetime + wait)
