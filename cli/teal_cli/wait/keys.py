"""Idempotency keys: a job that runs again finds its deployment by them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from teal_cli.environment import Pipeline


def start_key(pipeline: Pipeline | None, own: str, group: str, body: Mapping[str, Any]) -> str:
    """The key of a start: the same in every attempt of the same job, and another one for another body.

    ``own`` is ``--key``: it tells apart what is the same otherwise, the jobs of a matrix, or two steps of one job.
    """
    provider = pipeline.provider if pipeline else "own"
    where = [pipeline.name, pipeline.run, pipeline.job] if pipeline else []
    digest = hashlib.sha256(canonical([provider, *where, own, group, digest_of(body)])).hexdigest()
    return f"teal-{provider}-{digest}"


def attempt_key(key: str, pipeline: Pipeline | None) -> str:
    """The key under which this attempt starts anew what an earlier one has left unfinished."""
    return f"{key}-attempt-{pipeline.attempt}" if pipeline is not None and pipeline.again else key


def digest_of(body: Mapping[str, Any]) -> str:
    """What the body says, whatever the order of its fields."""
    return hashlib.sha256(canonical(body)).hexdigest()


def canonical(value: Any) -> bytes:
    """JSON that is the same for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
