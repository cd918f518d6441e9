"""What holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

#: The app on stand-ins, which the tests of the API and of triggers talk to.
pytest_plugins = ("tests.stand_ins",)

# A shell that starts the tests in the background has them ignore ^C, and so would every process that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is, and nothing of Teal: times are for the bench.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
