"""The device's own conversation: button, microphone and loudspeaker around the same Conversation that browsers have."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from appliance import turns
from appliance.audio.cards import Sound
from appliance.audio.microphone import Microphone
from appliance.audio.pcm import RATE
from appliance.audio.selection import Direction
from appliance.audio.utterance import Utterance
from appliance.config import DeviceConfig
from appliance.conversation import Conversation, Faculties
from appliance.device import earcons, hints, settings
from appliance.device.button import gpio_button, keys, terminal
from appliance.device.lamp import Lamp, lamp
from appliance.device.push_to_talk import PushToTalk
from appliance.device.ringing import Ringing
from appliance.dialogue.types import Memory
from appliance.errors import AudioDeviceError
from appliance.language import Language

log = logging.getLogger(__name__)

TAIL_S = 0.06
"""Listening goes on for so long after the release: what was said by then is still on its way through the card."""

ECHO_S = 0.1
"""After an interruption the loudspeaker's last sounds are still on their way: its buffer, the room, the card."""

PAUSE_S = 2.0
"""After a tap, so long without a new word ends the utterance …"""

SILENCE_S = 8.0
"""… and so long without any word."""

ERROR_SHOWN_S = 2.0

QUIETEST_ALARM = 50
"""Percent. A timer is heard even when replies are muted."""


