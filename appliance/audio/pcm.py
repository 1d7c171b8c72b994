"""PCM as Stimme moves it: mono, little-endian int16 ("s16le"). The two contracts, Source and Sink, and files."""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from appliance.errors import StimmeError
from appliance.limits import WIRE_RATE
from native.convert import float32_to_int16, int16_to_float32

RATE = WIRE_RATE
"""Samples per second of everything that is recognized."""

SAMPLE_BYTES = 2


class Source(Protocol):
    """One utterance on its way in. Read by one reader."""

    rate: int

    @property
    def ended(self) -> bool:
        """True once the endpoint is known; samples may still wait to be read."""

    async def read(self) -> bytes:
        """All samples that arrived since the last call, waiting if there are none; b"" at the end."""


@dataclass(frozen=True)
class Padding:
    """Silence that was put into an utterance. Both in seconds; `at_s` counts what was recorded only."""

    at_s: float
    length_s: float


class SpokenSource(Source, Protocol):
    """A Source that knows how its utterance ended, which only the conversation asks."""

    @property
    def ended_at(self) -> float:
        """Loop time of the endpoint, in seconds; 0 before it."""

    @property
    def truncated(self) -> bool:
        """True if the utterance was longer than allowed, and ends where the limit was."""

    @property
    def paddings(self) -> Sequence[Padding]:
        """Silence in what was read that nobody recorded, in order."""


class Sink(Protocol):
    """A loudspeaker somewhere. Written by one writer."""

    rate: int

    async def write(self, pcm: bytes) -> None:
        """Take all of `pcm`, waiting for room."""

    async def drain(self) -> None:
        """Return when everything written was handed on (a connection) or heard (a loudspeaker)."""

    def flush(self) -> None:
        """Discard what was not heard yet, at once. Never waits."""


def s16le(samples: NDArray[np.floating]) -> bytes:
    """Samples in [-1, 1] of any float type as mono s16le: clipped, rounded half to even, NaN as 0."""
    pcm = np.empty(len(samples), "<i2")
    float32_to_int16(np.ascontiguousarray(samples, np.float32).data, pcm.data)
    return pcm.tobytes()


def floats(pcm: bytes) -> NDArray[np.float32]:
    """Mono s16le as samples in [-1, 1)."""
    wave = np.empty(len(pcm) // SAMPLE_BYTES, np.float32)
    int16_to_float32(pcm, wave.data)
    return wave


class Tape:
    """A Sink that keeps what is written."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._pieces: list[bytes] = []

    @property
    def pcm(self) -> bytes:
        """All of it, s16le."""
        return b"".join(self._pieces)

    async def write(self, pcm: bytes) -> None:
        self._pieces.append(pcm)

    async def drain(self) -> None:
        """Everything is kept already."""

    def flush(self) -> None:
        self._pieces.clear()


class WavError(StimmeError, ValueError):
    """A file is not a WAV file that can be read."""


def read_wav(path: Path | str, rate: int = RATE) -> bytes:
    """A WAV file's sound as mono s16le at `rate`: channels averaged, resampled with a band-limited filter (soxr HQ).

    Reads what libsndfile does: integer and float WAV of any rate and width, FLAC and others besides. Raises WavError
    naming the file and what is wrong with it.
    """
    import soundfile  # 5 MB that the server never needs

    try:
        channels, source_rate = soundfile.read(os.fsencode(path), dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        why = f"not a sound file that can be read ({error})" if Path(path).exists() else "no such file"
        raise WavError(f"{path}: {why}") from error
    mono = np.nan_to_num(channels, posinf=1.0, neginf=-1.0).mean(axis=1, dtype=np.float32)
    if source_rate != rate:
        mono = soxr.resample(mono, source_rate, rate)
    return s16le(mono)


def write_wav(path: Path | str, pcm: bytes, rate: int) -> None:
    """Write mono s16le to a WAV file. Raises OSError."""
    with open(path, "wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(rate)
        file.writeframes(pcm)


class Recording:
    """A Source over PCM that is there already. `block` is how many samples each read returns."""

    rate = RATE
    truncated = False
    ended_at = 0.0
    paddings: Sequence[Padding] = ()

    def __init__(self, pcm: bytes, block: int) -> None:
        self._pcm, self._size_bytes = pcm, block * SAMPLE_BYTES
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at + self._size_bytes >= len(self._pcm)

    @property
    def position_s(self) -> float:
        """How much was read so far, in seconds."""
        return min(self._at, len(self._pcm)) / SAMPLE_BYTES / self.rate

    async def read(self) -> bytes:
        """See Source.read; never waits."""
        if self.ended and not self.ended_at:
            self.ended_at = asyncio.get_running_loop().time()
        piece = self._pcm[self._at : self._at + self._size_bytes]
        self._at += self._size_bytes
        return piece
