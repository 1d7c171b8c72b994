"""A connection that ended leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from appliance.server.door import Door
from tests.support.patience import until
from tests.support.programs import programs_server


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"], ids=str)
async def test_nothing_waits_for_the_garbage_collector(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """A flood of connections left ten megabytes of them."""
    doors: list[weakref.ref[Door]] = []
    made = Door.connection_made

    def noted(door: Door, transport: asyncio.BaseTransport) -> None:
        doors.append(weakref.ref(door))
        made(door, transport)

    monkeypatch.setattr(Door, "connection_made", noted)
    async with programs_server() as server:
        gc.disable()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.ports["page"])
            writer.write(sent)
            await writer.drain()
            await until(lambda: doors)
            writer.close()
            await until(lambda: doors[0]() is None)
            assert len(doors) == 1
        finally:
            gc.enable()
