"""Make ``teal.pyz``: one file that runs on any Python from 3.11 on, the same bytes whenever and wherever it is made.

``python cli/pack.py FILE``. What it holds is pinned with hashes in cli/requirements.txt, and pure Python: a compiled
module would run on one version of one system. Beside it, ``FILE.sha256`` is what ``sha256sum --check`` reads.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent

#: The first time that a zip file can say.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)

_SHEBANG = b"#!/usr/bin/env python3\n"

#: In the syntax of any Python, so that an old one says what it is, and not where it stumbles.
_START = """\
import sys

if sys.version_info < (3, 11):
    sys.exit("teal needs Python 3.11 or later, and this is %d.%d" % sys.version_info[:2])

from teal_cli.__main__ import main

main()
"""

#: What only the installer's own records say, and what nobody runs.
_LEFT_OUT = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")


class PackError(Exception):
    """Why there is no file."""


def pack(target: Path, folder: Path) -> str:
    """Write ``target``, collecting what it holds in ``folder``; its checksum."""
    _install(folder)
    shutil.copytree(HERE / "teal_cli", folder / "teal_cli", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "__main__.py").write_text(_START)
    files = sorted(_held(folder))
    compiled = [name for name in files if name.endswith((".so", ".pyd", ".dylib", ".dll"))]
    if compiled:
        raise PackError(f"compiled, so it would run on one system only: {', '.join(compiled)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        file.write(_SHEBANG)
        _zip(file, folder, files)
    target.chmod(0o755)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    target.with_name(f"{target.name}.sha256").write_text(f"{digest}  {target.name}\n")
    return digest


def _install(folder: Path) -> None:
    """The pinned wheels: those for one system and those for the other, whichever this one is."""
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "install", "-q", "--target", str(folder), "--python-version", "3.11"]
    command += ["--require-hashes", "--only-binary", ":all:", "--no-compile-bytecode", "--link-mode", "copy"]
    command += ["-r", str(HERE / "requirements.txt")]
    for system in ("linux", "windows"):
        done = subprocess.run([*command, "--python-platform", system], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PackError(done.stderr.strip())


def _held(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        left_out = path.name in _LEFT_OUT or path.suffix == ".pyc" or name.startswith(("bin/", "."))
        if path.is_file() and not left_out:
            yield name


def _zip(file: object, folder: Path, names: Sequence[str]) -> None:
    """One entry after the other, in order, without a time and without this machine's permissions."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:  # type: ignore[call-overload]
        for name in names:
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, (folder / name).read_bytes())


def main() -> int:
    """0: made; 1: not, and why."""
    parser = argparse.ArgumentParser(prog="pack.py", description="Make teal.pyz and its checksum.")
    parser.add_argument("file", type=Path)
    target = parser.parse_args().file
    with tempfile.TemporaryDirectory() as folder:
        try:
            print(f"{pack(target, Path(folder) / 'held')}  {target}")
        except PackError as error:
            print(f"teal.pyz cannot be made: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
