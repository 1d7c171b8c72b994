"""One utterance on its way to being understood."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from appliance.dialogue.patterns import Hits, Lexicon
from appliance.language import Language

Slots = dict[str, object]


@dataclass(frozen=True)
class Span:
    """Words that mean something: from `start` up to `end`, not included."""

    start: int
    end: int
    slots: Mapping[str, object]
    quality: float = 1.0
    """1: certain; less: readable, but somebody else may have meant these words otherwise."""
    open: bool = False
    """Words of an open slot: a name, a text."""
    verbatim: bool = False
    """A text that may say anything, kept as it was said: a note, an announcement."""


@dataclass(frozen=True)
class Utterance:
    """Normalised words and what is found in them. Spans are read when a frame first asks for them."""

    words: tuple[str, ...]
    language: Language
    lexicon: Lexicon
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Names that exist now, by kind: {"timer": {"pizza": "pizza"}}; what is said to what is meant."""
    today: date | None = None
    """For what depends on it already while reading: "next year"."""
    commas: frozenset[int] = frozenset()
    """Positions of words behind which a comma was written."""
    spans: dict[str, list[Span]] = field(default_factory=dict)
    """Slot to its spans, those that were asked for (read)."""
    costs: list[float] | None = None
    """What each word costs that nobody explains; filled by the sentences."""

    @cached_property
    def hits(self) -> Hits:
        return self.lexicon.hits(self.words)

    @cached_property
    def courtesies(self) -> frozenset[int]:
        """Positions of the words of polite phrases: no condition is made by "if you can" and "wenn es geht"."""
        phrases = (span for span in self.hits.get("filler", ()) if span[1] - span[0] > 1)
        return frozenset(at for start, end in phrases for at in range(start, end))

    def read(self, slot: str, reader: Callable[[Utterance], Iterable[Span]]) -> list[Span]:
        """Every place where a slot can be read; looked for once."""
        if (spans := self.spans.get(slot)) is None:
            spans = self.spans[slot] = list(reader(self))
        return spans

    def text(self, start: int, end: int) -> str:
        return " ".join(self.words[start:end])

    def is_in(self, name: str, position: int) -> bool:
        """Whether the single word at a position belongs to a class."""
        return (position, position + 1) in self.hits.get(name, ())
