"""What the stand-in reads of host.json."""

from __future__ import annotations

from pathlib import Path

from local.durable.options import HostJson


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert HostJson.read(tmp_path / "host.json") == HostJson("api", "TestHubName", None, 10)


def test_the_settings_of_a_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "host.json"
    path.write_text(
        """{"version": "2.0", "extensions": {
            "http": {"routePrefix": "/v1/"},
            "durableTask": {"hubName": "Hub", "defaultVersion": "1.0.0", "maxConcurrentActivityFunctions": 4}}}"""
    )
    assert HostJson.read(path) == HostJson("v1", "Hub", "1.0.0", 4)


def test_what_a_file_does_not_say_has_its_default() -> None:
    assert HostJson.parse({"version": "2.0"}) == HostJson()
