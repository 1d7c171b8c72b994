"""A Piper voice's network (VITS, "medium" size), streaming: sound comes out while a clause is still being computed.

The arithmetic is native/vits: every layer keeps the rows it will need again, so that nothing is computed twice and
the sound is the same for any windows. Here is what remains: the random numbers, the durations, and how much to compute
before the next sound.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.speaking.weights import check
from native.vits import CHANNELS, DECODER_LAG, FLOW_LAG, SAMPLES_PER_FRAME, STATS, Decoder, Flow, Network

FLOW_WINDOWS = (56, 48, 96, 192)
"""Frames that the flow takes in at once; the last for all that follow. 56 are the fewest that make a whole piece of the
decoder; small windows are slow, because each reads all of the flow's weights."""
DECODER_PIECE = 24
"""Frames that the decoder takes in at once, a quarter of a second of sound."""
SMALLEST_WINDOW = 24
"""Fewer frames than these at the end go with the window before."""
LONGEST_SYMBOL = 1000
"""Frames. No voice says a symbol for twelve seconds; a network that is out of its mind must come to an end."""

new_random: Callable[[], np.random.Generator] = np.random.default_rng
"""Where each clause's random numbers come from; tests want the same speech each time."""


def sound_alike() -> None:
    """From now on a clause sounds the same each time, and on each machine: one can go on where another has died."""
    global new_random
    new_random = lambda: np.random.default_rng(1)  # noqa: E731


Samples = NDArray[np.float32]


class Synthesis(Protocol):
    """A voice's network, whatever computes it."""

    def synthesize(self, ids: Sequence[int], scales: Sequence[float], speaker: int | None) -> Iterator[Samples]:
        """Phoneme ids → samples in [-1, 1], in pieces. scales: noise, length, and noise of the lengths, as Piper's."""


class Vits:
    """A network from its weights file (weights.py). Several threads may use it at once.

    weights: stays mapped. kernel: one of native.vits.kernels(), None for the best. Raises ValueError for a damaged
    file. Reads all of it, which the first sound would do anyway.
    """

    def __init__(self, weights: Path, kernel: str | None = None) -> None:
        with weights.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        check(memoryview(mapped))
        self._network = Network(mapped, kernel)

    @property
    def kernel(self) -> str:
        return self._network.kernel

    def synthesize(self, ids: Sequence[int], scales: Sequence[float], speaker: int | None) -> Iterator[Samples]:
        noise, length, length_noise = scales
        random = new_random()
        stats, durations = self.read(ids, random.standard_normal(2 * len(ids), np.float32) * np.float32(length_noise))
        return self.speak(stats, durations * np.float32(length), noise, random)

    def read(self, ids: Sequence[int], noise: Samples) -> tuple[Samples, Samples]:
        """Each id's stats, shape (ids, STATS), and its duration in frames, shape (ids)."""
        stats, log_durations = np.empty((len(ids), STATS), np.float32), np.empty(len(ids), np.float32)
        self._network.read(ids, noise, stats, log_durations)
        with np.errstate(over="ignore"):
            return stats, np.exp(log_durations)

    def speak(self, stats: Samples, durations: Samples, noise: float, random: np.random.Generator) -> Iterator[Samples]:
        """What `read` gave → samples."""
        decoder = Decoder(self._network)
        for latent, is_last in self.frames(stats, durations, noise, random):
            for begin in range(0, max(1, len(latent)), DECODER_PIECE):
                piece = latent[begin : begin + DECODER_PIECE]
                samples = np.empty((len(piece) + DECODER_LAG) * SAMPLES_PER_FRAME, np.float32)
                written = decoder.run(piece, samples, last=is_last and begin + DECODER_PIECE >= len(latent))
                if written:
                    yield samples[:written]

    def frames(
        self, stats: Samples, durations: Samples, noise: float, random: np.random.Generator
    ) -> Iterator[tuple[Samples, bool]]:
        """Latent frames, shape (frames, CHANNELS), window by window, and whether they are the last."""
        counts = np.clip(np.nan_to_num(np.ceil(durations)), 0, LONGEST_SYMBOL).astype(np.int64)
        symbols = np.repeat(np.arange(len(counts)), counts)  # for each frame the one it belongs to
        flow, begin, window = Flow(self._network), 0, 0
        while begin < len(symbols):
            end = begin + FLOW_WINDOWS[min(window, len(FLOW_WINDOWS) - 1)]
            if len(symbols) - end < SMALLEST_WINDOW:
                end = len(symbols)
            rows = stats[symbols[begin:end]]
            frames = rows[:, :CHANNELS]
            if noise:
                with np.errstate(over="ignore", invalid="ignore"):
                    deviation = np.exp(rows[:, CHANNELS:]) * np.float32(noise)
                    frames = frames + random.standard_normal(frames.shape, np.float32) * deviation
            latent = np.empty((len(rows) + FLOW_LAG, CHANNELS), np.float32)
            written = flow.run(np.ascontiguousarray(frames), latent, last=end == len(symbols))
            yield latent[:written], end == len(symbols)
            begin, window = end, window + 1
