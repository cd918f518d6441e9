"""Azurite starts on free ports, keeps what it was given, and never outlives the process that started it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.tables import connect, table_store
from local.azurite import ROOT, Azurite, AzuriteError
from rollout.model.group import Group
from rollout.ports.store import Store
from settings import Settings

pytestmark = pytest.mark.slow

WEB = Group("web", "/sets/web")

#: A process that starts Azurite on a folder, writes one row, says so, and does nothing more.
PARENT = """
import asyncio, signal, sys
from pathlib import Path
from adapters.tables import connect, table_store
from local.azurite import Azurite
from rollout.model.group import Group
from settings import Settings

async def main():
    async with Azurite(Path(sys.argv[1])) as azurite:
        async with connect(Settings(tables_connection=azurite.connection_string)) as service:
            await table_store(service).groups.put(Group("web", "/sets/web"))
            print("written", flush=True)
            await asyncio.Event().wait()

# A shell starts background jobs with Ctrl-C ignored, and what they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main())
"""


@contextmanager
def parent_of_azurite(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PARENT, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        try:
            yield parent
        finally:
            parent.kill()


async def until_azurite_runs_on(folder: Path) -> None:
    lock = folder / "azurite.lock"
    while not (lock.exists() and lock.read_text()):
        await asyncio.sleep(0.01)


async def groups(azurite: Azurite, *, put: Group | None = None) -> tuple[Group, ...]:
    async with connect(Settings(tables_connection=azurite.connection_string)) as service:
        store: Store = table_store(service)
        if put is not None:
            await store.groups.put(put)
        return await store.groups.list()


async def test_without_a_folder_rows_end_with_azurite() -> None:
    async with Azurite() as azurite:
        assert await groups(azurite, put=WEB) == (WEB,)
    async with Azurite() as azurite:
        assert await groups(azurite) == ()


async def test_two_run_side_by_side_on_ports_of_their_own() -> None:
    async with Azurite() as one, Azurite() as other:
        assert one.endpoint != other.endpoint
        await groups(one, put=WEB)
        assert await groups(other) == ()


async def test_a_row_written_just_before_the_stop_is_there_at_the_next_start(tmp_path: Path) -> None:
    async with Azurite(tmp_path / "new" / "folder") as azurite:
        await groups(azurite, put=WEB)
    async with Azurite(tmp_path / "new" / "folder") as azurite:
        assert await groups(azurite) == (WEB,)


async def test_when_its_parent_is_killed_azurite_saves_its_rows_and_ends(tmp_path: Path) -> None:
    with parent_of_azurite(tmp_path) as parent:
        assert parent.stdout is not None
        assert await asyncio.to_thread(parent.stdout.readline) == "written\n"
        os.kill(parent.pid, signal.SIGKILL)
    # A start on the folder succeeds only once the first has gone.
    async with Azurite(tmp_path) as azurite:
        assert await groups(azurite) == (WEB,)


async def test_when_its_parent_is_killed_while_azurite_starts_it_ends_as_well(tmp_path: Path) -> None:
    with parent_of_azurite(tmp_path) as parent:
        await until_azurite_runs_on(tmp_path)
        os.kill(parent.pid, signal.SIGKILL)
    async with Azurite(tmp_path) as azurite:
        assert await groups(azurite, put=WEB) == (WEB,)


async def test_ctrl_c_reaches_the_parent_only_which_stops_azurite(tmp_path: Path) -> None:
    with parent_of_azurite(tmp_path) as parent:
        assert parent.stdout is not None
        assert await asyncio.to_thread(parent.stdout.readline) == "written\n"
        azurite_process = int((tmp_path / "azurite.lock").read_text())
        assert os.getsid(azurite_process) == azurite_process
        parent.send_signal(signal.SIGINT)
        await asyncio.to_thread(parent.wait)
    async with Azurite(tmp_path, folder_patience=0) as azurite:
        assert await groups(azurite) == (WEB,)


async def test_a_second_start_on_a_folder_waits_for_the_end_of_the_first(tmp_path: Path) -> None:
    async with Azurite(tmp_path) as first:
        second = Azurite(tmp_path)
        starting = asyncio.create_task(second.__aenter__())
        await groups(first, put=WEB)
        assert not starting.done()
    await starting
    try:
        assert await groups(second) == (WEB,)
    finally:
        await second.__aexit__(None, None, None)


async def test_a_folder_that_is_not_left_in_time_is_an_error_that_names_the_process(tmp_path: Path) -> None:
    async with Azurite(tmp_path):
        process = (tmp_path / "azurite.lock").read_text()
        with pytest.raises(AzuriteError, match=f"Another Azurite, process {process}, still runs on {tmp_path}"):
            await Azurite(tmp_path, folder_patience=0.1).__aenter__()


async def test_a_missing_azurite_is_an_error_that_says_what_installs_it(tmp_path: Path) -> None:
    with pytest.raises(AzuriteError, match="`make run` installs it"):
        await Azurite(program=tmp_path / "azurite.js").__aenter__()


def test_a_missing_node_is_an_error_that_says_so(tmp_path: Path) -> None:
    program = "import asyncio; from local.azurite import Azurite; asyncio.run(Azurite().__aenter__())"
    command = [sys.executable, "-c", program]
    ended = subprocess.run(
        command, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=60
    )
    assert "Azurite needs Node.js 20 or later" in ended.stderr


async def test_an_azurite_that_fails_to_start_is_an_error_with_its_own_words(tmp_path: Path) -> None:
    program = tmp_path / "azurite.js"
    program.write_text("console.log('no room left'); process.exit(1);")
    with pytest.raises(AzuriteError, match="no room left"):
        await Azurite(program=program).__aenter__()
