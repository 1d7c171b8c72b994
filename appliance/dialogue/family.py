"""A skill family: one folder below families/ with what it understands, answers, and says about itself.

    families/<name>/skill.py            the skills, pure functions, and FAMILY at the end
    families/<name>/sentences.en.yaml   words, frames, replies, help; and what it must not take for its own
    tests/dialogue/families/<name>/     mirrors it

A sentence file:

    words:                              classes of words, with patterns as in patterns.py
      timer: [timer[s], countdown, egg timer]
    values:                             words that stand for a slot's value: the slot {sort}
      sort: {soft: [soft, softly boiled], hard: [hard [boiled]]}
    intents:
      HassStartTimer:
        frames: ["timer {duration} set? *name?"]      as in frames.py; or {frame: …, slots: {level: 0}}
        means: "set a timer for {duration_s:duration}"   when the dialogue asks "Shall I …?"
    replies:                            texts by name, as in saying/replies.py
    help: {what: "set timers", example: "Set a timer for five minutes."}
    not: ["the timer on the oven is broken"]          what it must leave alone, for the tests
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from appliance.dialogue.frames import OpenReader, Reader
from appliance.dialogue.languages.grammar import load_yaml
from appliance.dialogue.types import Intent, Skill
from appliance.dialogue.utterance import Utterance
from appliance.language import Language

Sentences = Mapping[str, Any]
"""One sentence file."""


@dataclass(frozen=True)
class Family:
    """What the understanding, the dialogue and the help must know of a family; nothing else is known of it."""

    name: str
    skills: Mapping[str, Skill]
    """Intent name to skill; every intent of the sentence files has its line."""
    acts: frozenset[str] = frozenset()
    """The intents that change something; the others only answer."""
    changes: frozenset[str] = frozenset()
    """Those of them that delete or change what exists."""
    for_good: frozenset[str] = frozenset()
    """Those of them that "undo" cannot take back."""
    keeps: tuple[str, ...] = ()
    """Slots that stay as they were said before when one of `keeps_for` says nothing about them."""
    keeps_for: frozenset[str] = frozenset()
    stops: str = ""
    """The intent that "stop" alone means after one of its intents."""
    thing_is_told: bool = False
    """Whether naming the thing alone ("the timer") means that another one may be meant."""
    readers: Mapping[str, Reader] = field(default_factory=dict)
    """Slot in a frame to what finds it. The same slot may be read by several families, but in one way."""
    open_readers: Mapping[str, OpenReader] = field(default_factory=dict)
    """Open slot (*name) to what says whether some words can be it."""
    loose_readers: Mapping[str, Reader] = field(default_factory=dict)
    """How slots are read in an answer to a question or in a correction, where a bare "ten" is enough."""
    more_of: Mapping[str, tuple[str, Mapping[str, object], Mapping[str, object]]] = field(default_factory=dict)
    """Intent to what "a bit more" and "a bit less" mean after it: an intent, its slots for more, and for less."""
    again: bool = False
    """Whether "again" after one of its intents means another one, not the same reply once more: dice, jokes."""
    corrects: Mapping[str, str] = field(default_factory=dict)
    """Intent to the one that "no, make it ten" means after it."""
    all_of: Mapping[str, str] = field(default_factory=dict)
    """Intent to the one that does the same to all there are: "both" is an answer to "which one?"."""
    thing: str = ""
    """The class of words that "it" and "that one" stand for after one of its intents."""
    carries: tuple[str, ...] = ()
    """Slots that "that" stands for after one of its intents: "how many days is that?"."""
    go_on: Callable[[Utterance, Intent], Intent | None] | None = None
    """What an utterance means after one of its intents, where frames cannot tell: "and times two"."""
    about_device: bool = False
    """Whether its skills look at the context's `device`, which is not asked for otherwise."""
    actions: tuple[type, ...] = ()
    """What its replies may change; somebody must have a performer for each."""
    folder: Path | None = None
    """Where its sentence files are, if not beside its skills."""

    def sentences(self, language: Language) -> Sentences:
        """The sentence file of one language; empty if the family does not speak it."""
        return _read(self.name, self.folder, language)

    def help(self, language: Language) -> Mapping[str, str]:
        """ "what": what it does, as part of a sentence; "example": a sentence to try; "more": when asked about it."""
        about: Mapping[str, str] = self.sentences(language).get("help", {})
        return about


@cache
def _read(name: str, folder: Path | None, language: Language) -> Sentences:
    place = folder or files("appliance.dialogue").joinpath("families", name)
    file = place.joinpath(f"sentences.{language}.yaml")
    return load_yaml(file.read_text(encoding="utf-8")) if file.is_file() else {}
