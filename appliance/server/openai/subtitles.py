"""Passages of words → what OpenAI's response formats are made of: segments, SubRip, WebVTT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from appliance.hearing.transcript import Word
from appliance.longhand import Passage

MOST_CHARACTERS = 84
"""Of one subtitle: two lines of 42, as broadcasters have them."""
LONGEST_S = 7.0
PAUSE_S = 0.6
"""After such a silence a new one begins."""


def subtitles(passages: Sequence[Passage]) -> Iterator[list[Word]]:
    """The words that are shown together."""
    together: list[Word] = []
    for word in (word for passage in passages for word in passage.words):
        if together and (
            sum(len(one.text) + 1 for one in together) + len(word.text) > MOST_CHARACTERS
            or word.start_s - together[-1].end_s > PAUSE_S
            or word.end_s - together[0].start_s > LONGEST_S
        ):
            yield together
            together = []
        together.append(word)
    if together:
        yield together


def text_of(passages: Sequence[Passage]) -> str:
    """All that was said."""
    return " ".join(passage.text for passage in passages if passage.text)


def srt(passages: Sequence[Passage]) -> str:
    """SubRip: numbered, times with a comma."""
    return "\n".join(
        f"{number}\n{_clock(words[0].start_s, ',')} --> {_clock(words[-1].end_s, ',')}\n{_said(words)}\n"
        for number, words in enumerate(subtitles(passages), 1)
    )


def vtt(passages: Sequence[Passage]) -> str:
    """WebVTT (W3C): times with a full stop."""
    return "WEBVTT\n" + "".join(
        f"\n{_clock(words[0].start_s, '.')} --> {_clock(words[-1].end_s, '.')}\n{_said(words)}\n"
        for words in subtitles(passages)
    )


def verbose(passages: Sequence[Passage], language: str, granularities: Sequence[str]) -> dict[str, Any]:
    """verbose_json. granularities: word, segment, or both; none is segment."""
    told: dict[str, Any] = {
        "task": "transcribe",
        "language": language,
        "duration": round(passages[-1].end_s, 3) if passages else 0.0,
        "text": text_of(passages),
    }
    if "word" in granularities:
        told["words"] = [
            {"word": word.text, "start": word.start_s, "end": word.end_s, "probability": word.confidence}
            for passage in passages
            for word in passage.words
        ]
    if "segment" in granularities or "word" not in granularities:
        told["segments"] = [_segment(number, words) for number, words in enumerate(subtitles(passages))]
    return told


def _segment(number: int, words: Sequence[Word]) -> dict[str, Any]:
    """The figures of Whisper that Vosk has no counterpart of are neutral."""
    return {
        "id": number,
        "seek": 0,
        "start": words[0].start_s,
        "end": words[-1].end_s,
        "text": _said(words),
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": 0.0,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
        "confidence": round(sum(word.confidence for word in words) / len(words), 3),
    }


def _said(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