class LocalDevice:
    """Runs beside the server, in its task group, and survives whatever happens to sound cards. Made in the event loop.

    tasks: the conversation's turns run in it. recognizers: languages that can be heard. state_directory: where volume
    and mute are kept. on_event: told everything that the conversation tells.
    Raises ConfigError for a key that does not exist.
    """

    def __init__(
        self, config: DeviceConfig, faculties: Faculties, language: Language, tasks: asyncio.TaskGroup, *,
        recognizers: Collection[Language], max_audio_duration_s: float, state_directory: Path,
        on_event: Callable[[turns.Event], None] = lambda event: None,
    ) -> None:
        self._config, self._language = config, language
        self._recognizers = recognizers
        self._limit = round(max_audio_duration_s * RATE)
        self._state_directory, self._on_event = state_directory, on_event
        self._state = settings.load(state_directory)
        loop = asyncio.get_running_loop()
        self.sound = Sound(config, self._sound_changed, self._news, muted=self._state.muted)
        self.button = PushToTalk(self, loop.time, loop.call_later)
        self._keys = keys(config.key, self.button.edge, self._toggle_mute)
        self._lamp = Lamp()
        self._conversation = Conversation(faculties, None, self.tell, tasks, memory=Memory(volume=self._state.volume))
        self._ringing = Ringing(tasks, self._sound_alarm, self._say, self._apply_volume)
        self._count = 0
        self._utterance: Utterance | None = None
        self._turn: asyncio.Task[None] | None = None
        self._turn_id = ""
        self._was_ringing = False
        self._patience: asyncio.TimerHandle | None = None
        self._tail: asyncio.TimerHandle | None = None
        self._listening_to: Microphone | None = None

    async def run(self) -> None:
        """Keep sound, buttons and lamp working until cancelled."""
        edge, config = self.button.edge, self._config
        with ExitStack() as stack:
            self._lamp = stack.enter_context(lamp(config.gpio_led))
            stack.enter_context(gpio_button(config.gpio_button, edge))
            stack.enter_context(gpio_button(config.gpio_mute, self.set_muted, report_now=True))
            stack.enter_context(terminal(config.terminal, edge, self.button.is_listening, self._toggle_mute))
            self._show_idle()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.sound.keep_open())
                if self._keys is not None:
                    tasks.create_task(self._keys.watch())

    async def leave(self) -> None:
        """Ring and speak no more; carry out what was asked. Then nothing keeps the task group."""
        self._ringing.stop()
        await self._conversation.wind_up()

    # What others ask of the device

    def announce(self, texts: Mapping[Language, str], announcement_id: str, kind: str) -> None:
        """Say something on the device's own account. A timer, alarm or reminder rings until it is stopped."""
        announcement = turns.Announcement(
            announcement_id, self._language, texts[self._language], kind)  # type: ignore[arg-type]
        if kind == "notice":
            self._conversation.begin(announcement)
        else:
            self._ringing.ring(announcement)

    def stop_ringing(self) -> bool:
        """Silence what rings, whoever asked for it; False if nothing does."""
        if not self._ringing.stop():
            return False
        self._conversation.interrupt()
        return True

    @property
    def volume(self) -> int:
        """Percent; kept over a restart."""
        return self._state.volume

    def set_volume(self, percent: int) -> None:
        self._remember(replace(self._state, volume=percent))
        self._apply_volume()

    @property
    def muted(self) -> bool:
        """True while the microphone is off; kept over a restart."""
        return self._state.muted

    def set_muted(self, muted: bool) -> None:
        """Turn the microphone off, with everything it has kept, or on again. Says so."""
        if muted == self._state.muted:
            return
        self._remember(replace(self._state, muted=muted))
        if muted:
            self._forget()
        self.sound.muted = muted
        self._show_idle()
        self._hint(hints.MUTED if muted else hints.UNMUTED)

    # What the button does (push_to_talk.Talk)

    def begin(self) -> bool:
        """Silence first, then listen."""
        self._close_utterance()
        self._was_ringing = self._ringing.stop()
        microphone, loudspeaker = self.sound.microphone, self.sound.loudspeaker
        spoke = loudspeaker is not None and loudspeaker.is_heard
        if microphone is None or self._language not in self._recognizers:
            self._conversation.interrupt()
            self._refuse()
            return False
        self._utterance, self._turn_id = Utterance(self._limit), self._next_id()
        self._turn = self._conversation.begin(turns.Spoken(self._turn_id, self._language, self._utterance))
        self._listening_to = microphone
        # What the microphone heard until now, and a moment longer, is the device itself.
        microphone.arm(preroll=not spoke, skip_s=ECHO_S if spoke else 0.0)
        asyncio.get_running_loop().add_reader(microphone.fileno(), self._pump)
        if not spoke:  # else the silence says it
            self._play(earcons.listening)
        self.tell(turns.Listening(self._turn_id))
        return True

    def tapped(self) -> bool:
        """A tap that silenced an alarm is done; any other listens on."""
        if self._was_ringing:
            self._forget()
            return False
        self._patience = asyncio.get_running_loop().call_later(SILENCE_S, self._end_by_itself)
        return True

    def end(self) -> None:
        if self._utterance is not None and self._tail is None:
            self._tail = asyncio.get_running_loop().call_later(TAIL_S, self._close_utterance)

    # Listening

    def _pump(self) -> None:
        """Sound has come."""
        if self._utterance is not None and self._listening_to is not None:
            self._utterance.write(self._listening_to.read())
            if self._utterance.truncated:
                self._end_by_itself()

    def _end_by_itself(self) -> None:
        self.button.stopped()
        self._close_utterance()

    def _close_utterance(self) -> None:
        """The endpoint. Harmless when nothing is open."""
        if self._stop_listening():
            self._play(earcons.heard)
            self._lamp.show("thinking")

    def _forget(self) -> None:
        """Drop the utterance under way, unheard."""
        if self._stop_listening() and self._turn is not None:
            self.button.stopped()
            self._turn.cancel()
            self.tell(turns.Cancelled(self._turn_id))

    def _stop_listening(self) -> bool:
        """End the utterance with all that has come; False if none is open."""
        for timer in (self._patience, self._tail):
            if timer is not None:
                timer.cancel()
        self._patience = self._tail = None
        utterance, self._utterance = self._utterance, None
        microphone, self._listening_to = self._listening_to, None
        if utterance is None or microphone is None:
            return False
        asyncio.get_running_loop().remove_reader(microphone.fileno())
        utterance.write(microphone.read(last=True))
        utterance.end()
        return True

    # Speaking

    def _play(self, earcon: Callable[[int], bytes]) -> None:
        if self._config.earcons and self.sound.loudspeaker is not None:
            self.sound.loudspeaker.play(earcon(self.sound.loudspeaker.rate))

    def _hint(self, hint: hints.Hint) -> None:
        self._conversation.begin(turns.Announcement(self._next_id(), self._language, hint[self._language]))

    def _refuse(self) -> None:
        """Say why nobody is listening."""
        self._show_error()
        if self.muted:
            self._hint(hints.MUTED)
        elif self.sound.microphone is None:
            self._hint(hints.NO_MICROPHONE)
        else:
            self._hint(hints.NO_RECOGNIZER)

    async def _say(self, announcement: turns.Announcement) -> None:
        await asyncio.wait([self._conversation.begin(announcement)])

    async def _sound_alarm(self) -> None:
        """The alarm tone, once the person has had their answer."""
        if self._turn is not None:
            await asyncio.wait([self._turn])
        loudspeaker = self.sound.loudspeaker
        if loudspeaker is not None:
            await loudspeaker.write(earcons.alarm(loudspeaker.rate))
            await loudspeaker.drain()

    # What the conversation tells

    def tell(self, event: turns.Event) -> None:
        match event:
            case turns.Listening():
                self._lamp.show("listening")
            case turns.PartialHeard() if self._patience is not None and event.id == self._turn_id:
                self._patience.cancel()
                self._patience = asyncio.get_running_loop().call_later(PAUSE_S, self._end_by_itself)
            case turns.Answered():
                if event.intent in ("StopSpeaking", "HassNevermind"):
                    self.stop_ringing()
                if self.sound.loudspeaker is None or not event.text:
                    self._show_idle()
            case turns.SpeechStarted():
                self._lamp.show("speaking")
            case turns.SpeechEnded() | turns.Cancelled():
                self._show_idle()
            case turns.VolumeChanged():
                self.set_volume(event.percent)
            case turns.Failed():
                self._play(earcons.refused)
                self._show_error()
        self._on_event(event)

    def _show_idle(self) -> None:
        if self._utterance is None:
            self._lamp.show("muted" if self.muted else "idle")

    def _show_error(self) -> None:
        self._lamp.show("error")
        asyncio.get_running_loop().call_later(
            ERROR_SHOWN_S, lambda: self._show_idle() if self._lamp.state == "error" else None)

    # What happens to the sound card

    def _sound_changed(self) -> None:
        if self._conversation.sink is not self.sound.loudspeaker:
            self._conversation.interrupt()
            self._conversation.sink = self.sound.loudspeaker
        if self.sound.microphone is None:
            self._end_by_itself()
        self._apply_volume()

    def _news(self, direction: Direction, error: AudioDeviceError | None) -> None:
        if error is not None:
            log.warning("%s; trying again", error)
        else:
            log.info("the %s is back", direction)
        if direction == "microphone":
            self._hint(hints.MICROPHONE_BACK if error is None else hints.NO_MICROPHONE)

    def _apply_volume(self) -> None:
        """Percent to gain: cubic, which sounds even, as in PulseAudio (pa_sw_volume_from_linear, pulse/volume.c)."""
        percent = max(self.volume, QUIETEST_ALARM) if self._ringing else self.volume
        if self.sound.loudspeaker is not None:
            self.sound.loudspeaker.set_gain((percent / 100) ** 3)

    def _toggle_mute(self) -> None:
        self.set_muted(not self.muted)

    def _remember(self, state: settings.DeviceState) -> None:
        self._state = state
        settings.save(self._state_directory, state)

    def _next_id(self) -> str:
        self._count += 1
        return f"device-{self._count}"
