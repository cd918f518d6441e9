"""README and docs can be pasted from top to bottom: every block is run in order, and each answer shown is compared.

* ``sh``: run, against a platform that the document has for itself; ``make run`` starts it anew. What cannot be run here
  says so in its first line (``ELSEWHERE``).
* the ``json`` or ``text`` block after it: the answer. Ids, times, ports and tokens may differ; ``…`` is anything.
  A block that only reads is asked until its answer is the one shown: deployments take their time.
* ``python``: run as a program.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

#: How long a reading block is asked for its answer, and any other may take, in real seconds.
PATIENCE = 60.0

#: Faster than `make run` itself.
SPEED = "600"

#: What the first line of a block says that is not run here.
ELSEWHERE = ("# In Azure", "# With the Azure CLI", "# On a VM", "# In a pipeline", "# Takes minutes", "# As tests/")

#: Documents of blocks, each with the number of those that are run, of answers that are compared, and of those that
#: cannot be run here. Other documents have none that could be.
DOCUMENTS: dict[str, tuple[int, int, int]] = {
    "README.md": (2, 2, 2),
    "docs/api.md": (4, 4, 2),
    "docs/azure.md": (0, 0, 2),
    "docs/command.md": (0, 0, 2),
    "docs/deploying.md": (21, 21, 0),
    "docs/health.md": (0, 0, 1),
    "docs/local.md": (2, 2, 8),
    "docs/operations.md": (0, 0, 1),
    "docs/performance.md": (0, 0, 1),
    "docs/security.md": (0, 0, 2),
}


@dataclass(frozen=True)
class Block:
    """A fenced block, with what comes right after it where that shows its answer."""

    line: int
    language: str
    text: str
    answer: str | None = None

    @property
    def runs_here(self) -> bool:
        return self.language in ("sh", "python") and not self.text.startswith(ELSEWHERE)

    @property
    def reads(self) -> bool:
        """Whether it may be asked again."""
        changes = re.search(r"-X|\bpost |<<|\bmake |^\w+=|\(\) \{|[^|&]>", self.text, re.MULTILINE)
        return self.language == "sh" and not changes


def blocks(path: Path) -> list[Block]:
    """The blocks of a document, in order."""
    found = [
        Block(path.read_text(encoding="utf-8")[: match.start()].count("\n") + 1, match[1], match[2])
        for match in re.finditer(r"^```(\w*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    ]
    return [_with_answer(block, found[number + 1 : number + 2]) for number, block in enumerate(found)]


def _with_answer(block: Block, following: Sequence[Block]) -> Block:
    answers = [one.text for one in following if block.runs_here and one.language in ("json", "text")]
    return Block(block.line, block.language, block.text, answers[0] if answers else None)


def documents() -> list[str]:
    return [str(path.relative_to(ROOT)) for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))]


def test_every_block_is_run_or_says_why_not_and_they_are_counted() -> None:
    counts = {}
    for name in documents():
        found = blocks(ROOT / name)
        sh = [block for block in found if block.language in ("sh", "python")]
        run = [block for block in sh if block.runs_here]
        if sh:
            counts[name] = (len(run), sum(block.answer is not None for block in run), len(sh) - len(run))
    assert counts == DOCUMENTS


def test_every_block_that_is_run_is_followed_by_its_answer() -> None:
    silent = [
        f"{name}:{block.line}"
        for name in DOCUMENTS
        for block in blocks(ROOT / name)
        if block.runs_here and block.answer is None
    ]
    assert silent == []


def test_every_target_of_make_that_a_document_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for name in (*documents(), "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        named = set(re.findall(r"(?:`|^ {4}|^)make (?:[A-Z]+=\S+ )?([a-z]+)\b", text, re.MULTILINE))
        assert named - targets == set(), name


_MASKS = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)", "<time>"),
    (r"\b([a-z0-9-]+)-\d{8}T\d{6}Z-[0-9a-f]{6}\b", r"<\1>"),
    (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<guid>"),
    (r"\b(?:localhost|127\.0\.0\.1):\d+", "<host>"),
    (r"\b\d+:\d\d(?::\d\d)?\b", "<clock>"),
)


def masked(text: str) -> str:
    """The text without what is another in every run."""
    for pattern, mask in _MASKS:
        text = re.sub(pattern, mask, text)
    return text


def same_text(shown: str, real: str) -> bool:
    """Whether a text is as shown; ``…`` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in masked(shown).strip().split("…"))
    return re.fullmatch(pattern, masked(real).strip(), re.DOTALL) is not None


