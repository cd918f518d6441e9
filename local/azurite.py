"""Azurite: Microsoft's stand-in for Azure Storage, of which Teal needs the tables.

``async with Azurite(folder) as azurite`` starts one on free ports and stops it at the end; without a folder its rows
live in memory. It does not outlive the process that started it, however that ends (``azurite_parent.cjs``).

Azurite saves every five seconds, and when it stops by itself. It reads its folder only at the start, so two of them on
one folder would overwrite each other: the second waits until the first has saved and gone. What it waits for is a lock
that the system keeps on an open file. Azurite inherits that file and never knows of it, so the lock is held for exactly
as long as its process lives, and no process id has to be guessed at.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import shutil
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

ROOT = Path(__file__).resolve().parents[1]

#: The whole of Azurite: only this program, not the one for tables alone, can choose its own port and says which.
PROGRAM = ROOT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
PRELOAD = Path(__file__).with_name("azurite_parent.cjs")

#: Every Azurite has this account and this key
#: (https://learn.microsoft.com/azure/storage/common/storage-connect-azurite#well-known-storage-account-and-key).
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

#: Seconds: for an earlier Azurite to leave the folder, for a new one to listen, for one to save and end.
FOLDER_PATIENCE = 15.0
START_PATIENCE = 60.0
STOP_PATIENCE = 15.0

_LISTENING = re.compile(rb"Table service is successfully listening at (http://\S+)")


class AzuriteError(RuntimeError):
    """Azurite cannot be started; the message says what to do."""


class Azurite:
    """One Azurite: ``endpoint`` and ``connection_string`` are known while it runs.

    ``program`` is Azurite's own script; ``folder_patience`` how long, in seconds, to wait for an earlier one's end.
    """

    def __init__(
        self, location: Path | None = None, *, program: Path = PROGRAM, folder_patience: float = FOLDER_PATIENCE
    ) -> None:
        self.location = location
        self.endpoint = ""
        self._program = program
        self._folder_patience = folder_patience
        self._stack = AsyncExitStack()

    @property
    def connection_string(self) -> str:
        """What ``TEAL_TABLES_CONNECTION`` takes."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"TableEndpoint={self.endpoint}/{ACCOUNT};"
        )

    async def __aenter__(self) -> Azurite:
        """Start it. ``AzuriteError``: it cannot be."""
        async with AsyncExitStack() as stack:
            process = await self._start()
            stack.push_async_callback(_stop, process)
            self.endpoint = await _endpoint(process)
            # Nobody reads on otherwise, and a full pipe would stop it.
            reading = asyncio.create_task(_read_on(process))
            stack.push_async_callback(_finish, reading)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self) -> asyncio.subprocess.Process:
        node = shutil.which("node")
        if node is None:
            raise AzuriteError("Azurite needs Node.js 20 or later (https://nodejs.org), and there is no `node` here")
        if not self._program.exists():
            raise AzuriteError(f"Azurite is not installed: {self._program} is missing. `make run` installs it")
        if self.location is None:
            return await _run(node, self._program, ["--inMemoryPersistence"])
        self.location.mkdir(parents=True, exist_ok=True)
        with await self._locked(self.location / "azurite.lock") as lock:
            process = await _run(node, self._program, ["--location", str(self.location)], lock)
            lock.truncate(0)
            lock.write(str(process.pid))
        return process

    async def _locked(self, path: Path) -> IO[str]:
        """The open file at ``path``, with the system's lock on it; in it, who holds the lock."""
        lock = path.open("a+")
        until = asyncio.get_running_loop().time() + self._folder_patience
        while not _try_lock(lock):
            if asyncio.get_running_loop().time() >= until:
                lock.seek(0)
                holder = lock.read()
                lock.close()
                raise AzuriteError(f"Another Azurite, process {holder}, still runs on {path.parent}: stop it first")
            await asyncio.sleep(0.05)
        return lock


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _run(node: str, program: Path, where: list[str], lock: IO[str] | None = None) -> asyncio.subprocess.Process:
    ports = ["--blobPort", "0", "--queuePort", "0", "--tablePort", "0"]
    habits = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    return await asyncio.create_subprocess_exec(
        *(node, "-r", str(PRELOAD), str(program), *ports, *where, *habits),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        # AZURITE_ACCOUNTS, say, would take the well-known account away.
        env={name: value for name, value in os.environ.items() if not name.startswith("AZURITE_")},
        pass_fds=() if lock is None else (lock.fileno(),),
        # Ctrl-C is for the parent, which then stops Azurite in its turn.
        start_new_session=True,
    )


async def _endpoint(process: asyncio.subprocess.Process) -> str:
    """Where its tables listen, as it says itself."""
    assert process.stdout is not None
    said = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(START_PATIENCE):
            while line := await process.stdout.readline():
                said += line
                if match := _LISTENING.search(line):
                    return match[1].decode()
    raise AzuriteError(f"Azurite did not start. It said:\n{said.decode(errors='replace')}")


async def _read_on(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(4096):
        pass


async def _finish(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Let it save and end; kill it where it does not."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(STOP_PATIENCE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
