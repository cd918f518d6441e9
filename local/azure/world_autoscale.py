"""The autoscale settings of the world file."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from local.azure.world_parts import Duration, Name, Part, ResourceGroupName


class AutoscaleProfileSpec(Part):
    """A profile of an autoscale setting. Its rules are not simulated, its bounds are."""

    name: str = Field(min_length=1, description="the profile's name")
    minimum: int = Field(ge=0, le=1000, description="`capacity.minimum`")
    maximum: int = Field(ge=0, le=1000, description="`capacity.maximum`")
    default: int | None = Field(default=None, description="`capacity.default`; none: the minimum")

    @property
    def preset(self) -> int:
        """``capacity.default``, filled in."""
        return self.minimum if self.default is None else self.default

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.minimum <= self.preset <= self.maximum:
            raise ValueError("minimum, default and maximum should be in this order")
        return self


class AutoscaleSpec(Part):
    """An autoscale setting. The first of its profiles is the one in force."""

    name: Name = Field(description="the setting's name")
    resource_group: ResourceGroupName = Field(description="its resource group")
    scale_set: Name = Field(description="the name of the scale set that it scales")
    enabled: bool = Field(default=True, description="turned on")
    profiles: tuple[AutoscaleProfileSpec, ...] = Field(min_length=1, description="its profiles")
    every: Duration | None = Field(
        default=None, description="forces the capacity into the bounds this often; none: only when a test says so"
    )
