"""The server before the migration, for comparison only: it buffers whole utterances and decodes them on the event loop.

As the migration guide describes it: one process, 4096-byte chunks, the whole utterance kept until its end, a recognizer
made for every utterance, everything decoded at once by a call that lets nobody else have a turn. It understands the
same start, sound, stop, cancel and ping as the server after, so that the same load can be put on both; it answers with
the transcript only. Its /metrics shows how late its event loop is.

    python -m tests.benchmarks.before run      listens on a free port and prints the same "ready" line as the server
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

from vosk import KaldiRecognizer, Model, SetLogLevel
from websockets.asyncio.server import ServerConnection, serve

from appliance.hearing.transcript import PoolStats
from appliance.models.choose import find_recognizer
from appliance.server.http import respond
from appliance.server.metrics import Metrics
from tests.support.library_http import library_response
from tests.support.server import MODELS

RATE = 16_000


class Before:
    def __init__(self, model: Model, metrics: Metrics) -> None:
        self._model = model
        self._sound: dict[ServerConnection, list[bytes]] = {}
        metrics.backlog.set_function(
            lambda: sum(len(chunk) for chunks in self._sound.values() for chunk in chunks) / 2 / RATE
        )

    async def serve(self, socket: ServerConnection) -> None:
        chunks = self._sound[socket] = []
        async for message in socket:
            if isinstance(message, bytes):
                chunks.append(message)
                continue
            fields = json.loads(message)
            match fields["type"]:
                case "ping":
                    await socket.send(as_text(type="pong", timestamp=fields["timestamp"]))
                case "start":
                    chunks.clear()
                case "cancel":
                    audio_s = sum(map(len, chunks)) / 2 / RATE
                    chunks.clear()
                    await socket.send(as_text(type="cancelled", id="1", audio_s=audio_s))
                case "stop":
                    begin = time.perf_counter()
                    text = self._transcribe(b"".join(chunks))
                    chunks.clear()
                    took_ms = 1000 * (time.perf_counter() - begin)
                    await socket.send(as_text(type="final", id="1", text=text, processing_time_ms=took_ms))
                    await self.answer(socket, text)
        del self._sound[socket]

    async def answer(self, socket: ServerConnection, text: str) -> None:
        """It only hears; before_speaking.py does more."""

    def _transcribe(self, pcm: bytes) -> str:
        """Blocks the event loop, as it did."""
        recognizer = KaldiRecognizer(self._model, RATE)
        recognizer.SetWords(True)
        recognizer.AcceptWaveform(pcm)
        text: str = json.loads(recognizer.FinalResult())["text"]
        return text


def as_text(**fields: object) -> str:
    return json.dumps(fields, separators=(",", ":"))


def published_model() -> Model:
    """The embedded recognizer as anyone would load it, without the decoding graph that Stimme keeps beside it."""
    choice = find_recognizer("en", MODELS)
    assert choice is not None
    SetLogLevel(-1)
    with tempfile.TemporaryDirectory() as folder:
        for file in choice.path.rglob("*"):
            if file.is_file() and file.name != "HCLG.fst":
                link = Path(folder) / file.relative_to(choice.path)
                link.parent.mkdir(exist_ok=True, parents=True)
                link.symlink_to(file.resolve())
        return Model(folder)


async def listen(kind: type[Before] = Before) -> None:
    metrics = Metrics(lambda: PoolStats(0, 0, 0, 0, 0.0, 0.0))
    before = kind(published_model(), metrics)
    async with serve(
        before.serve,
        "127.0.0.1",
        0,
        process_request=lambda _, request: (
            library_response(respond(200, metrics.text())) if request.path == "/metrics" else None
        ),
    ) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"ready: http://localhost:{port} (WebSocket also at ws://localhost:{port})", flush=True)
        await metrics.watch_loop(lambda: True)


if __name__ == "__main__":
    asyncio.run(listen())
