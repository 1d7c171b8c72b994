"""What the tests of other people's programs share: the listeners over fake faculties, in this event loop."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection

from appliance.config import load
from appliance.guests import Guests
from appliance.server.access import Guard
from appliance.server.allowed import Allowed
from appliance.server.http import respond
from appliance.server.listener import Listener, Route
from appliance.server.metrics import Metrics
from appliance.server.openai.routes import openai_routes
from appliance.server.streams import Caller, Streams
from appliance.server.web import Web
from appliance.server.wyoming.codec import Decoder, Event, encode
from appliance.server.wyoming.connection import Connection
from appliance.server.wyoming.handling import Talks
from appliance.sessions import Sessions
from appliance.workers import Workers
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
        guests, talks = Guests(fake.all(), tasks, "en", 30), Talks(sessions.open)

        async def serve(caller: Caller) -> None:
            await Connection(caller, guests, talks).run()

        streams = Streams("127.0.0.1", 0, "STIMME_WYOMING_PORT", Allowed(allowed, here=here), serve, dropped.append)
        async with streams.listening() as port:
            yield WyomingServer(port, fake, dropped)


@dataclass
class PageServer:
    """The page's port, with what programs ask for there; a token lets in whoever is not on this machine."""

    port: int
    faculties: FakeFaculties
    guests: Guests

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """(status, body, headers by lower-case name) of one request."""
        def asked() -> tuple[int, bytes, dict[str, str]]:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            found = response.status, response.read(), {name.lower(): value for name, value in response.getheaders()}
            connection.close()
            return found

        return await asyncio.to_thread(asked)

    async def form(
        self, path: str, file: bytes, fields: Mapping[str, str], *, file_first: bool = False,
    ) -> tuple[int, bytes, dict[str, str]]:
        """A multipart form with a file and fields."""
        mark = "----mark"
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                 for name, value in fields.items()]
        part = (f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
                "Content-Type: audio/wav\r\n\r\n").encode() + file + b"\r\n"
        parts.insert(0 if file_first else len(parts), part)
        body = b"".join(parts) + f"--{mark}--\r\n".encode()
        return await self.ask("POST", path, body, content_type=f"multipart/form-data; boundary={mark}")


@asynccontextmanager
async def page_server(
    faculties: FakeFaculties | None = None, *, pairing: str = "network", max_audio_duration_s: float = 30,
) -> AsyncIterator[PageServer]:
    fake = faculties or willing()
    packing = Workers(1, "test-pack")

    async def leave() -> None:
        """Nobody is here."""

    async with asyncio.TaskGroup() as tasks:
        guests = Guests(fake.all(), tasks, "en", max_audio_duration_s)
        listener = Listener(
            "page", "", "127.0.0.1", 0, Route(lambda request, visitor: respond(404, "nothing\n")),
            openai_routes(guests, packing.run))
        config = load(environment={}, env_file=None)
        metrics = Metrics(lambda: fake.stats)
        async with Web(config, Guard(pairing=pairing), [listener], leave, metrics).listening() as ports:
            yield PageServer(ports["page"], fake, guests)
    packing.close()


def wav(pcm: bytes, rate: int = 16_000) -> bytes:
    """A WAV file of mono s16le."""
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    return struct.pack("<4sI4s4sI", b"RIFF", 36 + len(pcm), b"WAVE", b"fmt ", 16) + form + struct.pack(
        "<4sI", b"data", len(pcm)) + pcm


def said(words: str) -> bytes:
    """`words` as the fake ears hear them."""
    return words.encode() + b"\0" * (len(words.encode()) % 2)


def sound(words: str, pieces: int = 1) -> list[bytes]:
    """`words` as the fake ears hear them, in audio-chunk events."""
    pcm = words.encode() + b"\0" * (len(words) % 2)
    size = max(2, len(pcm) // pieces // 2 * 2)
    return [encode("audio-chunk", FORM, pcm[begin : begin + size]) for begin in range(0, len(pcm), size)]
