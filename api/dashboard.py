"""``GET /dashboard/…``: the page that people look at, as ``make`` has built it.

It asks nobody: what the page shows it reads from the API itself, with the key of whoever looks.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import settings
from api.transport.http import Answer, Request

#: What ``dashboard/build.mjs`` writes.
BUILT = Path(settings.__file__).parent / "dashboard" / "dist"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html"
)
_HTML = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".txt": _TEXT}
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_ROUTE = re.compile(r"/dashboard(?=/|$)", re.IGNORECASE)
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?(,|\s|$))", re.IGNORECASE)

#: What the shell has in place of the way from the address bar to the page's folder.
UP = "{up}"

_UNBUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Teal</title>
<h1>The page is not built</h1>
<p>The API works without it. To build the page, run <code>make page</code> in Teal's folder. That needs Node 20.</p>
<p><a href="{up}docs">The API as a page</a></p>
</html>
"""


@dataclass(frozen=True)
class DashboardAsset:
    """A built file: ``packed`` is the same with gzip."""

    plain: bytes
    packed: bytes
    media_type: str


@dataclass(frozen=True)
class DashboardPage:
    """The built page. The names of assets hold their hashes, so what one names never changes."""

    shell: str
    assets: Mapping[str, DashboardAsset]


def answer_dashboard(request: Request, folder: Path = BUILT) -> Answer:
    """A file of the page, or its shell: it answers every address, and finds out itself what to show."""
    up, name = _place(request.url)
    page = _page(folder)
    if page is None:
        return Answer(503, _UNBUILT.replace(UP, f"{up}../"), {"Content-Security-Policy": _POLICY}, _HTML)
    if not name.startswith("assets/"):
        return _answer(request, _shell(page.shell, up), {"Content-Security-Policy": _POLICY})
    asset = page.assets.get(name)
    if asset is None:
        return Answer(404, "There is no such file: load the page anew\n", {}, _TEXT)
    return _answer(request, asset, _KEPT)


def _answer(request: Request, asset: DashboardAsset, headers: Mapping[str, str]) -> Answer:
    varying = {**headers, "Vary": "Accept-Encoding"}
    if _GZIP.search(request.headers.get("accept-encoding", "")):
        return Answer(200, asset.packed, {**varying, "Content-Encoding": "gzip"}, asset.media_type)
    return Answer(200, asset.plain, varying, asset.media_type)


@lru_cache(maxsize=8)
def _shell(shell: str, up: str) -> DashboardAsset:
    """The shell at an address so far from the page's folder."""
    plain = shell.replace(UP, up).encode()
    return DashboardAsset(plain, gzip.compress(plain, 9, mtime=0), _HTML)


def _place(url: str) -> tuple[str, str]:
    """The relative way from an address to the page's folder, and what of the address is below that.

    >>> _place("https://teal.example/api/dashboard/deployments/x?status=failed")
    ('../', 'deployments/x')
    >>> _place("https://teal.example/api/dashboard")
    ('dashboard/', '')
    """
    address = url.partition("#")[0].partition("?")[0]
    found = _ROUTE.search(address, address.find("://") + 3)
    below = address[found.end() :] if found else ""
    return ("../" * (below.count("/") - 1) if below else "dashboard/"), below[1:]


def _page(folder: Path) -> DashboardPage | None:
    try:
        return _read(folder, (folder / "index.html").stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=2)
def _read(folder: Path, changed: int) -> DashboardPage:
    """The page of a folder, read anew when it was built anew."""
    files = (path for path in sorted((folder / "assets").iterdir()) if path.suffix in _TYPES)
    assets = {f"assets/{path.name}": _asset(path) for path in files}
    return DashboardPage((folder / "index.html").read_text(encoding="utf-8"), assets)


def _asset(path: Path) -> DashboardAsset:
    return DashboardAsset(path.read_bytes(), path.with_name(f"{path.name}.gz").read_bytes(), _TYPES[path.suffix])
