"""A WebSocket client as cheap as Python gets, for loads of a thousand: it shares the cores with the server it loads.

Frames are masked beforehand and written straight to the socket; what comes back is parsed by hand.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import ssl
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from websockets.frames import Frame, Opcode

BROWSER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
"""What every browser offers; a server that accepts it keeps two compressors for each connection."""

COMPRESSED = 0x40


def binary(payload: bytes) -> bytes:
    """A masked binary frame."""
    return Frame(Opcode.BINARY, payload).serialize(mask=True)


def text(**fields: Any) -> bytes:
    """A masked text frame with a JSON object."""
    return Frame(Opcode.TEXT, json.dumps(fields).encode()).serialize(mask=True)


def chunks(pcm: bytes, size_bytes: int) -> list[bytes]:
    """Sound as ready-made frames."""
    return [binary(pcm[begin : begin + size_bytes]) for begin in range(0, len(pcm), size_bytes)]


class Secure:
    """How to connect over TLS, as a paired program. authority: a file of the device's; name: what it is called."""

    def __init__(self, authority: str, name: str, token: str) -> None:
        self.context = ssl.create_default_context(cafile=authority)
        self.name = name
        self.header = f"Authorization: Bearer {token}\r\n"


class Peer:
    """One client: a socket in the event loop, and the frames that come back from it.

    on_text: called with (peer, message, time.perf_counter() of its arrival).
    """

    def __init__(self, port: int, on_text: Callable[[Peer, str, float], None], secure: Secure | None = None) -> None:
        self.sound_bytes = 0
        self.first_sound_at = 0.0
        self.closed = False
        self._on_text = on_text
        self._loop = asyncio.get_running_loop()
        self._unsent = b""
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._secure = secure
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure is not None:
            self._socket = secure.context.wrap_socket(self._socket, server_hostname=secure.name)
        self._unparsed = self._shake_hands(port)
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._readable)

    def send(self, frame: bytes) -> None:
        """Never waits; what does not fit into the socket is sent when it does."""
        if self.closed:
            return
        if self._unsent:
            self._unsent += frame
            return
        try:
            sent = self._socket.send(frame)
        except (BlockingIOError, ssl.SSLWantWriteError):
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(frame):
            self._unsent = frame[sent:]
            self._loop.add_writer(self._socket, self._writable)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()

    def _shake_hands(self, port: int) -> bytes:
        """Returns what came after the server's answer. Blocks: connections are made before anything is measured."""
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{BROWSER}"
            f"{self._secure.header if self._secure else ''}\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self._socket.recv(4096)
            answer += piece
            if not piece or not b"HTTP/1.1 101".startswith(answer[:12]):
                self._socket.close()
                raise ConnectionError(f"refused: {answer[:200]!r}")
        return answer.partition(b"\r\n\r\n")[2]

    def _writable(self) -> None:
        unsent, self._unsent = self._unsent, b""
        self._loop.remove_writer(self._socket)
        self.send(unsent)

    def _readable(self) -> None:
        now = time.perf_counter()
        try:
            data = self._socket.recv(1 << 18)
            while isinstance(self._socket, ssl.SSLSocket) and (more := self._socket.pending()):
                data += self._socket.recv(more)  # decrypted already: nobody will tell us of it
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._unparsed += data
        for opcode, payload in self._frames():
            if opcode == Opcode.TEXT:
                self._on_text(self, payload.decode(), now)
            elif opcode == Opcode.BINARY:
                self.first_sound_at = self.first_sound_at or now
                self.sound_bytes += len(payload)

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """Whole frames from the server: unmasked, unfragmented, perhaps compressed (RFC 6455, 5.2; RFC 7692)."""
        data, at = self._unparsed, 0
        while len(data) - at >= 2:
            size, begin = data[at + 1], at + 2
            if size == 126 and len(data) - at >= 4:
                size, begin = struct.unpack_from("!H", data, begin)[0], at + 4
            elif size == 127 and len(data) - at >= 10:
                size, begin = struct.unpack_from("!Q", data, begin)[0], at + 10
            elif size >= 126:
                break
            if len(data) < begin + size:
                break
            payload = data[begin : begin + size]
            if data[at] & COMPRESSED:
                payload = self._inflate.decompress(payload + b"\x00\x00\xff\xff")
            yield data[at] & 15, payload
            at = begin + size
        self._unparsed = data[at:]
