"""The load: many clients in one process of their own. Only ever pointed at loopback.

    python -m tests.benchmarks.load     reads one task as a line of JSON, writes its result as a line of JSON

`run` does that from a benchmark or a test.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvloop

from tests.benchmarks.peer import Peer, Secure, chunks, text

RATE = 16_000
Json = dict[str, Any]


def run(task: str, watch: Callable[[], None] = lambda: None, **settings: Any) -> Json:
    """Put a load on a server and return what came of it. watch: called about ten times a second meanwhile."""
    with (
        tempfile.TemporaryFile("w+") as output,
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.load"],
            stdin=subprocess.PIPE,
            stdout=output,
            text=True,
            cwd=Path(__file__).parents[2],
        ) as process,
    ):
        assert process.stdin is not None
        process.stdin.write(json.dumps({"task": task} | settings) + "\n")
        process.stdin.flush()
        while process.poll() is None:
            watch()
            time.sleep(0.1)
        if process.returncode:
            raise RuntimeError(f"the load {task} ended with exit code {process.returncode}")
        output.seek(0)
        result: Json = json.loads(output.read())
        return result


async def stream(task: Json) -> Json:
    """Everybody talks without end for `seconds`, then cancels; pings go through the same sockets as the sound.

    task: port, connections, seconds, chunk_bytes, file (spoken round and round). Returns sent_samples,
    received_samples (what the server says had arrived), pings in ms, and how late this process was itself.
    """
    frames = chunks(_whole_chunks(task["file"], task["chunk_bytes"]), task["chunk_bytes"])
    chunk_s = task["chunk_bytes"] / 2 / RATE
    pings: list[float] = []
    heard: dict[Peer, float] = {}
    errors: list[str] = []

    def on_text(peer: Peer, message: str, now: float) -> None:
        if message.startswith('{"type":"pong"'):
            pings.append(1000 * (now - json.loads(message)["timestamp"]))
        elif message.startswith('{"type":"cancelled"'):
            heard[peer] = json.loads(message)["audio_s"]
        elif message.startswith('{"type":"error"'):
            errors.append(message)

    peers = [Peer(task["port"], on_text, _secure(task, number)) for number in range(task["connections"])]
    for peer in peers:
        peer.send(text(type="start", id="1"))
    await asyncio.sleep(0.5)
    rounds = round(task["seconds"] / chunk_s)
    behind, took_s = await _send_in_turn(peers, frames, rounds, chunk_s)
    for peer in peers:
        peer.send(text(type="cancel", id="1"))
    await _until_all(lambda: len(heard) + sum(peer.closed for peer in peers) >= len(peers))
    for peer in peers:
        peer.close()
    return {
        "sent_samples": len(peers) * rounds * task["chunk_bytes"] // 2,
        "received_samples": round(sum(heard.values()) * RATE),
        "answered": len(heard),
        "took_s": took_s,
        "errors": errors[:5],
        "pings": len(pings),
        "ping_ms_p50": percentile(pings, 50),
        "ping_ms_p99": percentile(pings, 99),
        "behind_ms_p99": percentile(behind, 99),
    }


async def _send_in_turn(
    peers: list[Peer], frames: list[bytes], rounds: int, chunk_s: float
) -> tuple[list[float], float]:
    """A chunk each per `chunk_s`, spread evenly over it; returns how late each slot was in ms, and the time taken."""
    slots = min(32, len(peers))
    ping_every = max(1, round(len(peers) / (200 * chunk_s)))  # in chunks: about 200 pings a second, at most one each
    behind: list[float] = []
    begin, count = time.perf_counter() + 0.1, 0
    for turn, slot in itertools.product(range(rounds), range(slots)):
        behind.append(1000 * await _sleep_until(begin + (turn + slot / slots) * chunk_s))
        for peer in peers[slot::slots]:
            peer.send(frames[turn % len(frames)])
            count += 1
            if count % ping_every == 0:
                peer.send(text(type="ping", timestamp=time.perf_counter()))
    return behind, time.perf_counter() - begin


class Speaker:
    """One person who says one sentence."""

    def __init__(self, pcm: bytes, chunk_bytes: int, chance: random.Random, seconds: float) -> None:
        self.frames = chunks(pcm, chunk_bytes)
        self.seconds = len(pcm) / 2 / RATE
        self.begins_at = chance.uniform(0, max(0.0, seconds - self.seconds))
        self.ended_at = 0.0
        self.at: dict[str, float] = {}
        """When a kind of message came, in ms after the endpoint."""
        self.heard: str | None = None
        self.answer: str | None = None
        self.answered_to: str | None = None

    def receive(self, message: str, now: float) -> None:
        fields = json.loads(message)
        kind = fields.get("type") or ("final" if "text" in fields else "partial")  # Vosk's server names no types
        if self.ended_at:
            self.at.setdefault(kind, 1000 * (now - self.ended_at))
        if kind == "final":
            self.heard = " ".join(filter(None, (self.heard, fields["text"])))  # Vosk's server cuts at pauses
        elif kind == "answer":
            self.answer, self.answered_to = fields["text"], fields["heard"]


async def speak(task: Json) -> Json:
    """Everybody says one sentence in real time, beginning at random within `seconds`; waits for all replies.

    task: port, files (one each), seconds, chunk_bytes, dialect ("stimme" or "vosk"), speak (replies wanted as sound),
    until (the kind of message that ends a turn), seed. Returns for each person text, answer, heard (what the answer is
    to), at (ms after the endpoint by kind of message; "sound" is the first of it), and for all speech_s, took_s, pings
    in ms.
    """
    vosk = task["dialect"] == "vosk"
    chance = random.Random(task["seed"])
    people: dict[Peer, Speaker] = {}
    pings: list[float] = []

    def on_text(peer: Peer, message: str, now: float) -> None:
        if message.startswith('{"type":"pong"'):
            pings.append(1000 * (now - json.loads(message)["timestamp"]))
        else:
            people[peer].receive(message, now)

    for number, file in enumerate(task["files"]):
        person = Speaker(_whole_chunks(file, 2), task["chunk_bytes"], chance, task["seconds"])
        people[Peer(task["port"], on_text, _secure(task, number))] = person
    for peer in people:
        peer.send(text(config={"sample_rate": RATE}) if vosk else text(type="hello", speak=task["speak"]))
    await asyncio.sleep(0.5)
    behind, begin = await _all_say_theirs(people, task["chunk_bytes"] / 2 / RATE, vosk)
    await _until_all(lambda: all(task["until"] in person.at or peer.closed for peer, person in people.items()))
    took_s = time.perf_counter() - begin
    for peer, person in people.items():
        if peer.first_sound_at:
            person.at["sound"] = 1000 * (peer.first_sound_at - person.ended_at)
        peer.close()
    return {
        "people": [
            {"text": one.heard, "answer": one.answer, "heard": one.answered_to, "at": one.at} for one in people.values()
        ],
        "speech_s": sum(person.seconds for person in people.values()),
        "took_s": took_s,
        "ping_ms_p50": percentile(pings, 50),
        "ping_ms_p95": percentile(pings, 95),
        "behind_ms_p99": percentile(behind, 99),
    }


async def _all_say_theirs(people: dict[Peer, Speaker], chunk_s: float, vosk: bool) -> tuple[list[float], float]:
    """Returns how late each message was in ms, and when it began. A chunk is sent once its last sample was spoken."""
    agenda = sorted(
        (
            (person.begins_at + number * chunk_s, peer, number)
            for peer, person in people.items()
            for number in range(len(person.frames) + 1)
        ),
        key=lambda entry: entry[0],
    )
    behind, begin = [], time.perf_counter() + 0.1
    for due, peer, number in agenda:
        behind.append(1000 * await _sleep_until(begin + due))
        frames = people[peer].frames
        if number:
            peer.send(frames[number - 1])
        if vosk:
            if number == len(frames):
                people[peer].ended_at = time.perf_counter()
                peer.send(text(eof=1))
            continue
        if number == 0:
            peer.send(text(type="start", id="1"))
        elif number % 4 == 0:
            peer.send(text(type="ping", timestamp=time.perf_counter()))
        if number == len(frames):
            people[peer].ended_at = time.perf_counter()
            peer.send(text(type="stop", id="1"))
    return behind, begin


async def cycle(task: Json) -> Json:
    """Connect, say a word at once, leave; `cycles` times over, `at_once` side by side. Every fourth leaves half-way.

    task: port, cycles, at_once, file. Returns cycles, answered, took_s.
    """
    frames = chunks(_whole_chunks(task["file"], 2), 16 * 1024)
    finished: dict[Peer, asyncio.Event] = {}
    answered = 0
    begin = time.perf_counter()

    def on_text(peer: Peer, message: str, now: float) -> None:
        nonlocal answered
        if message.startswith('{"type":"final"'):
            answered += 1
            finished[peer].set()

    async def visit(stays: bool) -> None:
        peer = Peer(task["port"], on_text, _secure(task))
        finished[peer] = asyncio.Event()
        peer.send(text(type="start", id="1"))
        for frame in frames if stays else frames[:1]:
            peer.send(frame)
        if stays:
            peer.send(text(type="stop", id="1"))
            async with asyncio.timeout(60):
                await finished[peer].wait()
        del finished[peer]
        peer.close()

    async def visits(first: int) -> None:
        for number in range(first, task["cycles"], task["at_once"]):
            await visit(stays=number % 4 != 3)

    async with asyncio.TaskGroup() as tasks:
        for first in range(task["at_once"]):
            tasks.create_task(visits(first))
    return {"cycles": task["cycles"], "answered": answered, "took_s": time.perf_counter() - begin}


async def idle(task: Json) -> Json:
    """`connections` clients say hello and stay for `seconds`."""
    peers = [
        Peer(task["port"], lambda peer, message, now: None, _secure(task, number))
        for number in range(task["connections"])
    ]
    for peer in peers:
        peer.send(text(type="hello"))
    await asyncio.sleep(task["seconds"])
    closed = sum(peer.closed for peer in peers)
    for peer in peers:
        peer.close()
    return {"connections": len(peers), "closed": closed}


def _secure(task: Json, number: int = 0) -> Secure | None:
    """For the client of that number. task may hold secure: {authority, name, tokens}; one token is one place's."""
    if "secure" not in task:
        return None
    secure = task["secure"]
    return Secure(secure["authority"], secure["name"], secure["tokens"][number % len(secure["tokens"])])


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank; 0.0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


def _whole_chunks(file: str, chunk_bytes: int) -> bytes:
    """A file's sound, cut to whole chunks."""
    pcm = Path(file).read_bytes()
    return pcm[: len(pcm) - len(pcm) % chunk_bytes]


async def _sleep_until(due: float) -> float:
    """Returns how late it became, in seconds."""
    late = time.perf_counter() - due
    if late < 0:
        await asyncio.sleep(-late)
        late = time.perf_counter() - due
    return late


async def _until_all(done: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait until it is so or the time is up; the caller counts what is missing."""
    deadline = time.perf_counter() + timeout_s
    while not done() and time.perf_counter() < deadline:  # noqa: ASYNC110 - an event for each message would be load
        await asyncio.sleep(0.02)


_TASKS = {"stream": stream, "speak": speak, "cycle": cycle, "idle": idle}


def main() -> None:
    task = json.loads(sys.stdin.readline())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(_TASKS[task["task"]](task))
    print(json.dumps(result | {"load_cpu_s": time.process_time()}))


if __name__ == "__main__":
    main()
