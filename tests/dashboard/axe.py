"""axe-core on a page as it is. The policy lets no script in, so this is done in a context without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_SOURCE = Path(__file__).parents[2] / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async () => {
  const rules = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await axe.run(document, { runOnly: rules, resultTypes: ['violations'] });
  const told = (one, node) => `${one.id}: ${node.html.slice(0, 160)}: ${node.failureSummary}`;
  return found.violations.flatMap((one) => one.nodes.map((node) => told(one, node)));
}"""


def violations(page: Any) -> list[str]:
    """What axe finds, each with its element."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(content=_SOURCE.read_text())
    found: list[str] = page.evaluate(_RUN)
    return found
