"""Contradictions between a deployment's fields, whether a request, a rule or a schedule asks."""

from __future__ import annotations

from api.transport.errors import Code, Detail, Refusal, refuse_faults
from rollout.model.group import Group
from rollout.model.parameters import Parameters
from rollout.model.request import StartRequest


def refuse_contradictions(asked: StartRequest, group: Group, within: str = "") -> None:
    """Raise where fields exclude each other, or ask for a check that the group does not define.

    ``within``: before the names of the fields, where they are part of a larger body: ``imageRule.deployment.``.
    """
    if asked.batch_size is not None and asked.batch_size_percentage is not None:
        raise _excluding(Code.TWO_BATCH_SIZES, f"{within}batchSize", "batchSizePercentage")
    if asked.min_health is not None and asked.batch_min_healthy_percentage is not None:
        raise _excluding(Code.TWO_THRESHOLDS, f"{within}minHealth", "batchMinHealthyPercentage")
    undefined = [kind for kind in asked.health_check_types or () if kind not in group.health_check_types]
    if undefined:
        field, defined = f"{within}healthCheckTypes", ", ".join(group.health_check_types) or "none"
        message = f"{field} must be among those of group {group.id}, {defined}; {undefined[0]} is not"
        raise refuse_faults([Detail(Code.HEALTH_CHECK_NOT_DEFINED, message, field)])


def refuse_needless_threshold(asked: StartRequest, parameters: Parameters, within: str = "") -> None:
    """Raise where a threshold is asked for and nothing judges health: ``parameters`` are the whole deployment's."""
    given = {"minHealth": asked.min_health, "batchMinHealthyPercentage": asked.batch_min_healthy_percentage}
    names = [f"{within}{name}" for name, value in given.items() if value is not None]
    if names and not parameters.checked:
        message = f"{names[0]} needs a health check or the signal vmReady: leave it out, or give healthCheckTypes"
        raise refuse_faults([Detail(Code.THRESHOLD_WITHOUT_CHECK, message, names[0])])


def _excluding(code: Code, one: str, other: str) -> Refusal:
    return refuse_faults([Detail(code, f"{one} and {other} exclude each other: give one of them", one)])
