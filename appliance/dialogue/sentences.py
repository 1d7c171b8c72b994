"""All sentences of one language, ready for matching: lexicon, frames by the words they need, and what words cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from appliance.dialogue.family import Family
from appliance.dialogue.frames import Frame, Matcher, OpenReader, Reader, Reading, parse_frame
from appliance.dialogue.languages import grammar
from appliance.dialogue.patterns import Lexicon
from appliance.dialogue.reading.numerals import parse_number
from appliance.dialogue.reading.spans import values
from appliance.dialogue.utterance import Utterance
from appliance.language import Language

_COSTS = {"filler": 0.0, "aux": 0.4, "function": 0.1, "do": 0.25, "question": 0.5, "changer": 1.5}
"""What a word costs that is left over, by the class of words.yaml it belongs to; the first class counts."""
_CONTENT, _NUMBER = 1.0, 1.3
_WEAK = -0.05
"""A frame for an answer with this weight or less is strict: nothing that means anything may be left over."""


class Sentences:
    """Raises FrameError, PatternError or KeyError for files that cannot be read, naming the family."""

    def __init__(self, families: Iterable[Family], language: Language) -> None:
        self.language = language
        self.lexicon = Lexicon()
        self.family_of: dict[str, Family] = {}
        self.frames: dict[str, list[Frame]] = {}
        """By intent."""
        self.all_of: dict[str, str] = {}
        """Intent to the one that does the same to all there are."""
        self._anchored: dict[str, list[Frame]] = {}
        self._free: list[Frame] = []
        readers: dict[str, Reader] = {}
        open_readers: dict[str, OpenReader] = {}
        loose: dict[str, Reader] = {}
        self._common = dict(grammar(language).words.table.get("classes", {}))
        self.lexicon.transparent = grammar(language).words.set("transparent")
        for name, patterns in self._common.items():
            self.lexicon.add(name, patterns)
        for choice, patterns in grammar(language).words.table.get("choices", {}).items():
            self.lexicon.add(f"choice={choice}", patterns)
        for family in families:
            for slot, reader in family.readers.items():
                if readers.setdefault(slot, reader) is not reader:
                    raise ValueError(f"{family.name} reads {slot!r} in another way than the families before it")
            self.all_of.update(family.all_of)
            open_readers.update(family.open_readers)
            loose.update(family.loose_readers)
            self._add(family, readers)
        self.matcher = Matcher(readers, open_readers, self.costs)
        self.loose_matcher = Matcher({**readers, **loose}, open_readers, self.costs)

    def _add(self, family: Family, readers: dict[str, Reader]) -> None:
        file = family.sentences(self.language)
        own = {name: f"{family.name}.{name}" for name in file.get("words", {})}
        for name, patterns in file.get("words", {}).items():
            self.lexicon.add(own[name], patterns)
        scoped: dict[str, str] = {}  # the same words may stand for other values in another family
        for entry, table in file.get("values", {}).items():
            reader, _, slot = entry.removesuffix(" and key").partition(" as ")
            for value, patterns in table.items():
                self.lexicon.add(f"{family.name}.{reader}={value}", patterns)
            scoped[reader] = f"{family.name}.{reader}"
            classes = [(f"{family.name}.{reader}={value}", value) for value in table]
            readers[scoped[reader]] = values(slot or reader, classes, said=entry.endswith(" and key"))

        def resolve(name: str, literal: bool) -> str:
            if literal:
                self.lexicon.add(f"'{name}'", [name])
                return f"'{name}'"
            if name in own or name in self._common:
                return own.get(name, name)
            if name in self.lexicon.classes:  # another family's: "timer.timer"
                return name
            raise KeyError(f"{family.name}: no words are called {name!r}")

        for intent, entry in file.get("intents", {}).items():
            self.family_of[intent] = family
            for text in entry.get("frames", ()):
                self._frame(text, intent, family, resolve, scoped)

    def _frame(self, entry: Any, intent: str, family: Family, resolve: Any, scoped: Mapping[str, str]) -> None:
        more = entry if isinstance(entry, Mapping) else {"frame": entry}
        weight = float(more.get("weight", 0.0))
        frame = parse_frame(
            more["frame"],
            intent,
            resolve,
            fixed=more.get("slots", {}),
            acts=intent in family.acts,
            changes=intent in family.changes,
            when=more.get("when", ""),
            weight=weight,
            strict=bool(more.get("strict", intent not in family.acts and weight <= _WEAK)),
            asks_beyond=int(more.get("asks_beyond", Frame.asks_beyond)),
        )
        frame = replace(frame, slots=tuple((scoped.get(name, name), must) for name, must in frame.slots))
        self.frames.setdefault(intent, []).append(frame)
        if frame.required:
            self._anchored.setdefault(min(frame.required), []).append(frame)
        else:
            self._free.append(frame)

    def candidates(self, utterance: Utterance, without: str = "") -> Iterator[Frame]:
        """Frames whose words are there. without: a class that need not be."""
        anchored = (frame for name in sorted({*utterance.hits, without}) for frame in self._anchored.get(name, ()))
        for frame in chain(self._free, anchored):
            if not frame.when or frame.when in utterance.known:
                yield frame

    def readings(self, utterance: Utterance) -> list[Reading]:
        """All ways to understand an utterance by itself."""
        found = (self.matcher.match(frame, utterance) for frame in self.candidates(utterance))
        return [reading for reading in found if reading is not None]

    def costs(self, utterance: Utterance) -> Sequence[float]:
        """What each word costs if a frame leaves it over."""
        if (known := utterance.costs) is not None:
            return known
        costs = [self._cost(word, position, utterance) for position, word in enumerate(utterance.words)]
        for name, cost in _COSTS.items():  # phrases: "could you please"
            for start, end in utterance.hits.get(name, ()):
                if end - start > 1 and name != "changer":  # those are judged as a whole
                    costs[start:end] = [cost] * (end - start)
        object.__setattr__(utterance, "costs", costs)
        return costs

    def _cost(self, word: str, position: int, utterance: Utterance) -> float:
        for name, cost in _COSTS.items():
            if utterance.is_in(name, position):
                return cost
        return _NUMBER if parse_number([word], 0, self.language) else _CONTENT
