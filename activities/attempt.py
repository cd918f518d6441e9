"""Run an activity's body: JSON in, JSON out, and what Azure refused turned into how the step stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from rollout.codec import Json, decode, encode
from rollout.errors import Busy, Refused, Stale
from rollout.order import SETBACK, Order, Progress, again, failed
from rollout.ports import Ports

Body = Callable[[Ports, Order], Awaitable[Progress]]

#: After a 412 the set is read and the step decided anew, at once.
_AT_ONCE = timedelta(seconds=1)


async def attempt(body: Body, ports: Ports, order_json: Json) -> Json:
    """Carry out one order. Throttled, conflicting and stale writes are looked at again; a refusal fails the step."""
    progress = await _outcome(body, ports, decode(Order, order_json))
    answer: Json = encode(progress)
    return answer


async def _unless_gone(body: Body, ports: Ports, order: Order) -> Progress:
    """A set that is gone changes no more: looking again would not help."""
    try:
        return await body(ports, order)
    except Stale:
        if await ports.scale_sets.read(order.scale_set_id) is not None:
            raise
        return failed("scaleSetGone", "The scale set does not exist any more")


async def _outcome(body: Body, ports: Ports, order: Order) -> Progress:
    try:
        return await _unless_gone(body, ports, order)
    except Busy as busy:
        wait = max(busy.retry_after or order.poll_interval, order.poll_interval)
        return replace(again(wait, f"Azure is busy: {busy.message}"), code=SETBACK)
    except Stale as stale:
        return replace(again(_AT_ONCE, f"The scale set has changed: {stale.message}"), code=SETBACK)
    except Refused as refused:
        return failed(refused.code, f"Azure refused: {refused.message}")
