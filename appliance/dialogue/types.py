"""What understanding, skills and the conversation hand each other. Data only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Literal

from appliance.language import Language


@dataclass(frozen=True)
class Intent:
    """What is meant, and with which values. `name` is hassil's intent name; "" means: not understood."""

    name: str
    text: str
    """The words as they were heard or typed."""
    language: Language
    slots: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Timer:
    """A timer, alarm or reminder that is running, as skills see it."""

    id: int
    kind: Literal["timer", "alarm", "reminder"]
    name: str
    """What the person called it ("pizza"); "" for none."""
    due: datetime
    """When it rings, with time zone."""
    duration_s: float
    """How long it was set for; 0 for alarms and reminders."""


@dataclass(frozen=True)
class Context:
    """What a skill may know besides the intent. Made anew for every turn."""

    language: Language
    now: datetime
    """Local time with time zone."""
    timers: tuple[Timer, ...] = ()
    """What has not rung yet, next one first."""
    last_reply: str = ""
    last_heard: str = ""
    volume: int = 70
    """Loudspeaker volume in percent, 0 to 100."""
    volume_before_mute: int = 70
    """What "unmute" goes back to, in percent."""
    random: Random = field(default_factory=Random)
    """The only source of chance: a test hands in a seeded one."""
    help: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What each family says about itself, in this language, by the family's name."""
    ringing: tuple[Timer, ...] = ()
    """What rings now, and what somebody heard ring a moment ago: "stop the alarm" is about these."""


# Actions are what a reply changes, as data: the skill decides, Dialogue carries timers and the memory's volume out,
# the conversation silences and sets the loudspeaker.


@dataclass(frozen=True)
class SetTimer:
    kind: Literal["timer", "alarm", "reminder"]
    due: datetime
    name: str = ""
    duration_s: float = 0.0


@dataclass(frozen=True)
class CancelTimer:
    id: int


@dataclass(frozen=True)
class SetVolume:
    """percent: 0 to 100, already clamped."""

    percent: int


@dataclass(frozen=True)
class StopSpeaking:
    """Silence: stop the reply being spoken and any timer that is ringing."""


Action = SetTimer | CancelTimer | SetVolume | StopSpeaking


@dataclass(frozen=True)
class Reply:
    """What will be said, and what changes with it."""

    text: str
    language: Language
    actions: tuple[Action, ...] = ()
    understood: bool = True
    """False when this is the honest answer to something that was not understood."""


@dataclass(frozen=True)
class Ask:
    """Instead of a reply: ask a helper, which may be slow, remote or away, and reply to what it says."""

    helper: str
    question: str
    then: Callable[[str], Reply | Ask]


@dataclass(frozen=True)
class Answer:
    """What came of one turn. SetVolume and StopSpeaking in `reply.actions` are for whoever owns the loudspeaker."""

    reply: Reply
    intent: Intent
    understanding_ms: float
    skill_ms: float
    """Skill and disk."""


Skill = Callable[[Intent, Context], Reply | Ask]
"""Answers one intent. Pure: no clock, chance, disk or network but what the context holds. May raise SkillError."""


@dataclass
class Memory:
    """What one conversation remembers between its turns; nothing of it is stored."""

    last_reply: str = ""
    last_heard: str = ""
    volume: int = 70
    """Percent. A reply with SetVolume changes it; whoever owns the loudspeaker follows."""
    volume_before_mute: int = 70
