"""A pool of recognizers that everybody shares.

A model is loaded once per language. A recognizer is what one utterance occupies while it is being heard; recognizers
are made when first needed, kept, and used again. With more utterances than recognizers the youngest wait, and their
audio waits in their sources: decoding is many times faster than speaking, so they catch up. admission.py says who is
next.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from appliance.audio.pcm import RATE, SAMPLE_BYTES, Source
from appliance.errors import ModelError
from appliance.hearing.admission import Admission
from appliance.hearing.transcript import Final, PoolStats
from appliance.hearing.vosk import SLICE_SAMPLES, LoadedModel, Recognizer, is_composed_lazily, load
from appliance.language import Language
from appliance.workers import Workers

log = logging.getLogger(__name__)

PARTIAL_INTERVAL_S = 0.0  # asking costs 0.02 ms; only what is new is told
PARTIAL_INTERVAL_BUSY_S = 0.6  # while calls are waiting for a thread
RECOGNIZER_BYTES = 2_000_000  # measured with the embedded model, mid-utterance
COMPOSING_RECOGNIZER_BYTES = 100_000_000  # measured with a stock model after a minute of speech (recognizer.py)
PATIENCE_S = 1.0
"""People wait for what has ended, so it goes before what is still being said, but only for so long: a piece that was
queued a moment before its utterance ended was overtaken by everybody who came later, and under load without a pause one
utterance in a hundred was never heard."""

RECOGNIZERS_PER_THREAD = 8
"""200 people in ten seconds on two threads, end of speech to transcript: 16 recognizers 15 ms (p95 25), 8 recognizers
21 (44), 64 recognizers 19 (52): what is decoded in smaller pieces costs more calls."""


class RecognizerPool:
    """Recognizers for one or more languages, at most `limit` in the whole process. Belongs to one event loop.

    models: language → directory of a Vosk model. workers: where decoding happens; they are the caller's to close.
    limit: None computes one from the threads and this machine's memory. partial_interval_s: the least time between two
    partial transcripts of one utterance. doubtful_below: the confidence that each language's model needs, where it is
    known (models/catalogue.py).
    """

    def __init__(
        self,
        models: Mapping[Language, Path],
        workers: Workers,
        limit: int | None = None,
        *,
        partial_interval_s: float = PARTIAL_INTERVAL_S,
        doubtful_below: Mapping[Language, float] | None = None,
    ) -> None:
        self._paths = dict(models)
        self._workers = workers
        self._limit = default_limit(models.values(), workers.threads) if limit is None else limit
        self._partial_interval_s = partial_interval_s
        self._doubtful_below = dict(doubtful_below or {})
        self._models: dict[Language, LoadedModel] = {}
        self._idle: dict[Language, list[Recognizer]] = {language: [] for language in models}
        self._made = 0
        self._admission = Admission(self._limit, min(workers.threads, self._limit // 4))
        self._audio_s = 0.0
        self._work_s = 0.0

    @property
    def languages(self) -> tuple[Language, ...]:
        return tuple(self._paths)

    @property
    def names(self) -> dict[Language, str]:
        return {language: path.name for language, path in self._paths.items()}

    @property
    def stats(self) -> PoolStats:
        in_use = self._made - sum(map(len, self._idle.values()))
        return PoolStats(self._made, in_use, self._admission.waiting, self._limit, self._audio_s, self._work_s)

    async def open(self) -> None:
        """Load the models and warm one recognizer of each. Raises ModelError naming the path and the remedy."""
        for language, path in self._paths.items():
            self._models[language], recognizer = await self._workers.run(load, path)
            self._made += 1
            self._idle[language].append(recognizer)
            log.debug("recognizer for '%s': %s", language, path)

    async def transcribe(
        self,
        source: Source,
        language: Language,
        *,
        on_partial: Callable[[str], None],
        on_place: Callable[[int], None] | None = None,
        turn: str = "",
    ) -> Final:
        """Read the source to its end and say what was heard. turn: of no use here.

        on_partial: called on the event loop with what was heard so far, whenever that changed; rarer under load.
        on_place: called with the place in the queue (1 is next) while every recognizer is busy.
        May be cancelled at any moment. Raises ModelError for a language without a model.
        """
        if language not in self._models:
            raise ModelError(f"no recognizer for language '{language}', only for: {', '.join(self._models) or 'none'}")
        if source.rate != RATE:
            raise ValueError(f"a source of {source.rate} Hz, expected {RATE} Hz")
        await self._admission.enter(source, on_place)
        try:
            recognizer = await self._take(language, source)
            try:
                final = await self._decode(recognizer, source, on_partial)
                needed = self._doubtful_below.get(language, 0.0)
                return replace(final, margin=final.confidence - needed) if needed and final.words else final
            finally:
                recognizer.abandoned = recognizer.samples > 0
                self._idle[language].append(recognizer)
        finally:
            self._admission.leave()

    async def _take(self, language: Language, source: Source) -> Recognizer:
        """An idle recognizer of the language, or a new one, at the cost of another language's if `limit` exist."""
        if self._idle[language]:
            return self._idle[language].pop()  # the last one used: its memory is warm, and the others' may stay idle
        if self._made == self._limit:
            next(idle for idle in self._idle.values() if idle).pop(0)
            self._made -= 1
        self._made += 1
        try:
            now_s = time.monotonic()
            return await self._workers.run(
                Recognizer, self._models[language], priority=urgency(now_s, now_s if source.ended else None)
            )
        except BaseException:
            self._made -= 1
            raise

    async def _decode(self, recognizer: Recognizer, source: Source, on_partial: Callable[[str], None]) -> Final:
        heard, size_bytes = "", 0
        ended_at_s: float | None = None
        partial_at = time.monotonic()
        while True:
            pcm, ended = await _everything(source)
            read_at = time.perf_counter()
            if ended:
                ended_at_s = time.monotonic()
            size_bytes += len(pcm)
            for part, is_last in _slices(pcm, ended):
                now = time.monotonic()
                interval_s = PARTIAL_INTERVAL_BUSY_S if self._workers.queued else self._partial_interval_s
                wants_partial = now - partial_at >= interval_s
                took_s, text, words = await self._workers.run(
                    recognizer.decode, part, is_last, wants_partial, priority=urgency(now, ended_at_s)
                )
                self._work_s += took_s
                self._audio_s += len(part) / (SAMPLE_BYTES * RATE)
                if text is None:
                    continue
                if is_last:
                    audio_s = size_bytes / (SAMPLE_BYTES * RATE)
                    confidence = sum(word.confidence for word in words) / max(1, len(words))
                    final_ms = (time.perf_counter() - read_at) * 1000
                    return Final(text, words, confidence, audio_s=audio_s, final_ms=final_ms)
                partial_at = now
                if text != heard:
                    heard = text
                    on_partial(text)


