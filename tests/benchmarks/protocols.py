"""Other people's protocols beside our own, in one run → bench/results/protocols.json.

End of speech → final transcript: each sentence is sent as it is spoken, by each protocol in turn, to one real server.
Text → first sound: sentences that nobody has said before, of the same length for all; and, with --peer, beside
wyoming-piper with the same voice. Not measured: a network (all is on loopback), a Raspberry Pi, Home Assistant itself.

    python -m tests.benchmarks.protocols [--sentences N] [--peer PYTHON]

PYTHON: of an environment of its own in which wyoming-piper is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from websockets.asyncio.client import connect
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.tts import Synthesize

from tests.benchmarks.load import Json
from tests.benchmarks.results import machine, percentiles, save
from tests.support.caller import RATE, caller
from tests.support.kit import voice_path
from tests.support.programs import wav
from tests.support.server import RunningServer, running_server
from tests.support.speech import commands, spoken

CHUNK_BYTES = 1024
SETTINGS = {
    "STIMME_WYOMING": "1",
    "STIMME_WYOMING_PORT": "0",
    "STIMME_VOSK": "1",
    "STIMME_VOSK_PORT": "0",
    "STIMME_OPENAI": "1",
}
NUMBERS = (
    "seven",
    "eight",
    "nine",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
)
Heard = Callable[[bytes], Awaitable[float]]
"""Sends sound as it is spoken; returns milliseconds from its end to the final transcript."""
Spoken = Callable[[str], Awaitable[tuple[float, float]]]
"""Milliseconds from a text to its first sound."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=20)
    parser.add_argument("--peer", default="", metavar="PYTHON")
    options = parser.parse_args()
    figures: Json = {"machine": machine(), "sentences": options.sentences}
    with running_server(SETTINGS) as server:
        figures["end_of_speech_to_final_ms"] = asyncio.run(_hearing(server, options.sentences))
        figures["text_to_first_sound_ms"] = asyncio.run(_speaking(server, options.sentences))
        if options.peer:
            with wyoming_piper(options.peer) as port:
                figures["five_seconds_to_first_sound_ms"] = asyncio.run(_beside(server, port, options.sentences))
    print(json.dumps({name: row for name, row in figures.items() if name != "machine"}, indent=1))
    print(save("protocols", figures))
    return 0


def port(server: RunningServer, name: str) -> int:
    match = re.search(rf"for programs: {name} at [^:]+:(\d+)", server.log.read_text())
    assert match
    return int(match[1])


async def _hearing(server: RunningServer, count: int) -> Json:
    ways: dict[str, Heard] = {
        "own": lambda pcm: own(server.url, pcm),
        "wyoming": lambda pcm: wyoming(port(server, "wyoming"), pcm),
        "vosk": lambda pcm: vosk(port(server, "vosk"), pcm),
        "openai_upload": lambda pcm: upload(server.page_port, pcm),
        "openai_realtime": lambda pcm: realtime(server.page_port, pcm),
    }
    sentences = await spoken(commands()[:count])
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number, pcm in enumerate(sentences):
        first = number % len(ways)  # whatever else the machine does meets all alike
        for name in [*ways][first:] + [*ways][:first]:
            took_ms = await ways[name](pcm)
            if number:  # the first of each warms up
                found[name].append(took_ms)
    return _beside_own(found)


def _beside_own(found: dict[str, list[float]]) -> Json:
    """Percentiles, and the median of what each took more than our own protocol with the same sentence."""
    return {
        name: percentiles(values)
        | {"more_than_own_p50": round(median(one - other for one, other in zip(values, found["own"], strict=True)), 1)}
        for name, values in found.items()
    }


async def paced(pcm: bytes) -> AsyncIterator[bytes]:
    """Pieces of sound as they are spoken."""
    begin = time.perf_counter()
    for start in range(0, len(pcm), CHUNK_BYTES):
        piece = pcm[start : start + CHUNK_BYTES]
        await asyncio.sleep(max(0.0, begin + (start + len(piece)) / 2 / RATE - time.perf_counter()))
        yield piece


def since(begin: float) -> float:
    return 1000 * (time.perf_counter() - begin)


async def own(url: str, pcm: bytes) -> float:
    async with caller(url) as person:
        await person.hello(speak=False)
        turn = await person.say(pcm, chunk_bytes=CHUNK_BYTES, until="final")
        return turn.ms("final")


async def wyoming(at: int, pcm: bytes) -> float:
    async with AsyncTcpClient("127.0.0.1", at) as client:
        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStart(rate=RATE, width=2, channels=1).event())
        async for piece in paced(pcm):
            await client.write_event(AudioChunk(RATE, 2, 1, piece).event())
        await client.write_event(AudioStop().event())
        begin = time.perf_counter()
        while (event := await client.read_event()) is not None and not Transcript.is_type(event.type):
            pass
        return since(begin)


async def vosk(at: int, pcm: bytes) -> float:
    async with connect(f"ws://127.0.0.1:{at}", compression=None) as client:
        await client.send(json.dumps({"config": {"sample_rate": RATE}}))
        async for piece in paced(pcm):
            await client.send(piece)
            await client.recv()
        await client.send('{"eof" : 1}')
        begin = time.perf_counter()
        await client.recv()
        return since(begin)


