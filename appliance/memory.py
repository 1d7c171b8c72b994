"""How this process keeps its memory: few heaps, and back to the system what nobody uses.

By default each thread that allocates gets a heap of its own, and what a long sentence needed stays with the process
for good. Figures: docs/decisions.md. Other C libraries than glibc have no such calls; there nothing happens.
"""

from __future__ import annotations

import asyncio
import ctypes
import mmap
import re
from collections.abc import Awaitable, Callable

HEAPS = 2
"""One would have recognition and synthesis wait for each other."""

TRIMMED_EVERY_S = 30.0

_M_ARENA_MAX = -8  # malloc.h
_libc = ctypes.CDLL(None)
_MAPPED_FILE = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) r--s [0-9a-f]+ [0-9a-f:]+ [1-9]\d* ")
"""A file that is mapped only to be read, in /proc/self/maps (proc(5)): models, and nothing that anybody writes."""


def share_heaps() -> None:
    """At most HEAPS heaps for all threads. Call it before the first thread is started."""
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(_M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Return free memory to the system, and the pages of mapped models; for when a long piece of work is over.

    The system keeps those pages as long as it has memory to spare. The next sentence finds them there: 1 ms of
    processor time more. Takes 2 ms.
    """
    _trim()
    with open("/proc/self/maps", "rb") as maps:
        for begin, end in _MAPPED_FILE.findall(maps.read()):
            address, size_bytes = int(begin, 16), int(end, 16) - int(begin, 16)
            _libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(size_bytes), mmap.MADV_DONTNEED)


async def keep_trimmed(run: Callable[[Callable[[], None]], Awaitable[object]]) -> None:
    """Return free memory to the system now and then, for ever: floods and crowds have no end at which to do it.

    run: where, a worker thread. Takes 0.3 ms, and a millisecond for each few MB that there are.
    """
    while True:
        await asyncio.sleep(TRIMMED_EVERY_S)
        await run(_trim)


def _trim() -> None:
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(ctypes.c_size_t(0))
