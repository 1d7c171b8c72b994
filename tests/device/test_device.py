"""The device's rules without a sound card: what a press, tap, mute and event do to microphone, lamp and sound."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance import turns
from appliance.attention import Attention
from appliance.audio.endpointing import SILENCE_S
from appliance.config import DeviceConfig
from appliance.device import hints
from appliance.device.local import LocalDevice
from appliance.device.signs import ERROR_SHOWN_S
from appliance.device.take import TAIL_S
from appliance.errors import AudioDeviceError
from appliance.language import Language
from appliance.sessions import Sessions
from tests.support.clock import Clock
from tests.support.faculties import FakeFaculties, FakeSink, willing

TIME_IS_UP: dict[Language, str] = {"en": "Time is up.", "de": "Die Zeit ist um."}


class Microphone:
    """Hands on what a test puts into it."""

    def __init__(self) -> None:
        self.armings: list[tuple[bool, float]] = []
        self.waiting = b""
        self.is_armed = False
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self._wake

    def arm(self, *, preroll: bool, skip_s: float = 0.0) -> None:
        self.armings.append((preroll, skip_s))
        self.is_armed = True

    def read(self, *, last: bool = False) -> bytes:
        self.is_armed = self.is_armed and not last
        pcm, self.waiting = self.waiting, b""
        return pcm


class Loudspeaker(FakeSink):
    def __init__(self) -> None:
        super().__init__()
        self.is_heard = False
        self.gain = 0.0

    def set_gain(self, gain: float) -> None:
        self.gain = gain

    def play(self, pcm: bytes) -> None:
        self.heard.append(f"earcon of {round(1000 * len(pcm) / 2 / self.rate)} ms")


class Sound:
    """The sound card, plugged in and out by the test."""

    def __init__(self, config: DeviceConfig, on_change: Callable[[], None], on_news: Any, *, muted: bool) -> None:
        self.microphone: Microphone | None = None
        self.loudspeaker: Loudspeaker | None = None
        self.on_change, self.news, self.muted = on_change, on_news, muted

    def plug(self) -> None:
        self.microphone, self.loudspeaker = Microphone(), Loudspeaker()
        self.on_change()

    def unplug_microphone(self) -> None:
        self.microphone = None
        self.on_change()


class Room:
    """A device with fake sound and faculties, and a clock that stands still."""

    def __init__(
        self,
        fake: FakeFaculties,
        tasks: asyncio.TaskGroup,
        state: Path,
        listens: Callable[[FakeFaculties, Clock], Attention] | None = None,
        **settings: Any,
    ) -> None:
        """listens: makes who listens along; None: nobody, so that Patience decides."""
        self.fake, self.clock = fake, Clock()
        self.events: list[turns.Event] = []
        sessions = Sessions(
            fake.all(),
            tasks,
            language="en",
            max_audio_duration_s=30,
            observe=self.events.append,
            clock=self.clock.now,
            later=self.clock.later,
            attention=listens(fake, self.clock) if listens is not None else None,
        )
        self.device = LocalDevice(
            DeviceConfig(enabled=True, **settings),
            sessions,
            tasks,
            state_directory=state,
            clock=self.clock.now,
            later=self.clock.later,
        )
        sound: Any = self.device.sound
        self.sound: Any = sound
        self.sound.plug()

    @property
    def lamp(self) -> str:
        return self.device.signs.lamp.state

    def press(self) -> None:
        self.clock.passes(0.1)
        self.device.button.edge(True)

    def release(self, held_s: float) -> None:
        self.clock.passes(held_s)
        self.device.button.edge(False)

    def hear(self, words: str) -> None:
        self.sound.microphone.waiting += words.encode().ljust(3200, b"\0")
        self.device.take.pump()

    def keep_quiet(self, seconds: float) -> None:
        """Silence is so much time, and so much sound without a word."""
        self.clock.passes(seconds)
        self.sound.microphone.waiting += bytes(2 * round(16_000 * seconds))
        self.device.take.pump()

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    async def settled(self) -> None:
        await self.device.session.settled()


@asynccontextmanager
async def room(state: Path, fake: FakeFaculties | None = None, **settings: Any) -> AsyncIterator[Room]:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        here = Room(fake or willing(), tasks, state, **settings)
        yield here
        await here.device.leave()


@pytest.fixture(autouse=True)
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.device.local.Sound", Sound)
    monkeypatch.setattr("appliance.device.local.keys", lambda *arguments: None)


async def test_what_is_said_while_the_button_is_held_is_answered_and_the_tail_is_not_lost(tmp_path: Path) -> None:
    async with room(tmp_path, earcons=False) as here:
        here.press()
        assert here.sound.microphone.armings == [(True, 0.0)]
        here.hear("hello")
        here.release(1.0)
        assert here.sound.microphone.is_armed, "what was said by the release is still on its way"
        here.sound.microphone.waiting = bytes(640)
        here.clock.passes(TAIL_S)
        assert not here.sound.microphone.is_armed
        await here.settled()
        assert here.kinds() == ["Listening", "PartialHeard", "FinalHeard", "Answered", "SpeechStarted", "SpeechEnded"]
        assert here.fake.carried_out[0][0] == "hello"


async def test_a_press_while_the_device_speaks_leaves_out_what_the_microphone_heard_of_it(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        here.sound.loudspeaker.is_heard = True
        here.press()
        assert here.sound.microphone.armings == [(False, 0.1)]
        assert here.sound.loudspeaker.heard == ["flush"], "the silence says it, no earcon"


async def test_earcons_say_that_listening_begins_and_ends(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        here.press()
        here.release(1.0)
        here.clock.passes(TAIL_S)
        assert here.sound.loudspeaker.heard == ["flush", "earcon of 70 ms", "earcon of 70 ms"]


async def test_after_a_tap_silence_ends_the_utterance(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        here.press()
        here.release(0.1)
        here.hear("")
        here.keep_quiet(SILENCE_S - 0.2)
        assert here.device.button.is_listening()
        here.keep_quiet(0.3)
        assert not here.device.button.is_listening() and not here.sound.microphone.is_armed
        ended = here.events[-1]
        assert isinstance(ended, turns.Endpoint) and ended.reason == "silence"
        assert here.lamp == "thinking"


async def test_while_the_button_is_held_no_silence_ends_the_utterance(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        here.press()
        for _ in range(20):
            here.keep_quiet(1)
        assert here.device.button.is_listening()


async def test_an_utterance_ends_at_its_limit_and_the_next_press_begins_anew(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        here.press()
        here.sound.microphone.waiting = bytes(31 * 32_000)
        here.device.take.pump()
        assert here.events[-1] == turns.Endpoint("1", "limit")
        here.release(1.0)
        here.press()
        assert len(here.sound.microphone.armings) == 2


async def test_the_microphone_is_unplugged_while_somebody_talks(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        here.press()
        here.hear("hello")
        here.sound.unplug_microphone()
        assert not here.device.button.is_listening()
        await here.settled()
        assert here.fake.carried_out[0][0] == "hello"


async def test_muting_forgets_what_was_said_and_says_so(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        here.press()
        here.hear("a secret")
        here.device.set_muted(True)
        await here.settled()
        assert here.sound.muted and not here.sound.microphone.is_armed
        assert "Cancelled" in here.kinds() and "FinalHeard" not in here.kinds()
        assert [event.text for event in here.events if isinstance(event, turns.Announced)] == [hints.MUTED["en"]]
        assert here.lamp == "muted"
        here.device.set_muted(True)
        assert here.kinds().count("Announced") == 1


@pytest.mark.parametrize(
    ("why", "hint"),
    [("muted", hints.MUTED), ("no microphone", hints.NO_MICROPHONE), ("no recognizer", hints.NO_RECOGNIZER)],
)
async def test_a_press_that_cannot_be_heard_says_why(tmp_path: Path, why: str, hint: hints.Hint) -> None:
    async with room(tmp_path) as here:
        if why == "no recognizer":
            here.device._languages = ()
        else:
            here.sound.unplug_microphone()
            if why == "muted":
                here.device.set_muted(True)
                await here.settled()
                here.events.clear()
        here.press()
        assert here.lamp == "error" and not here.device.button.is_listening()
        await here.settled()
        assert [event.text for event in here.events if isinstance(event, turns.Announced)] == [hint["en"]]


async def test_an_error_is_shown_for_a_while(tmp_path: Path) -> None:
    async with room(tmp_path, willing(breaks_on="boom")) as here:
        here.device.session.text("boom")
        await here.settled()
        assert here.lamp == "error"
        assert here.sound.loudspeaker.heard[-1] == "earcon of 270 ms"
        here.clock.passes(ERROR_SHOWN_S)
        assert here.lamp == "idle"


async def test_the_volume_is_cubic_kept_and_never_silences_an_alarm(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        here.device.session.text("quiet")  # the fake mind sets ten percent
        await here.settled()
        assert here.device.volume == 10 and here.sound.loudspeaker.gain == pytest.approx(0.001)
        ringing = asyncio.create_task(here.device.announce(TIME_IS_UP, "timer-1", "timer"))
        await asyncio.sleep(0)
        assert here.sound.loudspeaker.gain == 0.125
        here.device.stop_ringing()
        assert await ringing is True
        assert here.sound.loudspeaker.gain == pytest.approx(0.001)
    async with room(tmp_path) as here:
        assert here.device.volume == 10


async def test_a_tap_silences_what_rings_and_listens_no_further(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        ringing = asyncio.create_task(here.device.announce(TIME_IS_UP, "timer-1", "timer"))
        await asyncio.sleep(0)
        here.press()
        here.release(0.1)
        assert await ringing is True
        assert not here.device.button.is_listening() and "Cancelled" in here.kinds()


async def test_a_person_who_holds_the_button_over_a_ringing_timer_is_heard(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        ringing = asyncio.create_task(here.device.announce(TIME_IS_UP, "timer-1", "timer"))
        await asyncio.sleep(0)
        here.press()
        here.hear("snooze")
        here.release(1.0)
        here.clock.passes(TAIL_S)
        assert await ringing is True
        await here.settled()
        assert here.fake.carried_out[0][0] == "snooze"


async def test_what_comes_late_at_a_first_start_was_never_missed(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        here.sound.loudspeaker = None
        here.sound.news("microphone", AudioDeviceError("there is no microphone"))
        await here.settled()
        before = len([event for event in here.events if isinstance(event, turns.Announced)])
        here.sound.news("microphone", None)
        await here.settled()
        said = [event.text for event in here.events if isinstance(event, turns.Announced)]
    assert hints.MICROPHONE_BACK["en"] not in said and len(said) == before


async def test_news_of_the_sound_card_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "appliance.device")
    async with room(tmp_path) as here:
        here.sound.news("loudspeaker", AudioDeviceError("the loudspeaker was unplugged"))
        here.sound.news("microphone", AudioDeviceError("the microphone was unplugged"))
        here.sound.news("microphone", None)
        await here.settled()
        said = [event.text for event in here.events if isinstance(event, turns.Announced)]
    assert said == [hints.NO_MICROPHONE["en"], hints.MICROPHONE_BACK["en"]]
    assert [record.getMessage() for record in caplog.records] == [
        "the loudspeaker was unplugged; trying again",
        "the microphone was unplugged; trying again",
        "the microphone is back",
    ]
