"""Text → sound, clause by clause, at the rate the listener asked for.

Sound begins before the first clause is finished (vits.py). Pieces of all replies under way take turns in the worker
threads (pace.py). Repeated clauses come from memory.

Piper scales each sentence to its own peak, which is known only at its end. Here each voice has one gain, measured when
it is loaded, and the rare peak beyond is rounded off instead of clipped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
import soxr

from appliance.audio.pcm import SAMPLE_BYTES, s16le
from appliance.errors import ModelError
from appliance.hearing.transcript import PoolStats
from appliance.language import Language
from appliance.limits import REPLY_SPEEDS
from appliance.memory import give_back
from appliance.speaking.languages import reading
from appliance.speaking.pace import Cost, Listener, MustBegin, Pace
from appliance.speaking.prepare import prepare_voice
from appliance.speaking.said import Clause, Key, Said
from appliance.speaking.script import Script, refuse_unless_spoken
from appliance.speaking.vits import Samples
from appliance.speaking.voices import Voice, load_voice
from appliance.speaking.weights import OtherShape
from appliance.workers import Workers

log = logging.getLogger(__name__)

CACHE_BYTES = 16 << 20  # eight minutes at 16 kHz

IDLE_S = 1.0
"""Nobody has been spoken to for so long: what synthesis left behind in the heaps goes back to the system."""

PEAK = 0.7  # of full scale, for the calibration sentence
MOST_GAIN = 4.0
KNEE = 0.8  # above this, peaks are rounded off
CEILING = 0.96  # which they do not reach; the resampler overshoots
PAUSE_S = 0.1  # between clauses, besides the silence that voices end a clause with

LONGEST_SPEECH_S = 40.0
"""A reply that becomes longer is cut here, and says so; its text is whole on the page. 420 Chinese characters, which an
English voice reads by name, were 88 seconds."""

S_PER_CHARACTER = 0.06
"""How long a text will be as speech, about."""
USUAL_S = 3.0
"""The same where it is still being written."""


class Synthesizer:
    """Everybody's voices, one for each language. Belongs to one event loop.

    voices: language → path as models.find_voice gives it. others: the same for further ones by the name that people
    call them; loaded when somebody first wants to hear them. workers: where synthesis happens; the caller's to close.
    cache: directory for voices' weights. prepared: directories where these were made at build time (prepare), which are
    only read.
    """

    def __init__(
        self,
        voices: Mapping[Language, Path],
        workers: Workers,
        cache: Path,
        *,
        prepared: Iterable[Path] = (),
        others: Mapping[Language, Mapping[str, Path]] | None = None,
    ) -> None:
        self._paths = dict(voices)
        self._others = others or {}
        self._loaded: dict[Path, _Leveled | None] = {}
        self._loading = asyncio.Lock()
        self._workers = workers
        self._pace = Pace(workers.threads)
        self._cache = cache
        self._prepared = tuple(prepared)
        self._voices: dict[Language, _Leveled] = {}
        self._said = Said(CACHE_BYTES)
        self._under_way: WeakValueDictionary[Key, Clause] = WeakValueDictionary()
        self._replies = 0  # being spoken
        self._resting: asyncio.TimerHandle | None = None
        self._audio_s = self._work_s = 0.0

    @property
    def languages(self) -> tuple[Language, ...]:
        return tuple(self._paths)

    @property
    def names(self) -> dict[Language, str]:
        return {language: leveled.voice.name for language, leveled in self._voices.items()}

    @property
    def stats(self) -> PoolStats:
        return PoolStats(
            made=len(self._voices),
            in_use=self._replies,
            waiting=self._pace.waiting + self._workers.queued,
            limit=self._workers.threads,
            audio_s=self._audio_s,
            work_s=self._work_s,
        )

    def _count(self, cost: Cost, audio_s: float, work_s: float) -> None:
        cost.measured(audio_s, work_s)
        self._audio_s += audio_s
        self._work_s += work_s

    async def open(self) -> None:
        """Load and warm the voices. Raises ModelError naming the path and the remedy."""
        for language, path in self._paths.items():
            self._voices[language] = await self._workers.run(_load, path, language, self._cache, self._prepared)
            self._loaded[path] = self._voices[language]
            log.debug("voice for '%s': %s", language, self._voices[language].voice.name)

    async def _voice(self, language: Language, name: str) -> _Leveled:
        """The voice that people call so, loaded if need be; the language's usual one where it has none of that name."""
        usual = self._voices[language]
        path = self._others.get(language, {}).get(name)
        if path is None:
            return usual
        async with self._loading:
            if path not in self._loaded:
                try:
                    self._loaded[path] = await self._workers.run(_load, path, language, self._cache, self._prepared)
                except ModelError as error:
                    log.error("%s", error)
                    self._loaded[path] = None
        return self._loaded[path] or usual

    async def speak(
        self,
        text: str | AsyncIterator[str],
        language: Language,
        *,
        rate: int,
        speed: float = 1.0,
        voice: str = "",
        longest_s: float = LONGEST_SPEECH_S,
        is_begun: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        """The text as chunks of mono s16le at `rate` within REPLY_RATES. Use it under contextlib.aclosing.

        text: whole, or in pieces that may end anywhere; a clause is spoken as soon as it is complete. speed: 2 is twice
        as fast; 0.5 to 3. voice: one of the others by its name; "": the language's usual one. is_begun: it is a clause
        of a longer text, not to be cut at its first comma.

        A clause begun is synthesised only as far as it is asked for. What would last longer than longest_s is cut, and
        a last sentence says so. Raises ModelError for a language without a voice.
        """
        refuse_unless_spoken(language, self._voices, rate)
        speed = max(REPLY_SPEEDS[0], min(REPLY_SPEEDS[1], speed))
        leveled = await self._voice(language, voice)
        expected_s = min(longest_s, S_PER_CHARACTER * len(text) if isinstance(text, str) else USUAL_S) / speed
        if is_begun:
            expected_s = 0.0  # what was said before is in hand
        script = Script(text, language, is_begun=is_begun)
        held: list[bytes] = []  # until it lasts
        with self._busy(), self._pace.listener(leveled.cost, expected_s) as listener:
            async with aclosing(self._pieces(script, leveled, rate, speed, longest_s, listener)) as pieces:
                async for pcm in pieces:
                    if pcm:
                        held.append(pcm)
                    if self._pace.begins(listener):
                        for chunk in held:
                            yield chunk
                        held.clear()
            for chunk in held:
                yield chunk

    async def _pieces(
        self, script: Script, leveled: _Leveled, rate: int, speed: float, longest_s: float, listener: Listener
    ) -> AsyncGenerator[bytes, None]:
        """The script's clauses in pieces, as soon as each is made; an empty one when it is time to begin."""
        spoken_s = 0.0
        pause = b""
        async with aclosing(script.clauses()) as waiting:
            async for clause in waiting:
                key = (leveled.voice.name, clause, rate, speed)
                under_way = self._said.get(key) or self._under_way.get(key)
                if under_way is None:
                    steps = leveled.synthesize(clause, rate, speed)
                    under_way = self._under_way[key] = Clause(steps, rate, partial(self._count, leveled.cost))
                index = 0
                while True:
                    try:
                        pcm = await under_way.piece(index, self._workers, partial(self._pace.turn, listener))
                    except MustBegin:
                        yield b""
                        continue
                    if pcm is None:
                        self._said.keep(key, under_way)
                        break
                    if spoken_s > longest_s and not script.is_cut:
                        script.is_cut = True
                        break
                    piece_s = len(pause + pcm) / SAMPLE_BYTES / rate
                    self._pace.made(listener, piece_s)
                    spoken_s += piece_s
                    index += 1
                    yield pause + pcm
                    pause = b""
                self._under_way.pop(key, None)
                pause = bytes(round(PAUSE_S / speed * rate) * SAMPLE_BYTES)

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """While a reply is being spoken; a while after the last one, free memory is given back."""
        self._replies += 1
        if self._resting is not None:
            self._resting.cancel()
        try:
            yield
        finally:
            self._replies -= 1
            if not self._replies:
                loop = asyncio.get_running_loop()
                self._resting = loop.call_later(IDLE_S, loop.run_in_executor, None, give_back)


class _Leveled:
    """A voice and what its samples are multiplied by."""

    def __init__(self, voice: Voice, language: Language) -> None:
        pieces = [np.abs(piece).max() for piece in voice.synthesize(reading(language).greeting)]
        if not pieces:
            raise ModelError(f"voice {voice.name} says nothing")
        self.voice = voice
        self.cost = Cost()
        self._gain = np.float32(min(MOST_GAIN, PEAK / max(pieces)))

    def synthesize(self, clause: str, rate: int, speed: float = 1.0) -> Iterator[bytes]:
        """The clause as s16le at `rate`, in pieces."""
        resampler = soxr.ResampleStream(self.voice.rate, rate, 1, dtype="float32", quality="HQ")
        for samples in self.voice.synthesize(clause, speed):
            if len(pcm := s16le(resampler.resample_chunk(_rounded_off(samples * self._gain)))):
                yield pcm
        if len(pcm := s16le(resampler.resample_chunk(np.empty(0, np.float32), last=True))):
            yield pcm


def prepare(path: Path, language: Language, directory: Path) -> None:
    """Do at build time what a voice needs once, into a directory that Synthesizer then gets as `prepared`. Blocks."""
    directory.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".onnx":
        try:
            prepare_voice(path, directory)
        except OtherShape as error:
            log.info("voice %s: %s; nothing can be prepared", path.name, error)
    load_voice(path, language, directory)


def _load(path: Path, language: Language, cache: Path, prepared: Iterable[Path]) -> _Leveled:
    """Runs in a worker thread."""
    return _Leveled(load_voice(path, language, cache, prepared), language)


def _rounded_off(samples: Samples) -> Samples:
    """Samples beyond the knee bent towards the ceiling, the others as they are."""
    loud: Samples = np.abs(samples)
    if loud.max(initial=0.0) <= KNEE:
        return samples
    room = CEILING - KNEE
    bent = np.sign(samples) * (KNEE + room * np.tanh((loud - KNEE) / room))
    return np.where(loud > KNEE, bent, samples).astype(np.float32)
