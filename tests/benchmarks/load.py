"""Many clients in one process of their own, as cheap as Python gets: it shares the cores with the server it loads.

Sockets are written to directly, with frames masked beforehand; what comes back is parsed by hand. A benchmark or test
writes one task as a line of JSON to its standard input and reads the result from its standard output. Only ever pointed at loopback.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvloop
from websockets.frames import Frame, Opcode

RATE = 16_000
Json = dict[str, Any]


def binary(payload: bytes) -> bytes:
    """A masked binary frame."""
    return Frame(Opcode.BINARY, payload).serialize(mask=True)


def text(**fields: Any) -> bytes:
    """A masked text frame with a JSON object."""
    return Frame(Opcode.TEXT, json.dumps(fields).encode()).serialize(mask=True)


def chunks(pcm: bytes, size_bytes: int) -> list[bytes]:
    """Sound as ready-made frames."""
    return [binary(pcm[begin : begin + size_bytes]) for begin in range(0, len(pcm), size_bytes)]


class Peer:
    """One client: a socket in the event loop, and the frames that come back from it."""

    def __init__(self, port: int, on_text: Callable[[Peer, str, float], None]) -> None:
        self.sound_bytes = 0
        self.closed = False
        self._on_text = on_text
        self._loop = asyncio.get_running_loop()
        self._unsent = b""
        self._unparsed = b""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self._socket.recv(4096)
            if not piece:
                raise ConnectionError(f"refused: {answer[:200]!r}")
            answer += piece
        if not answer.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(f"refused: {answer[:200]!r}")
        self._unparsed = answer.partition(b"\r\n\r\n")[2]
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._readable)

    def send(self, frame: bytes) -> None:
        if self._unsent:
            self._unsent += frame
            return
        try:
            sent = self._socket.send(frame)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(frame):
            self._unsent = frame[sent:]
            self._loop.add_writer(self._socket, self._writable)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()

    def _writable(self) -> None:
        unsent, self._unsent = self._unsent, b""
        self._loop.remove_writer(self._socket)
        self.send(unsent)

    def _readable(self) -> None:
        now = time.perf_counter()
        try:
            data = self._socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._unparsed += data
        for opcode, payload in self._frames():
            if opcode == Opcode.TEXT:
                self._on_text(self, payload.decode(), now)
            elif opcode == Opcode.BINARY:
                self.sound_bytes += len(payload)

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """Whole frames from the server: unmasked, unfragmented (RFC 6455, 5.2)."""
        data, at = self._unparsed, 0
        while len(data) - at >= 2:
            size, begin = data[at + 1], at + 2
            if size == 126 and len(data) - at >= 4:
                size, begin = struct.unpack_from("!H", data, begin)[0], at + 4
            elif size == 127 and len(data) - at >= 10:
                size, begin = struct.unpack_from("!Q", data, begin)[0], at + 10
            elif size >= 126:
                break
            if len(data) < begin + size:
                break
            yield data[at] & 15, data[begin : begin + size]
            at = begin + size
        self._unparsed = data[at:]


async def stream(task: Json) -> Json:
    """Everybody talks without end for `seconds`, then cancels; pings go through the same sockets as the sound.

    task: port, connections, seconds, chunk_bytes, files (the first is spoken round and round). Returns sent_samples,
    received_samples (what the server says it heard of them), ping_ms, behind_ms (how late this process was itself).
    """
    chunk_s = task["chunk_bytes"] / 2 / RATE
    frames = chunks(_whole(task["files"][0], task["chunk_bytes"]), task["chunk_bytes"])
    pings: list[float] = []
    behind: list[float] = []
    heard: dict[Peer, float] = {}
    errors: list[str] = []

    def on_text(peer: Peer, message: str, now: float) -> None:
        if message.startswith('{"type":"pong"'):
            pings.append(1000 * (now - json.loads(message)["timestamp"]))
        elif message.startswith('{"type":"cancelled"'):
            heard[peer] = json.loads(message)["audio_s"]
        elif message.startswith('{"type":"error"'):
            errors.append(message)

    peers = [Peer(task["port"], on_text) for _ in range(task["connections"])]
    for peer in peers:
        peer.send(text(type="start", id="1"))
    await asyncio.sleep(0.5)
    slots = min(32, len(peers))
    rounds = round(task["seconds"] / chunk_s)
    ping_every = max(1, round(len(peers) / (200 * chunk_s)))  # in chunks: about 200 pings a second, at most one each
    begin, count = time.perf_counter() + 0.1, 0
    for turn, slot in itertools.product(range(rounds), range(slots)):
        behind.append(1000 * await _until(begin + (turn + slot / slots) * chunk_s))
        for peer in peers[slot::slots]:
            peer.send(frames[turn % len(frames)])
            count += 1
            if count % ping_every == 0:
                peer.send(text(type="ping", timestamp=time.perf_counter()))
    took_s = time.perf_counter() - begin
    for peer in peers:
        peer.send(text(type="cancel", id="1"))
    await _all(lambda: len(heard) == len(peers))
    for peer in peers:
        peer.close()
    return {
        "sent_samples": len(peers) * rounds * task["chunk_bytes"] // 2,
        "received_samples": round(sum(heard.values()) * RATE), "answered": len(heard), "took_s": took_s,
        "errors": errors[:5], "pings": len(pings), "ping_ms_p50": percentile(pings, 50),
        "ping_ms_p99": percentile(pings, 99), "behind_ms_p99": percentile(behind, 99)}


class Speaker:
    """One person who says one sentence, in one server's way of speaking over a WebSocket."""

    def __init__(self, pcm: bytes, begins_at: float, chunk_bytes: int) -> None:
        self.frames = chunks(pcm, chunk_bytes)
        self.begins_at, self.chunk_s = begins_at, chunk_bytes / 2 / RATE
        self.seconds = len(pcm) / 2 / RATE
        self.ended_at = 0.0
        self.at: dict[str, float] = {}
        """When a kind of message came, in ms after the endpoint."""
        self.heard: str | None = None
        self.answer: str | None = None


