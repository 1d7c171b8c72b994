"""The page's files over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from appliance.server.access import Visitor
from appliance.server.http import TEXT, Request, Response, respond

TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png",
    ".webmanifest": "application/manifest+json", ".txt": TEXT, ".ico": "image/x-icon",
}


class Site:
    """The files below one directory, listed once: no path that was asked for ever reaches the disk.

    `/shared/…` is the migration guide's name for the same files.
    """

    def __init__(self, root: Path) -> None:
        files = (file for file in root.rglob("*") if file.is_file() and file.suffix in TYPES)
        self._files = {f"/{file.relative_to(root).as_posix()}": file for file in files}

    def answer(self, request: Request, visitor: Visitor) -> Response:
        """The file at the request's path, or a 404 in plain words."""
        path = request.path.removeprefix("/shared")
        file = self._files.get("/index.html" if path in ("", "/") else path)
        if file is None:
            return respond(HTTPStatus.NOT_FOUND, f"There is no {request.path[:200]} here.\n")
        return respond(HTTPStatus.OK, file.read_bytes(), TYPES[file.suffix])


def find_site() -> Path:
    """Where the page is: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    return next((path for path in (package / "web", package.parent / "web") if path.is_dir()), package / "web")