def differs(shown: Any, real: Any, at: str = "") -> str | None:
    """Where JSON is not as shown; ``"…": "…"`` stands for further fields, ``"…"`` for any value or further items."""
    if shown == "…":
        return None
    if isinstance(shown, dict) and isinstance(real, dict):
        if unknown := [name for name in shown if name != "…" and name not in real]:
            return f"{at} has no {unknown[0]}"
        if "…" not in shown and (more := sorted(real.keys() - shown.keys())):
            return f"{at} has {', '.join(more)} too"
        return next(
            (d for name in shown if name != "…" and (d := differs(shown[name], real[name], f"{at}.{name}"))), None
        )
    if isinstance(shown, list) and isinstance(real, list):
        more_may_come = shown[-1:] == ["…"]
        items = shown[:-1] if more_may_come else shown
        if len(real) < len(items) or (len(real) > len(items) and not more_may_come):
            return f"{at} has {len(real)} items, not {len(items)}"
        return next(
            (d for number, one in enumerate(items) if (d := differs(one, real[number], f"{at}[{number}]"))), None
        )
    if isinstance(shown, str) and isinstance(real, str):
        return None if same_text(shown, real) else f"{at} is {real!r}, not {shown!r}"
    return None if shown == real else f"{at} is {real!r}, not {shown!r}"


def difference(block: Block, real: str) -> str | None:
    """Where an answer is not as the document shows it."""
    assert block.answer is not None
    try:
        shown = json.loads(block.answer)
    except ValueError:
        return None if same_text(block.answer, real) else f"the answer is\n{real}\nnot\n{block.answer}"
    try:
        return differs(shown, json.loads(real), "the answer")
    except ValueError:
        return f"no JSON: {real!r}"


@pytest.mark.parametrize(
    ("shown", "real", "words"),
    [
        ('{"a": 1}', '{"a": 1}', None),
        ('{"a": 1}', '{"a": 2}', "the answer.a is 2, not 1"),
        ('{"a": 1}', '{"a": 1, "b": 2}', "the answer has b too"),
        ('{"a": 1, "…": "…"}', '{"a": 1, "b": 2}', None),
        ('{"b": 1, "…": "…"}', '{"a": 1}', "the answer has no b"),
        ('{"a": "…"}', '{"a": [1]}', None),
        ("[1]", "[1, 2]", "the answer has 2 items, not 1"),
        ('[1, "…"]', "[1, 2]", None),
        ('["web_1…"]', '["web_12"]', None),
        ('["2026-01-01T00:00:00Z"]', '["2027-02-03T04:05:06.789Z"]', None),
        ('["web-20261201T100000Z-1a2b3c"]', '["web-20270101T100000Z-ffffff"]', None),
        ('["web-20261201T100000Z-1a2b3c"]', '["api-20270101T100000Z-ffffff"]', "…"),
        ("a\n…\nc", "a\nb\nbb\nc", None),
        ("a\nc", "a\nb\nc", "…"),
        ("{}", "Service Unavailable", "no JSON: 'Service Unavailable'"),
    ],
)
def test_an_answer_is_compared(shown: str, real: str, words: str | None) -> None:
    found = difference(Block(1, "sh", "", shown), real)
    assert found == words if words != "…" else found is not None


