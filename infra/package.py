"""Lay out what is deployed: ``python infra/package.py [FOLDER]``, into ``dist`` where no folder is named.

It runs on any Python from 3.11 on with nothing installed, as azd's hook does. What belongs to the app follows from
its imports, so that nothing is forgotten and nothing comes along.

The dependencies are laid in as Linux wheels for the Python of Azure, unless azure.yaml says ``remoteBuild: true``:
then the service builds them, for which it has a minute.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ENTRY = "function_app"

#: What the host reads besides code. The pages of the dashboard are built before.
FILES = ("host.json", "requirements.txt", "LICENSE")
PAGES = Path("dashboard") / "dist"

#: Where the host looks for what the app imports.
SITE_PACKAGES = Path(".python_packages") / "lib" / "site-packages"

PYTHON = "3.12"
PLATFORM = "x86_64-manylinux_2_17"
#: The same for pip, which knows no platform that includes another.
PIP_PLATFORMS = (
    "manylinux_2_17_x86_64",
    "manylinux2014_x86_64",
    "manylinux_2_12_x86_64",
    "manylinux_2_5_x86_64",
    "any",
)


class PackageError(Exception):
    """The package cannot be laid out, and what to do."""


def parts() -> list[str]:
    """The modules and packages at the root that the app is made of."""
    found, ahead = set[str](), [ENTRY]
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        found.add(name)
        files = sorted((ROOT / name).rglob("*.py")) if (ROOT / name).is_dir() else [ROOT / f"{name}.py"]
        ahead += [top for file in files for top in _imported(file) if _is_ours(top)]
    return sorted(found)


def is_built_remotely() -> bool:
    """Whether azure.yaml has the service install the dependencies."""
    named = re.search(r"^\s*remoteBuild:\s*(true|false)\s*$", (ROOT / "azure.yaml").read_text(), re.MULTILINE)
    if named is None:
        raise PackageError("azure.yaml does not say remoteBuild: true or false")
    return named[1] == "true"


def lay_out(folder: Path, *, wheels: bool, pages: bool = True) -> None:
    """Make the folder anew, with the dependencies and the built page or without.

    It stands beside until it is whole, so that no half of a package is ever deployed.
    """
    beside = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name in parts():
        _copy(ROOT / name if (ROOT / name).is_dir() else ROOT / f"{name}.py", beside)
    for name in FILES:
        _copy(ROOT / name, beside)
    if pages:
        _build_pages()
        shutil.copytree(ROOT / PAGES, beside / PAGES, ignore=shutil.ignore_patterns(".*"))
    if wheels:
        install(beside / SITE_PACKAGES, ["-r", str(ROOT / "requirements.txt")])
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)


def bill_of_materials(folder: Path) -> dict[str, Any]:
    """What the package contains that others wrote, as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/)."""
    installed = sorted(distributions(path=[str(folder / SITE_PACKAGES)]), key=lambda one: one.name.lower())
    version = re.search(r'^VERSION = "(.+)"$', (folder / "api" / "transport" / "http.py").read_text(), re.MULTILINE)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "teal", "version": version[1] if version else ""}},
        "components": [_component(one) for one in installed],
    }


def size(folder: Path) -> int:
    """The bytes of all files in the folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _component(one: Distribution) -> dict[str, Any]:
    name = re.sub(r"[-_.]+", "-", one.name).lower()
    body = {"type": "library", "name": name, "version": one.version, "purl": f"pkg:pypi/{name}@{one.version}"}
    headers = {key.lower(): str(text) for key, text in one.metadata.json.items()}
    licence = headers.get("license_expression") or headers.get("license") or ""
    named = "" if "\n" in licence else licence
    return {**body, **({"licenses": [{"license": {"name": named}}]} if named else {})}


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def _is_ours(name: str) -> bool:
    return bool(name) and ((ROOT / f"{name}.py").is_file() or (ROOT / name / "__init__.py").is_file())


def _copy(source: Path, folder: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    else:
        shutil.copy2(source, folder / source.name)


def _build_pages() -> None:
    """Build the dashboard, unless that was done since its sources were changed."""
    built = ROOT / PAGES / "index.html"
    if built.is_file() and built.stat().st_mtime >= max(file.stat().st_mtime for file in _page_sources()):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise PackageError("The dashboard is not built, and there is no npm to build it with (https://nodejs.org)")
    for arguments in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        _run([npm, *arguments], ROOT / "dashboard")


def _page_sources() -> Iterator[Path]:
    dashboard = ROOT / "dashboard"
    yield from (file for file in dashboard.iterdir() if file.suffix in (".html", ".json", ".mjs", ".svg"))
    yield from (file for name in ("src", "styles") for file in (dashboard / name).rglob("*") if file.is_file())


def install(target: Path, requirements: Sequence[str]) -> None:
    """Lay the wheels of these requirements into a folder: those for Azure, whatever machine this is."""
    wanted = ["--target", str(target), "--python-version", PYTHON, "--only-binary", ":all:"]
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        _run([uv, "pip", "install", "--quiet", *wanted, "--python-platform", PLATFORM, *requirements], ROOT)
    else:
        platforms = [part for name in PIP_PLATFORMS for part in ("--platform", name)]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *wanted, *platforms, *requirements], ROOT)
    shutil.rmtree(target / "bin", ignore_errors=True)


def _run(command: Sequence[str], folder: Path) -> None:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        raise PackageError(f"{' '.join(command[:4])} … failed: {(ran.stderr or ran.stdout).strip()}")


def main(arguments: Sequence[str]) -> int:
    """Lay out the package and say what it is; the exit code."""
    folder = Path(arguments[0]).resolve() if arguments else ROOT / "dist"
    try:
        wheels = not is_built_remotely()
        lay_out(folder, wheels=wheels)
    except PackageError as error:
        print(error, file=sys.stderr)
        return 1
    materials = folder.with_name(f"{folder.name}.cdx.json")
    if wheels:
        materials.write_text(json.dumps(bill_of_materials(folder), indent=2) + "\n")
    built = f"prebuilt for Python {PYTHON}, {materials.name} says from what" if wheels else "to be built by the service"
    print(f"{os.path.relpath(folder)}: {size(folder) / 1e6:.1f} MB, {built}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
