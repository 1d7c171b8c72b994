"""Vosk behind one pool of recognizers that everybody shares. The only file that knows Vosk.

A model is loaded once per language. A recognizer is what one utterance occupies while it is being heard; recognizers
are made when first needed, kept, and used again. With more utterances than recognizers the youngest wait, and their
audio waits in their sources: decoding is many times faster than speaking, so they catch up.

The same samples give the same transcript, whatever chunks they arrive in and whatever was heard before. Measured with
Vosk 0.3.45 on 63 sentences, three things are needed for that (docs/decisions.md):
* Kaldi's dither draws from the C library's shared rand(), so models are loaded with it switched off, and the same
  noise is added here instead, one fixed sequence from the start of every utterance (without any, quiet speech
  suffers: 41 of 54 sentences at -30 dB).
* Reset() keeps the feature frames of an unfinished utterance. Only FinalResult() makes Vosk begin afresh.
* Vosk looks for pauses at the end of each call, wherever that falls. The person says when the utterance is over (the
  button), so Vosk's endpoints are ignored and the whole utterance is one piece.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.audio.pcm import RATE, SAMPLE_BYTES, Source
from appliance.dialogue.types import Language
from appliance.errors import ModelError
from appliance.speech.models import check_recognizer
from appliance.speech.transcript import Final, Word
from appliance.speech.workers import Workers

log = logging.getLogger(__name__)

PARTIAL_INTERVAL_S = 0.15
PARTIAL_INTERVAL_BUSY_S = 0.6  # while calls are waiting for a thread
SLICE_SAMPLES = RATE  # the most audio decoded in one call, so that a long backlog does not hold up the others
RETIRE_AFTER_S = 3600.0  # Vosk counts an hour of samples exactly; its int32 overflows after 37 hours
RECOGNIZER_BYTES = 4_900_000  # measured with the embedded model, mid-utterance
IVECTOR_RECOGNIZER_BYTES = 17_000_000  # measured with a stock small model

_NOISE_PERIOD = 4 * RATE
_NOISE = np.clip(np.rint(np.random.default_rng(1).normal(0.0, 1.0, _NOISE_PERIOD)), -4, 4).astype(np.int16)
_NOISE = np.concatenate((_NOISE, _NOISE[:SLICE_SAMPLES]))  # a slice may begin anywhere in the period
_LOUDEST = 32767 - 4  # leaves room for the noise


@dataclass(frozen=True)
class PoolStats:
    """One moment of a pool; the times are sums since it was made."""

    made: int
    in_use: int
    waiting: int
    limit: int
    decoded_s: float
    """Seconds of audio decoded."""
    decode_s: float
    """Seconds the worker threads spent on it."""


class _Recognizer:
    """One Vosk recognizer and its count of samples. Used by one thread at a time."""

    def __init__(self, model: Any, language: Language) -> None:
        self.language = language
        self.abandoned = False
        """True when the last utterance was not decoded to its end."""
        self._model = model
        self._make()

    def _make(self) -> None:
        from vosk import KaldiRecognizer  # here, because importing it takes 0.1 s

        self._vosk = KaldiRecognizer(self._model, RATE)
        self._vosk.SetWords(True)
        self.samples = 0  # of this utterance
        self._samples_before = 0  # Vosk's word times go on counting from utterance to utterance

    def decode(self, pcm: bytes, last: bool, wants_partial: bool) -> tuple[float, str | None, tuple[Word, ...]]:
        """Hear whole samples of s16le, at most a slice. Returns (seconds it took, text, words).

        text: of the whole utterance if this was the last call, else the partial one if wanted, else None.
        """
        begin = time.perf_counter()
        if self.abandoned:
            self._final()
            self.abandoned = False
        text: str | None = None
        words: tuple[Word, ...] = ()
        if pcm:
            self._accept(np.frombuffer(pcm, dtype="<i2"))
        if last:
            text, words = self._final()
        elif wants_partial:
            text = json.loads(self._vosk.PartialResult())["partial"]
        return time.perf_counter() - begin, text, words

    def _accept(self, samples: NDArray[np.int16]) -> None:
        begin = self.samples % _NOISE_PERIOD
        noisy = np.clip(samples, -_LOUDEST, _LOUDEST) + _NOISE[begin : begin + len(samples)]
        self._vosk.AcceptWaveform(noisy.tobytes())
        self.samples += len(samples)

    def _final(self) -> tuple[str, tuple[Word, ...]]:
        """End the utterance; the recognizer is as new afterwards."""
        result = json.loads(self._vosk.FinalResult())
        before_s = self._samples_before / RATE
        words = tuple(
            Word(word["word"], round(word["start"] - before_s, 2), round(word["end"] - before_s, 2), word["conf"])
            for word in result.get("result", ())
        )
        self._samples_before += self.samples
        self.samples = 0
        if self._samples_before > RETIRE_AFTER_S * RATE:
            self._make()
        return result["text"], words


class RecognizerPool:
    """Recognizers for one or more languages, at most `limit` in the whole process. Belongs to one event loop.

    models: language → directory of a Vosk model. workers: where decoding happens; they are the caller's to close.
    limit: None computes one from this machine's memory. partial_interval_s: the least time between two partial
    transcripts of one utterance.
    """

    def __init__(
        self, models: Mapping[Language, Path], workers: Workers, limit: int | None = None, *,
        partial_interval_s: float = PARTIAL_INTERVAL_S,
    ) -> None:
        self._paths = dict(models)
        self._workers = workers
        self._limit = default_limit(models.values()) if limit is None else limit
        self._partial_interval_s = partial_interval_s
        self._models: dict[Language, Any] = {}
        self._idle: dict[Language, list[_Recognizer]] = {language: [] for language in models}
        self._made = 0
        self._free = asyncio.Semaphore(self._limit)  # first come, first served
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._decoded_s = 0.0
        self._decode_s = 0.0

    @property
    def languages(self) -> tuple[Language, ...]:
        return tuple(self._paths)

    @property
    def stats(self) -> PoolStats:
        in_use = self._made - sum(map(len, self._idle.values()))
        return PoolStats(self._made, in_use, len(self._waiting), self._limit, self._decoded_s, self._decode_s)

    async def open(self) -> None:
        """Load the models and warm one recognizer of each. Raises ModelError naming the path and the remedy."""
        for language, path in self._paths.items():
            self._models[language], recognizer = await self._workers.run(_load, path, language)
            self._made += 1
            self._idle[language].append(recognizer)
            log.info("recognizer for '%s': %s", language, path)

    async def transcribe(
        self,
        source: Source,
        language: Language,
        *,
        on_partial: Callable[[str], None],
        on_place: Callable[[int], None] | None = None,
    ) -> Final:
        """Read the source to its end and say what was heard.

        on_partial: called on the event loop with what was heard so far, whenever that changed; rarer under load.
        on_place: called with the place in the queue (1 is next) while every recognizer is busy.
        May be cancelled at any moment. Raises ModelError for a language without a model.
        """
        if language not in self._models:
            raise ModelError(f"no recognizer for language '{language}', only for: {', '.join(self._models) or 'none'}")
        if source.rate != RATE:
            raise ValueError(f"a source of {source.rate} Hz, expected {RATE} Hz")
        number = next(self._numbers)
        await self._turn(on_place)
        try:
            recognizer = await self._take(language, number)
            try:
                return await self._decode(recognizer, source, number, on_partial)
            finally:
                recognizer.abandoned = recognizer.samples > 0
                self._idle[language].append(recognizer)
        finally:
            self._free.release()

    async def _turn(self, on_place: Callable[[int], None] | None) -> None:
        """Wait until fewer than `limit` utterances are being heard."""
        waiting = _Waiting(on_place)
        self._waiting.append(waiting)
        try:
            if self._free.locked():
                waiting.tell(len(self._waiting))
            await self._free.acquire()
        finally:
            self._waiting.remove(waiting)
            for place, other in enumerate(self._waiting, 1):
                other.tell(place)

    async def _take(self, language: Language, number: int) -> _Recognizer:
        """An idle recognizer of the language, or a new one, at the cost of another language's if `limit` exist."""
        if self._idle[language]:
            return self._idle[language].pop()  # the last one used: its memory is warm, and the others' may stay idle
        if self._made == self._limit:
            next(idle for idle in self._idle.values() if idle).pop(0)
            self._made -= 1
        self._made += 1
        try:
            return await self._workers.run(_Recognizer, self._models[language], language, priority=(1, number))
        except BaseException:
            self._made -= 1
            raise

    async def _decode(
        self, recognizer: _Recognizer, source: Source, number: int, on_partial: Callable[[str], None]
    ) -> Final:
        heard, size_bytes, decode_s = "", 0, 0.0
        partial_at = time.monotonic()
        while True:
            pcm, ended = await _everything(source)
            read_at = time.perf_counter()
            size_bytes += len(pcm)
            for part, is_last in _slices(pcm, ended):
                now = time.monotonic()
                interval_s = PARTIAL_INTERVAL_BUSY_S if self._workers.queued else self._partial_interval_s
                wants_partial = now - partial_at >= interval_s
                priority = (0 if ended else 1, number)  # people are waiting for what has ended; then the oldest
                took_s, text, words = await self._workers.run(
                    recognizer.decode, part, is_last, wants_partial, priority=priority
                )
                decode_s += took_s
                self._decode_s += took_s
                self._decoded_s += len(part) / (SAMPLE_BYTES * RATE)
                if text is None:
                    continue
                if is_last:
                    audio_s = size_bytes / (SAMPLE_BYTES * RATE)
                    confidence = sum(word.confidence for word in words) / max(1, len(words))
                    final_ms = (time.perf_counter() - read_at) * 1000
                    return Final(text, words, confidence, audio_s, decode_s * 1000, final_ms)
                partial_at = now
                if text != heard:
                    heard = text
                    on_partial(text)


