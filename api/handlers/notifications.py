"""``/notifications``: what Event Grid's notifications of published images led to."""

from __future__ import annotations

from api.contract.page_sizes import NOTIFICATIONS_PAGE
from api.handlers.rendering import render_notification
from api.transport.http import Answer, Request
from api.transport.paging import first, position
from api.transport.query import query_integer
from rollout.ports.ports import Ports


async def list_notifications(ports: Ports, request: Request) -> Answer:
    """The newest notifications of published images, newest first, and what each led to."""
    limit = query_integer(request, "limit", 1, NOTIFICATIONS_PAGE) or NOTIFICATIONS_PAGE
    after = position(request, "notifications")
    records = await ports.store.notifications.newest(limit + 1, after)
    page = first(list(records), limit, lambda record: record.key)
    return Answer(200, page.answer("notifications", [render_notification(record) for record in page.items]))
