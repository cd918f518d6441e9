"""What holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

#: The app on stand-ins, which the tests of the API and of triggers talk to.
pytest_plugins = ("tests.stand_ins",)

# Who starts the tests in the background has them ignore these signals, and so would every process that they start.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

# How long an example takes says how busy the machine is, and nothing of Teal: times are for the bench.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
