"""After the resource group is gone: delete the custom roles."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from infra.azd.hook import run
from infra.azd.steps import after_down

if __name__ == "__main__":
    run(after_down)
