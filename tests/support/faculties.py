"""Ears, mind and mouth for tests of turn-taking: they do what the test says, when it says so. For unit tests only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.audio.pcm import Source
from appliance.dialogue.actions import Action, SetVolume, StopSpeaking
from appliance.dialogue.types import Answer, Considered, Intent, Memory, Reply
from appliance.errors import ModelError
from appliance.faculties import Faculties
from appliance.hearing.transcript import Final, PoolStats
from appliance.language import Language


@dataclass
class FakeFaculties:
    """Ears that hear what the gate lets through, a mind that repeats, a mouth that speaks ten chunks."""

    hearing: asyncio.Event = field(default_factory=asyncio.Event)
    thinking: asyncio.Event = field(default_factory=asyncio.Event)
    speaking: asyncio.Event = field(default_factory=asyncio.Event)
    forgotten: list[str] = field(default_factory=list)
    carried_out: list[tuple[str, str]] = field(default_factory=list)
    """(words, key) of everything the mind was asked."""
    manners: list[tuple[float, str]] = field(default_factory=list)
    """(speed, voice) of everything that was spoken."""
    guessed: list[str] = field(default_factory=list)
    """What the mind was asked to think of ahead …"""
    foreseen: list[str] = field(default_factory=list)
    """… and what of it was used."""
    taken_back: list[str] = field(default_factory=list)
    """What had been said too early."""
    breaks_on: str = "boom"
    queued: bool = False

    languages: tuple[Language, ...] = ("en",)
    names: Mapping[Language, str] = field(default_factory=dict)
    stats = PoolStats(made=0, in_use=0, waiting=0, limit=0, audio_s=0.0, work_s=0.0)

    def all(self) -> Faculties:
        return Faculties(self, self, self)

    async def transcribe(
        self,
        source: Source,
        language: Language,
        *,
        on_partial: Callable[[str], None],
        on_place: Callable[[int], None] | None = None,
        turn: str = "",
    ) -> Final:
        if self.queued and on_place is not None:
            on_place(1)
        heard = b""
        try:
            while pcm := await source.read():
                heard += pcm
                on_partial(heard.decode().strip("\0")[:3])
            await self.hearing.wait()
        except asyncio.CancelledError:
            self.forgotten.append(heard.decode().strip("\0"))
            raise
        return Final(heard.decode().strip("\0"), (), 1.0, audio_s=1.0, final_ms=1.0)

    async def consider(self, text: str, language: Language, memory: Memory) -> Considered:
        self.guessed.append(text)
        reply = Reply(f"You said {text}", language)
        return Considered(text, Intent("Echo", text, language), None, reply)  # type: ignore[arg-type]

    async def answer(
        self,
        text: str,
        language: Language,
        memory: Memory,
        *,
        turn: str = "",
        margin: float = 1.0,
        considered: Considered | None = None,
    ) -> Answer:
        if considered is not None:
            self.foreseen.append(considered.text)
        if text == self.breaks_on:
            raise RuntimeError("a bug in a skill")
        await self.thinking.wait()
        self.carried_out.append((text, turn))
        actions: dict[str, Action] = {"stop": StopSpeaking(), "quiet": SetVolume(10)}
        memory.last_heard = text
        reply = Reply(f"You said {text}", language, (actions[text],) if text in actions else ())
        return Answer(reply, Intent("Echo", text, language), 2.0, 1.0)

    async def completeness(self, text: str, language: Language, memory: Memory) -> str:
        return "complete" if text.endswith(".") else "unknown"

    async def joined(self, first: str, second: str, language: Language, memory: Memory) -> str:
        return f"{first} {second}" if second.startswith("and") else ""

    async def take_back(self, memory: Memory, before: Memory, language: Language, turn: str) -> Sequence[Action]:
        self.taken_back.append(memory.last_heard)
        memory.last_heard = before.last_heard
        return ()

    async def speak(
        self,
        text: str | AsyncIterator[str],
        language: Language,
        *,
        rate: int,
        speed: float = 1.0,
        voice: str = "",
        longest_s: float = 40.0,
        is_begun: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        self.manners.append((speed, voice))
        if text == "You said mute":
            raise ModelError("no voice")
        if text == "You said stutter":
            raise RuntimeError("a bug in a voice")
        for _ in range(10):
            yield b"\1\0" * 100
            await self.speaking.wait()


def willing(breaks_on: str = "boom") -> FakeFaculties:
    """Faculties that wait for nothing."""
    fake = FakeFaculties(breaks_on=breaks_on)
    for gate in (fake.hearing, fake.thinking, fake.speaking):
        gate.set()
    return fake


class FakeSink:
    rate = 16_000

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.stalled: asyncio.Event | None = None
        """Nothing is taken until it is set."""

    async def write(self, pcm: bytes) -> None:
        if self.stalled is not None:
            await self.stalled.wait()
        self.heard.append("sound")

    async def drain(self) -> None:
        self.heard.append("drained")

    def flush(self) -> None:
        self.heard.append("flush")
