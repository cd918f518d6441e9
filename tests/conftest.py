"""What holds for all tests."""

from __future__ import annotations

import signal
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

#: The app on stand-ins, which the tests of the API and of triggers talk to.
pytest_plugins = ("tests.stand_ins",)

#: Of a sweep's cases `make test` tries one in so many, a number that shares no factor with the usual two modes.
EVERY = 5


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most of each sweep to a nightly run; it is the same cases each time."""
    seen: Counter[str] = Counter()
    for item in items:
        if item.get_closest_marker("sweep") is None:
            continue
        of = item.nodeid.partition("[")[0]
        if seen[of] % EVERY:
            item.add_marker("nightly")
        seen[of] += 1


# Who starts the tests in the background has them ignore these signals, and so would every process that they start.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

# How long an example takes says how busy the machine is, and nothing of Teal: times are for the bench.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
