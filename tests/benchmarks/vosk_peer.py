"""A server of the same design as the public WebSocket server for Vosk, for comparison only.

Written from a description of its behaviour: one recognizer for each connection, made when it connects; every message
of sound handed to a pool of as many threads as there are cores; exactly one answer to each message, the partial
transcript so far or, after {"eof": 1}, the final one. No limits, no understanding, no speech.

    python -m tests.benchmarks.vosk_peer run
"""

from __future__ import annotations

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor

from vosk import KaldiRecognizer
from websockets.asyncio.server import ServerConnection, serve

from tests.benchmarks.before import published_model


def _process(recognizer: KaldiRecognizer, message: str | bytes) -> tuple[str, bool]:
    """One message's answer, and whether it was the last."""
    if isinstance(message, str):
        return recognizer.FinalResult(), True
    return (recognizer.Result() if recognizer.AcceptWaveform(message) else recognizer.PartialResult()), False


async def run() -> None:
    model = published_model()
    threads = ThreadPoolExecutor(os.cpu_count() or 1)
    loop = asyncio.get_running_loop()

    async def answer(socket: ServerConnection) -> None:
        recognizer, rate, last = None, 16_000, False
        async for message in socket:
            if isinstance(message, str) and "config" in message:
                rate = json.loads(message)["config"].get("sample_rate", rate)
                continue
            if recognizer is None:
                recognizer = KaldiRecognizer(model, rate)
                recognizer.SetWords(True)
            text, last = await loop.run_in_executor(threads, _process, recognizer, message)
            await socket.send(text)
            if last:
                return

    async with serve(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"ready: http://localhost:{port} (WebSocket also at ws://localhost:{port})", flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(run())