async def _everything(source: Source) -> tuple[bytes, bool]:
    """What has arrived, and whether that is the rest of the utterance."""
    pcm = await source.read()
    if not pcm:
        return pcm, True
    if source.ended:  # nothing more arrives, so reading on does not wait
        while more := await source.read():
            pcm += more
        return pcm, True
    return pcm, False


def _slices(pcm: bytes, ended: bool) -> Iterator[tuple[bytes, bool]]:
    """The samples in runs that one call decodes, each with whether it is the last of the utterance."""
    size = SLICE_SAMPLES * SAMPLE_BYTES
    for begin in range(0, max(1, len(pcm)), size):
        yield pcm[begin : begin + size], ended and begin + size >= len(pcm)


def urgency(now_s: float, ended_at_s: float | None) -> int:
    """When a piece is due, in ms; what is due first goes first. ended_at_s: None while its utterance goes on."""
    return round(1000 * (now_s + PATIENCE_S if ended_at_s is None else ended_at_s))


def default_limit(models: Iterable[Path], threads: int) -> int:
    """How many recognizers this many threads can use and an eighth of this machine's memory holds, at least 2."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    each_bytes = COMPOSING_RECOGNIZER_BYTES if any(map(is_composed_lazily, models)) else RECOGNIZER_BYTES
    return max(2, min(RECOGNIZERS_PER_THREAD * threads, memory_bytes // 8 // each_bytes))
