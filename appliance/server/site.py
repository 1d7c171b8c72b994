"""The page's files over HTTP. GET only: the WebSocket server answers nothing else before an upgrade."""

from __future__ import annotations

import http
from pathlib import Path

from websockets.datastructures import Headers
from websockets.http11 import Response

TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png",
    ".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8", ".ico": "image/x-icon",
}

SECURITY = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
    "media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}


class Site:
    """Files below one directory. `/shared/…` is the migration guide's name for the same files."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def respond(self, path: str) -> Response:
        """The file at a URL path (without query), or a 404 in plain words."""
        relative = path.removeprefix("/shared").lstrip("/") or "index.html"
        file = (self._root / relative).resolve()
        if not file.is_relative_to(self._root) or not file.is_file() or file.suffix not in TYPES:
            return respond(http.HTTPStatus.NOT_FOUND, f"There is no {path[:200]} here.\n")
        return respond(http.HTTPStatus.OK, file.read_bytes(), TYPES[file.suffix])


def find_site() -> Path:
    """Where the page is: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    return next((path for path in (package / "web", package.parent / "web") if path.is_dir()), package / "web")


def respond(status: http.HTTPStatus, body: bytes | str, content_type: str = TYPES[".txt"]) -> Response:
    """A whole HTTP response that closes its connection."""
    content = body.encode() if isinstance(body, str) else body
    headers = Headers(
        {"Content-Type": content_type, "Content-Length": str(len(content)), "Cache-Control": "no-cache",
         "Connection": "close"} | SECURITY)
    return Response(status.value, status.phrase, headers, content)
