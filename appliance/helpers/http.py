"""Requests to the owner's targets, over asyncio and h11: small, bounded, and never anywhere else.

No redirects are followed, no proxy of the environment is asked, nothing is cached and no cookie is kept. Every
connection is for one request. Why not a client library: docs/decisions.md.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache

import h11

from appliance.helpers.targets import Target

CONNECT_S = 3.0
SILENT_S = 10.0
"""Nothing came for so long: whoever it is has stalled."""
MOST_BYTES = 1 << 20
_READ_BYTES = 16 * 1024


class Away(Exception):
    """No usable answer. kind: "away" (not there, stalled, broke off), "denied" (401, 403), "wrong" (any other)."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Answer:
    """An answer that has begun, with a status of 200 to 299. `chunks` may be read once."""

    def __init__(self, chunks: AsyncIterator[bytes], content_type: str) -> None:
        self.chunks, self.content_type = chunks, content_type

    async def text(self) -> str:
        """All of it. Raises Away if it breaks off, or is larger than MOST_BYTES."""
        return b"".join([chunk async for chunk in self.chunks]).decode("utf-8", errors="replace")


@asynccontextmanager
async def asked(
    to: Target,
    method: str,
    path: str = "",
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float,
    silent_s: float = SILENT_S,
) -> AsyncIterator[Answer]:
    """Send a request and read its answer inside the block. Raises Away, in the block too.

    path: behind the target's own; already quoted. timeout_s: for the whole. silent_s: between two pieces.
    """
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            async with asyncio.timeout(CONNECT_S):
                secure = await asyncio.to_thread(_trusted) if to.scheme == "https" else None
                reader, writer = await asyncio.open_connection(to.host, to.port, ssl=secure)
            exchange = _Exchange(to, reader, silent_s)
            whole = f"{to.path}{path}"
            writer.write(exchange.request(method, whole if whole.startswith("/") else f"/{whole}", body, headers or {}))
            await writer.drain()
            yield await exchange.begun()
    except TimeoutError:
        raise Away("away", f"{to.name} does not answer in time") from None
    except ssl.SSLCertVerificationError as error:
        raise Away("wrong", f"{to.name} shows a certificate that is not trusted: {error.verify_message}") from error
    except OSError as error:
        raise Away("away", f"{to.name} cannot be reached: {error.strerror or error}") from error
    except h11.ProtocolError as error:
        raise Away("wrong", f"{to.name} does not speak HTTP: {error}") from error
    finally:
        if writer is not None:
            writer.transport.abort()


@cache
def _trusted() -> ssl.SSLContext:
    """What this system trusts; reading that takes 20 ms, once."""
    return ssl.create_default_context()


class _Exchange:
    """One request and its answer."""

    def __init__(self, to: Target, reader: asyncio.StreamReader, silent_s: float) -> None:
        self._to, self._reader, self._silent_s = to, reader, silent_s
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_READ_BYTES)

    def request(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        own = {
            "Host": self._to.authority,
            "Connection": "close",
            "Accept-Encoding": "identity",
            "User-Agent": "stimme",
            **({"Content-Length": str(len(body))} if body is not None else {}),
            **headers,
        }
        sent = self._connection.send(h11.Request(method=method, target=path, headers=list(own.items()))) or b""
        if body is not None:
            sent += self._connection.send(h11.Data(data=body)) or b""
        return sent + (self._connection.send(h11.EndOfMessage()) or b"")

    async def begun(self) -> Answer:
        while not isinstance(event := await self._event(), h11.Response):
            if not isinstance(event, h11.InformationalResponse):
                raise Away("wrong", f"{self._to.name} sends {type(event).__name__} where its answer should be")
        status = event.status_code
        if status in (401, 403):
            raise Away("denied", f"{self._to.name} answers {status}: the token is not accepted")
        if 300 <= status < 400:
            raise Away("wrong", f"{self._to.name} answers {status} and sends elsewhere, which is never followed")
        if not 200 <= status < 300:
            raise Away("wrong", f"{self._to.name} answers {status}")
        types = [value for name, value in event.headers if name == b"content-type"]
        return Answer(self._chunks(), types[0].decode("latin-1").lower() if types else "")

    async def _chunks(self) -> AsyncIterator[bytes]:
        total = 0
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                raise Away("wrong", f"{self._to.name} sends {type(event).__name__} inside of its answer")
            total += len(event.data)
            if total > MOST_BYTES:
                raise Away("wrong", f"{self._to.name} sends more than {MOST_BYTES} bytes")
            yield bytes(event.data)

    async def _event(self) -> object:
        data = b"something"
        try:
            while (event := self._connection.next_event()) is h11.NEED_DATA:
                async with asyncio.timeout(self._silent_s):
                    data = await self._reader.read(_READ_BYTES)
                self._connection.receive_data(data)
        except h11.RemoteProtocolError:
            if not data:
                raise Away("away", f"{self._to.name} broke off before its answer was whole") from None
            raise
        return event
