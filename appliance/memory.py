"""Telling glibc how to keep this process's free memory: few heaps, and back to the system what nobody uses.

By default each thread that allocates gets a heap of its own, and what a long sentence needed stays with the process
for good. Figures: docs/decisions.md. Other C libraries have no such calls; there nothing happens.
"""

from __future__ import annotations

import ctypes

HEAPS = 2
"""One would have recognition and synthesis wait for each other."""

_M_ARENA_MAX = -8  # malloc.h
_libc = ctypes.CDLL(None)


def share_heaps() -> None:
    """At most HEAPS heaps for all threads. Call it before the first thread is started."""
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(_M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Return free memory to the system. Takes about a millisecond; for when a long piece of work is over."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(ctypes.c_size_t(0))
