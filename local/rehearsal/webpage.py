"""The page as one HTML file that loads nothing, to be sent to somebody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from html import escape

from local.rehearsal.figures import Level
from local.rehearsal.outcome import Rehearsal, Run
from local.rehearsal.words import ASSUMED, clock, finding, headings, remarks, rows

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#59636e;--line:#d0d7de;--back:#fff;--card:#f6f8fa;
--good:#1a7f37;--bad:#c4232b;--warn:#9a6700;--blue:#0969da;--fill:#0969da22}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--line:#3d444d;--back:#0d1117;--card:#151b23;
--good:#3fb950;--bad:#f85149;--warn:#d29922;--blue:#4493f8;--fill:#4493f833}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
main{max-width:68rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{margin:.4rem 0}.dim{color:var(--dim)}
.verdict{border-left:4px solid;background:var(--card);padding:.6rem 1rem;margin:1rem 0;font-weight:600}
.verdict.good{border-color:var(--good)}.verdict.bad{border-color:var(--bad)}
table{border-collapse:collapse;width:100%}.scroll{overflow-x:auto}
th,td{text-align:left;vertical-align:top;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600}tbody th{color:var(--dim);font-weight:400;white-space:nowrap}
.error{color:var(--bad)!important}.warning{color:var(--warn)!important}.remedy{color:var(--dim)}
figure{margin:1.5rem 0}figcaption{color:var(--dim);font-size:.9rem}svg{width:100%;height:auto;display:block}
svg text{fill:var(--dim);font:11px system-ui,sans-serif}details{margin:.5rem 0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);padding:.8rem;font-size:.85rem}
"""

_LEGEND = "Blue: VMs that serve. Dashed: all VMs that there are. Thin line: what served before."
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 900, 150, 34, 20, 8


def web_page(rehearsals: Sequence[Rehearsal], source: str) -> str:
    """A whole document about each set, one after the other."""
    names = ", ".join(rehearsal.name for rehearsal in rehearsals)
    sections = "\n".join("\n".join(_set(rehearsal, source)) for rehearsal in rehearsals)
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Rehearsal of {escape(names)}</title><style>{_STYLE}</style>\n<main>\n{sections}\n"
        f'<p class="dim">{escape(ASSUMED)}</p></main></html>\n'
    )


def _set(rehearsal: Rehearsal, source: str) -> Iterator[str]:
    good = not rehearsal.refused and all(run.as_it_should and run.kept_serving for run in rehearsal.runs)
    yield f"<section><h1>{escape(rehearsal.name)}</h1>"
    yield f'<p class="dim">Rehearsed from {escape(source)}. {escape(rehearsal.facts)}</p>'
    yield f'<p class="verdict {"good" if good else "bad"}">{escape(rehearsal.verdict)}</p>'
    yield "<h2>What speaks for and against it</h2>"
    yield from _findings(rehearsal)
    if rehearsal.runs:
        yield "<h2>What happened</h2>"
        yield from _table(rehearsal.runs)
    yield from (f"<p>{escape(remark)}</p>" for remark in remarks(rehearsal))
    for run, heading in zip(rehearsal.runs, headings(rehearsal.runs), strict=True):
        yield from _chart(run, heading)
    yield "</section>"


def _findings(rehearsal: Rehearsal) -> Iterator[str]:
    if not rehearsal.findings:
        yield "<p>Nothing speaks against a deployment.</p>"
        return
    yield '<div class="scroll"><table><tbody>'
    for found in rehearsal.findings:
        severity, what, remedy = finding(found)
        yield (
            f'<tr><th class="{escape(found.severity)}">{escape(severity)}</th><td>{escape(what)}'
            f'<div class="remedy">{escape(remedy)}</div></td></tr>'
        )
    yield "</tbody></table></div>"


def _table(runs: Sequence[Run]) -> Iterator[str]:
    yield '<div class="scroll"><table><thead><tr><th></th>'
    yield "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings(runs))
    yield "</tr></thead><tbody>"
    for label, cells in rows(runs):
        yield (
            f'<tr><th scope="row">{escape(label)}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            + "</tr>"
        )
    yield "</tbody></table></div>"


def _chart(run: Run, heading: str) -> Iterator[str]:
    """The two curves of a run: a filled one of the VMs that served, a line of all that there were."""
    length = max(run.figures.length, timedelta(seconds=1))
    most = max(1, *(level.vms for level in run.figures.existing))
    across = (_WIDTH - _LEFT) / length.total_seconds()
    up = (_HEIGHT - _BOTTOM - _TOP) / most

    def path(levels: Sequence[Level]) -> str:
        points = [f"M{_LEFT},{_y(levels[0].vms, up)}"]
        for level in levels[1:]:
            points.append(f"H{_LEFT + level.at.total_seconds() * across:.1f}V{_y(level.vms, up)}")
        return "".join([*points, f"H{_WIDTH}"])

    serving, floor = path(run.figures.serving), _y(run.figures.serving_before, up)
    end = _LEFT + run.time.total_seconds() * across
    words = f"{heading}: {run.status} after {clock(run.time)}; {run.reason}"
    yield f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(words)}">'
    yield f'<path d="{serving}V{_HEIGHT - _BOTTOM}H{_LEFT}Z" fill="var(--fill)"/>'
    yield f'<path d="{path(run.figures.existing)}" fill="none" stroke="var(--dim)" stroke-dasharray="3 3"/>'
    yield f'<path d="{serving}" fill="none" stroke="var(--blue)" stroke-width="2"/>'
    yield f'<path d="M{_LEFT},{floor}H{_WIDTH}" stroke="var(--warn)" stroke-width="1" opacity=".6"/>'
    yield f'<path d="M{end:.1f},{_TOP}V{_HEIGHT - _BOTTOM}" stroke="var(--line)"/>'
    yield f'<text x="0" y="{_y(most, up) + 4}">{most}</text><text x="0" y="{_HEIGHT - _BOTTOM}">0</text>'
    yield f'<text x="{min(end, _WIDTH - 50):.0f}" y="{_HEIGHT - 4}">{clock(run.time)}</text></svg>'
    yield f"<figcaption>{escape(words)}<br>{_LEGEND}</figcaption>"
    yield f"<details><summary>Its events</summary><pre>{escape(chr(10).join(run.story))}</pre></details></figure>"


def _y(vms: int, up: float) -> float:
    return round(_HEIGHT - _BOTTOM - vms * up, 1)