class Reader:
    """Somebody who pastes block after block into one shell, with a platform beside it."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._shell: asyncio.subprocess.Process | None = None
        self._platform: asyncio.subprocess.Process | None = None
        self._ports: dict[str, str] = {}

    async def paste(self, block: Block) -> str:
        """Run a block; what it printed."""
        words = shlex.split(block.text) if block.text.startswith("make ") else []
        if words[1:2] == ["run"]:
            return await self._start_platform(*_options(words))
        if self._platform is None and "localhost:" in block.text:
            await self._start_platform()
        if words:
            module = {"demo": "local.demo", "rehearse": "local.rehearsal"}[words[1]]
            return await self._program("-m", module, *_options(words), *_speed(words[1]))
        text = self._here(block.text)
        return await self._program("-c", text) if block.language == "python" else await self._in_shell(text)

    async def _start_platform(self, *options: str) -> str:
        if self._platform is not None:
            await _stop(self._platform)
        arguments = ("-m", "local", *options, "--port", "0", "--azure-port", "0", *_speed("run"))
        self._platform = await self._spawn(sys.executable, *arguments)
        self._stack.push_async_callback(_stop, self._platform)
        said = await _read_until(self._platform, "Ctrl-C stops everything.")
        api, azure = re.search(r"API +http://\S+:(\d+)/api", said), re.search(r"\(ARM\) +http://\S+:(\d+)", said)
        assert api is not None
        assert azure is not None
        self._ports = {"localhost:7071": f"localhost:{api[1]}", "localhost:7072": f"localhost:{azure[1]}"}
        return said

    async def _in_shell(self, text: str) -> str:
        if self._shell is None:
            self._shell = await self._spawn("bash", "--norc")
            self._stack.push_async_callback(_stop, self._shell)
        assert self._shell.stdin is not None
        self._shell.stdin.write(f"{text}\necho '\n(the end)'\n".encode())
        return (await _read_until(self._shell, "(the end)")).removesuffix("(the end)")

    async def _program(self, *arguments: str) -> str:
        process = await self._spawn(sys.executable, *arguments)
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(PATIENCE):
            said = await process.stdout.read()  # type: ignore[union-attr]
            code = await process.wait()
        assert code == 0, said.decode()
        return said.decode()

    async def _spawn(self, *command: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=self._folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        )

    def _here(self, text: str) -> str:
        for documented, real in self._ports.items():
            text = text.replace(documented, real)
        return text


def _options(words: Sequence[str]) -> Iterator[str]:
    """What a line of `make` hands on to the program."""
    for word in words[2:]:
        name, _, value = word.partition("=")
        yield from shlex.split(value) if name in ("SET", "ARGS") else ()


def _speed(target: str) -> tuple[str, ...]:
    return () if target == "rehearse" else ("--speed", SPEED)


async def _read_until(process: asyncio.subprocess.Process, end: str) -> str:
    said = ""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while line := (await process.stdout.readline()).decode():
            said += line
            if line.strip() == end:
                return said.rstrip("\n")
    raise AssertionError(f"it ended after\n{said}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT if process.stdin is None or process.stdin.is_closing() else signal.SIGTERM)
        await process.wait()


async def _answer(reader: Reader, block: Block) -> str | None:
    """Where the answer is not as shown; a block that only reads is asked again until it is."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while found := difference(block, await reader.paste(block)):
        if not block.reads or asyncio.get_running_loop().time() > end:
            return found
        await asyncio.sleep(0.1)
    return None


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, (run, *_) in DOCUMENTS.items() if run])
async def test_every_block_is_pasted_in_order_and_answers_as_shown(name: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "local" / "worlds" / "example-set.json", tmp_path / "my-set.json")
    async with AsyncExitStack() as stack:
        reader = Reader(tmp_path, stack)
        for block in blocks(ROOT / name):
            if block.runs_here:
                assert (f"{name}:{block.line}", await _answer(reader, block)) == (f"{name}:{block.line}", None)
