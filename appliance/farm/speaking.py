"""A worker's share of speaking: clauses, piece by piece, for as long as somebody listens."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import Protocol

from appliance.farm import keys
from appliance.farm.link import Link
from appliance.farm.mouth import KEPT_S
from appliance.farm.taking import MOST_TIMES, Abandoned, Held, Taker
from appliance.language import Language

log = logging.getLogger(__name__)

MOST_KEPT_BYTES = 64 << 20
"""Of clauses in Redis: half an hour at 16 kHz."""

AT_ONCE = 8
"""Clauses for each thread: their pieces take turns there."""


class Voices(Protocol):
    """What a worker speaks with: a Synthesizer."""

    @property
    def languages(self) -> Collection[Language]: ...

    def speak(
        self,
        text: str,
        language: Language,
        *,
        rate: int,
        speed: float = ...,
        voice: str = ...,
        longest_s: float = ...,
        is_begun: bool = ...,
    ) -> AsyncGenerator[bytes, None]: ...


class Speaker(Taker):
    """Speaks for the farm."""

    def __init__(self, link: Link, voices: Voices, threads: int) -> None:
        super().__init__(link, tuple(voices.languages), keys.clauses, AT_ONCE * threads)
        self._voices = voices

    async def work(self, held: Held) -> None:
        if held.times > MOST_TIMES:
            raise Abandoned("every worker that spoke it failed")
        text, voice = held.fields[b"text"].decode(), held.fields[b"voice"].decode()
        rate, speed = int(held.fields[b"rate"]), float(held.fields[b"speed"])
        number = 0
        async with aclosing(
            self._voices.speak(
                text, held.language, rate=rate, speed=speed, voice=voice, longest_s=math.inf, is_begun=True
            )
        ) as pieces:
            async for pcm in pieces:
                number += 1
                if not await self._hand_over(held, number, pcm, is_last=False):
                    return
        await self._hand_over(held, number + 1, b"", is_last=True)

    async def _hand_over(self, held: Held, number: int, pcm: bytes, *, is_last: bool) -> bool:
        """False if nobody wants it from us any more. A piece that is there already is not there twice."""
        answer = await self.link.script(
            "piece",
            [
                keys.owner(held.turn),
                keys.sound(held.turn, held.attempt),
                keys.clauses(held.language),
                keys.SAID,
                keys.SAID_SIZES,
                keys.COUNTS,
            ],
            held.mark,
            number,
            pcm,
            int(is_last),
            held.entry,
            keys.GROUP,
            held.turn,
            KEPT_S,
            MOST_KEPT_BYTES,
            keys.PREFIX + "u:",
        )
        return bool(answer == 1)
