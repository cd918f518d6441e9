"""The picture in the docs is what `teal watch` shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_picture_in_the_docs_is_up_to_date(tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.svg"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "cli")}
    subprocess.run([sys.executable, ROOT / "cli" / "picture.py", drawn], env=environment, check=True)
    kept = (ROOT / "docs" / "teal-watch.svg").read_text()
    assert drawn.read_text() == kept, "run `PYTHONPATH=cli python cli/picture.py docs/teal-watch.svg`"
    assert "url(" not in kept.replace("url(#", ""), "nothing is loaded from elsewhere"