async def upload(at: int, pcm: bytes) -> float:
    """A WAV file that is uploaded while it is spoken."""
    reader, writer = await asyncio.open_connection("127.0.0.1", at)
    head = wav(pcm)[:44]
    before = (
        b'--m\r\nContent-Disposition: form-data; name="model"\r\n\r\nx\r\n--m\r\n'
        b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    ) + head
    after = b"\r\n--m--\r\n"
    writer.write(
        b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: multipart/form-data; boundary=m\r\n"
        b"Content-Length: %d\r\n\r\n" % (len(before) + len(pcm) + len(after)) + before
    )
    async for piece in paced(pcm):
        writer.write(piece)
        await writer.drain()
    writer.write(after)
    begin = time.perf_counter()
    answer = await reader.read(65_536)
    took_ms = since(begin)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    writer.close()
    await writer.wait_closed()
    return took_ms


async def realtime(at: int, pcm: bytes) -> float:
    session = {
        "type": "transcription",
        "audio": {"input": {"format": {"type": "audio/pcm", "rate": RATE}, "turn_detection": None}},
    }
    async with connect(f"ws://127.0.0.1:{at}/v1/realtime?intent=transcription", compression=None) as client:
        await client.send(json.dumps({"type": "session.update", "session": session}))
        async for piece in paced(pcm):
            await client.send(
                json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(piece).decode()})
            )
        await client.send(json.dumps({"type": "input_audio_buffer.commit"}))
        begin = time.perf_counter()
        while not json.loads(await client.recv())["type"].endswith("transcription.completed"):
            pass
        return since(begin)


async def _speaking(server: RunningServer, count: int) -> Json:
    """Sums as our dialogue answers them: the same shape and length for all, each said for the first time."""
    found: dict[str, list[float]] = {"own": [], "wyoming": [], "openai_pcm": []}
    pairs = [(one, other) for one in NUMBERS for other in NUMBERS if one != other]
    async with caller(server.url) as person:
        for number in range(min(count + 1, len(pairs) // 3)):
            turn = await person.type("what is {} plus {}".format(*pairs[3 * number]), until="speech_end")
            took = [1000 * (turn.at["audio"] - turn.at["answer"])]
            text = str(turn.first("answer")["text"])
            took.append((await synthesized(port(server, "wyoming"), text.replace("plus", "and", 1)))[0])
            took.append(await asyncio.to_thread(requested, server.page_port, text.replace("plus", "or", 1)))
            if number:
                for name, took_ms in zip(found, took, strict=True):
                    found[name].append(took_ms)
    return _beside_own(found)


async def _beside(server: RunningServer, peer: int, count: int) -> Json:
    """One sentence of five seconds, each time another, to both with the same voice."""
    ways: dict[str, Spoken] = {
        "stimme": lambda text: synthesized(port(server, "wyoming"), text),
        "wyoming_piper": lambda text: synthesized(peer, text),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(count + 1):
        one, other = NUMBERS[number % len(NUMBERS)], NUMBERS[(number * 7 + 3) % len(NUMBERS)]
        text = (
            f"The {one} ships that left the harbour in the evening came back with {other} boxes of fish "
            "before anybody on the island had finished breakfast."
        )
        for name, way in ways.items():
            took_ms, _ = await way(text)
            if number:
                found[name].append(took_ms)
    rows: Json = {name: percentiles(values) for name, values in found.items()}
    return rows | {
        "times_sooner_p50": round(
            median(peer / ours for ours, peer in zip(found["stimme"], found["wyoming_piper"], strict=True)), 1
        )
    }


async def synthesized(at: int, text: str) -> tuple[float, float]:
    """Until the first sound, and until the last, in ms."""
    async with AsyncTcpClient("127.0.0.1", at) as client:
        begin = time.perf_counter()
        await client.write_event(Synthesize(text).event())
        took_ms = 0.0
        while (event := await client.read_event()) is not None and event.type != "audio-stop":
            if AudioChunk.is_type(event.type) and not took_ms:
                took_ms = since(begin)
        return took_ms, since(begin)


def requested(at: int, text: str) -> float:
    body = json.dumps({"input": text, "response_format": "pcm"}).encode()
    request = urllib.request.Request(
        f"http://localhost:{at}/v1/audio/speech", body, {"Content-Type": "application/json"}
    )
    begin = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read(1)
        took_ms = since(begin)
        answer.read()
    return took_ms


@contextmanager
def wyoming_piper(python: str) -> Iterator[int]:
    """It, with the embedded English voice, in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        at = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        for file in voice_path().parent.glob("*.onnx*"):
            shutil.copy(file, folder)
        name = next(Path(folder).glob("*.onnx")).stem
        process = subprocess.Popen(
            [
                python,
                "-m",
                "wyoming_piper",
                "--voice",
                name,
                "--data-dir",
                folder,
                "--uri",
                f"tcp://127.0.0.1:{at}",
                "--local-files-only",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", at)) == 0:
                        break
                time.sleep(0.1)
            yield at
        finally:
            process.terminate()
            process.wait(10)


if __name__ == "__main__":
    sys.exit(main())
