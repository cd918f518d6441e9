"""Parts of a deployment that one request may ask for besides."""

from __future__ import annotations

BATCHES, VMS, EVENTS, COMMANDS = "batches", "vms", "events", "commands"

#: What may be included.
PARTS = (BATCHES, VMS, EVENTS, COMMANDS)
