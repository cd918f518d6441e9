"""After the code is deployed: wait for it, register groups, subscribe to Event Grid."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from infra.azd.hook import run
from infra.azd.steps import after_deploy

if __name__ == "__main__":
    run(after_deploy)
