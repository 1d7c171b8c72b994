"""The page's files over HTTP: read once, compressed once, and cached by what they contain.

The page itself is asked for anew each time, which costs one small answer while it is the same; everything that it loads
stands below `/~VERSION/`, where VERSION names the content of all files, so that a browser keeps it for good and a
changed page loads all of its new parts.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from appliance.server.access import Visitor
from appliance.server.http import TEXT, Request, Response, respond
from appliance.server.linking import linked

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
    ".txt": TEXT,
    ".ico": "image/x-icon",
}
PACKED = {".html", ".css", ".js", ".json", ".svg", ".webmanifest", ".txt"}
FOR_GOOD = "public, max-age=31536000, immutable"

_VERSIONED = re.compile(r"/~[0-9a-f]+(?=/)")
_LOADED = re.compile(r'\b(href|src)="(?!https?:|/|#|data:)([^"]+)"')
_MODULE = re.compile(r'<script type="module" src="([^":]+)"')


@dataclass(frozen=True)
class File:
    plain: bytes
    packed: bytes
    """As gzip; empty where that saves nothing."""
    content_type: str
    tag: str


class Site:
    """The files below one directory, listed once: no path that was asked for ever reaches the disk.

    `/shared/…` is the migration guide's name for the same files.
    """

    def __init__(self, root: Path) -> None:
        paths = sorted(file for file in root.rglob("*") if file.is_file() and file.suffix in TYPES)
        contents = {f"/{path.relative_to(root).as_posix()}": path.read_bytes() for path in paths}
        everything = sha256()
        for name, content in contents.items():
            everything.update(name.encode() + content)
        self.version = everything.hexdigest()[:12]
        if "/index.html" in contents:
            contents |= self._page(contents)
        self._files = {name: _file(name, content) for name, content in contents.items()}

    def answer(self, request: Request, visitor: Visitor) -> Response:
        """The file at the request's path, or a 404 in plain words."""
        version = _VERSIONED.match(request.path)
        path = request.path[version.end() if version else 0 :].removeprefix("/shared")
        file = self._files.get("/index.html" if path in ("", "/") else path)
        if file is None:
            return respond(HTTPStatus.NOT_FOUND, f"There is no {request.path[:200]} here.\n")
        for_good = version is not None and version[0] == f"/~{self.version}"
        headers = {"ETag": file.tag, "Vary": "Accept-Encoding"} | ({"Cache-Control": FOR_GOOD} if for_good else {})
        if file.tag in request.headers.get("if-none-match", ""):
            return Response(HTTPStatus.NOT_MODIFIED, b"", file.content_type, headers)
        if file.packed and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(HTTPStatus.OK, file.packed, file.content_type, headers | {"Content-Encoding": "gzip"})
        return Response(HTTPStatus.OK, file.plain, file.content_type, headers)

    def _page(self, contents: dict[str, bytes]) -> dict[str, bytes]:
        """The page with its parts below /~VERSION/, and its modules put together: loaded one by one they cost a tablet
        half a second."""
        html = contents["/index.html"].decode()
        modules = {name: content.decode() for name, content in contents.items() if name.endswith(".js")}
        made = {"/index.html": _LOADED.sub(rf'\1="/~{self.version}/\2"', html)}
        for entry in _MODULE.findall(html):
            made |= linked(f"/{entry}", modules)
        return {name: text.encode() for name, text in made.items()}


def _file(name: str, content: bytes) -> File:
    suffix = Path(name).suffix
    packed = gzip.compress(content, 9, mtime=0) if suffix in PACKED else b""
    return File(
        content, packed if len(packed) < len(content) else b"", TYPES[suffix], f'"{sha256(content).hexdigest()[:20]}"'
    )


def find_site() -> Path:
    """Where the page is: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    return next((path for path in (package / "web", package.parent / "web") if path.is_dir()), package / "web")
