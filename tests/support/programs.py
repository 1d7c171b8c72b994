"""What the tests of other people's programs share: the listeners over fake faculties, in this event loop."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any, TypeVar, TypeVarTuple

from websockets.asyncio.client import connect

from appliance.attention import Attention
from appliance.audio.endpointing import CHUNK_SAMPLES
from appliance.config import EndpointConfig, load
from appliance.guests import Guests
from appliance.programs import Programs
from appliance.server.access import Guard
from appliance.server.http import respond
from appliance.server.listener import Listener, Route
from appliance.server.metrics import Metrics
from appliance.server.web import Web
from appliance.server.wyoming.codec import Decoder, Event, encode
from appliance.sessions import Sessions
from tests.support.faculties import FakeFaculties, willing

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

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


class Detecting:
    """Hears a voice in every chunk that is not silence."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, pcm: bytes) -> tuple[float, ...]:
        pcm = self._rest + pcm
        whole = len(pcm) // (2 * CHUNK_SAMPLES) * 2 * CHUNK_SAMPLES
        self._rest = pcm[whole:]
        return tuple(float(any(pcm[begin : begin + 2 * CHUNK_SAMPLES])) for begin in range(0, whole, 2 * CHUNK_SAMPLES))


def attention(faculties: FakeFaculties) -> Attention:
    """Somebody who listens along, at once and not in a thread."""

    async def run(function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        return function(*arguments)

    return Attention(EndpointConfig(), faculties, Detecting, run, lambda: False, asyncio.get_running_loop().time)


@dataclass
class ProgramsServer:
    """Everything that programs come in by, over fake faculties."""

    ports: dict[str, int]
    faculties: FakeFaculties
    programs: Programs
    metrics: Metrics

    @property
    def guests(self) -> Guests:
        return self.programs.guests

    @property
    def dropped(self) -> list[str]:
        """Why clients were dropped."""
        found = re.findall(r'voice_clients_dropped_total{reason="(\w+)"}', self.metrics.text().decode())
        return list(found)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Talking]:
        """One of Wyoming."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports["wyoming"])
        try:
            yield Talking(reader, writer)
        finally:
            writer.transport.abort()

    def vosk(self, path: str = "", **settings: Any) -> connect:
        """One of Vosk's WebSocket."""
        return connect(f"ws://127.0.0.1:{self.ports['vosk']}{path}", compression=None, **settings)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """(status, body, headers by lower-case name) of one request."""

        def asked() -> tuple[int, bytes, dict[str, str]]:
            connection = HTTPConnection("127.0.0.1", self.ports["page"], timeout=10)
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            found = response.status, response.read(), {name.lower(): value for name, value in response.getheaders()}
            connection.close()
            return found

        return await asyncio.to_thread(asked)

    async def form(
        self, path: str, file: bytes, fields: Mapping[str, str], *, file_first: bool = False
    ) -> tuple[int, bytes, dict[str, str]]:
        """A multipart form with a file and fields."""
        mark = "----mark"
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        part = (
            (
                f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
                "Content-Type: audio/wav\r\n\r\n"
            ).encode()
            + file
            + b"\r\n"
        )
        parts.insert(0 if file_first else len(parts), part)
        body = b"".join(parts) + f"--{mark}--\r\n".encode()
        return await self.ask("POST", path, body, content_type=f"multipart/form-data; boundary={mark}")


@asynccontextmanager
async def programs_server(faculties: FakeFaculties | None = None, **settings: str) -> AsyncIterator[ProgramsServer]:
    """settings: environment names without STIMME_, in lower case, or as they are."""
    fake = faculties or willing()
    named = {name if name.isupper() else f"STIMME_{name.upper()}": value for name, value in settings.items()}
    config = load(
        env_file=None,
        environment={
            "STIMME_WYOMING": "1",
            "STIMME_VOSK": "1",
            "STIMME_OPENAI": "1",
            "STIMME_WYOMING_PORT": "0",
            "STIMME_VOSK_PORT": "0",
        }
        | named,
    )
    metrics, guard = Metrics(lambda: fake.stats), Guard(pairing=config.server.pairing)

    async def leave() -> None:
        """Nobody is at the page."""

    async with asyncio.TaskGroup() as tasks:
        sessions = Sessions(fake.all(), tasks, language="en", max_audio_duration_s=config.server.max_audio_duration_s)
        programs = Programs(config, sessions, metrics, tasks, attention(fake))
        page = Listener("page", "", "127.0.0.1", 0, Route(lambda request, visitor: respond(404, "nothing\n")))
        web = Web(
            config.server,
            config.streaming,
            guard,
            programs.added([page], guard),
            lambda: programs.leave(leave()),
            metrics,
        )
        async with web.listening() as ports, programs.listening() as further:
            yield ProgramsServer(ports | further, fake, programs, metrics)
        programs.close()


def wav(pcm: bytes, rate: int = 16_000) -> bytes:
    """A WAV file of mono s16le."""
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    return (
        struct.pack("<4sI4s4sI", b"RIFF", 36 + len(pcm), b"WAVE", b"fmt ", 16)
        + form
        + struct.pack("<4sI", b"data", len(pcm))
        + pcm
    )


def said(words: str) -> bytes:
    """`words` as the fake ears hear them."""
    return words.encode() + b"\0" * (len(words.encode()) % 2)


def sound(words: str, pieces: int = 1) -> list[bytes]:
    """`words` as the fake ears hear them, in audio-chunk events."""
    pcm = words.encode() + b"\0" * (len(words) % 2)
    size = max(2, len(pcm) // pieces // 2 * 2)
    return [encode("audio-chunk", FORM, pcm[begin : begin + size]) for begin in range(0, len(pcm), size)]
