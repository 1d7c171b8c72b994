"""What a conversation is held with, as protocols: ears, mind and mouth; they may be elsewhere (farm/)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from appliance.audio.pcm import Source
from appliance.dialogue.actions import Action
from appliance.dialogue.types import Answer, Considered, Memory
from appliance.hearing.transcript import Final, PoolStats
from appliance.language import Language


class Faculty(Protocol):
    """What ears and mouth have in common."""

    @property
    def languages(self) -> Collection[Language]: ...
    @property
    def names(self) -> Mapping[Language, str]:
        """What hears or speaks each language, to show to people."""

    @property
    def stats(self) -> PoolStats: ...


class Ears(Faculty, Protocol):
    """Recognition (hearing/pool.py, farm/ears.py). turn: turns.Spoken.key."""

    async def transcribe(
        self,
        source: Source,
        language: Language,
        *,
        on_partial: Callable[[str], None],
        on_place: Callable[[int], None] | None = None,
        turn: str = "",
    ) -> Final: ...


class Mind(Protocol):
    """Understanding and skills (dialogue/dialogue.py). turn: turns.Spoken.key. margin: Final.margin; 1 if typed."""

    def answer(
        self,
        text: str,
        language: Language,
        memory: Memory,
        *,
        turn: str = "",
        margin: float = 1.0,
        considered: Considered | None = None,
    ) -> Awaitable[Answer]: ...
    def consider(self, text: str, language: Language, memory: Memory) -> Awaitable[Considered]:
        """What would be answered; nothing is done."""

    def completeness(self, text: str, language: Language, memory: Memory) -> Awaitable[str]:
        """How complete what somebody is saying is so far (dialogue/completeness.py)."""

    def joined(self, first: str, second: str, language: Language, memory: Memory) -> Awaitable[str]:
        """Both as one sentence, if they read as one; else "". memory: as it was before the first."""

    def take_back(self, memory: Memory, before: Memory, language: Language, turn: str) -> Awaitable[Sequence[Action]]:
        """Undo what the last turn did, and remember what was remembered before; returns what was done for it."""


class Mouth(Faculty, Protocol):
    """Synthesis (speaking/synthesizer.py)."""

    def speak(
        self,
        text: str | AsyncIterator[str],
        language: Language,
        *,
        rate: int,
        speed: float = ...,
        voice: str = ...,
        longest_s: float = ...,
    ) -> AsyncGenerator[bytes, None]: ...


@dataclass(frozen=True)
class Faculties:
    """What every conversation of this device shares."""

    ears: Ears
    mind: Mind
    mouth: Mouth
