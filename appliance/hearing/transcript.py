"""What the recognizer says, and how busy a pool is. Data only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, replace

from appliance.audio.pcm import Padding
from appliance.language import Language


@dataclass(frozen=True)
class Word:
    text: str
    start_s: float
    """From the first sample of the utterance."""
    end_s: float
    confidence: float
    """0 to 1."""


@dataclass(frozen=True)
class Final:
    """What was heard in the whole utterance; text is "" when nothing was."""

    text: str
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    """Mean of the words' confidences, 0 to 1; 0 without words."""
    _: KW_ONLY
    audio_s: float = 0.0
    """Length of the utterance."""
    final_ms: float = 0.0
    """From the end of the utterance being known here to this transcript."""
    language: Language | None = None
    """The language that was heard, where several were listened for; None: the one that was asked for."""
    margin: float = 1.0
    """By how much `confidence` is more than the model needs; below 0 it is doubtful. 1 where that is not known."""


def without(final: Final, paddings: Iterable[Padding]) -> Final:
    """With times as they were recorded, where a recognizer heard silence that was put in."""
    paddings = tuple(paddings)

    def recorded(at_s: float) -> float:
        for padding in paddings:
            at_s -= min(max(0.0, at_s - padding.at_s), padding.length_s)
        return at_s

    if not paddings:
        return final
    words = tuple(
        replace(word, start_s=round(recorded(word.start_s), 2), end_s=round(recorded(word.end_s), 2))
        for word in final.words
    )
    return replace(final, words=words, audio_s=final.audio_s - sum(padding.length_s for padding in paddings))


@dataclass(frozen=True)
class PoolStats:
    """One moment of all recognizers, or of all voices; the times are sums since they were made."""

    made: int
    in_use: int
    waiting: int
    """Utterances that wait for a recognizer, or pieces of replies that wait for a thread."""
    limit: int
    audio_s: float
    """Seconds of sound decoded, or synthesised."""
    work_s: float
    """Seconds the worker threads spent on it."""
