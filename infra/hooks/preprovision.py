"""Before Azure is changed: check, refuse to cut deployments off, take stale rights away."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from infra.azd.hook import run
from infra.azd.steps import before_provision

if __name__ == "__main__":
    run(before_provision)
