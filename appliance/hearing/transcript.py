"""What the recognizer says. Data only."""

from __future__ import annotations

from dataclasses import dataclass


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
    audio_s: float = 0.0
    """Length of the utterance."""
    final_ms: float = 0.0
    """From the end of the utterance being known here to this transcript."""
