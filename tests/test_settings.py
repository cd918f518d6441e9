"""Reading the settings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from settings import Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({"TEAL_POLL_INTERVAL": ""}) == Settings()


def test_a_setting_is_read() -> None:
    settings = Settings.from_environment({"TEAL_POLL_INTERVAL": "6", "TEAL_ARM_ENDPOINT": "https://example.com"})
    assert (settings.poll_interval, settings.arm_endpoint) == (timedelta(seconds=6), "https://example.com")


@pytest.mark.parametrize("value", ["5.9", "-1", "soon", "nan", "inf"])
def test_what_azure_would_not_stand_or_nobody_can_read_is_refused_by_name(value: str) -> None:
    with pytest.raises(ValueError, match="TEAL_POLL_INTERVAL"):
        Settings.from_environment({"TEAL_POLL_INTERVAL": value})
