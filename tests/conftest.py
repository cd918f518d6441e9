"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

#: The app on stand-ins, which the tests of the API and of triggers talk to.
pytest_plugins = ("tests.stand_ins",)

# How long an example takes says how busy the machine is, and nothing of Teal: times are for the bench.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
