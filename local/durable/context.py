"""The JSON that an orchestrator is called with.

The extension's ``OrchestrationTriggerAttributeBindingProvider.cs``; read by the SDK's
``models/DurableOrchestrationContext.py``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from local.durable.history import Event, History
from local.durable.instances import OrchestrationInstance

#: Schema versions up to 2 (V3 of the protocol), and Azure Storage's limits of one timer in .NET's notation, by which
#: the SDK splits longer ones. The misspelt key is the real one.
_CONSTANTS = {
    "upperSchemaVersion": 1,
    "upperSchemaVersionNew": 2,
    "longRunningTimerIntervalDuration": "3.00:00:00",
    "maximumShortTimerDuration": "6.00:00:00",
    "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
}


def context_text(instance: OrchestrationInstance, text: str | None, past: History, new: Sequence[Event]) -> str:
    """The context of a turn with the ``new`` events; ``text`` is the generation's input as stored, and so JSON."""
    head = {
        "instanceId": instance.id,
        "isReplaying": len(past) > 0,
        "parentInstanceId": instance.parent and instance.parent.instance_id,
        **_CONSTANTS,
    }
    return f'{{"history":{past.text_with(new)},"input":{text or "null"},{json.dumps(head)[1:]}'
