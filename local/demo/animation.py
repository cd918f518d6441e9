"""``python -m local.demo.animation FILE``: the demo as an animated drawing, made from what happens in it.

Virtual time makes it the same bytes every time, so that a test can hold the README's picture to the code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from pathlib import Path

from local.azure.resources import VmChange
from local.azure.serving import serving_counts
from local.clock import run_virtual
from local.demo.acts import ACTS, ASKED
from local.virtual import VirtualPlatform

#: How long it takes, in real seconds, and how much of that the last picture stays.
SECONDS, STAYS = 30.0, 0.06
#: Between the acts, so that each can be told from the other.
PAUSE = timedelta(minutes=1)

_STEP, _RADIUS, _LEFT, _ROW, _HEIGHT = 54, 19, 46, 92, 176
_COLORS = {"1.0.0": "#4493f8", "1.1.0": "#2ea043", "1.2.0": "#f85149"}
_STYLE = """svg{font:15px ui-sans-serif,system-ui,sans-serif}text{fill:#6e7781}.title{font-size:19px;font-weight:600}
circle{stroke-width:3;animation-timing-function:step-end;animation-iteration-count:infinite;opacity:0}
.said{opacity:0;animation-timing-function:step-end;animation-iteration-count:infinite}
@media(prefers-color-scheme:dark){text{fill:#9198a1}}@media(prefers-reduced-motion:reduce){*{animation:none!important}}
"""


@dataclass(frozen=True)
class Told:
    """A text that stands from a time on, until the next one of its line."""

    at: datetime
    text: str


@dataclass(frozen=True)
class Recording:
    """What happened: the changes of VMs, and three lines of text."""

    begun: datetime
    ended: datetime
    changes: tuple[VmChange, ...]
    titles: tuple[Told, ...]
    events: tuple[Told, ...]
    serving: tuple[Told, ...]


def main() -> None:
    """Write the file."""
    Path(sys.argv[1]).write_text(draw(run_virtual(record())), encoding="utf-8")


async def record() -> Recording:
    """Play both acts."""
    async with VirtualPlatform() as platform:
        begun = platform.clock.now()
        scale_set_id = str(platform.world.groups[0]["scaleSetId"])
        titles, events = [], []
        for act in ACTS:
            titles.append(Told(platform.clock.now(), act.title))
            deployment = await platform.start(image=act.image, **ASKED)
            await platform.ended(deployment)
            events += [Told(event.at, event.message) for event in await platform.events(deployment)]
            await platform.clock.sleep(PAUSE)
        counts = serving_counts(platform.cloud, scale_set_id)
        changes = [change for change in platform.cloud.changes if change.scale_set.lower() == scale_set_id.lower()]
        serving = tuple(Told(time, f"{count} VMs serve") for time, count in counts)
        return Recording(begun, platform.clock.now(), tuple(changes), tuple(titles), tuple(events), serving)


def draw(recording: Recording) -> str:
    """The drawing."""
    places = list(_places(recording.changes))
    width = 2 * _LEFT + (max(place for place, _ in places)) * _STEP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" width="{width}" height="{_HEIGHT}" '
        f'role="img" aria-label="{escape(" ".join(told.text for told in recording.titles))}">',
        f"<style>{_STYLE}",
        *_animations(recording, places),
        "</style>",
        *_lines(recording),
        *(
            f'<circle id="v{number}" cx="{_LEFT + place * _STEP}" cy="{_ROW}" r="{_RADIUS}"/>'
            for number, (place, _) in enumerate(places)
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _places(changes: Sequence[VmChange]) -> Iterator[tuple[int, list[VmChange]]]:
    """Each VM's place, the first that is free when it comes, and its changes."""
    taken: dict[str, int] = {}
    told: dict[str, tuple[int, list[VmChange]]] = {}
    for change in changes:
        if change.vm_id not in told:
            place = next(number for number in range(len(taken) + 1) if number not in taken.values())
            taken[change.vm_id] = place
            told[change.vm_id] = (place, [])
        told[change.vm_id][1].append(change)
        if change.state == "gone":
            del taken[change.vm_id]
    yield from told.values()


def _animations(recording: Recording, places: Sequence[tuple[int, list[VmChange]]]) -> Iterator[str]:
    for number, (_, changes) in enumerate(places):
        frames = [(change.time, _look(change)) for change in changes]
        yield _keyframes(recording, f"v{number}", frames, "opacity:0")
        last = _look(changes[-1])
        yield f"#v{number}{{{last};animation-name:v{number};animation-duration:{SECONDS:g}s}}"
    for line, told in (("t", recording.titles), ("e", recording.events), ("s", recording.serving)):
        for number, one in enumerate(told):
            frames = [(one.at, "opacity:1"), *((after.at, "opacity:0") for after in told[number + 1 : number + 2])]
            yield _keyframes(recording, f"{line}{number}", frames, "opacity:0")
            shown = ";opacity:1" if number == len(told) - 1 else ""
            yield f"#{line}{number}{{animation-name:{line}{number};animation-duration:{SECONDS:g}s{shown}}}"


def _keyframes(recording: Recording, name: str, frames: Iterable[tuple[datetime, str]], before: str) -> str:
    """What something looks like from each time on; of two looks at one time the later counts."""
    length = (recording.ended - recording.begun) / (1 - STAYS)
    looks = {0.0: before}
    for time, look in frames:
        looks[max(0.0, round((time - recording.begun) / length * 100, 2))] = look
    return f"@keyframes {name}{{" + "".join(f"{at:g}%{{{look}}}" for at, look in sorted(looks.items())) + "}"


def _look(change: VmChange) -> str:
    """A VM: filled while it serves, a ring while it does not, pale while it is deleted."""
    color = _COLORS[change.image.rpartition("/")[2]]
    if change.state == "gone":
        return "opacity:0"
    fill = color if change.state in ("serving", "deleting") else "transparent"
    return f"fill:{fill};stroke:{color};opacity:{0.25 if change.state == 'deleting' else 1}"


def _lines(recording: Recording) -> Iterator[str]:
    lines = (
        ("t", "said title", 32, recording.titles),
        ("e", "said", 142, recording.events),
        ("s", "said", 164, recording.serving),
    )
    for line, kind, y, told in lines:
        for number, one in enumerate(told):
            x = _LEFT - _RADIUS
            yield f'<text id="{line}{number}" class="{kind}" x="{x}" y="{y}">{escape(_short(one.text))}</text>'


def _short(text: str) -> str:
    return text.partition(" (")[0]


if __name__ == "__main__":
    main()
