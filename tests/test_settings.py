"""Reading the settings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rollout.model.roles import Role
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


def test_days_are_read_as_whole_numbers() -> None:
    settings = Settings.from_environment({"TEAL_HISTORY_DAYS": "7", "TEAL_ROWS_DAYS": "90"})
    assert (settings.history_days, settings.rows_days) == (7, 90)


@pytest.mark.parametrize("variable", ["TEAL_HISTORY_DAYS", "TEAL_ROWS_DAYS"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "3651"])
def test_days_that_nobody_can_mean_are_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=variable):
        Settings.from_environment({variable: value})


def test_scopes_are_resource_ids_with_commas_between() -> None:
    settings = Settings.from_environment(
        {"TEAL_ALLOWED_SCOPES": " /subscriptions/a , ,/subscriptions/b/resourceGroups/c"}
    )
    assert settings.scopes == ("/subscriptions/a", "/subscriptions/b/resourceGroups/c")
    assert Settings().scopes == ()


@pytest.mark.parametrize("value", ["subscriptions/a", "/", "/subscriptions/a,web"])
def test_a_scope_that_is_no_resource_id_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="TEAL_ALLOWED_SCOPES"):
        Settings.from_environment({"TEAL_ALLOWED_SCOPES": value})


def test_roles_keys_are_read_and_a_role_may_have_several() -> None:
    old, new = "0a" * 32, "0b" * 32
    settings = Settings.from_environment({"TEAL_ROLE_KEYS": f" reader={old}, deployer={old},deployer={new},"})
    assert settings.known_keys == (
        (Role.READER, bytes.fromhex(old)),
        (Role.DEPLOYER, bytes.fromhex(old)),
        (Role.DEPLOYER, bytes.fromhex(new)),
    )


@pytest.mark.parametrize(
    "value", ["reader", "reader=", "reader=0a", f"king={'0a' * 32}", f"reader={'zz' * 32}", "secret"]
)
def test_roles_keys_that_cannot_be_read_are_refused_without_being_told(value: str) -> None:
    with pytest.raises(ValueError, match="TEAL_ROLE_KEYS") as refusal:
        Settings.from_environment({"TEAL_ROLE_KEYS": value})
    assert "0a0a" not in str(refusal.value)


def test_callers_are_known_by_keys_or_by_entra_id_where_something_vouches_for_them() -> None:
    with pytest.raises(ValueError, match="TEAL_AUTH_MODE"):
        Settings.from_environment({"TEAL_AUTH_MODE": "none"})
    assert Settings.from_environment({}).is_authenticated
    assert not Settings.from_environment({"TEAL_AUTH_MODE": "entra"}).is_authenticated
    on = {"TEAL_AUTH_MODE": "entra", "WEBSITE_AUTH_ENABLED": "True"}
    assert Settings.from_environment(on).is_authenticated


@pytest.mark.parametrize("value", ["short", f"{'a' * 32},short", ",".join(["a" * 32] * 3)])
def test_secrets_that_can_be_guessed_or_are_too_many_are_refused_without_being_told(value: str) -> None:
    with pytest.raises(ValueError, match="TEAL_SIGNAL_SECRET") as refusal:
        Settings.from_environment({"TEAL_SIGNAL_SECRET": value})
    assert value not in str(refusal.value)
    settings = Settings.from_environment({"TEAL_SIGNAL_SECRET": f"{'a' * 32}, {'b' * 32}"})
    assert "aaa" not in repr(settings)
    assert settings.signal_secrets[1] == "b" * 32
