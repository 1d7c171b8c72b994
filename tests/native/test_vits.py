"""native.vits as Python calls it: what it refuses, and clauses in threads. Once more under the sanitizers.

What it computes is compared with onnxruntime in tests/speaking/test_vits.py.
"""

from __future__ import annotations

import mmap
import os
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from native.vits import CHANNELS, DECODER_LAG, FLOW_LAG, SAMPLES_PER_FRAME, STATS, Decoder, Flow, Network, kernels

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> mmap.mmap:
    """The embedded voice's, mapped. In a copy of the native core alone, the file is named by STIMME_WEIGHTS."""
    if "STIMME_WEIGHTS" in os.environ:
        path = Path(os.environ["STIMME_WEIGHTS"])
    else:
        from appliance.speaking.prepare import prepare_voice
        from tests.support.kit import voice_path

        path = prepare_voice(voice_path(), tmp_path_factory.mktemp("weights"))
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


@pytest.fixture(scope="module")
def network(weights: mmap.mmap) -> Network:
    return Network(weights)


def frames(count: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).standard_normal((count, CHANNELS), np.float32)


def read(network: Network, symbols: list[int]) -> tuple[Floats, Floats]:
    stats, durations = np.empty((len(symbols), STATS), np.float32), np.empty(len(symbols), np.float32)
    network.read(symbols, np.zeros(2 * len(symbols), np.float32), stats, durations)
    return stats, durations


def spoken(network: Network, rows: Floats, dice: random.Random | None = None) -> Floats:
    """Frames through flow and decoder, cut at random."""
    flow, decoder, found, begin = Flow(network), Decoder(network), [], 0
    while begin < len(rows):
        end = min(len(rows), begin + (dice.randrange(1, 9) if dice else len(rows)))
        latent = np.empty((end - begin + FLOW_LAG, CHANNELS), np.float32)
        written = flow.run(rows[begin:end], latent, last=end == len(rows))
        samples = np.empty((written + DECODER_LAG) * SAMPLES_PER_FRAME, np.float32)
        found.append(samples[: decoder.run(latent[:written], samples, last=end == len(rows))])
        begin = end
    return np.concatenate(found)


@pytest.mark.parametrize("kernel", kernels())
def test_every_instruction_set_speaks_in_any_pieces(weights: mmap.mmap, kernel: str) -> None:
    network = Network(weights, kernel)
    stats, durations = read(network, [1, 20, 33, 61, 2])
    assert np.isfinite(stats).all() and np.isfinite(durations).all()
    whole = spoken(network, frames(12))
    assert len(whole) == 12 * SAMPLES_PER_FRAME and 0 < np.abs(whole).max() <= 1
    np.testing.assert_array_equal(spoken(network, frames(12), random.Random(5)), whole)


def test_threads_with_one_network_say_what_they_say_alone(network: Network) -> None:
    alone = [spoken(network, frames(9, seed)) for seed in range(4)]
    begin = threading.Barrier(2)

    def together(seed: int) -> Floats:
        begin.wait()
        read(network, [1, 20 + seed, 2])
        return spoken(network, frames(9, seed), random.Random(seed))

    with ThreadPoolExecutor(2) as threads:
        for seed, said in enumerate(threads.map(together, range(4))):
            np.testing.assert_array_equal(said, alone[seed])


def test_a_clause_that_is_given_up_leaves_the_next_as_it_was(network: Network) -> None:
    usual = spoken(network, frames(6))
    for value in (np.nan, np.inf, 1e-42, 0.0):
        flow, decoder = Flow(network), Decoder(network)
        latent = np.empty((30 + FLOW_LAG, CHANNELS), np.float32)
        written = flow.run(np.full((30, CHANNELS), value, np.float32), latent)
        decoder.run(latent[:written], np.empty((written + DECODER_LAG) * SAMPLES_PER_FRAME, np.float32))
        del flow, decoder
        np.testing.assert_array_equal(spoken(network, frames(6)), usual)


def test_a_stream_that_has_ended_takes_nothing_more(network: Network) -> None:
    flow, decoder = Flow(network), Decoder(network)
    latent = np.empty((2 + FLOW_LAG, CHANNELS), np.float32)
    samples = np.empty((2 + DECODER_LAG) * SAMPLES_PER_FRAME, np.float32)
    flow.run(frames(2), latent, last=True)
    decoder.run(frames(2), samples, last=True)
    for stream, target in ((flow, latent), (decoder, samples)):
        with pytest.raises(ValueError, match="the stream has ended"):
            stream.run(frames(2), target)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda net: Flow(net).run(frames(2), np.empty((2, CHANNELS), np.float32)), "room for 384 numbers"),
        (lambda net: Decoder(net).run(frames(2), np.empty(512, np.float32)), "room for 512 numbers, expected 3328"),
        (lambda net: Flow(net).run(np.zeros(191, np.float32), np.empty(9999, np.float32)), "multiple of 192"),
        (lambda net: Flow(net).run(frames(1).astype(np.float64), np.empty(9999, np.float32)), "frames"),
        (lambda net: Flow(net).run(frames(1), b"read-only" * 9999), "target|read-only|writable"),
        (lambda net: read(net, []), "0 symbols, expected 1 to"),
        (lambda net: read(net, [1] * 20_000), "20000 symbols, expected 1 to"),
        (lambda net: read(net, [1, net.symbols]), r"symbol \d+ at 1, expected 0 to"),
        (lambda net: read(net, [1, -1]), "symbol -1 at 1"),
        (
            lambda net: net.read([1, 2], np.zeros(3, np.float32), frames(4), frames(1)),
            "noise has 3 numbers, expected 4",
        ),
    ],
)
def test_what_does_not_fit_is_refused(network: Network, call: Callable[[Network], object], complaint: str) -> None:
    with pytest.raises((ValueError, TypeError, BufferError), match=complaint):
        call(network)


@pytest.mark.parametrize("damage", [lambda content: content[:-64], lambda content: content + bytes(64), lambda _: b""])
def test_weights_of_another_size_are_refused(weights: mmap.mmap, damage: Callable[[bytes], bytes]) -> None:
    content = damage(weights[:])
    aligned = mmap.mmap(-1, max(1, len(content)))
    aligned[: len(content)] = content
    with pytest.raises(ValueError, match=r"weights of \d+ bytes: it is (incomplete or too long|not a weights file)"):
        Network(memoryview(aligned)[: len(content)])


def test_an_unknown_instruction_set_is_named(weights: mmap.mmap) -> None:
    with pytest.raises(ValueError, match="kernel 'mmx' is not one of this machine's"):
        Network(weights, "mmx")
