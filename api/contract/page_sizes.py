"""How much one answer holds."""

from __future__ import annotations

#: How many events one answer holds; ``next`` leads on.
EVENTS_PAGE = 1000

#: No deployment has more batches: each has a VM at least, and Azure's sets have a thousand at most.
BATCH_MAX = 9999

#: How many versions are listed: each costs a read of its replication.
VERSIONS_DEFAULT = 20
VERSIONS_MAX = 50

#: How many deployments one answer holds.
PAGE = 100

#: How many notifications one answer holds.
NOTIFICATIONS_PAGE = 100

#: How many events one answer holds; ``next`` leads on.
EVENTS_MAX = 1000
