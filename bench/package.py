"""What is deployed: the size of the package, and its import on one core, beside those of the bare SDKs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.cold_start import APP, ROOT, SDKS, seconds_of_import
from infra.package import SITE_PACKAGES, PackageError, install, lay_out, size

#: Flex Consumption ends a start after 30 seconds; a third of that leaves room for a slow disk.
LONGEST_IMPORT = 10.0

PINNED = [
    line
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line.startswith(("azure-functions==", "azure-functions-durable=="))
]


@dataclass(frozen=True)
class Package:
    """Bytes of the app's own code, of all wheels, and of the SDKs' wheels alone; seconds of a first import."""

    app: int
    wheels: int
    sdks: int
    app_import: float
    sdks_import: float


def measure_package() -> Package | str:
    """Lay the package out and measure it; why not, where its wheels cannot be had."""
    with TemporaryDirectory() as folder:
        package, sdks = Path(folder) / "dist", Path(folder) / "sdks"
        try:
            lay_out(package, wheels=True)
            install(sdks, PINNED)
        except PackageError as error:
            return str(error)
        wheels = size(package / SITE_PACKAGES)
        app_import, sdks_import = (
            seconds_of_import(modules, folder, compiled=False, cores={0}) for modules in (APP, SDKS)
        )
        return Package(size(package) - wheels, wheels, size(sdks), app_import, sdks_import)
