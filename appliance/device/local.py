"""The device's own session: button, microphone and loudspeaker around the same Session that pages have."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from appliance import turns
from appliance.audio.cards import Sound
from appliance.audio.selection import Direction
from appliance.config import DeviceConfig
from appliance.device import beside, earcons, hints, settings
from appliance.device.button import gpio_button, keys, terminal
from appliance.device.lamp import LampState, lamp
from appliance.device.nearest import Nearest, read_key
from appliance.device.push_to_talk import PushToTalk
from appliance.device.ringing import Ringing
from appliance.device.signs import Signs
from appliance.device.stopping import Stopping
from appliance.device.take import Take
from appliance.device.waking import Waking
from appliance.dialogue.types import Memory
from appliance.errors import AudioDeviceError, ProtocolError
from appliance.language import LANGUAGES, Language
from appliance.sessions import Sessions
from appliance.shared import Later
from appliance.waking.words import parse

log = logging.getLogger(__name__)

ECHO_S = 0.1
"""After an interruption the loudspeaker's last sounds are still on their way: its buffer, the room, the card."""

QUIET_VOLUME = 25
"""Percent. In quiet hours replies are no louder."""

INVITED_S = 5.0
"""For so long after a question, or after a word that wakes, nobody has to say anything."""

USUAL = ("okay_nabu",)

QUIETEST_ALARM = 50
"""Percent. A timer is heard even when replies are muted."""


