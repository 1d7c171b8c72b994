"""When an utterance begins and ends, as rules over what comes in: no threads, no timers, no clock of their own.

A rule is fed every piece of sound. `ByWords` knows when somebody speaks and how complete their sentence is; `Patience`
needs neither and stands in where nobody can say. Whatever listens hands-free brings a `Trigger` to the same place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from appliance.audio.pcm import RATE

Reason = Literal["complete", "silence", "limit", "nothing"]
"""Why an utterance ended by itself: what was said is a whole request; nobody spoke on; it was as long as allowed;
nobody spoke at all, who did not ask to, so that there is nothing to be answered."""

PAUSE_S = 2.0
"""After a tap, so long without a new word ends the utterance …"""

SILENCE_S = 8.0
"""… and so long without any word."""

AFTER_S = 1.0
"""After an end, so much sound is listened to for who goes on after all: few pauses inside a sentence are longer than
that and the silence that was waited out before."""

CHUNK_SAMPLES = 512
"""What one probability of voice is about: 32 ms, which is also what a page sends at a time."""

VOICE, STILL_VOICE = 0.5, 0.35
"""Probabilities of voice: where it begins, and what keeps it (Silero's own defaults)."""

STILL_S = 0.5
"""Words come this late at most: after so long without a new one nobody speaks, as far as words tell."""

PAUSE_SAMPLES = 2400
"""0.15 s: the closure of a plosive is shorter, a pause between words is longer."""

SOUND_SAMPLES = 2560
"""0.16 s of voice: an "um" is longer, a click is shorter …"""

ALONE_SAMPLES = 8000
"""… and 0.5 s is what one lasts. Recognizers hear words in it: "play … um" became "play pop"."""


@dataclass(frozen=True)
class End:
    """The utterance is over."""

    reason: Reason
    setting: str = ""
    """Whose value was waited for, as `stimme check` names it: "endpoint.complete_s"; "" for none."""
    silence_s: float = 0.0
    """How long nobody had spoken."""


@dataclass(frozen=True)
class Heard:
    """What has come since the last time, and what is known of it."""

    samples: int
    """At 16 kHz."""
    partial: str | None
    """The transcript of all that came, as far as it is known; None while no recognizer listens yet."""
    now: float
    """Seconds on any steady clock."""
    voices: Sequence[float] | None = None
    """How surely somebody spoke in each 512 samples, in order; None if nobody looked."""
    completeness: str = "unknown"
    """Of `partial`; one of Completeness in dialogue/completeness.py."""


@dataclass(frozen=True)
class Pause:
    """Words came, and now nobody speaks: the utterance is over after `of_s` of that, unless somebody goes on."""

    silence_s: float
    of_s: float


class Endpointer(Protocol):
    """Decides when the utterance it was made for is over."""

    pause: Pause | None
    """As it was when fed last; None: somebody speaks, or nobody has."""

    def feed(self, heard: Heard) -> End | None:
        """Called for every piece of sound."""


@dataclass(frozen=True)
class Begin:
    """Somebody has begun to talk."""

    preroll: bytes
    """Sound from before that belongs to the utterance, s16le at 16 kHz."""


class Trigger(Protocol):
    """Decides when an utterance begins, where nobody presses anything."""

    def feed(self, pcm: bytes) -> Begin | None:
        """pcm: what came, s16le at 16 kHz."""


class Patience:
    """Ends an utterance that was begun by a tap: two seconds without a new word, eight without any.

    So much sound and so much time: on a thin link the sound of a second takes three, after a drop it comes at once.
    """

    def __init__(self, pause_s: float = PAUSE_S, silence_s: float = SILENCE_S, *, is_invited: bool = False) -> None:
        """is_invited: nobody asked to talk; without a word nobody wants to (End "nothing")."""
        self._pause_s, self._silence_s, self._is_invited = pause_s, silence_s, is_invited
        self.pause: Pause | None = None
        self._heard: str | None = None
        self._since = 0.0
        self._samples = 0
        """… that came since then."""

    def feed(self, heard: Heard) -> End | None:
        """See Endpointer.feed. Nobody's patience is used up while they wait for a recognizer."""
        if heard.partial is None or heard.partial != self._heard:
            self._heard, self._since, self._samples = heard.partial, heard.now, 0
        else:
            self._samples += heard.samples
        patience_s = self._pause_s if self._heard else self._silence_s
        quiet_s = min(heard.now - self._since, self._samples / RATE)
        self.pause = Pause(quiet_s, patience_s) if self._heard and quiet_s >= STILL_S else None
        if quiet_s < patience_s:
            return None
        return End("nothing" if self._is_invited and not self._heard else "silence", silence_s=quiet_s)


class Waits(Protocol):
    """The table of silences, in seconds (config.EndpointConfig)."""

    @property
    def complete_s(self) -> float: ...
    @property
    def continuable_s(self) -> float: ...
    @property
    def text_s(self) -> float: ...
    @property
    def unknown_s(self) -> float: ...
    @property
    def open_s(self) -> float: ...
    @property
    def hesitation_s(self) -> float: ...
    @property
    def nothing_s(self) -> float: ...


class Silence:
    """How long nobody has spoken, and whether somebody makes sounds without words, from probabilities of voice."""

    def __init__(self) -> None:
        self.is_voice = False
        """Somebody is speaking."""
        self.samples = 0
        """Since somebody spoke."""
        self._sounding = 0
        self._heard: str | None = None
        self._heard_before: str | None = None

    def feed(self, voices: Iterable[float], partial: str | None) -> None:
        """voices: of the chunks that came; partial: the transcript with them."""
        for voice in voices:
            begins = not self.is_voice and voice >= VOICE
            self.is_voice = voice >= (STILL_VOICE if self.is_voice else VOICE)
            if begins and self.samples >= PAUSE_SAMPLES:
                self._sounding, self._heard_before = 0, self._heard
            if self.is_voice:
                self.samples = 0
                self._sounding += CHUNK_SAMPLES
            else:
                self.samples += CHUNK_SAMPLES
        self._heard = partial

    def unknown(self) -> None:
        """Something came that nobody listened to; it may have been a voice."""
        self.samples = 0

    def follows_a_sound(self, partial: str) -> bool:
        """Whether the last thing that somebody uttered after a pause was a sound rather than a word.

        Nothing new was heard in it; or it is so short and alone that the word heard in it may be none.
        """
        if self._heard_before is None or self._sounding < SOUND_SAMPLES:
            return False
        return partial == self._heard_before or (bool(self._heard_before) and self._sounding < ALONE_SAMPLES)

    @property
    def seconds(self) -> float:
        """Since somebody spoke."""
        return self.samples / RATE


class ByWords:
    """Ends an utterance after a silence that is the shorter the more complete the sentence is; never in a voice.

    A sound that brings no word is a hesitation ("um") and keeps the utterance open. What nobody listened to for voices
    is judged by Patience.
    """

    def __init__(self, waits: Waits, invited_s: float | None = None) -> None:
        """invited_s: nobody asked to talk; without a word in so long, nobody wants to (End "nothing")."""
        self._waits, self._invited_s = waits, invited_s
        self._patience = Patience() if invited_s is None else Patience(silence_s=invited_s, is_invited=True)
        self.silence = Silence()
        self.pause: Pause | None = None

    def feed(self, heard: Heard) -> End | None:
        """See Endpointer.feed."""
        impatient = self._patience.feed(heard)
        self.pause = self._patience.pause if heard.voices is None else None
        if heard.voices is None:
            if heard.samples:
                self.silence.unknown()
            return impatient
        self.silence.feed(heard.voices, heard.partial)
        if heard.partial is None or self.silence.is_voice:
            return None
        if self._invited_s is not None and not heard.partial and self.silence.seconds >= self._invited_s:
            return End("nothing", silence_s=self.silence.seconds)
        setting = self._setting(heard)
        wait_s = getattr(self._waits, setting)
        if heard.partial and self.silence.samples >= PAUSE_SAMPLES:
            self.pause = Pause(self.silence.seconds, wait_s)
        if self.silence.seconds < wait_s:
            return None
        reason: Reason = "complete" if setting in ("complete_s", "continuable_s", "text_s") else "silence"
        return End(reason, f"endpoint.{setting}", self.silence.seconds)

    def _setting(self, heard: Heard) -> str:
        if not heard.partial:
            return "nothing_s"
        return "hesitation_s" if self.silence.follows_a_sound(heard.partial) else f"{heard.completeness}_s"
