"""The wake word at the device, without a sound card: what it begins, what it leaves alone, what mute wipes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from appliance import turns
from appliance.dialogue.types import Answer, Intent, Memory, Question, Reply
from appliance.errors import ConfigError
from appliance.language import Language
from tests.device.test_device import Room, Sound, room
from tests.support.faculties import FakeFaculties, willing
from tests.support.patience import rounds

WORD = ("okay_nabu",)


class Spotter:
    """Hears the word in sound that begins with W."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words

    def close(self) -> None:
        """Nothing is kept."""

    def feed(self, pcm: bytes) -> Iterator[tuple[str, float]]:
        if pcm.startswith(b"W"):
            yield self.words[0], 0.95


@pytest.fixture(autouse=True)
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.device.local.Sound", Sound)
    monkeypatch.setattr("appliance.device.waking.Spotter", Spotter)
    monkeypatch.setattr("appliance.device.waking.LATE_S", 0.0)


def comes(here: Room, words: str, seconds: float = 0.1) -> None:
    """Sound at the microphone that is open all the time."""
    here.clock.passes(seconds)
    here.sound.microphone.waiting += words.encode().ljust(round(seconds * 16_000) * 2, b"\0")
    ear = here.device.waking.ear
    assert ear is not None
    ear._pump()
    if here.device.take:
        here.device.take.pump()


async def woken(here: Room) -> None:
    comes(here, "W")
    looks = here.device.waking._looks
    assert looks is not None
    await looks


async def falls_quiet(here: Room, seconds: float) -> None:
    """What was said before is heard first; then silence is so much time, and so much sound without a word."""
    for piece_s in (0.1, seconds):
        await rounds()
        comes(here, "", piece_s)


async def test_the_word_begins_an_utterance_that_ends_by_itself(tmp_path: Path) -> None:
    async with room(tmp_path, wake_words=WORD) as here:
        assert here.lamp == "waking"
        comes(here, "said before")
        await woken(here)
        assert here.kinds() == ["Listening"] and here.lamp == "listening"
        comes(here, "hello")
        await falls_quiet(here, 2.1)
        await here.settled()
        [answer] = [event.text for event in here.events if isinstance(event, turns.Answered)]
        assert answer.endswith("hello") and "said before" not in answer
        assert here.lamp == "waking"
        [wake] = here.device.waking.wakes
        assert wake.accepted and wake.score == 0.95


async def test_what_was_said_during_the_second_look_is_not_lost(tmp_path: Path) -> None:
    fake = willing()
    fake.hearing.clear()
    async with room(tmp_path, fake, wake_words=WORD) as here:
        comes(here, "W")
        await rounds()
        comes(here, "hello")
        fake.hearing.set()
        looks = here.device.waking._looks
        assert looks is not None
        await looks
        here.device.take.pump()
        here.press()
        here.release(0.1)
        here.clock.passes(1.0)
        await here.settled()
        [answer] = [event.text for event in here.events if isinstance(event, turns.Answered)]
        assert "hello" in answer


async def test_without_a_word_after_it_nobody_is_answered(tmp_path: Path) -> None:
    async with room(tmp_path, wake_words=WORD) as here:
        await woken(here)
        await falls_quiet(here, 5.1)
        await here.settled()
        assert "Cancelled" in here.kinds() and "Answered" not in here.kinds()
        assert here.lamp == "waking" and not here.device.button.is_listening()


async def test_the_word_said_while_somebody_talks_begins_nothing(tmp_path: Path) -> None:
    async with room(tmp_path, wake_words=WORD) as here:
        here.press()
        comes(here, "W")
        assert here.device.waking._looks is None
        assert here.kinds() == ["Listening"]
        here.release(1.0)
        here.clock.passes(1.0)
        await here.settled()


async def test_the_button_works_as_ever_and_ends_what_the_word_began(tmp_path: Path) -> None:
    async with room(tmp_path, wake_words=WORD) as here:
        await woken(here)
        comes(here, "hello")
        here.press()
        here.release(0.1)
        here.clock.passes(1.0)
        await here.settled()
        assert "Answered" in here.kinds() and not here.device.take


async def test_mute_stops_it_and_wipes_what_was_kept(tmp_path: Path) -> None:
    async with room(tmp_path, wake_words=WORD) as here:
        await woken(here)
        here.device.set_muted(True)
        here.sound.unplug_microphone()
        assert not here.device.waking.is_listening and not here.device.waking.wakes
        assert here.lamp in ("muted", "speaking")
        await here.settled()


async def test_another_microphone_is_listened_to_next(tmp_path: Path) -> None:
    async with room(tmp_path, wake_words=WORD) as here:
        here.sound.unplug_microphone()
        assert not here.device.waking.is_listening
        here.sound.plug()
        await woken(here)
        assert "Listening" in here.kinds()


async def test_off_by_default(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        assert not here.device.waking.is_listening and not here.sound.microphone.is_armed
        assert here.lamp == "idle"


class Asks(FakeFaculties):
    """Answers everything with a question."""

    async def answer(self, text: str, language: Language, memory: Memory, **more: Any) -> Answer:
        intent = Intent("Echo", text, language)
        return Answer(Reply("For how long?", language, question=Question(intent, ("duration",))), intent, 1.0, 1.0)


async def test_a_question_may_be_answered_without_the_word(tmp_path: Path) -> None:
    fake = Asks()
    for gate in (fake.hearing, fake.thinking, fake.speaking):
        gate.set()
    async with room(tmp_path, fake, wake_words=WORD) as here:
        await woken(here)
        comes(here, "set a timer")
        await falls_quiet(here, 2.1)
        await here.settled()
        here.clock.passes(0.1)
        assert here.kinds()[-1] == "Listening" and here.lamp == "listening"
        await falls_quiet(here, 5.1)
        assert here.kinds()[-1] == "Cancelled"


async def test_who_holds_the_button_is_not_listened_to_afterwards(tmp_path: Path) -> None:
    fake = Asks()
    for gate in (fake.hearing, fake.thinking, fake.speaking):
        gate.set()
    async with room(tmp_path, fake) as here:
        here.press()
        here.hear("set a timer")
        here.release(1.0)
        here.clock.passes(1.0)
        await here.settled()
        here.clock.passes(0.1)
        assert here.kinds()[-1] == "SpeechEnded"


async def test_words_are_chosen_on_a_page_and_kept_over_a_restart(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        told: list[int] = []
        here.device.waking.told = lambda: told.append(1)
        await here.device.waking.choose(["okay_nabu:0.9"])
        assert here.lamp == "waking" and told
        await woken(here)
        [wake] = here.device.waking.shown()["wakes"]
        assert (wake["word"], wake["accepted"], wake["wrong"]) == ("Okay Nabu", True, False)
        before = here.device.waking.words[0].threshold
        here.device.waking.wrong(wake["number"])
        here.device.waking.wrong(99)
        assert here.device.waking.shown()["wakes"][0]["wrong"]
        assert here.device.waking.was_wrong(here.device.waking.wakes[0]).threshold > before
        with pytest.raises(ConfigError):
            await here.device.waking.choose(["okay_nabu:loud"])
        assert here.device.waking.is_listening
        here.device._forget()
    async with room(tmp_path) as again:
        assert again.device.waking.is_listening
        await again.device.waking.choose([])
        assert again.lamp == "idle" and not again.sound.microphone.is_armed
    async with room(tmp_path, wake_words=WORD) as last:
        assert not last.device.waking.is_listening
