"""Before the code is deployed: refuse to cut deployments off, wait for new rights."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from infra.azd.hook import run
from infra.azd.steps import before_deploy

if __name__ == "__main__":
    run(before_deploy)
