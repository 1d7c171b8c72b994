"""Sound of any length → what was said, in pieces no longer than an utterance may be, cut where it is quiet."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace

from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.audio.quiet import quietest
from appliance.errors import ProtocolError
from appliance.guests import Guests
from appliance.hearing.transcript import Word
from appliance.language import Language

SEARCHED = 1 / 3
"""Of the longest utterance: in its last third the quietest moment is looked for."""


@dataclass(frozen=True)
class Passage:
    """What was said between two cuts. Times from the beginning of all sound, in seconds."""

    text: str
    words: tuple[Word, ...]
    begin_s: float
    end_s: float
    confidence: float


async def passages(guests: Guests, sound: AsyncIterator[bytes], language: Language) -> AsyncGenerator[Passage, None]:
    """Hear s16le at 16 kHz that comes in any pieces. What fits into one utterance is heard as one.

    It is heard while it comes, but for the last third of each piece. Raises ProtocolError as Guests.hear does.
    """
    longest = round(guests.max_audio_duration_s * RATE) * SAMPLE_BYTES
    held, begin_s, fed = b"", 0.0, 0
    dictation = guests.hear(language)
    searched = round(longest * SEARCHED) // SAMPLE_BYTES * SAMPLE_BYTES

    async def feed(pcm: bytes) -> None:
        if await dictation.audio(pcm) == "silence":
            at_s = begin_s + fed / SAMPLE_BYTES / RATE
            raise ProtocolError("too_slow", f"The sound after {at_s:.0f} s did not come in time.")

    async def finished() -> Passage:
        final = await dictation.final()
        words = tuple(replace(word, start_s=word.start_s + begin_s, end_s=word.end_s + begin_s) for word in final.words)
        return Passage(final.text, words, begin_s, begin_s + final.audio_s, final.confidence)

    try:
        async for pcm in sound:
            held += pcm
            while fed + len(held) > longest:
                if (at_once := longest - searched - fed) > 0:  # more came than could be searched
                    await feed(held[:at_once])
                    held, fed = held[at_once:], fed + at_once
                cut = quietest(held[: longest - fed])
                await feed(held[:cut])
                passage = await finished()
                yield passage
                held, begin_s, fed = held[cut:], passage.end_s, 0
                dictation = guests.hear(language)
            if (at_once := min(len(held), longest - searched - fed)) > 0:
                await feed(held[:at_once])
                held, fed = held[at_once:], fed + at_once
        await feed(held)
        yield await finished()
    finally:
        dictation.forget()
