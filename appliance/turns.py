"""What goes into a conversation (requests) and what it reports (events). Data only; `id` names the turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from appliance.audio.endpointing import Reason
from appliance.audio.pcm import SpokenSource
from appliance.language import Language

Timings = Mapping[str, float]
"""Milliseconds by stage since the endpoint; they add up to the whole."""


@dataclass(frozen=True)
class Spoken:
    """A person has begun to talk; `source` holds what they say."""

    id: str
    language: Language
    source: SpokenSource
    key: str = ""
    """Names this turn to whatever keeps its effects, for ever and in all sessions; "" for one that keeps none."""
    continues: str = ""
    """The turn that was ended while its speaker had more to say; this is the rest of it, or a turn of its own."""


@dataclass(frozen=True)
class Typed:
    id: str
    language: Language
    text: str
    key: str = ""
    """As in Spoken."""


@dataclass(frozen=True)
class Announcement:
    """Something the device says on its own; it waits for the turn under way instead of interrupting it."""

    id: str
    language: Language
    text: str
    kind: Literal["timer", "alarm", "reminder", "notice"] = "notice"


@dataclass(frozen=True)
class Listening:
    id: str
    continues: str = ""
    """The turn whose speaker went on after the device had ended it; "" for whoever begins to talk."""


@dataclass(frozen=True)
class Queued:
    """All recognizers are busy; place 1 is next."""

    id: str
    place: int


@dataclass(frozen=True)
class PartialHeard:
    id: str
    text: str


@dataclass(frozen=True)
class FinalHeard:
    id: str
    text: str
    confidence: float
    audio_s: float
    truncated: bool
    timings: Timings


@dataclass(frozen=True)
class Answered:
    id: str
    text: str
    language: Language
    intent: str
    understood: bool
    heard: str
    timings: Timings
    meant: str = ""
    """What was understood, in words; "" where there are none for it."""
    values: Mapping[str, str | float] = field(default_factory=dict)
    """… and with which values, as far as they are plain."""
    can_be_undone: bool = False
    asks: bool = False
    """The reply is a question, and an answer to it is expected."""


@dataclass(frozen=True)
class AnswerGrew:
    """More of an answer has come while its beginning was spoken. text: all of it so far."""

    id: str
    text: str


@dataclass(frozen=True)
class SpeechStarted:
    id: str
    sample_rate: int


@dataclass(frozen=True)
class SpeechEnded:
    """The reply's audio was handed on whole, or cut short."""

    id: str
    interrupted: bool
    audio_s: float
    timings: Timings


@dataclass(frozen=True)
class Announced:
    id: str
    kind: str
    text: str
    language: Language


@dataclass(frozen=True)
class Again:
    """An answer to be said once more, because nobody heard it the first time. Nothing is told but its sound."""

    id: str
    language: Language
    text: str
    timings: Timings


Request = Spoken | Typed | Announcement | Again


@dataclass(frozen=True)
class Endpoint:
    """The device itself ended the utterance; what was said until then is being answered."""

    id: str
    reason: Reason
    setting: str = ""
    """Whose value was waited for: "endpoint.complete_s"; "" for none."""
    silence_ms: float = 0.0
    """How long nobody had spoken by then."""


@dataclass(frozen=True)
class Paused:
    """Nobody has spoken for `silence_ms`: after `of_ms` the device ends the utterance, unless somebody goes on.
    of_ms 0: somebody does."""

    id: str
    silence_ms: float
    of_ms: float


@dataclass(frozen=True)
class Cancelled:
    """The utterance was forgotten; `audio_s` of it had arrived."""

    id: str
    audio_s: float = 0.0


@dataclass(frozen=True)
class VolumeChanged:
    percent: int


@dataclass(frozen=True)
class LanguageChanged:
    """Somebody wants to speak, and be spoken to, in another language from here on."""

    language: Language


@dataclass(frozen=True)
class Silenced:
    """Somebody said "stop": whatever rings, wherever, falls silent."""

    id: str


@dataclass(frozen=True)
class Failed:
    """This turn, or a part of it, failed; the next one works. `code` is one of docs/protocol.md's."""

    id: str
    code: str
    message: str
    hint: str = ""


Event = (
    Listening
    | Queued
    | PartialHeard
    | FinalHeard
    | Answered
    | AnswerGrew
    | SpeechStarted
    | SpeechEnded
    | Announced
    | Endpoint
    | Paused
    | Cancelled
    | VolumeChanged
    | LanguageChanged
    | Silenced
    | Failed
)

Tell = Callable[[Event], None]


def broken(id: str) -> Failed:
    """What is told of a turn that met a bug."""
    return Failed(id, "internal", "This turn failed because of an error in the device.")
