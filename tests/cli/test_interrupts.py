"""Signals, a parent that dies, readers that go away: the deployment is left as asked, in time, with the right code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.front import HANG, Front, Reply, Request
from tests.cli.running import Started, Teal

pytestmark = pytest.mark.slow

#: What an interrupted command may take, whatever the network does.
IN_TIME = 5.0


@contextmanager
def waiting(teal: Teal, group: str, *more: str) -> Iterator[tuple[Started, str]]:
    """A command that waits at a gate, and its deployment."""
    started = teal.start(
        "deploy", group, "--image", "1.1.0", "--canary-size", "1", "--canary-approval", "--wait", *more
    )
    try:
        line = started.until("It waits for an approval")
        assert line
        yield started, started.until("started:").split()[1]
    finally:
        started.kill()


def struck(started: Started, number: int) -> tuple[int, float]:
    """The code after a signal to the process itself, and how long that took."""
    began = time.monotonic()
    started.process.send_signal(number)
    return started.end(), time.monotonic() - began


def status(teal: Teal, deployment: str) -> str:
    return str(teal.read(f"deployments/{deployment}")["status"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_leaves_the_deployment_and_says_how_to_watch_it_again(
    teal: Teal, group: str, number: int, code: int
) -> None:
    with waiting(teal, group) as (started, deployment):
        ended, took = struck(started, number)
        assert (ended, took < IN_TIME) == (code, True), started.text
        assert f"`teal watch {deployment}` goes on watching" in started.text
        assert status(teal, deployment) == "awaitingApproval"


def test_on_cancel_stops_or_pauses(teal: Teal, group: str) -> None:
    with waiting(teal, group, "--on-cancel", "stop") as (started, deployment):
        assert struck(started, signal.SIGINT)[0] == 130
        assert "was told to stop" in started.text
        assert teal("watch", deployment).code == 5
        (told,) = teal.read(f"deployments/{deployment}/commands")["value"]
        assert (told["command"], told["comment"]) == ("stop", "the command that waited for it was interrupted")


def test_an_interrupted_command_ends_in_time_whatever_hangs(teal: Teal, group: str, front: Front) -> None:
    hung = teal.given(TEAL_URL=front.url)
    with waiting(hung, group, "--on-cancel", "stop") as (started, deployment):
        front.rule = lambda request: HANG
        ended, took = struck(started, signal.SIGTERM)
        assert (ended, took < IN_TIME) == (143, True), (started.text, took)
        assert f"No answer to stop: deployment {deployment} may go on" in started.text
        assert len(front.asked("POST", "/stop")) == 1, "one request, and no second try"


def test_a_second_signal_ends_it_at_once(teal: Teal, group: str, front: Front) -> None:
    with waiting(teal.given(TEAL_URL=front.url), group, "--on-cancel", "stop") as (started, _):
        front.rule = lambda request: HANG
        began = time.monotonic()
        started.process.send_signal(signal.SIGINT)
        while not front.asked("POST", "/stop") and time.monotonic() - began < IN_TIME:
            time.sleep(0.02)
        started.process.send_signal(signal.SIGINT)
        assert started.end() == 130
        assert time.monotonic() - began < 2.5


def test_a_runner_s_signals_reach_a_command_that_a_shell_has_become(teal: Teal, group: str) -> None:
    """GitHub signals the step's entry process alone, which is a shell; with ``exec`` that is the command."""
    script = teal.folder / "step.sh"
    arguments = " ".join(teal.command("deploy", group, "--image", "1.1.0", "--canary-size", "1", "--canary-approval"))
    script.write_text(f"set -e\nexec {arguments} --wait --on-cancel pause\n")
    started = Started(["bash", "-e", "-o", "pipefail", str(script)], teal.variables)
    try:
        started.until("It waits for an approval")
        ended, took = struck(started, signal.SIGINT)
        assert (ended, took < IN_TIME) == (130, True)
        assert "told to pause" in started.text
    finally:
        started.kill()


def test_a_parent_that_dies_is_a_cancel(teal: Teal, group: str) -> None:
    """Node is killed under AzureCLI@2, and passes nothing on."""
    arguments = teal.command("deploy", group, "--image", "1.1.0", "--canary-size", "1", "--canary-approval", "--wait")
    parent = ["python3", "-c", f"import subprocess; subprocess.run({[*arguments, '--on-cancel', 'stop']!r})"]
    started = Started(parent, teal.variables)
    try:
        deployment = started.until("started:").split()[1]
        started.until("It waits for an approval")
        started.process.kill()
        assert "its parent process is gone" in started.until("its parent process is gone", IN_TIME)
        assert teal("watch", deployment).code == 5
    finally:
        started.kill()


def test_a_reader_that_goes_away_changes_neither_the_wait_nor_the_code(teal: Teal, group: str) -> None:
    arguments = " ".join(teal.command("deploy", group, "--image", "1.2.0", "--grace-period", "2m", "--wait"))
    piped = f"{arguments} 2>&1 | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", piped], env=teal.variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1] == "1", "the deployment failed, and that is what the code says"
    assert done.stderr == ""
    assert teal.newest(group)[0]["status"] == "failed"


def test_a_start_that_is_interrupted_says_that_it_may_have_been_accepted(teal: Teal, group: str, front: Front) -> None:
    def slow(request: Request) -> Reply | None:
        return HANG if request.method == "POST" else None

    front.rule = slow
    started = teal.given(TEAL_URL=front.url).start("deploy", group, "--image", "1.1.0")
    try:
        began = time.monotonic()
        while not front.asked("POST") and time.monotonic() - began < 20:
            time.sleep(0.02)
        ended, took = struck(started, signal.SIGINT)
        assert (ended, took < IN_TIME) == (130, True)
        assert f"may have been accepted: `teal history {group}`" in started.text
    finally:
        started.kill()


def test_a_terminal_gets_a_live_view_and_its_cursor_back(teal: Teal, group: str) -> None:
    """On a pseudo-terminal: drawn on stderr, while stdout holds the record alone."""
    import pty

    master, slave = pty.openpty()
    command = teal.command("deploy", group, "--image", "1.1.0", "--batch-size", "1", "--wait", "--output", "json")
    process = subprocess.Popen(
        command, env={**teal.variables, "TERM": "xterm-256color"}, stdout=subprocess.PIPE, stderr=slave, text=True
    )
    os.close(slave)
    drawn = b""
    try:
        while chunk := os.read(master, 65536):
            drawn += chunk
    except OSError:
        pass  # The other end is closed.
    out, _ = process.communicate(timeout=30)
    os.close(master)
    assert process.returncode == 0
    assert json.loads(out)["status"] == "finished"
    assert b"\x1b[?25l" in drawn, "the cursor is hidden while it is drawn"
    assert drawn.rindex(b"\x1b[?25h") > drawn.rindex(b"\x1b[?25l")
    assert "█".encode() in drawn
    assert b"batch 2 of 2" in drawn
