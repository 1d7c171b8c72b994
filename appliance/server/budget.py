"""How fast one connection may send: sound, messages, and frames, which are counted below the WebSocket library.

The library reads all that has come in one go, 256 KB at a time: some 43,000 frames of six bytes, half a second for
everybody else. Control frames fill no queue, so they never make it stop reading.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

REAL_TIME_LIMIT = 1.5
"""A client may send sound this much faster than it is spoken, once it has sent one longest utterance at once: a page
that was cut off sends again what was said meanwhile."""

MESSAGES_PER_S = 50.0
MESSAGE_BURST = 200.0
"""So many text messages may come at once, and so many a second after that."""

FRAMES_PER_S = 500.0
"""Sound at 1.5 × real time in the smallest chunks that can be set (128 bytes) is 375 frames a second."""
FRAME_BURST = 8_000.0
"""One longest utterance in the smallest chunks, sent again after a drop, is 7,500."""
HEADER_BYTES = 14
"""A frame's longest header (RFC 6455, 5.2)."""

UNREAD_LIMIT_BYTES = 256 * 1024
"""A client that lets so much pile up without any sound being sent has stopped reading and is dropped."""

SLICE = 16
"""Frames of one connection between two looks at all others: a third of a millisecond …"""
SLICE_BYTES = 64 * 1024
"""… and no more than so much: it is kept twice for a moment."""


class Pace:
    """A token bucket over seconds of sound, or over messages. Time is passed in, in seconds."""

    def __init__(self, now: float, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, now

    def delay(self, amount: float, now: float) -> float:
        """Account for what has come; returns how long to wait, in seconds, before more may be read."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) - amount
        self._at = now
        return max(0.0, -self._left / self._rate)


class Frames:
    """Finds where frames end in a stream of bytes (RFC 6455, 5.2), without looking into them."""

    def __init__(self) -> None:
        self._left = 0
        """Bytes of the present frame's payload that have not come yet."""

    def cut(self, data: bytes | bytearray, most: int) -> tuple[int, int]:
        """(bytes, frames): how much of `data` may be given on, with at most `most` new frames.

        What is left begins at a frame's header, or is a part of one.
        """
        at, frames, size = 0, 0, len(data)
        while True:
            step = min(self._left, size - at)
            at += step
            self._left -= step
            header = 2
            if self._left or frames == most or size - at < header:
                return at, frames
            second = data[at + 1]
            length = second & 127
            header += (2 if length == 126 else 8 if length == 127 else 0) + (4 if second & 128 else 0)
            if size - at < header:
                return at, frames
            if length > 125:
                length = int.from_bytes(data[at + 2 : at + (4 if length == 126 else 10)], "big")
            at += header
            self._left = length
            frames += 1


class Valve:
    """Gives on what one connection sends, a few frames at a time, and stops reading while there is more.

    give: takes bytes; must not be called again while `full` (its own queue is full; `open` tells when it is not).
    """

    def __init__(self, transport: asyncio.Transport, give: Callable[[bytes], None], full: Callable[[], bool]) -> None:
        self._transport, self._give, self._full = transport, give, full
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._pace = Pace(time.monotonic(), FRAMES_PER_S, FRAME_BURST)
        self._waiting = bytearray()
        self._reads = True
        self._next: asyncio.Handle | None = None

    def put(self, data: bytes) -> None:
        """More has come."""
        self._waiting += data
        if self._next is None:
            self._pass()

    def open(self) -> None:
        """There is room again behind `give`."""
        if self._next is None:
            self._next = self._loop.call_soon(self._pass)

    def close(self) -> None:
        """The connection has gone."""
        if self._next is not None:
            self._next.cancel()
        self._waiting.clear()

    def _pass(self) -> None:
        self._next = None
        if self._transport.is_closing():
            self._waiting.clear()
            return
        if self._waiting and self._full():
            self._read(False)
            return
        size, frames = self._frames.cut(self._waiting[:SLICE_BYTES], SLICE)
        if size:
            piece = bytes(self._waiting[:size])
            del self._waiting[:size]
            self._give(piece)
        delay_s = self._pace.delay(frames, time.monotonic())
        if delay_s:
            self._next = self._loop.call_later(delay_s, self._pass)
        elif self._waiting and (frames == SLICE or size > SLICE_BYTES - HEADER_BYTES):
            self._next = self._loop.call_soon(self._pass)
        self._read(self._next is None)

    def _read(self, reads: bool) -> None:
        if reads != self._reads and not self._transport.is_closing():
            self._reads = reads
            (self._transport.resume_reading if reads else self._transport.pause_reading)()
