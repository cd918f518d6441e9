"""Draw docs/teal-watch.svg, what `teal watch` shows: ``python cli/picture.py FILE``, by the code that shows it."""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from teal_cli.show.live import drawing
from teal_cli.show.narrating import Look

_PAGE = "https://teal-prod.azurewebsites.net/api/dashboard/deployments/web-20261123T081500Z-1a2b3c"
_AT = datetime(2026, 11, 23, 8, 28, 40, tzinfo=UTC)
_PHASES = ("terminated", "terminated", "launched", "planned", "planned")


def picture() -> str:
    """A deployment of ten VMs in its third batch of five."""
    console = Console(record=True, width=96, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("$ teal watch web", style="bold"))
    console.print(drawing(_look(), _events(), _PAGE, _AT))
    drawn = console.export_svg(title="teal watch", unique_id="teal-watch")
    # rich would have the fonts of another site loaded.
    return re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)


def _look() -> Look:
    deployment: Any = {
        "id": "web-20261123T081500Z-1a2b3c",
        "status": "inProgress",
        "reason": "Batch 3 of 5: waiting for 1 of 2 VMs",
        "progress": 40,
        "currentBatch": 3,
        "numberOfBatches": 5,
        "startedAt": "2026-11-23T08:15:04.000Z",
        "endedAt": None,
        "decision": None,
    }
    batches: Any = [{"number": number, "phase": phase} for number, phase in enumerate(_PHASES, 1)]
    blue = [("blue", "detached")] * 4 + [("blue", "healthy")] * 6
    green = [("green", "healthy")] * 5 + [("green", "pending")]
    vms: Any = [{"color": color, "status": status} for color, status in blue + green]
    return Look(deployment, batches=batches, vms=vms)


def _events() -> Any:
    told = (
        ("08:22:30", "Batch 2 of 5: 2 of 2 green VMs healthy"),
        ("08:22:45", "Batch 2 of 5: 2 blue VMs detached"),
        ("08:25:30", "Batch 2 of 5: 2 VMs deleted"),
        ("08:25:30", "Batch 3 of 5: started"),
        ("08:26:15", "Batch 3 of 5: 2 green VMs launched"),
    )
    return [{"at": f"2026-11-23T{at}.000Z", "message": message} for at, message in told]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture())
