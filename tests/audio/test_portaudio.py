"""Real PortAudio against the virtual sound card: what is listed, what arrives, what is heard."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import ANY

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.audio import portaudio
from appliance.audio.loudspeaker import Loudspeaker, open_loudspeaker
from appliance.audio.microphone import Microphone, open_microphone
from appliance.audio.selection import AudioDevice
from appliance.errors import AudioDeviceError
from tests.support.sound_card import LOUDSPEAKER, MICROPHONE, SoundCard


def ended() -> None:
    raise AssertionError("the stream ended by itself")


@pytest.fixture
def microphone(card: SoundCard) -> Iterator[Microphone]:
    microphone = open_microphone(MICROPHONE, 0, ended)
    yield microphone
    microphone.close()


@pytest.fixture
def loudspeaker(card: SoundCard) -> Iterator[Loudspeaker]:
    loudspeaker = open_loudspeaker(LOUDSPEAKER, ended)
    yield loudspeaker
    loudspeaker.close()


def noise(seconds: float, rate: int) -> NDArray[np.int16]:
    return np.random.default_rng(7).integers(-8000, 8000, round(seconds * rate)).astype(np.int16)


def tone(seconds: float, rate: int, level: int = 8000) -> NDArray[np.int16]:
    wave: NDArray[np.float64] = level * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    return np.rint(wave).astype(np.int16)


async def captured(card: SoundCard, microphone: Microphone, pcm: bytes) -> NDArray[np.int16]:
    while microphone.capture.blocks < 20:  # noqa: ASYNC110 - PulseAudio takes a moment to start a stream
        await asyncio.sleep(0.01)
    microphone.arm(preroll=False)
    await asyncio.to_thread(card.speak(pcm).wait)
    await asyncio.sleep(0.1)
    return np.frombuffer(microphone.read(last=True), "<i2")


def found(needle: NDArray[np.int16], samples: NDArray[np.int16]) -> bool:
    starts = np.flatnonzero(samples[: len(samples) - len(needle) + 1] == needle[0])
    return any(bool(np.array_equal(samples[start : start + len(needle)], needle)) for start in starts)


def device_called(name: str) -> AudioDevice:
    return next(device for device in portaudio.list_devices() if device.name == name)


async def test_sound_arrives_sample_for_sample(card: SoundCard, microphone: Microphone) -> None:
    spoken = noise(1.0, 16_000)
    assert found(spoken, await captured(card, microphone, spoken.tobytes()))
    assert microphone.capture.overflows == 0


async def test_a_microphone_without_16_khz_is_resampled(card: SoundCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.audio.microphone.refusal", lambda device, direction, rate: "Invalid sample rate")
    microphone = open_microphone(MICROPHONE, 0, ended)
    try:
        assert microphone.rate == 44_100
        heard = await captured(card, microphone, tone(1.0, 16_000).tobytes())
    finally:
        microphone.close()
    loud = np.flatnonzero(np.abs(heard) > 4000)
    assert 0.98 < (loud[-1] - loud[0]) / 16_000 < 1.02
    spectrum = np.abs(np.fft.rfft(heard[loud[0] : loud[0] + 15_000]))
    assert abs(np.argmax(spectrum) * 16_000 / 15_000 - 440) < 2


async def test_the_configured_channel_is_the_one_that_is_heard(card: SoundCard) -> None:
    device = replace(device_called(MICROPHONE), name="Stereo (hw:1,0)", inputs=2)
    right = Microphone(device, 2, ended)
    try:
        spoken = noise(0.5, 16_000)
        assert found(spoken, await captured(card, right, spoken.tobytes()))
    finally:
        right.close()


async def test_the_preroll_is_left_out_when_asked(card: SoundCard, microphone: Microphone) -> None:
    await asyncio.sleep(0.5)
    for preroll in (True, False):
        await asyncio.to_thread(card.speak(noise(0.6, 16_000).tobytes()).wait)
        await asyncio.sleep(0.15)  # the last of it is no longer on its way
        microphone.arm(preroll=preroll)
        await asyncio.sleep(0.1)
        assert np.frombuffer(microphone.read(last=True), "<i2").any() == preroll


async def test_a_reply_is_heard_whole_and_drain_waits_for_it(card: SoundCard, loudspeaker: Loudspeaker) -> None:
    with card.recording() as recording:
        await asyncio.sleep(0.3)
        for _ in range(4):
            await loudspeaker.write(tone(0.25, loudspeaker.rate).tobytes())
        await loudspeaker.drain()
        await asyncio.sleep(0.1)
    loud = np.flatnonzero(np.abs(recording.samples()) > 4000)
    assert 0.99 < (loud[-1] - loud[0]) / 48_000 < 1.01
    assert not loudspeaker.is_heard
    assert loudspeaker.playback.underflows == loudspeaker.playback.device_underflows == 0


async def test_flush_empties_the_loudspeaker_and_ends_a_drain(loudspeaker: Loudspeaker) -> None:
    await loudspeaker.write(tone(20.0, loudspeaker.rate).tobytes())
    draining = asyncio.create_task(loudspeaker.drain())
    await asyncio.sleep(0.1)
    loudspeaker.flush()
    async with asyncio.timeout(1):
        await draining
    assert loudspeaker.playback.played < 0.5 * loudspeaker.rate


async def test_a_loudspeaker_rests_when_there_is_nothing_to_say(
    loudspeaker: Loudspeaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.audio.loudspeaker.REST_AFTER_S", 0.2)
    loudspeaker.play(tone(0.05, loudspeaker.rate).tobytes())
    await asyncio.sleep(0.5)
    blocks = loudspeaker.playback.blocks
    await asyncio.sleep(0.2)
    assert loudspeaker.playback.blocks == blocks > 0
    await loudspeaker.write(tone(0.05, loudspeaker.rate).tobytes())
    await loudspeaker.drain()
    assert loudspeaker.playback.blocks > blocks


async def test_a_loudspeaker_that_rested_is_not_late_when_it_begins_again(loudspeaker: Loudspeaker) -> None:
    blip = tone(0.05, loudspeaker.rate).tobytes()
    await loudspeaker.write(blip)
    await loudspeaker.drain()
    loudspeaker._stream.stop()
    await asyncio.sleep(2)
    loudspeaker.playback.reset_lateness()
    await loudspeaker.write(blip)
    await loudspeaker.drain()
    assert 0 < sum(loudspeaker.playback.lateness_counts)
    assert loudspeaker.playback.lateness_max_us < 1_500_000


async def test_an_earcon_is_left_out_while_a_reply_is_spoken(loudspeaker: Loudspeaker) -> None:
    await loudspeaker.write(tone(0.2, loudspeaker.rate).tobytes())
    before = loudspeaker.playback.played + len(loudspeaker.playback.ring)
    loudspeaker.play(tone(5.0, loudspeaker.rate).tobytes())
    assert loudspeaker.playback.played + len(loudspeaker.playback.ring) <= before, "nothing waits behind the reply"
    await loudspeaker.drain()
    assert loudspeaker.playback.played <= round(0.3 * loudspeaker.rate)


async def test_an_unplugged_microphone_tells_that_it_ended(card: SoundCard) -> None:
    told = threading.Event()
    microphone = open_microphone(MICROPHONE, 0, told.set)
    try:
        await asyncio.sleep(0.2)
        card.unplug("microphone")
        assert await asyncio.to_thread(told.wait, 2)
        with pytest.raises(AudioDeviceError, match=f"'{MICROPHONE}' cannot be opened"):
            open_microphone(MICROPHONE, 0, ended)
    finally:
        microphone.close()
        card.plug("microphone")


def test_closing_wipes_what_the_microphone_kept(card: SoundCard) -> None:
    microphone = open_microphone(MICROPHONE, 0, ended)
    microphone.close()
    microphone.close()
    with pytest.raises(ValueError, match="closed"):
        microphone.capture.arm()


def test_devices_are_listed_with_their_rates_and_problems(card: SoundCard) -> None:
    microphone, loudspeaker = device_called(MICROPHONE), device_called(LOUDSPEAKER)
    assert (16_000 in microphone.rates, 48_000 in loudspeaker.rates) == (True, True)
    assert microphone.problems == (ANY,)
    assert microphone.problems[0].startswith("cannot be opened as a loudspeaker: ")


def test_a_name_that_does_not_exist_is_told_with_those_that_do(card: SoundCard) -> None:
    with pytest.raises(AudioDeviceError, match=f"no microphone has 'Yeti' in its name; there are: .*'{MICROPHONE}'"):
        open_microphone("Yeti", 0, ended)


def test_a_channel_that_does_not_exist_is_told_with_the_number_there_is(card: SoundCard) -> None:
    with pytest.raises(AudioDeviceError, match="has 32 channels, so channel 33 cannot be used"):
        open_microphone(MICROPHONE, 33, ended)


HARDENED = f"""
import ctypes, sys, threading
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):  # PR_SET_MDWE
    sys.exit(77)
from appliance.audio.loudspeaker import open_loudspeaker
from appliance.audio.microphone import open_microphone
ended = threading.Event()
for stream in (open_microphone({MICROPHONE!r}, 0, ended.set), open_loudspeaker({LOUDSPEAKER!r}, ended.set)):
    stream.close()
assert not ended.is_set()
"""


def test_streams_open_where_no_memory_may_be_written_and_executed(card: SoundCard) -> None:
    """As under systemd's MemoryDenyWriteExecute, which the image's service has."""
    done = subprocess.run([sys.executable, "-c", HARDENED], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 77:
        pytest.skip("PR_SET_MDWE needs Linux 6.3")
    assert done.returncode == 0, done.stderr
