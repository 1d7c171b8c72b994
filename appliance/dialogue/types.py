"""What understanding, skills and the conversation hand each other. Data only."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any, Literal, Protocol

from appliance.dialogue.actions import Action, SetSpeech
from appliance.dialogue.things import UNKNOWN_DEVICE, Device, Note, Timer
from appliance.language import Language

Doubt = Literal["", "changed", "unsure", "repaired", "unheard", "either"]
"""Why an intent must not be acted upon before somebody said yes: something left over changes its meaning; too much is
left over; words were put right to understand it; the recognizer was not sure what it heard; two values were said for
one slot, which are in the slot `either`."""


@dataclass(frozen=True)
class Intent:
    """What is meant, and with which values. A name that begins with "Hass" is Home Assistant's; "": not understood."""

    name: str
    text: str
    """The words as they were heard or typed."""
    language: Language
    slots: Mapping[str, object] = field(default_factory=dict)
    doubt: Doubt = ""

    def having(self, **slots: object) -> Intent:
        """The same with more slots, and no doubt about it."""
        return replace(self, slots={**self.slots, **slots}, doubt="")


@dataclass(frozen=True)
class Question:
    """What a reply asks, and what the answer is for."""

    intent: Intent
    """What is meant as soon as the answer is known."""
    wants: tuple[str, ...] = ()
    """The slots that are asked for; none: yes or no."""


class Texts(Protocol):
    """The reply texts of a language (saying/replies.py)."""

    def text(self, name: str, random: Random, avoid: str = "", /, **values: object) -> str: ...
    def sentence(self, name: str, random: Random, avoid: str = "", /, **values: object) -> str: ...
    def values(self, name: str) -> frozenset[str]: ...
    def __contains__(self, name: str) -> bool: ...


@dataclass(frozen=True)
class Context:
    """What a skill may know besides the intent. Made anew for every turn."""

    language: Language
    now: datetime
    """Local time with time zone."""
    texts: Texts
    timers: tuple[Timer, ...] = ()
    """What has not rung yet, next one first."""
    ringing: tuple[Timer, ...] = ()
    """What rings now, and what somebody heard ring a moment ago: "stop the alarm" is about these."""
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
    last: Intent | None = None
    """The last intent that was understood."""
    question: Question | None = None
    """What the reply before asked."""
    it: int | None = None
    """The id of the timer that was spoken of last."""
    undo: tuple[Action, ...] | None = None
    """What takes the last effect back; (): it has no inverse; None: there was none."""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What stands on each list, by its name."""
    notes: tuple[Note, ...] = ()
    """Oldest first."""
    kept: Mapping[str, Any] = field(default_factory=dict)
    """Single values that actions kept: "stopwatch", "quiet"."""
    helpers: frozenset[str] = frozenset()
    """Helpers that are switched on: "weather", "home", "chat"."""
    fallbacks: tuple[str, ...] = ()
    """Those of them that are asked, in this order, what nobody here understood."""
    refusals: int = 0
    """How many times in a row nothing was understood before."""
    can: frozenset[type] = frozenset()
    """The actions that somebody here carries out."""
    may_configure: bool = True
    """Whether whoever speaks may let others in and switch the device off."""
    device: Device = field(default_factory=lambda: UNKNOWN_DEVICE)
    """What the device knows of itself."""

    def say(
        self,
        name: str,
        /,
        *,
        actions: Sequence[Action] = (),
        question: Question | None = None,
        understood: bool = True,
        **values: object,
    ) -> Reply:
        """A reply with the text of that name ("timer.set"), its values filled in."""
        said = self.texts.sentence(name, self.random, self.last_reply, **values)
        return Reply(said, self.language, tuple(actions), understood, question)

    def text(self, name: str, /, **values: object) -> str:
        """A text for a part of a reply."""
        said = self.texts.text(name, self.random, **values)
        return said


@dataclass(frozen=True)
class Reply:
    """What will be said, and what changes with it."""

    text: str
    language: Language
    actions: tuple[Action, ...] = ()
    understood: bool = True
    """False when this is the honest answer to something that was not understood."""
    question: Question | None = None
    """What it asks: the next utterance may be the answer, and the microphone opens again for it."""
    rest: AsyncGenerator[str, None] | None = field(default=None, compare=False, repr=False)
    """What follows the text and is still being made, clause by clause; whoever has the reply reads or closes it."""

    @property
    def asks(self) -> bool:
        """Whether an answer is awaited."""
        return self.question is not None


@dataclass(frozen=True)
class Ask:
    """Instead of a reply: ask a helper, which may be slow, remote or away, and reply to what it says."""

    helper: str
    question: str
    then: Callable[[str], Reply | Ask]


@dataclass(frozen=True, eq=False)
class Streaming:
    """A helper's answer that comes clause by clause. first: "" if there is none."""

    first: str
    rest: AsyncGenerator[str, None]


@dataclass(frozen=True)
class Considered:
    """What would be answered to a text; nothing of it was carried out."""

    text: str
    intent: Intent
    context: Context
    """What was known then."""
    said: Reply | Ask | None
    """None: the skill failed."""


@dataclass(frozen=True)
class Answer:
    """What came of one turn. SetVolume and StopSpeaking in `reply.actions` are for whoever owns the loudspeaker."""

    reply: Reply
    intent: Intent
    understanding_ms: float
    skill_ms: float
    """Skill and disk."""
    meant: str = ""
    """What was understood, in words, as "set a timer for ten minutes"; "" where there are none for it."""
    can_be_undone: bool = False
    """It changed something that "undo" takes back."""


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
    question: Question | None = None
    """What was asked in the last reply and is still waited for."""
    last: Intent | None = None
    it: int | None = None
    undo: tuple[Action, ...] | None = None
    who: str = ""
    """The same for one person's place from visit to visit; what they chose is kept under it."""
    may_configure: bool = False
    """They may let others in and switch the device off."""
    last_turn_ms: Mapping[str, float] = field(default_factory=dict)
    """How long the parts of the last turn took, in milliseconds."""
    helped: dict[str, Any] = field(default_factory=dict)
    """What each helper remembers of this conversation."""
    at: datetime | None = None
    """When the last turn was: questions and "it" are forgotten after a while."""
    speech: SetSpeech = field(default_factory=SetSpeech)
    """How replies to this person are spoken."""
    refusals: int = 0
    """How many times in a row nothing was understood: each time it is said more shortly."""
    place: str = ""
    """Where this person is, as people call that place; "": at the device."""
