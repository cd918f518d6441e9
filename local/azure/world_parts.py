"""What every part of the world file is made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel


def _seconds(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError("should be a number of seconds, 0 or more")
    return timedelta(seconds=value)


Duration = Annotated[timedelta, BeforeValidator(_seconds), PlainSerializer(lambda value: value.total_seconds())]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
#: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources
ResourceGroupName = Annotated[str, Field(pattern=r"^[\w.()-]+$")]


class Part(BaseModel):
    """A part of the world: camelCase in the file, and every field that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)
