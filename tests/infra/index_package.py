"""Index a laid-out package with Microsoft's worker library, as the Functions host does, and print what is found.

Run by tests in an interpreter of its own: ``python -I index_package.py PACKAGE LIBRARY``. It sees the package, what the
package brings, and the library; nothing of the project, and nothing that is installed.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import time
from types import SimpleNamespace
from typing import Any


class Message(SimpleNamespace):
    """A protobuf message of any type."""

    Failure, Success = 0, 1
    undefined, out, inout = 0, 1, 2


class Protos:
    """The worker's protobuf module."""

    def __getattr__(self, name: str) -> type[Message]:
        return Message


async def main(package: str, library: str) -> None:
    """Print a line of JSON: the functions with their triggers, and the seconds that the import took."""
    sys.path[:0] = [package, os.path.join(package, ".python_packages", "lib", "site-packages"), library]
    os.chdir(package)
    begun = time.perf_counter()
    importlib.import_module("function_app")
    seconds = time.perf_counter() - begun
    handle_event: Any = importlib.import_module("azure_functions_runtime.handle_event")
    start = SimpleNamespace(capabilities={}, function_app_directory=package)
    request = SimpleNamespace(worker_init_request=start)
    properties = {"host": "127.0.0.1", "protos": Protos()}
    # The library indexes while it starts, and is asked what it found.
    await handle_event.worker_init_request(SimpleNamespace(request=request, properties=properties))
    answer = await handle_event.functions_metadata_request(None)
    found = answer.function_metadata_results
    functions = {one.name: sorted(binding.type for binding in one.bindings.values()) for one in found}
    print(json.dumps({"functions": functions, "seconds": seconds, "python": list(sys.version_info[:2])}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
