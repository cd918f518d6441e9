"""Work on a thread of its own, so that a signal is heeded at once, whatever the network does.

The main thread only waits: for the work's end, for SIGINT, SIGTERM or SIGHUP, or for the parent process to be gone,
which is the only sign under a task that passes no signal on.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from teal_cli.exits import Exit

#: How often the main thread looks, in seconds.
_LOOK = 0.1

#: How long an interrupted command may still take: its request has three seconds.
_PARTING = 4.0


@dataclass
class _Struck:
    code: Exit | None = None


def supervise(work: Callable[[], Exit], interrupted: Callable[[str], None]) -> Exit:
    """The code of ``work``. Where that is interrupted, ``interrupted`` is called, and the process ends.

    A second signal ends the process at once. One that is ignored, as ``nohup`` and a shell's ``&`` have it, stays so.
    """
    struck = _Struck()
    _listen(struck)
    ends: list[Exit] = []
    parent = os.getppid()
    thread = threading.Thread(target=lambda: ends.append(work()), daemon=True, name="work")
    thread.start()
    while thread.is_alive():
        thread.join(_LOOK)
        if struck.code is None and os.getppid() != parent and _hangs_up():
            _leave(Exit.TERMINATED, "its parent process is gone", interrupted)
        if struck.code is not None:
            _leave(struck.code, "interrupted", interrupted)
    return ends[0] if ends else Exit.NO_ANSWER


def _listen(struck: _Struck) -> None:
    def strike(number: int, frame: FrameType | None) -> None:
        code = Exit.INTERRUPTED if number == signal.SIGINT else Exit.TERMINATED
        if struck.code is not None:
            os._exit(code)
        struck.code = code

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, strike)


def _hangs_up() -> bool:
    """Not under ``nohup``: that was asked to outlive its parent."""
    number = getattr(signal, "SIGHUP", None)
    return number is not None and signal.getsignal(number) is not signal.SIG_IGN


def _leave(code: Exit, why: str, interrupted: Callable[[str], None]) -> None:
    """Take leave on a thread, which may hang in a request or in a full pipe, and end in time all the same."""
    parting = threading.Thread(target=lambda: interrupted(why), daemon=True, name="parting")
    parting.start()
    parting.join(_PARTING)
    os._exit(code)
