"""Saying that nobody can be known, where App Service authentication is trusted and off."""

from __future__ import annotations

import logging

from settings import Settings

#: What is said of an app whose setting trusts App Service, and whose App Service authenticates nobody.
OFF = "TEAL_AUTH_MODE is entra but App Service authentication is off, so nobody can be known"

_log = logging.getLogger("teal")


def complain(settings: Settings) -> None:
    """Say in the log that nobody can be known, where that is so."""
    if not settings.is_authenticated:
        _log.error("%s: every request but /health is answered by 503 (authenticationOff)", OFF)
