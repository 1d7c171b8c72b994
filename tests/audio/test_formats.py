"""What other programs send becomes mono s16le at 16 kHz, whatever pieces it comes in."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.audio.formats import Inbound
from appliance.audio.pcm import RATE, s16le
from appliance.errors import ProtocolError
from tests.support.kit import cut_randomly

TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)


def as_sent(wave: NDArray[np.float32], width: int) -> bytes:
    """Samples as a program would send them."""
    if width == 1:
        return (np.round(wave * 127) + 128).astype(np.uint8).tobytes()
    whole = np.round(wave.astype(np.float64) * (2 ** (8 * width - 1) - 1)).astype("<i4")
    little: NDArray[np.uint8] = whole.view(np.uint8).reshape(-1, 4)[:, :width]
    return little.tobytes()


def fed(inbound: Inbound, pieces: list[bytes]) -> bytes:
    return b"".join(inbound.feed(piece) for piece in pieces) + inbound.end()


def test_our_own_form_passes_through_unchanged() -> None:
    pcm = random.Random(1).randbytes(32_000)
    assert fed(Inbound(RATE), cut_randomly(pcm, 3)) == pcm


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_every_width_and_number_of_channels_is_the_same_sound(width: int, channels: int) -> None:
    sent = as_sent(np.repeat(TONE, channels), width)
    pieces = [sent[begin : begin + 997] for begin in range(0, len(sent), 997)]
    got = np.frombuffer(fed(Inbound(RATE, width, channels), pieces), "<i2") / 32768
    assert len(got) == RATE
    assert np.abs(got - TONE).max() < (0.01 if width == 1 else 0.0002)


def test_floats_are_heard_and_what_is_no_number_is_silence() -> None:
    sent = TONE.astype("<f4").copy()
    sent[7] = np.nan
    got = np.frombuffer(fed(Inbound(RATE, 4, is_float=True), [sent.tobytes()]), "<i2")
    assert got[7] == 0 and got[100] == np.frombuffer(s16le(TONE[100:101]), "<i2")[0]


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 44_100, 48_000])
def test_other_rates_are_converted_alike_in_any_pieces(rate: int) -> None:
    wave = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
    sent = s16le(wave)
    at_once = fed(Inbound(rate), [sent])
    in_pieces = fed(Inbound(rate), cut_randomly(sent, 5))
    assert abs(len(at_once) // 2 - RATE) <= 1 and in_pieces == at_once
    middle = slice(1000, -1000)
    got = np.frombuffer(at_once, "<i2")[middle] / 32768
    assert np.abs(got - TONE[: len(at_once) // 2][middle]).max() < 0.01


@pytest.mark.parametrize(
    "form", [(0, 2, 1), (10**9, 2, 1), (16_000, 0, 1), (16_000, 5, 1), (16_000, 2, 0), (16_000, 2, 99)]
)
def test_what_cannot_be_sound_is_refused_with_its_values(form: tuple[int, int, int]) -> None:
    with pytest.raises(ProtocolError, match=f"{form[0]} Hz, {form[1]} bytes a sample, {form[2]} channels"):
        Inbound(*form)
