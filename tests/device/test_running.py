"""The device in the real process: what happens at it is counted, and what rings at it is stopped from anywhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.support.caller import caller
from tests.support.patience import until
from tests.support.scrape import scrape
from tests.support.server import RunningServer, running_server
from tests.support.sound_card import LOUDSPEAKER, MICROPHONE, SoundCard


@pytest.fixture(scope="module")
def running(card: SoundCard) -> Iterator[RunningServer]:
    with running_server(
        {
            "STIMME_DEVICE": "1",
            "STIMME_MICROPHONE": MICROPHONE,
            "STIMME_LOUDSPEAKER": LOUDSPEAKER,
            "STIMME_EARCONS": "0",
        }
    ) as server:
        yield server


async def test_the_sound_cards_counters_are_among_the_metrics(running: RunningServer) -> None:
    await until(lambda: scrape(running.page_port).get(("voice_audio_blocks_total", "microphone"), 0) > 20)
    samples = scrape(running.page_port)
    assert samples["voice_audio_dropped_samples_total", "microphone"] == 0
    assert samples["voice_audio_lateness_seconds_bucket", "microphone,+Inf"] > 0


async def test_a_timer_rings_on_the_page_and_at_the_device_until_somebody_says_stop(
    running: RunningServer, card: SoundCard
) -> None:
    async with caller(running.url) as person, caller(running.url) as other:
        with card.recording() as recording:
            await other.hello(speak=False)
            set_at = time.monotonic()
            await person.type("set a pizza timer for one second", until="answer")
            announced = await other.receive("announce")
            assert (announced["kind"], announced["text"]) == ("timer", "The pizza timer is done.")
            await asyncio.sleep(3)
            assert recording.first_sound_after(set_at, level=1000) - set_at < 4, "the alarm is heard at the device"
            stopped_at = time.monotonic()
            await other.type("stop", until="silenced")
            await asyncio.sleep(3)
            assert recording.last_sound_between(stopped_at, time.monotonic()) - stopped_at < 0.5
