"""The operator's rules, for those who are told no settings."""

from __future__ import annotations

from rollout.ports.ports import OperatorRules
from settings import Settings


def operator_rules(settings: Settings) -> OperatorRules:
    """The settings that every look is held to."""
    return OperatorRules(settings.poll_interval, settings.scopes)
