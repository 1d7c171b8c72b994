"""The whole path on the device: button, virtual microphone, recognition, reply, virtual loudspeaker."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest

from appliance import turns
from appliance.app import Assistant
from appliance.language import Language
from tests.support.device import at_the_device, hears, transcribed
from tests.support.sound_card import SoundCard
from tests.support.speech import spoken, spoken_now

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture(scope="module")
def stop() -> bytes:
    return spoken_now(["stop"])[0]


@pytest.fixture(scope="module")
def help_request() -> bytes:
    """The longest reply."""
    return spoken_now(["what can you do"])[0]


@pytest.fixture(scope="module")
def volume_requests() -> list[bytes]:
    return spoken_now(["turn it up", "set the volume to fifty percent"])


async def test_what_is_said_while_the_button_is_held_is_answered_aloud(
    assistant: Assistant, card: SoundCard, tmp_path: Path, timer_request: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        with card.recording() as recording:
            final = await person.ask(timer_request)
            reply = await person.event(turns.Answered)
            await person.event(turns.SpeechEnded)
            await asyncio.sleep(0.2)
        assert final.text == "set a timer for five minutes"
        assert reply.text == "Timer set for five minutes."
        assert await transcribed(assistant, recording) == "timer set for five minutes"


async def test_a_device_set_to_german_hears_german_and_answers_in_german(
    assistant: Assistant, card: SoundCard, tmp_path: Path
) -> None:
    request = (await spoken(["stelle einen timer auf fünf minuten"], "de"))[0]
    async with at_the_device(assistant, card, tmp_path, language="de") as person:
        with card.recording() as recording:
            final = await person.ask(request)
            reply = await person.event(turns.Answered)
            await person.event(turns.SpeechEnded)
            await asyncio.sleep(0.2)
        assert final.text == "stelle einen timer auf fünf minuten"
        assert reply.language == "de" and "fünf Minuten" in reply.text
        assert "fünf minuten" in await transcribed(assistant, recording, "de")


async def test_a_tap_begins_and_a_second_tap_ends(
    assistant: Assistant, card: SoundCard, tmp_path: Path, timer_request: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        await person.tap()
        await person.say(timer_request)
        await person.tap()
        assert (await person.event(turns.FinalHeard, 1.0)).text == "set a timer for five minutes"


async def test_after_a_tap_a_pause_ends_the_utterance(
    assistant: Assistant, card: SoundCard, tmp_path: Path, timer_request: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        await person.tap()
        await person.say(timer_request)
        assert (await person.event(turns.FinalHeard)).text == "set a timer for five minutes"
        assert not person.device.button.is_listening()


async def test_sound_from_before_the_press_is_heard(assistant: Assistant, card: SoundCard, tmp_path: Path) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        await asyncio.sleep(0.4)
        person.press()
        await asyncio.sleep(0.1)
        person.device._forget()
        assert (await person.event(turns.Cancelled)).audio_s >= 0.3


async def test_an_utterance_ends_at_its_limit_and_is_answered(
    assistant: Assistant, card: SoundCard, tmp_path: Path
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        person.device.session._shared.max_audio_duration_s = 1
        person.press()
        final = await person.event(turns.FinalHeard)
        person.release()
        assert final.truncated
        assert final.audio_s == 1.0
        assert not person.device.button.is_listening()


async def test_pressing_again_silences_the_reply_within_60_ms_and_listens(
    assistant: Assistant, card: SoundCard, tmp_path: Path, help_request: bytes, timer_request: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        with card.recording() as recording:
            await person.ask(help_request)
            await person.event(turns.SpeechStarted)
            await asyncio.sleep(1.0)
            pressed_at = time.monotonic()
            assert recording.last_sound_between(pressed_at - 0.5, pressed_at) > pressed_at - 0.5
            person.press()
            assert (await person.event(turns.SpeechEnded)).interrupted
            await person.say(timer_request)
            silent_at = recording.last_sound_between(pressed_at, time.monotonic())
            person.release()
            final = await person.event(turns.FinalHeard)
            await person.event(turns.SpeechEnded)
        assert 1000 * (silent_at - pressed_at) <= 60
        assert final.text == "set a timer for five minutes"


async def test_an_interrupting_person_is_heard_without_the_reply_that_the_microphone_hears_too(
    assistant: Assistant, card: SoundCard, tmp_path: Path, help_request: bytes, timer_request: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        person.device.set_volume(100)
        await person.ask(help_request)
        with card.cable():
            await person.event(turns.SpeechStarted)
            await asyncio.sleep(1.5)
            assert (await person.ask(timer_request)).text == "set a timer for five minutes"


async def test_earcons_are_heard_and_do_not_disturb(
    assistant: Assistant, card: SoundCard, tmp_path: Path, timer_request: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path, earcons=True) as person:
        with card.recording() as recording, card.cable():
            await asyncio.sleep(0.5)
            pressed_at = time.monotonic()
            final = await person.ask(timer_request)
        assert recording.first_sound_after(pressed_at, level=100) - pressed_at < 0.2
        assert final.text == "set a timer for five minutes"


async def test_a_press_right_after_the_release_begins_another_utterance_and_both_are_answered(
    assistant: Assistant, card: SoundCard, tmp_path: Path, timer_request: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        person.press()
        await person.say(timer_request)
        person.release()
        await asyncio.sleep(0.035)
        person.press()
        await person.say(timer_request)
        person.release()
        for _ in range(2):
            assert (await person.event(turns.FinalHeard)).text == "set a timer for five minutes"


async def test_what_was_said_before_the_microphone_was_unplugged_is_answered(
    assistant: Assistant, card: SoundCard, tmp_path: Path, timer_request: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        person.press()
        await person.say(timer_request)
        card.unplug("microphone")
        try:
            assert (await person.event(turns.FinalHeard)).text == "set a timer for five minutes"
            assert not person.device.button.is_listening()
        finally:
            card.plug("microphone")


async def test_a_failure_is_shown_by_the_lamp_for_a_while(
    assistant: Assistant, card: SoundCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.device.signs.ERROR_SHOWN_S", 0.1)
    async with at_the_device(assistant, card, tmp_path) as person:
        person.device.tell(turns.Failed("1", "internal", "This turn failed."))
        assert person.device.signs.lamp.state == "error"
        await person.until(lambda: person.device.signs.lamp.state == "idle")


async def test_an_unplugged_microphone_is_told_once_and_comes_back_by_itself(
    assistant: Assistant, card: SoundCard, tmp_path: Path, timer_request: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "appliance.device")
    async with at_the_device(assistant, card, tmp_path) as person:
        card.unplug("microphone")
        hint = await person.event(turns.Announced)
        await person.event(turns.SpeechEnded)
        person.press()
        refusal = await person.event(turns.Announced)
        person.release()
        await asyncio.sleep(2.5)
        card.plug("microphone")
        with card.awake("microphone"):
            back = await person.event(turns.Announced)
            await person.event(turns.SpeechEnded)
            await person.until(lambda: hears(person.device))
            final = await person.ask(timer_request)
    assert hint.text == refusal.text == "I cannot hear anything. Please connect a microphone."
    assert back.text == "The microphone is back."
    assert final.text == "set a timer for five minutes"
    assert [record.getMessage() for record in caplog.records if record.name == "appliance.device.local"] == [
        "the microphone was unplugged or failed; trying again",
        "the microphone is back",
    ]


async def test_a_microphone_that_hangs_is_noticed_and_comes_back(
    assistant: Assistant, card: SoundCard, tmp_path: Path, timer_request: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        with card.stalled("microphone"):
            await person.until(lambda: person.device.sound.microphone is None)
        await person.until(lambda: hears(person.device))
        final = await person.ask(timer_request)
        assert "timer for five minutes" in final.text  # the card itself stumbles once more when it goes on


async def test_an_unplugged_loudspeaker_comes_back_by_itself(
    assistant: Assistant, card: SoundCard, tmp_path: Path, timer_request: bytes, help_request: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        await person.ask(help_request)
        await person.event(turns.SpeechStarted)
        card.unplug("loudspeaker")
        assert (await person.event(turns.SpeechEnded)).interrupted
        await person.until(lambda: person.device.sound.loudspeaker is None)
        card.plug("loudspeaker")
        with card.awake("loudspeaker"):
            await person.until(lambda: person.device.sound.loudspeaker is not None)
            await asyncio.sleep(2)
            with card.recording() as recording:
                await person.ask(timer_request)
                await person.event(turns.SpeechEnded)
            assert await transcribed(assistant, recording) == "timer set for five minutes"


async def test_muting_stops_capture_and_forgets_what_was_said(
    assistant: Assistant, card: SoundCard, tmp_path: Path
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        microphone = person.device.sound.microphone
        assert microphone is not None
        person.press()
        await person.event(turns.Listening)
        person.device.set_muted(True)
        await person.event(turns.Cancelled)
        await person.until(lambda: microphone._stream.is_closed)
        blocks = microphone.capture.blocks
        person.release()
        person.press()
        assert (await person.event(turns.Announced)).text == "The microphone is switched off."
        person.release()
        assert microphone.capture.blocks == blocks
        assert not any(isinstance(event, turns.FinalHeard) for event in person.events)
        with pytest.raises(ValueError, match="closed"):
            microphone._ring.peek()
        person.device.set_muted(False)
        await person.until(lambda: hears(person.device))


async def test_mute_volume_and_language_survive_a_restart(
    assistant: Assistant, card: SoundCard, tmp_path: Path
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        person.device.set_volume(35)
        person.device.session.tell(turns.LanguageChanged("de"))
        person.device.set_muted(True)
    async with at_the_device(assistant, card, tmp_path) as person:
        assert person.device.session.language == "de"
        assert person.device.volume == 35
        assert person.device.muted
        assert person.device.sound.microphone is None


async def test_the_volume_is_changed_by_voice(
    assistant: Assistant, card: SoundCard, tmp_path: Path, volume_requests: list[bytes]
) -> None:
    louder, fifty = volume_requests
    async with at_the_device(assistant, card, tmp_path) as person:
        await person.ask(louder)
        assert (await person.event(turns.VolumeChanged)).percent == 80
        await person.ask(fifty)
        await person.event(turns.VolumeChanged)
        loudspeaker = person.device.sound.loudspeaker
        assert loudspeaker is not None
        assert loudspeaker.playback.volume == 0.125


async def test_in_quiet_hours_it_speaks_low_and_says_no_notices_but_rings(
    assistant: Assistant, card: SoundCard, tmp_path: Path
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        device, loudspeaker = person.device, person.device.sound.loudspeaker
        assert loudspeaker is not None
        device.is_quiet = lambda: True
        assert not await device._notice(TIME_IS_UP, "n1", "notice")
        await device.announce(TIME_IS_UP, "pairing", "notice")
        assert loudspeaker.playback.volume == pytest.approx(0.25**3)
        ringing = asyncio.ensure_future(device.announce(TIME_IS_UP, "t1", "timer"))
        await person.until(lambda: device._ringing and loudspeaker.playback.volume == pytest.approx(0.7**3))
        device.stop_ringing()
        assert await ringing


TIME_IS_UP: dict[Language, str] = {"en": "Time is up.", "de": "Die Zeit ist um."}


async def test_what_was_heard_elsewhere_is_silent_at_once(
    assistant: Assistant, card: SoundCard, tmp_path: Path
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        rings = asyncio.create_task(person.device.announce(TIME_IS_UP, "timer-1", "timer"))
        await person.event(turns.SpeechStarted)
        rings.cancel()
        assert (await person.event(turns.SpeechEnded)).interrupted
        await asyncio.sleep(0)
        assert not person.device._ringing


async def test_a_timer_rings_until_the_button_is_tapped(assistant: Assistant, card: SoundCard, tmp_path: Path) -> None:
    texts: dict[Language, str] = {"en": "Your pizza timer is done.", "de": "Der Pizza-Timer ist abgelaufen."}
    async with at_the_device(assistant, card, tmp_path) as person:
        person.device.set_volume(0)
        with card.recording() as recording:
            rings = asyncio.create_task(person.device.announce(texts, "timer-1", "timer"))
            for _ in range(2):
                assert (await person.event(turns.Announced)).text == texts["en"]
            tapped_at = time.monotonic()
            await person.tap()
            await person.event(turns.Cancelled)
            assert await rings, "somebody has heard it"
            await asyncio.sleep(2.5)
        assert np.abs(recording.samples()).max() > 500
        assert recording.last_sound_between(tapped_at, time.monotonic()) - tapped_at < 0.06
        assert not person.device._ringing
        assert not person.device.button.is_listening()


async def test_a_timer_that_rings_is_stopped_by_voice(
    assistant: Assistant, card: SoundCard, tmp_path: Path, stop: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        rings = asyncio.create_task(person.device.announce(TIME_IS_UP, "timer-1", "timer"))
        await person.event(turns.Announced)
        assert (await person.ask(stop)).text == "stop"
        assert (await person.event(turns.Answered)).intent == "StopSpeaking"
        await person.event(turns.SpeechEnded)
        assert await rings
        assert not person.device._ringing


async def test_someone_elsewhere_stops_what_rings(assistant: Assistant, card: SoundCard, tmp_path: Path) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        rings = asyncio.create_task(person.device.announce(TIME_IS_UP, "timer-1", "timer"))
        await person.event(turns.SpeechStarted)
        assert person.device.stop_ringing()
        assert (await person.event(turns.SpeechEnded)).interrupted
        assert await rings
        assert not person.device.stop_ringing()


async def test_a_language_without_recognizer_is_said_aloud(
    assistant: Assistant, card: SoundCard, tmp_path: Path
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        person.device._languages = ()
        person.press()
        assert (await person.event(turns.Announced)).text.startswith("I cannot understand spoken English yet.")
        person.release()
        assert not person.device.button.is_listening()


async def test_the_lamp_follows_the_conversation(
    assistant: Assistant, card: SoundCard, tmp_path: Path, timer_request: bytes
) -> None:
    async with at_the_device(assistant, card, tmp_path) as person:
        states = [person.device.signs.lamp.state]
        person.press()
        states.append(person.device.signs.lamp.state)
        await person.say(timer_request)
        person.release()
        await person.until(lambda: not person.device.session.open_id)
        states.append(person.device.signs.lamp.state)
        await person.event(turns.SpeechStarted)
        states.append(person.device.signs.lamp.state)
        await person.event(turns.SpeechEnded)
        states.append(person.device.signs.lamp.state)
        assert states == ["idle", "listening", "thinking", "speaking", "idle"]
