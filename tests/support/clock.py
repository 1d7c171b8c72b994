"""Time that passes only when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Clock:
    """`now` and `later` for whatever takes a clock and something like loop.call_later."""

    def __init__(self) -> None:
        self._now = 0.0
        self._due: list[tuple[float, asyncio.TimerHandle]] = []

    def now(self) -> float:
        return self._now

    def later(self, delay_s: float, function: Callable[[], Any]) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self._now + delay_s, function, (), asyncio.get_running_loop())
        self._due.append((handle.when(), handle))
        return handle

    def passes(self, seconds: float) -> None:
        """Let time pass; what falls due happens at its moment, in order."""
        end = self._now + seconds
        while due := [entry for entry in self._due if entry[0] <= end]:
            entry = min(due, key=lambda one: one[0])
            self._due.remove(entry)
            self._now = max(self._now, entry[0])
            if not entry[1].cancelled():
                entry[1]._run()
        self._now = end
