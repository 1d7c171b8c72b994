"""Commands said to the real server in real time: from the last sound of a voice to the first of the reply."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

from appliance.audio.pcm import RATE
from tests.benchmarks.handsfree.said import Said, quiet_room
from tests.support.caller import Caller, caller
from tests.support.scrape import scrape
from tests.support.server import RunningServer, running_server

CHUNK_BYTES = 1024
AFTER_S = 12.0


@dataclass
class Spoken:
    """One turn. Times are seconds after the voice's last sound."""

    said: Said
    setting: str = ""
    at: dict[str, float] = field(default_factory=dict)

    @property
    def is_cut(self) -> bool:
        return self.at["endpoint"] < 0

    @property
    def commit_to_sound_s(self) -> float:
        return self.at["audio"] - self.at["endpoint"]


@dataclass(frozen=True)
class Turns:
    spoken: list[Spoken]
    wasted_percent: float
    """Of one core, by guesses that were discarded, while somebody talked and was answered."""
    guesses: dict[str, float]


def turns(commands: list[Said]) -> Turns:
    """All of them, one after the other, each in a session of its own."""
    with running_server() as server:
        begin = time.monotonic()
        spoken = asyncio.run(_all(server, commands))
        seconds = time.monotonic() - begin
        found = scrape(server.page_port)
    guesses = {how: found["voice_guesses_total", how] for how in ("used", "discarded")}
    return Turns(spoken, 100 * found["voice_guesses_wasted_seconds_total", ""] / seconds, guesses)


async def _all(server: RunningServer, commands: list[Said]) -> list[Spoken]:
    found = []
    for one in commands:
        async with caller(server.url) as person:
            await person.hello(language=one.language, reply_rate=48_000)
            found.append(await _one(person, one))
    return found


async def _one(person: Caller, said: Said) -> Spoken:
    spoken, pcm = Spoken(said), said.pcm + quiet_room(AFTER_S)
    await person.send(type="start", id="one", language=said.language, endpoint="auto")
    begin = time.perf_counter()
    last_at = begin + len(said.pcm) / 2 / RATE

    async def speak() -> None:
        for start in range(0, len(pcm), CHUNK_BYTES):
            await asyncio.sleep(max(0.0, begin + (start + CHUNK_BYTES) / 2 / RATE - time.perf_counter()))
            if "endpoint" in spoken.at:
                return
            await person.socket.send(pcm[start : start + CHUNK_BYTES])

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(speak())
        while "speech_end" not in spoken.at:
            message = await person.socket.recv()
            now = time.perf_counter() - last_at
            if isinstance(message, bytes):
                spoken.at.setdefault("audio", now)
                continue
            fields: dict[str, Any] = json.loads(message)
            spoken.at.setdefault(fields["type"], now)
            if fields["type"] == "endpoint":
                spoken.setting = fields["setting"]
            if fields["type"] == "answer" and not fields["text"]:
                break
    return spoken