async def speak(task: Json) -> Json:
    """Everybody says one sentence in real time, beginning at random within `seconds`; waits for all replies.

    task: port, files (one each), seconds, chunk_bytes, dialect ("stimme", "vosk"), until (kind of message), seed.
    Returns per person: text, answer, ms after the endpoint by kind of message; behind_ms_p99; took_s.
    """
    dialect, until = task["dialect"], task["until"]
    chance = random.Random(task["seed"])
    people: dict[Peer, Speaker] = {}

    def on_text(peer: Peer, message: str, now: float) -> None:
        speaker, fields = people[peer], json.loads(message)
        kind = fields.get("type") or ("final" if "text" in fields else "partial")
        if speaker.ended_at:
            speaker.at.setdefault(kind, 1000 * (now - speaker.ended_at))
        if kind == "final":
            speaker.heard = fields["text"]
        elif kind == "answer":
            speaker.answer = fields["text"]

    for name in task["files"]:
        pcm = Path(name).read_bytes()
        latest = max(0.0, task["seconds"] - len(pcm) / 2 / RATE)
        speaker = Speaker(pcm, chance.uniform(0, latest), task["chunk_bytes"])
        people[Peer(task["port"], on_text)] = speaker
    for peer in people:
        peer.send(text(config={"sample_rate": RATE}) if dialect == "vosk" else text(type="hello", speak=task["speak"]))
    await asyncio.sleep(0.5)
    begin, behind = time.perf_counter() + 0.1, []
    for due, peer, number in sorted(
        ((speaker.begins_at + number * speaker.chunk_s, peer, number) for peer, speaker in people.items()
         for number in range(len(speaker.frames) + 1)), key=lambda entry: entry[0]):
        behind.append(1000 * await _until(begin + due))
        speaker = people[peer]
        if number == 0 and dialect != "vosk":
            peer.send(text(type="start", id="1"))
        elif number:
            peer.send(speaker.frames[number - 1])  # a chunk can be sent once its last sample was spoken
        if number == len(speaker.frames):
            speaker.ended_at = time.perf_counter()
            peer.send(text(eof=1) if dialect == "vosk" else text(type="stop", id="1"))
    await _all(lambda: all(until in speaker.at or peer.closed for peer, speaker in people.items()))
    took_s = time.perf_counter() - begin
    for peer in people:
        peer.close()
    return {
        "people": [{"text": one.heard, "answer": one.answer, "at": one.at} for one in people.values()],
        "speech_s": sum(one.seconds for one in people.values()), "took_s": took_s,
        "behind_ms_p99": percentile(behind, 99)}


async def cycle(task: Json) -> Json:
    """Connect, say a word, leave; `cycles` times over, `at_once` side by side. Every fourth leaves in mid-utterance.

    task: port, cycles, at_once, files (the first is spoken at once). Returns answered, took_s.
    """
    frames = chunks(Path(task["files"][0]).read_bytes(), 16 * 1024)
    answered, done = 0, 0
    finished: dict[Peer, asyncio.Event] = {}
    begin = time.perf_counter()

    def on_text(peer: Peer, message: str, now: float) -> None:
        nonlocal answered
        if message.startswith('{"type":"final"'):
            answered += 1
            finished[peer].set()

    async def visitor(first: int) -> None:
        nonlocal done
        for number in range(first, task["cycles"], task["at_once"]):
            peer = Peer(task["port"], on_text)
            finished[peer] = asyncio.Event()
            peer.send(text(type="start", id="1"))
            for frame in frames[: 1 if number % 4 == 3 else None]:
                peer.send(frame)
            if number % 4 != 3:
                peer.send(text(type="stop", id="1"))
                async with asyncio.timeout(60):
                    await finished[peer].wait()
            del finished[peer]
            peer.close()
            done += 1

    async with asyncio.TaskGroup() as tasks:
        for first in range(task["at_once"]):
            tasks.create_task(visitor(first))
    return {"cycles": done, "answered": answered, "took_s": time.perf_counter() - begin}


async def idle(task: Json) -> Json:
    """Connect, say hello, stay until a line comes on standard input."""
    peers = [Peer(task["port"], lambda peer, message, now: None) for _ in range(task["connections"])]
    for peer in peers:
        peer.send(text(type="hello"))
    await asyncio.sleep(1)
    print("connected", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for peer in peers:
        peer.close()
    return {"connections": len(peers)}


def _whole(file: str, chunk_bytes: int) -> bytes:
    """A file's sound, cut to whole chunks."""
    pcm = Path(file).read_bytes()
    return pcm[: len(pcm) - len(pcm) % chunk_bytes]


async def _until(due: float) -> float:
    """Sleep until then; returns how late it became, in seconds."""
    late = time.perf_counter() - due
    if late < 0:
        await asyncio.sleep(-late)
        late = time.perf_counter() - due
    return late


async def _all(done: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait until it is so, or until the time is up; the caller counts what is missing."""
    deadline = time.perf_counter() + timeout_s
    while not done() and time.perf_counter() < deadline:
        await asyncio.sleep(0.02)


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank; 0.0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


_TASKS = {"stream": stream, "speak": speak, "cycle": cycle, "idle": idle}


def main() -> None:
    task = json.loads(sys.stdin.readline())
    begin_s = time.process_time()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(_TASKS[task["task"]](task))
    print(json.dumps(result | {"load_cpu_s": time.process_time() - begin_s}))


if __name__ == "__main__":
    main()
