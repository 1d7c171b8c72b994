"""What this process does not need goes back to the system, and nothing is lost by that."""

from __future__ import annotations

import asyncio
import ctypes
import mmap
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import memory
from appliance.memory import give_back

SIZE = 1 << 20


def resident_kb(path: Path) -> int:
    """Of the file's mapping, from proc(5)'s smaps."""
    found = re.search(rf"{path}\n(?:.*\n)*?Rss: +(\d+) kB", Path("/proc/self/smaps").read_text())
    assert found is not None
    return int(found[1])


def test_a_mapped_model_s_pages_are_given_back_and_come_again(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    before = mapped[:]
    assert resident_kb(path) == SIZE // 1024
    give_back()
    assert resident_kb(path) == 0
    assert mapped[:] == before


def test_what_somebody_writes_stays(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(bytes(SIZE))
    with path.open("r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
    mapped[:] = b"x" * SIZE
    give_back()
    assert resident_kb(path) == SIZE // 1024 and mapped[:] == b"x" * SIZE


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def test_what_was_needed_for_a_while_goes_back_though_something_behind_it_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "TRIMMED_EVERY_S", 0.0)
    trimmed = asyncio.Event()

    async def run(function: Callable[[], None]) -> None:
        function()
        trimmed.set()

    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.memset.argtypes = ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
    libc.free.argtypes = (ctypes.c_void_p,)
    pieces = [libc.malloc(10_000) for _ in range(5_001)]
    for piece in pieces:
        libc.memset(piece, 1, 10_000)
    for piece in pieces[:-1]:
        libc.free(piece)
    before_mb = resident_mb()
    trimming = asyncio.create_task(memory.keep_trimmed(run))
    await trimmed.wait()
    trimming.cancel()
    assert resident_mb() < before_mb - 30
    libc.free(pieces[-1])
