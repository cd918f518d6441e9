"""What the SDK's methods are asked to hand out instead of their models."""

from __future__ import annotations

from typing import Any

from azure.core.pipeline import PipelineResponse


def http_response(response: PipelineResponse[Any, Any], *_: Any) -> Any:
    """A ``cls`` callback that hands out the answer itself: its headers, which the model does not have, and its JSON."""
    return response.http_response
