"""Before azd packs: lay out what is deployed, without make, which Windows does not have."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from infra.package import main

if __name__ == "__main__":
    sys.exit(main([]))
