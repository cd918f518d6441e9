"""Azure's words for having no room for a VM."""

from __future__ import annotations

#: There is none now, and may be later
#: (https://learn.microsoft.com/troubleshoot/azure/virtual-machines/allocation-failure); in lower case.
ALLOCATION_CODES = frozenset(
    {
        "allocationfailed",
        "zonalallocationfailed",
        "overconstrainedallocationrequest",
        "overconstrainedzonalallocationrequest",
    }
)
