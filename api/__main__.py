"""``python -m api`` writes the document of the API, for docs/openapi.json.

The page and the command are made from that, and a change of the API shows in a review.
"""

from __future__ import annotations

import json
import sys

from api.routes import document


def written() -> str:
    """The document as docs/openapi.json has it."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(written())
