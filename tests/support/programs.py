"""What the tests of other people's programs share: the listeners over fake faculties, in this event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from appliance.guests import Guests
from appliance.server.allowed import Allowed
from appliance.server.streams import Caller, Streams
from appliance.server.wyoming.codec import Decoder, Event, encode
from appliance.server.wyoming.connection import Connection
from appliance.server.wyoming.handling import Talks
from appliance.sessions import Sessions
from tests.support.faculties import FakeFaculties, willing

FORM = {"rate": 16_000, "width": 2, "channels": 1}


@dataclass
class Talking:
    """A raw client of a stream listener."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    decoder: Decoder = field(default_factory=Decoder)
    events: list[Event] = field(default_factory=list)

    async def send(self, *wires: bytes) -> None:
        self.writer.write(b"".join(wires))
        await self.writer.drain()

    async def event(self, type: str = "") -> Event:
        """The next event (of that type). Raises EOFError when it was closed instead."""
        async with asyncio.timeout(10):
            while True:
                while self.events:
                    event = self.events.pop(0)
                    if type in ("", event.type):
                        return event
                data = await self.reader.read(65_536)
                if not data:
                    raise EOFError
                self.events += self.decoder.feed(data)

    async def is_closed(self) -> bool:
        """It ends, whatever comes before."""
        async with asyncio.timeout(10):
            try:
                while await self.reader.read(65_536):
                    pass
            except ConnectionError:
                pass
        return True


@dataclass
class WyomingServer:
    port: int
    faculties: FakeFaculties
    dropped: list[str]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Talking]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Talking(reader, writer)
        finally:
            writer.transport.abort()


@asynccontextmanager
async def wyoming_server(
    faculties: FakeFaculties | None = None, *, allowed: Sequence[str] = (), here: bool = True,
) -> AsyncIterator[WyomingServer]:
    fake, dropped = faculties or willing(), list[str]()
    async with asyncio.TaskGroup() as tasks:
        sessions = Sessions(fake.all(), tasks, language="en", max_audio_duration_s=30)
        guests, talks = Guests(fake.all(), "en", 30), Talks(sessions.open)

        async def serve(caller: Caller) -> None:
            await Connection(caller, guests, talks).run()

        streams = Streams("127.0.0.1", 0, "STIMME_WYOMING_PORT", Allowed(allowed, here=here), serve, dropped.append)
        async with streams.listening() as port:
            yield WyomingServer(port, fake, dropped)


def sound(words: str, pieces: int = 1) -> list[bytes]:
    """`words` as the fake ears hear them, in audio-chunk events."""
    pcm = words.encode() + b"\0" * (len(words) % 2)
    size = max(2, len(pcm) // pieces // 2 * 2)
    return [encode("audio-chunk", FORM, pcm[begin : begin + size]) for begin in range(0, len(pcm), size)]
