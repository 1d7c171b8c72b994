"""What a soak breaks: one thing after the other, with a few seconds of peace between, and a record of when."""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from tests.benchmarks.faults import FILE, LOCK
from tests.soak.tally import KILLED, RESTARTED, STOPPED, Span
from tests.support.disk import SmallDisk
from tests.support.floods import KINDS, flooding
from tests.support.server import RunningServer

STEADY = ("disk full", "file locked", STOPPED, "flood")
"""Faults that a process must survive as the same process."""
ALL = ("disk full", "file locked", STOPPED, KILLED, "flood", RESTARTED)

Restart = Callable[[signal.Signals], None]


class Faults:
    """server: the present one. restart: ends it by a signal and starts another."""

    def __init__(self, disk: SmallDisk, server: Callable[[], RunningServer], restart: Restart) -> None:
        self.spans: list[Span] = []
        self._disk, self._server, self._restart = disk, server, restart
        self._floods = itertools.cycle(KINDS)
        self._kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "disk full": self._full,
            "file locked": lambda: asyncio.to_thread(self._lock, 3),
            STOPPED: self._sleep,
            "flood": self._flood,
            KILLED: lambda: asyncio.to_thread(self._restart, signal.SIGKILL),
            RESTARTED: lambda: asyncio.to_thread(self._restart, signal.SIGTERM),
        }

    async def one_after_the_other(self, names: Iterable[str], until_s: float) -> None:
        """Again and again, until a moment (time.monotonic)."""
        for name in itertools.cycle(names):
            await asyncio.sleep(2)
            if time.monotonic() >= until_s:
                return
            async with self._noted(name):
                await self._kinds[name]()

    def counts(self) -> dict[str, int]:
        return {
            name: sum(span.name == name for span in self.spans) for name in dict.fromkeys(s.name for s in self.spans)
        }

    @asynccontextmanager
    async def _noted(self, name: str) -> AsyncIterator[None]:
        begin_s = time.monotonic()
        try:
            yield
        finally:
            self.spans.append(Span(name, begin_s, time.monotonic()))

    async def _full(self) -> None:
        await asyncio.to_thread(self._disk.fill)
        await asyncio.sleep(4)
        self._disk.free()
        await asyncio.sleep(6)  # the next look at the disk

    async def _sleep(self) -> None:
        process = self._server().process
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(2)
        process.send_signal(signal.SIGCONT)

    async def _flood(self) -> None:
        with flooding(next(self._floods), self._server().port, 3):
            await asyncio.sleep(3)

    def _lock(self, seconds: float) -> None:
        file = str(self._disk.folder / FILE)
        command = [*self._disk.prefix, sys.executable, "-c", LOCK, file, str(seconds)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
