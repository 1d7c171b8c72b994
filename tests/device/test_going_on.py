"""At the device: who goes on after an early end is heard, until the answer sounds, or in spite of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance import turns
from appliance.attention import Attention
from tests.device.test_device import Room, Sound, room
from tests.support.clock import Clock
from tests.support.faculties import FakeFaculties, willing
from tests.test_attention import WAITS, Detector, at_once

REST = f"and {'o' * 6400}n."
QUIET = bytes(1024)


def listens(fake: FakeFaculties, clock: Clock) -> Attention:
    return Attention(WAITS, fake, Detector, at_once, lambda: False, clock.now)


@pytest.fixture(autouse=True)
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.device.local.Sound", Sound)


async def comes(here: Room, pcm: bytes) -> None:
    for begin in range(0, len(pcm), 1024):
        here.clock.passes(0.032)
        here.sound.microphone.waiting += pcm[begin : begin + 1024]
        here.device.take.pump()
        for _ in range(12):
            await asyncio.sleep(0)


async def said_too_early(here: Room) -> None:
    """A tap, a sentence, and its end by the words."""
    here.press()
    here.release(0.1)
    await comes(here, b"up.".ljust(1024, b"\0") + QUIET * 10)
    assert "Endpoint" in here.kinds() and not here.device.take


async def test_the_rest_of_the_sentence_is_heard_before_the_answer_sounds(tmp_path: Path) -> None:
    fake = willing()
    fake.thinking.clear()
    async with room(tmp_path, fake, listens=listens) as here:
        await said_too_early(here)
        await comes(here, REST.encode() + QUIET)
        assert here.device.take and here.lamp == "listening" and here.device.button.is_listening()
        fake.thinking.set()
        await comes(here, QUIET * 30)
        await here.settled()
        answers = [event.text for event in here.events if isinstance(event, turns.Answered)]
        assert answers[-1] == f"You said up. {REST}"


@pytest.mark.parametrize("cancelled", [False, True])
async def test_once_it_sounds_only_a_microphone_without_echo_can_tell(tmp_path: Path, cancelled: bool) -> None:
    async with room(tmp_path, listens=listens, echo_cancelled=cancelled) as here:
        await said_too_early(here)
        assert "SpeechStarted" in here.kinds()
        assert here.sound.microphone.is_armed == cancelled
        await comes(here, REST.encode() + QUIET * 30)
        await here.settled()
        continued = [event.continues for event in here.events if isinstance(event, turns.Listening)]
        assert continued == (["", "1"] if cancelled else [""])


async def test_after_a_second_the_microphone_is_the_wake_words_alone(tmp_path: Path) -> None:
    async with room(tmp_path, listens=listens, echo_cancelled=True) as here:
        await said_too_early(here)
        await comes(here, QUIET * 36)
        assert not here.sound.microphone.is_armed and not here.device.session.listens_afterwards
        here.press()  # and everything is as ever
        assert here.device.take
        here.release(1.0)
        here.clock.passes(1.0)
        await here.settled()
