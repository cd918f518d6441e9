"""What the tests of the infrastructure share: the kept snapshots of what would be deployed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from infra.check import EXAMPLES

NAMES = sorted(path.stem for path in EXAMPLES.glob("*.bicepparam"))


@dataclass(frozen=True)
class Snapshot:
    """What the template would deploy for one example."""

    name: str
    resources: tuple[dict[str, Any], ...]
    outputs: dict[str, Any]
    text: str

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The resources of a type, such as ``Microsoft.Web/sites``."""
        return [one for one in self.resources if one["type"].lower() == kind.lower()]

    def one(self, kind: str) -> dict[str, Any]:
        """The only resource of a type."""
        (found,) = self.of(kind)
        return found

    def settings(self) -> dict[str, str]:
        """The app settings."""
        (found,) = [one for one in self.of("Microsoft.Web/sites/config") if one["name"].endswith("/appsettings")]
        settings: dict[str, str] = found["properties"]
        return settings


def snapshot(name: str) -> Snapshot:
    """The kept snapshot of an example."""
    text = (EXAMPLES / f"{name}.snapshot.json").read_text()
    body = json.loads(text)
    return Snapshot(name, tuple(body["predictedResources"]), body["outputs"], text)
