"""Whoever shows a deployment is told that something beside its own row has changed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from rollout.ports.ports import Ports


async def revise(ports: Ports, deployment_id: str) -> None:
    """Raise the row's revision, after the rows of its VMs, batches or commands, or its dangers, were written.

    A deployment whose row is forgotten, or not there yet, is shown to nobody.
    """
    with suppress(KeyError):
        await ports.store.deployments.change(deployment_id, lambda row: replace(row, revision=row.revision + 1))
