"""HTTP/1.1 on one connection: requests with limits in, responses out, whole or piece by piece. h11 reads and writes.

An Exchange knows no WebSocket and no rules of who may ask for what; `answer` decides that, request by request.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, Protocol

import h11

from appliance.server.http import BODY_S, SECURITY, Answer, Body, HttpError, Request, Response, respond

log = logging.getLogger(__name__)

MAX_HEAD_BYTES = 16 * 1024
MAX_HEADERS = 64
HEAD_S = 5.0
"""From the opening of the connection, or the first byte of a further request, to the end of the head."""
IDLE_S = 20.0
"""How long a connection may wait for its next request."""
BODY_PIECE_BYTES = 64 * 1024
"""Reading stops while so much of a body waits to be read."""
LINGER_S = 1.0
"""After a refusal the rest of what is being sent is read and thrown away for so long: closing with unread bytes makes
the kernel send a reset, and the answer is lost (RFC 9112, 9.6)."""

SINGLE = frozenset(
    {
        "host",
        "origin",
        "upgrade",
        "authorization",
        "cookie",
        "content-length",
        "content-type",
        "transfer-encoding",
        "sec-websocket-key",
        "sec-websocket-version",
    }
)
"""Headers that may come once; two of them are how one reader is made to see what another does not."""


class Upgrade(Protocol):
    """Takes the connection over: the request, its head as one reader wrote it down, and the bytes after it.

    Returns a Response to refuse."""

    def __call__(self, request: Request, head: bytes, rest: bytes) -> Response | None: ...


class Exchange:
    """Requests and responses on one connection, one after the other, until it is closed or handed over."""

    def __init__(
        self,
        transport: asyncio.Transport,
        address: str,
        secure: bool,
        answer: Answer,
        upgrade: Upgrade,
        begin: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        """begin: runs an answer that takes time."""
        self._transport, self._address, self._secure = transport, address, secure
        self._answer, self._upgrade, self._begin = answer, upgrade, begin
        self._h11 = h11.Connection(h11.SERVER, MAX_HEAD_BYTES)
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(HEAD_S, self._too_slow)
        self._body: Body | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._reads = True
        self._silent = self._awaits_head = True
        self._lingers = False
        self._method = b""
        self.idle_since: float | None = self._loop.time()
        """Loop time since when nothing is asked; None while a request is being answered."""

    # What the transport reports

    def data_received(self, data: bytes) -> None:
        if self._lingers:
            return
        self._silent = False
        if self._h11.their_state is h11.IDLE and not self._awaits_head:
            self._await_head()
        self._h11.receive_data(data)
        self._read_on()

    def eof_received(self) -> None:
        self._transport.close()

    def connection_lost(self) -> None:
        self._timer.cancel()
        self._room.set()
        if self._body is not None:
            self._body.end(lost=True)

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def close(self) -> None:
        """Close it if nothing is being answered; the device stops."""
        if self.idle_since is not None:
            self._transport.close()

    # Reading

    def _read_on(self) -> None:
        while not self._transport.is_closing():
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                self._refuse(HttpError(error.error_status_hint, f"This is not HTTP/1.1: {error}.\n"))
                return
            if isinstance(event, h11.Request):
                self._take(event)
                return  # on in the loop's next round: a thousand requests in one go keep nobody waiting
            elif isinstance(event, h11.Data) and self._body is not None:
                self._body.put(bytes(event.data))
                self._keep_pace()
            elif isinstance(event, h11.EndOfMessage) and self._body is not None:
                self._body.end()
            elif event is h11.PAUSED:
                self._set_reading(False)
                return
            else:
                return  # NEED_DATA, ConnectionClosed

    def _take(self, event: h11.Request) -> None:
        """Answer a request, or hand the connection over."""
        self._timer.cancel()
        self._awaits_head, self.idle_since, self._method = False, None, event.method
        self._body = Body(self._keep_pace)
        try:
            request = Request(
                event.method.decode("ascii"),
                event.target.decode("ascii"),
                _headers(event),
                self._address,
                self._secure,
                self._body,
            )
        except HttpError as error:
            self._refuse(error)
            return
        if request.upgrades:
            rest = bytes(self._h11.trailing_data[0])
            refusal = self._upgrade(request, _head(event), rest)
            if refusal is not None:
                self._send_whole(refusal, last=True)
            return
        try:
            response = self._answer(request)
        except HttpError as error:
            response = respond(error.status, str(error))
        except Exception:
            response = _failed()
        if isinstance(response, Response) and isinstance(response.body, bytes):
            self._send_whole(response)
        else:
            self._begin(self._send(response))
            self._loop.call_soon(self._read_on)

    def _await_head(self) -> None:
        self._awaits_head = True
        self._set_timer(HEAD_S, self._too_slow)

    def _keep_pace(self) -> None:
        if self._h11.they_are_waiting_for_100_continue:
            self._write(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
        self._set_reading(self._body is None or self._body.waiting_bytes < BODY_PIECE_BYTES)

    def _set_reading(self, reads: bool) -> None:
        if reads != self._reads and not self._transport.is_closing():
            self._reads = reads
            (self._transport.resume_reading if reads else self._transport.pause_reading)()

    # Writing

    async def _send(self, coming: Response | Awaitable[Response]) -> None:
        try:
            response = coming if isinstance(coming, Response) else await coming
        except HttpError as error:
            response = respond(error.status, str(error))
        except ConnectionError:
            return
        except Exception:
            response = _failed()
        if isinstance(response.body, bytes):
            self._send_whole(response)
            return
        self._write(self._start(response, {"Transfer-Encoding": "chunked"}))
        try:
            async for piece in response.body:
                if self._transport.is_closing():
                    return
                if piece:
                    self._write(h11.Data(piece))
                async with asyncio.timeout(BODY_S):
                    await self._room.wait()
        except TimeoutError:
            self._transport.abort()
            return
        except Exception:
            log.exception("a response ended in the middle")
            self._transport.abort()  # the only way to say that it is not whole
            return
        finally:
            if isinstance(response.body, AsyncGenerator):
                await response.body.aclose()
        self._write(h11.EndOfMessage())
        self._next()

    def _send_whole(self, response: Response, *, last: bool = False) -> None:
        assert isinstance(response.body, bytes)
        headers = {"Content-Length": str(len(response.body))} | ({"Connection": "close"} if last else {})
        body = () if self._method == b"HEAD" else (h11.Data(response.body),)
        self._write(self._start(response, headers), *body, h11.EndOfMessage())
        self._next()

    def _start(self, response: Response, further: Mapping[str, str]) -> h11.Response:
        headers = (
            {"Content-Type": response.content_type, "Cache-Control": "no-cache"}
            | SECURITY
            | dict(response.headers)
            | dict(further)
        )
        return h11.Response(
            status_code=response.status,
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            reason=HTTPStatus(response.status).phrase.encode(),
        )

    def _write(self, *events: h11.Event) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(b"".join(self._h11.send(event) or b"" for event in events))

    def _next(self) -> None:
        """After a response: the next request, or the end."""
        try:
            while self._h11.their_state is h11.SEND_BODY and self._h11.next_event() is not h11.NEED_DATA:
                pass  # what nobody has read of the body
        except h11.RemoteProtocolError:
            log.debug("a request's body was damaged, and nobody had read it")
        self._body = None
        if self._transport.is_closing():
            return
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            self._linger()
            return
        self._h11.start_next_cycle()
        self._method = b""
        self.idle_since = self._loop.time()
        self._set_reading(True)
        if self._h11.trailing_data[0]:
            self._await_head()
            self._loop.call_soon(self._read_on)
        else:
            self._set_timer(IDLE_S, self._transport.close)

    def _refuse(self, error: HttpError) -> None:
        if self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._send_whole(respond(error.status, str(error)), last=True)
        else:
            self._transport.abort()

    def _too_slow(self) -> None:
        if self._silent:  # browsers open connections that they may need later
            self._transport.close()
        else:
            self._refuse(HttpError(408, f"The request's head was not complete after {HEAD_S:g} s.\n"))

    def _linger(self) -> None:
        """The end, after an answer: at once when all was read, else once the other side has had time to read it."""
        if self._h11.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED):
            self._transport.close()
            return
        self._lingers = True
        self._set_reading(True)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._set_timer(LINGER_S, self._transport.abort)

    def _set_timer(self, delay_s: float, then: Callable[[], object]) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(delay_s, then)


def _failed() -> Response:
    log.exception("a request was not answered")
    return respond(HTTPStatus.INTERNAL_SERVER_ERROR, "An error in the device; its log says more.\n")


def _headers(event: h11.Request) -> dict[str, str]:
    """Raises HttpError for what two readers could understand differently, and for too much."""
    if event.http_version not in (b"1.0", b"1.1"):
        raise HttpError(505, f"HTTP/{event.http_version.decode()} is not spoken here, only HTTP/1.1.\n")
    size_bytes = len(event.target) + sum(len(name) + len(value) + 4 for name, value in event.headers)
    if size_bytes > MAX_HEAD_BYTES or len(event.headers) > MAX_HEADERS:
        raise HttpError(
            431,
            f"{len(event.headers)} headers of {size_bytes} bytes, expected at most {MAX_HEADERS} of "
            f"{MAX_HEAD_BYTES} bytes.\n",
        )
    found: dict[str, str] = {}
    for raw_name, raw_value in event.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        if name in found:
            if name in SINGLE:
                raise HttpError(400, f"The header {name.title()} came twice.\n")
            value = f"{found[name]}, {value}"
        found[name] = value
    if "content-length" in found and "transfer-encoding" in found:
        raise HttpError(400, "Content-Length and Transfer-Encoding came together; only one can be right.\n")
    return found


def _head(event: h11.Request) -> bytes:
    lines = [event.method + b" " + event.target + b" HTTP/" + event.http_version]
    lines += [name + b": " + value for name, value in event.headers]
    return b"\r\n".join([*lines, b"", b""])
