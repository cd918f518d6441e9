"""A host in a process of its own, killed with ``kill -9`` while it works, and gone on with from its file."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.clock import PlatformClock
from local.functions.host import FunctionsHost
from local.state import StateFile

STEPS = 40

# The other process says each effect as it happens; its clock is real, so that it is killed in the middle of things.
VICTIM = f"""
import asyncio, importlib.util, sys
spec = importlib.util.spec_from_file_location("scenes", "tests/local/durable/conftest.py")
scenes = importlib.util.module_from_spec(spec)
sys.modules["scenes"] = scenes
spec.loader.exec_module(scenes)
from local.clock import PlatformClock
from local.state import StateFile

def story(context):
    for step in range({STEPS}):
        yield context.call_activity("work", step)

async def main():
    scene = scenes.Scene()
    scene.storage = StateFile(sys.argv[1])
    scene.ledger.effects = Said()
    scene.add(story)
    host = scene.open_host(PlatformClock())
    await host.start()
    host.durable.start_instance("story", "one")
    await host.durable.wait("one")

class Said(list):
    def append(self, effect):
        print(effect, flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("effects", [1, 7, 20])
def test_a_killed_process_is_gone_on_with(scene: Any, tmp_path: Path, effects: int) -> None:
    path = tmp_path / "state.db"
    process = subprocess.Popen([sys.executable, "-c", VICTIM, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(effects)]
    process.send_signal(signal.SIGKILL)
    said += process.stdout.read().split("\n")[:-1]
    process.wait()
    process.stdout.close()

    def story(context: Any) -> Any:
        for step in range(STEPS):
            yield context.call_activity("work", step)

    async def go_on(host: FunctionsHost, clock: PlatformClock) -> None:
        await host.durable.wait("one")

    state = StateFile(path)
    scene.storage = state
    scene.add(story)
    scene.play(go_on)
    state.close()
    everything = said + scene.ledger.effects
    assert set(everything) == {f"work {step}" for step in range(STEPS)}
    # Only what was under way at the kill may have run twice.
    assert len(everything) <= STEPS + 1
