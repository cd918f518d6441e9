"""All that becomes of many seeds, and one hash of it: what a change of names and places must leave as it is."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from local.recording import Tables
from local.soak.player import play
from local.soak.script import Seed

#: The random end of a deployment's id, wherever the id is, or the token that is kept for one.
_TOKEN = re.compile(r'[0-9]{8}[tT][0-9]{6}[zZ]-([0-9a-f]{6})|"token": "([0-9a-f]{6})"')

#: A digest of something that may hold a token, so it is random, too.
_DIGEST = re.compile(r"\b[0-9a-f]{32,64}\b")


def story_of(number: int) -> str:
    """A seed's story line by line, what was counted in it, and every row that it leaves; each other seed is faulty."""
    lines: list[str] = []
    tables = Tables()
    outcome = play(Seed(number, faulty=number % 2 == 1), lines.append, table=tables.table)
    counted = [outcome.problems, *map(sorted, (outcome.injected.items(), outcome.checks.items(), outcome.ends.items()))]
    rows = [[*key, columns] for key, columns in tables.rows().items()]
    return _counted("\n".join([*lines, *(json.dumps(one, default=str) for one in [counted, *rows])]))


def _counted(text: str) -> str:
    """The text with numbers in the place of random tokens, and sorted, for rows are in the order of their keys."""
    text = _DIGEST.sub("digest", text)
    found = dict.fromkeys(one or other for one, other in _TOKEN.findall(text))
    numbers = {token: f"{number:06x}" for number, token in enumerate(found, start=1)}
    text = re.sub(r"(?<![0-9a-f])[0-9a-f]{6}(?![0-9a-f])", lambda match: numbers.get(match[0], match[0]), text)
    return "\n".join(sorted(text.splitlines()))


def stories(seeds: int) -> Iterator[str]:
    """The stories of the first seeds, in their order, told by as many processes as there are processors."""
    os.environ["PYTHONHASHSEED"] = "0"
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_be_quiet) as pool:
        yield from pool.map(story_of, range(seeds))


def write_stories(seeds: int, path: Path) -> str:
    """Write the stories of the first seeds into a file; their hash."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for story in stories(seeds):
            # Requests at random hold what is no text.
            line = f"{story}\n".encode(errors="backslashreplace")
            digest.update(line)
            file.write(line)
    return digest.hexdigest()


def _be_quiet() -> None:
    logging.disable(logging.CRITICAL)
