"""Compile and lint the Bicep files and hold the examples to their kept snapshots: ``python -m infra.check [--keep]``.

The compiler is ``$TEAL_BICEP``, or ``bicep`` on the PATH. A snapshot is what would be deployed for the parameters of an
example: parameters, conditions, loops and modules are evaluated, without a network and without Azure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

INFRA = Path(__file__).parent
EXAMPLES = INFRA / "examples"

#: What an evaluation needs to know of the place; the examples are of no real subscription.
PLACE = (
    *("--subscription-id", "00000000-0000-0000-0000-000000000000"),
    *("--tenant-id", "11111111-1111-1111-1111-111111111111"),
    *("--location", "westeurope"),
    *("--deployment-name", "teal"),
)

MISSING = "No Bicep compiler: put `bicep` on the PATH, or its file in $TEAL_BICEP (https://aka.ms/bicep-install)"


def compiler() -> str | None:
    """The compiler's path, if there is one."""
    named = os.environ.get("TEAL_BICEP")
    if named:
        return named if Path(named).is_file() else None
    return shutil.which("bicep")


def bicep_files() -> list[Path]:
    """Every Bicep file."""
    return sorted(INFRA.rglob("*.bicep"))


def unreached(start: Path = INFRA / "main.bicep") -> set[Path]:
    """The files that the template does not come to: the compiler never sees them."""
    reached, ahead = set[Path](), [start]
    while ahead:
        file = ahead.pop()
        reached.add(file)
        named = re.findall(r"^(?:module \w+|import .* from) '([^:']+)'", file.read_text(), re.MULTILINE)
        ahead += [path for path in ((file.parent / name).resolve() for name in named) if path not in reached]
    return set(bicep_files()) - reached


def examples() -> list[Path]:
    """The parameter files whose snapshots are kept."""
    return sorted(EXAMPLES.glob("*.bicepparam"))


def complaints(bicep: str) -> list[str]:
    """What compiler and linter say of the template and all its modules; nothing, where all is well."""
    ran = subprocess.run([bicep, "lint", str(INFRA / "main.bicep")], capture_output=True, text=True)
    said = [line for line in ran.stderr.splitlines() if line.strip()]
    said += [f"{file} is no part of main.bicep" for file in sorted(unreached())]
    return said or ([f"bicep lint ended with {ran.returncode}"] if ran.returncode else [])


def difference(bicep: str, example: Path, *, keep: bool = False) -> list[str]:
    """How an example's snapshot differs from the kept one; with ``keep`` it is written anew."""
    mode = "overwrite" if keep else "validate"
    ran = subprocess.run([bicep, "snapshot", str(example), "--mode", mode, *PLACE], capture_output=True, text=True)
    said = (ran.stdout + ran.stderr).strip()
    return [f"{example.name}: {said or ran.returncode}"] if ran.returncode or "Warning" in said else []


def main(arguments: Sequence[str]) -> int:
    """Check everything; the exit code."""
    bicep = compiler()
    if bicep is None:
        print(MISSING, file=sys.stderr)
        return 2
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        linted = pool.submit(complaints, bicep)
        compared = pool.map(partial(difference, bicep, keep="--keep" in arguments), examples())
        found = [*linted.result(), *(line for lines in compared for line in lines)]
    print("\n".join(found) or f"{len(bicep_files())} files and {len(examples())} examples are as they should be")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