class LocalDevice:
    """Runs beside the server, in its task group, and survives whatever happens to sound cards. Made in the event loop.

    tasks: what rings runs in it. state_directory: where volume and mute are kept. clock, later: None take the loop's.
    Raises ConfigError for a key that does not exist.
    """

    def __init__(
        self,
        config: DeviceConfig,
        sessions: Sessions,
        tasks: asyncio.TaskGroup,
        *,
        state_directory: Path,
        clock: Callable[[], float] | None = None,
        later: Later | None = None,
    ) -> None:
        self._config, self._languages = config, sessions.faculties.ears.languages
        self._state_directory = state_directory
        self._state = settings.load(state_directory)
        loop = asyncio.get_running_loop()
        self._later: Later = later or loop.call_later
        self.sound = Sound(config, self._sound_changed, self._news, muted=self._state.muted)
        self.button = PushToTalk(self, clock or loop.time, self._later)
        self._keys = keys(config.key, self.button.edge, self._toggle_mute)
        self.greet: Callable[[], None] = lambda: None
        """Called when somebody presses the button."""
        self.changed: Callable[[], None] = lambda: None
        """Called when its volume is another, or its microphone was switched off or on."""
        self.is_quiet: Callable[[], bool] = lambda: False
        """Whether these are quiet hours: replies are low and notices are not said; what rings rings all the same."""
        self.session = sessions.open("device", Memory(volume=self._state.volume, may_configure=True))
        self.session.language = next((one for one in LANGUAGES if one == self._state.language), self.session.language)
        self.signs = Signs(self.session, self.sound, self._later, self._resting, with_earcons=config.earcons)
        self.take = Take(self.session, self._later, self.signs.heard)
        self._ringing = Ringing(tasks, self._sound_alarm, self._say, self._apply_volume)
        self._loss_was_heard = False
        """Somebody was told that there is no microphone."""
        self._was_ringing = False
        self._ends_by_itself = False
        self._asked = ""
        """The turn whose answer is a question that may be answered without pressing anything."""
        self._says = ""
        """The reply or announcement that is being spoken."""
        self._stopping = Stopping(
            sessions.faculties.ears,
            tasks,
            is_sounding=self._is_sounding,
            says=lambda: self._says,
            stop=self._silence,
            language=lambda: self.session.language,
        )
        self._nearest: Nearest | None = None
        if config.peers:
            self._nearest = Nearest(config.peers, config.peers_port, read_key(config.peers_key))
        self.waking = Waking(
            parse(self.wake_words),
            sessions.faculties.ears,
            tasks,
            woken=self._woken,
            is_speaking=self._is_overheard,
            is_talking=lambda: bool(self.take),
            language=lambda: self.session.language,
            also=self._stopping.overhear,
            chosen=self._chosen,
            nearest=self._nearest,
        )
        self.session.attach(self, None)

    async def run(self) -> None:
        """Keep sound, buttons and lamp working until cancelled."""
        edge, config = self.button.edge, self._config
        with ExitStack() as stack:
            self.signs.lamp = stack.enter_context(lamp(config.gpio_led))
            stack.enter_context(gpio_button(config.gpio_button, edge))
            stack.enter_context(gpio_button(config.gpio_mute, self.set_muted, report_now=True))
            stack.enter_context(terminal(config.terminal, edge, self.button.is_listening, self._toggle_mute))
            self.signs.idle()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.sound.keep_open())
                tasks.create_task(beside.say_notices(self._notice))
                tasks.create_task(beside.show_level(self._level))
                if self._nearest is not None:
                    tasks.create_task(self._nearest.run())
                if self._keys is not None:
                    tasks.create_task(self._keys.watch())

    async def leave(self) -> None:
        """Ring and speak no more; carry out what was asked. Then nothing keeps the task group."""
        self._ringing.stop(heard=False)
        self.take.stop()
        self.waking.listen(None)
        self._stopping.end()
        self.session.detach(self)
        await self.session.settled()

    # What others ask of the device

    async def announce(self, texts: Mapping[Language, str], announcement_id: str, kind: str) -> bool:
        """Say something on the device's own account. A timer, alarm or reminder rings until it is stopped.

        True once somebody has heard it: with a notice, whoever it answers; False if nobody came.
        """
        language = self.session.language if self.session.language in texts else next(iter(texts))
        announcement = turns.Announcement(announcement_id, language, texts[language], kind)  # type: ignore[arg-type]
        if kind == "notice":
            await asyncio.wait([self.session.announce(announcement)])
            return self.sound.loudspeaker is not None
        try:
            return await self._ringing.ring(announcement)
        except asyncio.CancelledError:  # heard elsewhere
            self.session.interrupt()
            raise

    async def _notice(self, texts: Mapping[Language, str], announcement_id: str, kind: str) -> bool:
        return not self.is_quiet() and await self.announce(texts, announcement_id, kind)

    @property
    def called(self) -> str:
        """Its name among places, where its owner gave it none."""
        return hints.DEVICE[self.session.language]

    @property
    def wake_words(self) -> tuple[str, ...]:
        """That are listened for, as words.parse reads them; chosen by somebody, or set."""
        return tuple(self._config.wake_words if self._state.wake_words is None else self._state.wake_words)

    @property
    def usual_words(self) -> tuple[str, ...]:
        """Those that are set, or the one that most voices and both languages can say."""
        return self._config.wake_words or USUAL

    def stop_ringing(self) -> bool:
        """Silence what rings, whoever asked for it; False if nothing does."""
        if not self._ringing.stop():
            return False
        self.session.interrupt()
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

    def set_muted(self, muted: bool, *, aloud: bool = True) -> None:
        """Turn the microphone off, with everything it has kept, or on again. aloud: say so."""
        if muted == self._state.muted:
            return
        self._remember(replace(self._state, muted=muted))
        if muted:
            self._forget()
            self.waking.forget()
        self.sound.muted = muted
        self.signs.idle()
        if aloud:
            self.signs.hint(hints.MUTED if muted else hints.UNMUTED)

    # What the button does (push_to_talk.Talk)

    def begin(self) -> bool:
        """Silence first, then listen."""
        return self._listen()

    def _listen(self, invited_s: float | None = None, before_s: float | None = None) -> bool:
        """invited_s: nobody pressed anything (Session.by_itself). before_s: so much of what came is theirs already."""
        self.take.finish()
        self._asked, self._ends_by_itself = "", invited_s is not None
        self._was_ringing = self._ringing.stop()
        microphone, spoke = self.sound.microphone, self._is_overheard()
        if microphone is None or self.session.language not in self._languages:
            self.session.interrupt()
            self._refuse()
            return False
        try:
            self.session.begin(
                endpointer=self.session.by_itself(invited_s) if invited_s is not None else None, lingers=True
            )
        except ProtocolError as error:  # the device is stopping
            log.info("not listening: %s", error)
            return False
        if not self._was_ringing:
            self.greet()
        # What the microphone heard until now, and a moment longer, is the device itself.
        skip_s = ECHO_S if spoke else 0.0
        self.take.begin(self.waking.ear or microphone, preroll=not spoke, skip_s=skip_s, before_s=before_s)
        if not spoke:  # else the silence says it
            self.signs.play(earcons.invited if invited_s is not None and before_s is None else earcons.listening)
        return True

    def _is_heard(self) -> bool:
        """The loudspeaker plays."""
        return self.sound.loudspeaker is not None and self.sound.loudspeaker.is_heard

    def _is_overheard(self) -> bool:
        """The microphone hears the loudspeaker."""
        return self._is_heard() and not self._config.echo_cancelled

    def _chosen(self, words: Sequence[str]) -> None:
        """Other words, or none, are listened for."""
        self._remember(replace(self._state, wake_words=list(words)))
        self.signs.idle()

    def _is_sounding(self) -> bool:
        """Something that "stop" alone stops: a reply or what rings, while nobody talks."""
        return (self._is_heard() or bool(self._ringing)) and not self.take

    def _silence(self) -> None:
        """Somebody said "stop" while something sounded."""
        self._asked = ""
        if not self.stop_ringing():
            self.session.interrupt()

    def _woken(self, before_s: float) -> None:
        """The wake word was said; what came since belongs to the utterance."""
        if self._listen(INVITED_S, before_s):
            self.button.began()

    def _go_on(self) -> None:
        """The reply was a question: it may be answered without the word."""
        if self._listen(INVITED_S):
            self.button.began()

    def tapped(self) -> bool:
        """A tap that silenced an alarm is done; any other listens on until nobody speaks any more."""
        if self._was_ringing:
            self._forget()
            return False
        self.session.endpoint(self.session.by_itself())
        self._ends_by_itself = True
        return True

    def end(self) -> None:
        self.take.finish_soon()

    def _forget(self) -> None:
        """Drop the utterance under way, unheard."""
        if self.take:
            self.button.stopped()
            self.take.forget()

    def _refuse(self) -> None:
        """Say why nobody is listening."""
        self.signs.error()
        if self.muted:
            self.signs.hint(hints.MUTED)
        elif self.sound.microphone is None:
            self.signs.hint(hints.NO_MICROPHONE)
        else:
            self.signs.hint(hints.NO_RECOGNIZER)

    # What rings

    async def _say(self, announcement: turns.Announcement) -> None:
        await asyncio.wait([self.session.announce(announcement)])

    async def _sound_alarm(self) -> None:
        """The alarm tone, once the person has had their answer."""
        await self.session.settled()
        await self.signs.alarm()

    # What the session tells (session.Place)

    def displaced(self) -> None:
        """Nobody else can take this session: its secret is never told."""

    def tell(self, event: turns.Event) -> None:
        beside.show(event)
        if isinstance(event, turns.Answered | turns.Announced):
            self._says = event.text
        match event:
            case turns.Listening():
                if event.continues:
                    self.take.goes_on()
                    self.button.began()
                self.signs.lamp.show("listening")
            case turns.Endpoint():
                self.take.linger()
                self.button.stopped()
                self.signs.heard()
            case turns.Answered() if self.sound.loudspeaker is None or not event.text:
                self.signs.idle()
            case turns.Answered(asks=True) if self._ends_by_itself:
                self._asked = event.id
            case turns.SpeechStarted():
                if not self._config.echo_cancelled:
                    self.take.stop_lingering()
                self._apply_volume()
                self.signs.lamp.show("speaking")
            case turns.SpeechEnded(interrupted=False) if event.id == self._asked:
                self._later(0.0, self._go_on)  # once this event is told to everybody
            case turns.Cancelled():
                self.take.stop()
                self.button.stopped()
                self.signs.idle()
            case turns.SpeechEnded():
                self.signs.idle()
            case turns.VolumeChanged():
                self.set_volume(event.percent)
            case turns.LanguageChanged():
                self._remember(replace(self._state, language=event.language))
            case turns.Failed():
                self.signs.play(earcons.refused)
                self.signs.error()

    def _level(self) -> float | None:
        microphone = self.sound.microphone
        return None if microphone is None else microphone.capture.peak

    def _resting(self) -> LampState:
        """What the lamp shows when nothing else is to be shown."""
        if self.take:
            return "listening"
        return "muted" if self.muted else "waking" if self.waking.is_listening else "idle"

    # What happens to the sound card

    def _sound_changed(self) -> None:
        if self.session.sink is not self.sound.loudspeaker:
            self.session.interrupt()
            self.session.sink = self.sound.loudspeaker
        if self.sound.microphone is None:
            self.button.stopped()
            self.take.finish()
        self.waking.listen(self.sound.microphone)
        self.signs.idle()
        self._apply_volume()

    def _news(self, direction: Direction, error: AudioDeviceError | None) -> None:
        if error is not None:
            log.warning("%s; trying again", error)
        else:
            log.info("the %s is back", direction)
        if direction != "microphone":
            return
        if error is not None:
            self._loss_was_heard = self.sound.loudspeaker is not None
            self.signs.hint(hints.NO_MICROPHONE)
        elif self._loss_was_heard:  # at a first boot both come late
            self.signs.hint(hints.MICROPHONE_BACK)

    def _apply_volume(self) -> None:
        """Percent to gain: cubic, which sounds even, as in PulseAudio (pa_sw_volume_from_linear, pulse/volume.c)."""
        percent = min(self.volume, QUIET_VOLUME) if self.is_quiet() else self.volume
        percent = max(self.volume, QUIETEST_ALARM) if self._ringing else percent
        if self.sound.loudspeaker is not None:
            self.sound.loudspeaker.set_gain((percent / 100) ** 3)

    def _toggle_mute(self) -> None:
        self.set_muted(not self.muted)

    def _remember(self, state: settings.DeviceState) -> None:
        self._state = state
        settings.save(self._state_directory, state)
        self.changed()
