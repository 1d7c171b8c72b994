"""Floods of tiny frames, pings and requests: others are answered all the while, and memory stays bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.floods import KINDS, flooding
from tests.support.server import RunningServer, running_server
from tests.support.witness import watch

SECONDS = 2.0
LONGEST_MS = 1000.0
"""Not what is promised (100 ms, see bench/results/faults.json), but what a busy machine may make of it; before
there were budgets it was 1,000 ms and more."""
MOST_MB = 100.0
"""A process that has just started takes 65 MB more at the first flood of fragments, 94 MB at forty of them at once, and
13 MB when they come again: 8,000 frames of each connection may wait. It was 186 MB in seconds, and more the longer."""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.mark.parametrize("kind", KINDS)
async def test_a_flood_neither_delays_others_nor_fills_the_memory(server: RunningServer, kind: str) -> None:
    with flooding(kind, server.port, SECONDS + 20):
        await asyncio.sleep(1)  # it has begun
        seen = await watch(server, SECONDS)
    assert server.process.poll() is None
    assert seen.p99_ms < LONGEST_MS
    assert seen.growth_mb < MOST_MB
    assert "Traceback" not in server.log.read_text()
    assert len(server.log.read_text()) < 10_000, "a flood must not fill the log"
