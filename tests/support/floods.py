"""Floods for a server to stand: each sends as much of one thing as a socket takes. Only ever pointed at loopback.

python -m tests.support.floods KIND PORT SECONDS [ADDRESS]     from 127.0.0.1 or another loopback address
"""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.frames import Frame, Opcode

from tests.benchmarks.peer import binary, text

ROOT = Path(__file__).parents[2]


def _frame(opcode: Opcode, payload: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=True)


FRAMES: dict[str, tuple[bytes, bytes, bool]] = {  # what is sent once, what is sent for ever, whether it reads
    "pings, unread": (b"", _frame(Opcode.PING, bytes(125)), False),
    "pings": (b"", _frame(Opcode.PING, bytes(125)), True),
    "empty pings": (b"", _frame(Opcode.PING), True),
    "pongs": (b"", _frame(Opcode.PONG), True),
    "empty sound": (b"", binary(b""), True),
    "two bytes of sound": (text(type="start", id="flood"), binary(bytes(2)), True),
    "sound": (text(type="start", id="flood"), binary(bytes(32_000)), True),
    "empty texts": (b"", _frame(Opcode.TEXT), True),
    "pings in JSON": (b"", text(type="ping", timestamp=1), True),
    "questions": (text(type="hello", speak=False), text(type="text", text="what is two plus two"), True),
    "fragments": (_frame(Opcode.BINARY, fin=False), _frame(Opcode.CONT, fin=False), True),
    "messages in fragments": (b"", _frame(Opcode.BINARY, fin=False) + _frame(Opcode.CONT), True),
}
"""Through one WebSocket."""
REQUESTS: dict[str, bytes] = {
    "requests": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "nonsense": b"\x16\x03\x01" * 100,
}
"""Through one connection after the other, as fast as the server closes them."""
OPENINGS = ("connections", "half a head")
"""As many sockets as there may be, kept open."""
KINDS = (*FRAMES, *REQUESTS, *OPENINGS)

MOST_SOCKETS = 1500


def flood(kind: str, port: int, seconds: float, address: str = "127.0.0.1") -> int:
    """Run one flood; returns how many of its pieces were sent."""
    end = time.monotonic() + seconds
    if kind in FRAMES:
        return _frames(*FRAMES[kind], lambda: _shaken(port, address), end)
    if kind in REQUESTS:
        return _requests(REQUESTS[kind], lambda: _opened(port, address), end)
    return _openings(b"GET / HT" if kind == "half a head" else b"", lambda: _opened(port, address), end)


def _frames(first: bytes, piece: bytes, reads: bool, connect: Callable[[], socket.socket], end: float) -> int:
    """Comes again when it is dropped."""
    data, sent = piece * max(1, 60_000 // len(piece)), 0
    while time.monotonic() < end:
        with contextlib.suppress(OSError), connect() as line:
            line.sendall(first)
            line.setblocking(False)
            rest = b""
            while time.monotonic() < end:
                readable, writable, _ = select.select([line] if reads else [], [line], [], 0.1)
                if readable and not line.recv(1 << 20):
                    break
                if writable:
                    rest = rest or data
                    count = line.send(rest)
                    rest, sent = rest[count:], sent + count
        time.sleep(0.01)
    return sent // len(piece)


def _requests(data: bytes, connect: Callable[[], socket.socket], end: float) -> int:
    sent = 0
    while time.monotonic() < end:
        with contextlib.suppress(OSError), connect() as line:
            line.sendall(data)
            line.recv(1 << 16)
            sent += 1
    return sent


def _openings(data: bytes, connect: Callable[[], socket.socket], end: float) -> int:
    lines: list[socket.socket] = []
    opened = 0
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            lines.append(connect())
            lines[-1].sendall(data)
            opened += 1
        if len(lines) >= MOST_SOCKETS:
            lines.pop(0).close()
            time.sleep(0.001)
    for line in lines:
        line.close()
    return opened


def _opened(port: int, address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(address, 0))


def _shaken(port: int, address: str) -> socket.socket:
    line = _opened(port, address)
    line.sendall(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    line.recv(4096)
    return line


@contextmanager
def flooding(kind: str, port: int, seconds: float, *, processes: int = 1, address: str = "127.0.0.1") -> Iterator[None]:
    """Floods in processes of their own while the block runs."""
    arguments = [sys.executable, "-m", "tests.support.floods", kind, str(port), str(seconds), address]
    running = [subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    flood(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:])
