"""The self-test: its judgement on made recordings, and the whole of it through the virtual sound card."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.app import Assistant
from appliance.device.selftest import Echo, SelfTest, chirp, find_chirp, judge, self_test
from tests.support.device import CONFIG, transcribed
from tests.support.sound_card import SoundCard

GOOD = Echo(True, 0.9, 1.1, 1.0, -60.0, -20.0, 0.0)


def recording(speed: float = 1.0, noise: float = 0.001, gain: float = 0.5) -> NDArray[np.float64]:
    """A second of room noise, then the chirp 80 ms late, quieter and in noise."""
    samples = np.random.default_rng(3).normal(0.0, noise, 40_000)
    echo = chirp(16_000, speed)
    samples[17_280 : 17_280 + len(echo)] += gain * echo
    return np.clip(samples, -1, 1)


def codes(echo: Echo, rate: float = 16_010, levels: tuple[float, ...] = ()) -> list[str]:
    return [finding.code for finding in judge(echo, rate, levels)]


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.03])
def test_the_chirp_is_found_where_it_is(noise: float) -> None:
    echo = find_chirp(recording(noise=noise))
    assert (echo.heard, echo.speed) == (True, 1.0)
    assert abs(echo.begin_s - 1.08) < 0.001


def test_noise_alone_is_not_taken_for_the_chirp() -> None:
    assert not find_chirp(np.random.default_rng(4).normal(0.0, 0.1, 40_000)).heard


def test_silence_is_not_taken_for_the_chirp() -> None:
    assert not find_chirp(np.zeros(40_000)).heard


@pytest.mark.parametrize("speed", [48_000 / 44_100, 44_100 / 48_000, 2.0, 0.5, 3.0])
def test_a_card_at_a_wrong_rate_is_found_out(speed: float) -> None:
    echo = find_chirp(recording(speed))
    assert echo.speed == speed
    assert codes(echo) == ["wrong_rate"]


def test_a_card_that_delivers_too_many_samples_is_found_out() -> None:
    assert codes(GOOD, 17_400) == ["wrong_rate"]


def test_good_sound_has_no_findings() -> None:
    assert codes(GOOD) == []


def test_noise_is_told() -> None:
    assert codes(find_chirp(recording(noise=0.03))) == ["noisy"]


def test_clipping_is_told() -> None:
    assert codes(find_chirp(recording(gain=40.0))) == ["clipping"]


def test_a_dead_microphone_is_told() -> None:
    assert codes(find_chirp(np.zeros(40_000))) == ["dead_microphone"]


def test_a_microphone_that_does_not_hear_the_loudspeaker_is_told() -> None:
    assert codes(find_chirp(recording(gain=0.0))) == ["not_heard"]


def test_a_dead_channel_is_told_with_the_one_that_works() -> None:
    (finding,) = judge(GOOD, 16_000, (-120.0, -60.0))
    assert (finding.code, finding.says["en"]) == (
        "dead_channel",
        "Channel 1 of the microphone is dead. Set STIMME_CHANNEL to 2.",
    )


def test_findings_are_said_in_the_persons_language() -> None:
    result = SelfTest(findings=tuple(judge(replace(GOOD, clipped=0.1), 16_000, ())))
    assert "alsamixer leiser" in result.summary("de")
    assert "Turn its gain down" in result.summary("en")


@pytest.fixture
def cable(card: SoundCard) -> Iterator[None]:
    """From the virtual loudspeaker back into the virtual microphone."""
    with card.cable():
        yield


@pytest.mark.asyncio(loop_scope="package")
async def test_the_round_trip_is_measured_and_said_aloud(card: SoundCard, cable: None, assistant: Assistant) -> None:
    with card.recording() as heard:
        result = await self_test(CONFIG, "en", assistant.mouth)
        await asyncio.sleep(0.2)
    assert result.findings == ()
    assert 10 < result.round_trip_ms < 400
    assert result.summary("en").startswith("Sound and microphone work. The round trip takes ")
    assert [line.split()[0] for line in result.lines()] == [
        "microphone",
        "loudspeaker",
        "round",
        "noise",
        "clipping",
        "sample",
    ]
    assert "microphone work" in await transcribed(assistant, heard)


@pytest.mark.asyncio(loop_scope="package")
async def test_a_loudspeaker_that_the_microphone_does_not_hear_is_told(card: SoundCard) -> None:
    result = await self_test(CONFIG, "en", None)
    assert [finding.code for finding in result.findings] == ["dead_microphone"]


async def test_a_missing_microphone_is_told(card: SoundCard) -> None:
    result = await self_test(replace(CONFIG, microphone="Yeti"), "en", None)
    assert [finding.code for finding in result.findings] == ["no_microphone"]
    assert "no microphone has 'Yeti' in its name" in result.summary("en")
