"""Clauses as sound: one that is being made, for all who want to hear it, and those that were said before."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager

from appliance.audio.pcm import SAMPLE_BYTES
from appliance.workers import Workers

Key = tuple[str, str, int, float]
"""Voice, clause, rate, speed."""
Turn = AbstractAsyncContextManager[None]


class Clause:
    """A clause for all who want to hear it now. It gets as far as the one who is furthest asks for.

    steps: its sound, s16le at `rate`, in pieces; each step may take long and runs in a worker thread. count: told of
    every piece how many seconds it lasts, and how many it took.
    """

    def __init__(
        self, steps: Iterator[bytes], rate: int, count: Callable[[float, float], None] = lambda audio_s, work_s: None
    ) -> None:
        self._rate, self._count = rate, count
        self._pieces: list[bytes] = []
        self._steps = steps
        self._step = asyncio.Lock()
        self._finished = False
        self._error: Exception | None = None

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self._pieces))

    async def piece(self, index: int, workers: Workers, turn: Callable[[], Turn]) -> bytes | None:
        """One piece, synthesised when it is the caller's turn if nobody has asked for it yet; None after the last."""
        while index >= len(self._pieces) and not self._finished:
            async with self._step:
                if index >= len(self._pieces) and not self._finished:
                    async with turn():
                        work_s = await workers.run(self._advance)
                    self._count(sum(map(len, self._pieces[index:])) / SAMPLE_BYTES / self._rate, work_s)
        return self._pieces[index] if index < len(self._pieces) else None

    def _advance(self) -> float:
        """Runs in a worker thread; returns how many seconds it took.

        Keeps the piece itself, because its caller may have been cancelled.
        """
        begin_s = time.perf_counter()
        if self._error is not None:
            raise self._error
        try:
            self._pieces.append(next(self._steps))
        except StopIteration:
            self._finished = True
        except Exception as error:
            self._error = error
            raise
        return time.perf_counter() - begin_s


class Said:
    """Finished clauses, the least recently spoken forgotten first."""

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity_bytes = capacity_bytes
        self._size_bytes = 0
        self._clauses: OrderedDict[Key, Clause] = OrderedDict()

    def get(self, key: Key) -> Clause | None:
        if key in self._clauses:
            self._clauses.move_to_end(key)
        return self._clauses.get(key)

    def keep(self, key: Key, clause: Clause) -> None:
        if key in self._clauses:
            return
        self._clauses[key] = clause
        self._size_bytes += clause.size_bytes
        while self._size_bytes > self._capacity_bytes:
            self._size_bytes -= self._clauses.popitem(last=False)[1].size_bytes
