"""Where it is quiet, by loudness alone."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.audio.pcm import RATE, SAMPLE_BYTES, s16le
from appliance.audio.quiet import Levels, quietest
from tests.support.kit import cut_randomly


def noise(seconds: float, level: float) -> bytes:
    return s16le(np.random.default_rng(1).normal(0, level, round(seconds * RATE)).astype(np.float32))


def test_long_sound_is_cut_in_its_pause() -> None:
    pcm = noise(1.0, 0.1) + noise(0.3, 0.001) + noise(2.0, 0.1)
    assert 1.0 < quietest(pcm) / SAMPLE_BYTES / RATE < 1.3
    assert quietest(bytes(10)) == 4 and quietest(b"") == 0


@pytest.mark.parametrize("floor", [0.0, 0.001, 0.01])
def test_a_voice_is_what_is_louder_than_the_floor_and_sound_ends_where_it_does(floor: float) -> None:
    levels = Levels()
    found = [
        voice
        for piece in cut_randomly(noise(1.0, floor) + noise(1.0, 0.1) + noise(1.0, floor), 2)
        for voice in levels.feed(piece)
    ]
    assert len(found) == 3 * RATE // 512
    third = len(found) // 3
    assert sum(found[: third - 1]) == 0 and sum(found[third + 2 : 2 * third - 1]) == third - 3
    assert sum(found[2 * third + 2 :]) == 0
