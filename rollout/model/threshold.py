"""How much of a batch must be healthy when its grace period is over."""

from __future__ import annotations

from dataclasses import dataclass

from rollout.model.parameters import Parameters


@dataclass(frozen=True)
class Threshold:
    """One of Elastigroup's two ways to say it; the other is ``None``. Both: one that runs will do.

    ``batch_min_healthy_percentage`` fails a batch whose healthy share is *below* it: exactly half passes at 50.
    ``min_health`` fails a batch whose unhealthy share *reaches* it: exactly half fails at 50.
    """

    batch_min_healthy_percentage: int | None
    min_health: int | None = None

    @classmethod
    def of(cls, parameters: Parameters) -> Threshold:
        """The one that a deployment was started with; none where it asks nothing for the VMs' health."""
        if not parameters.checked:
            return cls(None)
        return cls(parameters.batch_min_healthy_percentage, parameters.min_health)

    def passes(self, healthy: int, planned: int) -> bool:
        """Whether ``healthy`` of ``planned`` VMs are enough. In whole numbers: 67 of 100 is 67 %, 2 of 3 is not.

        >>> Threshold(50).passes(1, 2), Threshold(51).passes(1, 2), Threshold(67).passes(2, 3)
        (True, False, False)
        >>> Threshold(None, 50).passes(1, 2), Threshold(None, 51).passes(1, 2)
        (False, True)
        >>> Threshold(None).passes(1, 2), Threshold(None).passes(0, 2)
        (True, False)
        """
        if self.min_health is not None:
            return 100 * (planned - healthy) < self.min_health * planned
        if self.batch_min_healthy_percentage is None:
            return healthy > 0 or planned == 0
        return 100 * healthy >= self.batch_min_healthy_percentage * planned

    def sick_allowed(self, planned: int) -> int:
        """How many of ``planned`` VMs may be unhealthy in a batch that passes.

        >>> Threshold(50).sick_allowed(2), Threshold(None, 50).sick_allowed(2), Threshold(60).sick_allowed(10)
        (1, 0, 4)
        """
        return max((sick for sick in range(planned + 1) if self.passes(planned - sick, planned)), default=0)

    def words(self, healthy: int, planned: int) -> str:
        """Why that many pass, or do not.

        >>> Threshold(50).words(1, 2)
        '50 %: at least the 50 % asked'
        >>> Threshold(None, 50).words(1, 2)
        '50 % unhealthy: minHealth 50 is reached'
        """
        passed = self.passes(healthy, planned)
        if self.min_health is not None:
            share = 100 * (planned - healthy) / planned
            return f"{share:.0f} % unhealthy: minHealth {self.min_health} is {'not ' if passed else ''}reached"
        share = 100 * healthy / planned
        asked = f"the {self.batch_min_healthy_percentage} % asked"
        return f"{share:.0f} %: {'at least' if passed else 'below'} {asked}"
