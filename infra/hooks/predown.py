"""Before the resource group goes: take away what is outside of it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from infra.azd.hook import run
from infra.azd.steps import before_down

if __name__ == "__main__":
    run(before_down)
