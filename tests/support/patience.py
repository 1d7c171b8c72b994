"""Waiting for what tells nobody that it has come: the only place where a test looks again and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

LOOK_S = 0.02


async def until(holds: Callable[[], object], otherwise: Callable[[], object] = str, *, seconds: float = 15) -> None:
    """Until something is so. Raises AssertionError, with what `otherwise` says by then, after so many seconds."""
    for _ in _looks(holds, otherwise, seconds):
        await asyncio.sleep(LOOK_S)


def until_now(holds: Callable[[], object], otherwise: Callable[[], object] = str, *, seconds: float = 15) -> None:
    """The same for callers without an event loop."""
    for _ in _looks(holds, otherwise, seconds):
        time.sleep(LOOK_S)


async def rounds(count: int = 20) -> None:
    """Let everything that waits for nothing but its turn in the event loop have it so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


def _looks(holds: Callable[[], object], otherwise: Callable[[], object], seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"it did not come to that within {seconds:g} s: {otherwise()}")
        yield
