"""Nobody presses anything: the word, a question right after it, its end, the answer, and an answer to a question."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance import turns
from appliance.app import Assistant
from tests.support.device import at_the_device
from tests.support.sound_card import SoundCard
from tests.support.speech import spoken

pytest.importorskip("pymicro_wakeword")


async def test_wake_speak_and_be_answered_and_asked_back_without_the_word(
    assistant: Assistant, card: SoundCard, tmp_path: Path
) -> None:
    time, timer, minutes = await spoken(
        ["okay nabu, what time is it", "okay nabu, set a timer", "ten minutes"], quiet=bytes(48_000)
    )
    async with at_the_device(assistant, card, tmp_path, wake_words=("okay_nabu",)) as person:
        assert person.device.signs.lamp.state == "waking"
        await person.say(time)
        ended = await person.event(turns.Endpoint)
        assert ended.setting == "endpoint.complete_s"
        assert (await person.event(turns.FinalHeard)).text == "what time is it"
        assert (await person.event(turns.Answered)).intent == "HassGetCurrentTime"
        await person.event(turns.SpeechEnded)
        await person.say(timer)
        asked = await person.event(turns.Answered)
        assert asked.asks and asked.intent == "HassStartTimer"
        await person.event(turns.SpeechEnded)
        await person.event(turns.Listening)  # by itself
        await person.say(minutes)
        answered = await person.event(turns.Answered)
        assert answered.heard.startswith("ten") and answered.intent == "HassStartTimer", answered
        assert len(person.device.waking.wakes) == 2


async def test_who_was_ended_too_early_is_answered_as_a_whole(
    assistant: Assistant, card: SoundCard, tmp_path: Path
) -> None:
    begun, rest = await spoken(["set an alarm for seven", "tomorrow morning"], quiet=b"")
    async with at_the_device(assistant, card, tmp_path, echo_cancelled=True) as person:
        await person.tap()
        await person.say(begun + bytes(2 * 12_000) + rest + bytes(48_000))
        assert (await person.event(turns.Answered)).heard == "set an alarm for seven"
        assert (await person.event(turns.Listening)).continues
        whole = await person.event(turns.Answered)
        assert whole.heard == "set an alarm for seven tomorrow morning", whole
        assert (
            len([timer for timer in assistant.timers.pending() if timer.kind == "alarm"]) == 1
        )  # the first was undone
