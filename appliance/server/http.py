"""Requests and responses over HTTP, as whoever answers one sees them. exchange.py reads and writes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

BODY_S = 10.0
"""How long the next piece of a request's body, or room for the next piece of a response, may take."""

TEXT = "text/plain; charset=utf-8"
SECURITY = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}


class HttpError(Exception):
    """A request that cannot be answered, and the answer it gets."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Body:
    """What comes after a request's head; never more than a few pieces of it are kept."""

    def __init__(self, ready: Callable[[], None]) -> None:
        self._ready = ready
        self._pieces = bytearray()
        self._changed = asyncio.Event()
        self._ended = False
        self._lost = False

    @property
    def waiting_bytes(self) -> int:
        return len(self._pieces)

    @property
    def is_lost(self) -> bool:
        """Nobody waits for an answer any more."""
        return self._lost

    async def read(self) -> bytes:
        """The next piece; b"" at the end. Raises HttpError 408 when none comes, ConnectionError when nobody is left."""
        self._ready()
        while not self._pieces and not self._ended:
            if self._lost:
                raise ConnectionResetError("the client left in the middle of its request")
            self._changed.clear()
            try:
                async with asyncio.timeout(BODY_S):
                    await self._changed.wait()
            except TimeoutError:
                raise HttpError(408, f"Nothing came of the request's body for {BODY_S:g} s.\n") from None
        piece, self._pieces = bytes(self._pieces), bytearray()
        if piece:
            self._ready()
        return piece

    async def whole(self, most_bytes: int) -> bytes:
        """All of it. Raises HttpError 413 when it is longer than `most_bytes`."""
        body = b""
        while piece := await self.read():
            body += piece
            if len(body) > most_bytes:
                raise HttpError(413, f"The body has more than {most_bytes} bytes, which is the limit here.\n")
        return body

    def put(self, piece: bytes) -> None:
        self._pieces += piece
        self._changed.set()

    def end(self, *, lost: bool = False) -> None:
        self._ended, self._lost = self._ended or not lost, lost
        self._changed.set()


@dataclass(frozen=True)
class Request:
    """One request's head, and its body to be read. headers: by lower-case name; those that may repeat are joined."""

    method: str
    target: str
    headers: Mapping[str, str]
    address: str = "127.0.0.1"
    """The other end's IP address."""
    secure: bool = False
    """Whether it came over TLS."""
    body: Body = field(default_factory=lambda: Body(lambda: None))

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def upgrades(self) -> bool:
        """Whether it asks for a WebSocket."""
        return self.headers.get("upgrade", "").lower() == "websocket"


@dataclass(frozen=True)
class Response:
    """body: bytes, or pieces that are sent as they come."""

    status: int
    body: bytes | AsyncIterable[bytes] = b""
    content_type: str = TEXT
    headers: Mapping[str, str] = field(default_factory=dict)


def respond(status: int, body: bytes | str, content_type: str = TEXT, **headers: str) -> Response:
    """A whole response; a keyword a header ("set_cookie" → Set-Cookie)."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Response(status, body.encode() if isinstance(body, str) else body, content_type, named)


Answer = Callable[[Request], "Response | Awaitable[Response]"]