class _Waiting:
    """An utterance without a recognizer."""

    def __init__(self, on_place: Callable[[int], None] | None) -> None:
        self._on_place = on_place
        self._told = 0

    def tell(self, place: int) -> None:
        if self._on_place is not None and place != self._told:
            self._told = place
            self._on_place(place)


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


def _load(path: Path, language: Language) -> tuple[Any, _Recognizer]:
    """Load a model, and warm a recognizer of it. Runs in a worker thread."""
    check_recognizer(path)
    from vosk import Model, SetLogLevel

    SetLogLevel(-1)
    with tempfile.TemporaryDirectory(prefix="stimme-") as folder:
        view = Path(folder)
        _link_without_dither(path.resolve(), view)
        try:
            model = Model(str(view))
        except Exception as error:  # Vosk raises nothing narrower
            raise ModelError(f"{path}: Vosk cannot load this model ({error}); fetch it again") from error
    recognizer = _Recognizer(model, language)
    recognizer.decode(bytes(SLICE_SAMPLES * SAMPLE_BYTES), True, False)
    return model, recognizer


def _link_without_dither(model: Path, view: Path) -> None:
    """Make `view` look like the model, with Kaldi's random dither switched off (see the top of this file)."""
    for entry in model.iterdir():
        if entry.name == "conf":
            (view / "conf").mkdir()
            for file in entry.iterdir():
                (view / "conf" / file.name).symlink_to(file)
        else:
            (view / entry.name).symlink_to(entry)
    settings = next(file for file in (view / "conf" / "mfcc.conf", view / "mfcc.conf") if file.exists())
    text = settings.read_text()
    settings.unlink()
    settings.write_text(f"{text}\n--dither=0.0\n")


def default_limit(models: Iterable[Path]) -> int:
    """How many recognizers an eighth of this machine's memory holds, between 2 and 32."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    has_ivectors = any((path / "ivector").exists() for path in models)
    each_bytes = IVECTOR_RECOGNIZER_BYTES if has_ivectors else RECOGNIZER_BYTES
    return max(2, min(32, memory_bytes // 8 // each_bytes))
