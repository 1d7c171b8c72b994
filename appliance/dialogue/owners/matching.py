"""Finds the owner's sentence that was said: one walk along a tree of words, for a thousand sentences as for ten.

What is said must be the whole sentence. Words that only surround it ("please", "um") and articles may be there or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from appliance.dialogue.languages import grammar
from appliance.dialogue.owners.skill_file import OwnersSkill, Problem, Sentence, Words
from appliance.dialogue.owners.templates import Parts
from appliance.dialogue.patterns import Lexicon
from appliance.dialogue.reading.numerals import parse_number
from appliance.language import Language

MOST_FREE_WORDS = 12
"""Of a slot that may be anything."""


@dataclass(frozen=True)
class Match:
    """skill: its name. free: words in slots that may be anything, and articles that were said besides the sentence."""

    skill: str
    slots: Mapping[str, str]
    free: int
    literal: int


@dataclass
class _Node:
    next: dict[str, _Node] = field(default_factory=dict)
    slots: dict[tuple[str, str], tuple[Words, _Node]] = field(default_factory=dict)
    """By skill and slot."""
    skill: OwnersSkill | None = None
    sentence: Sentence | None = None


class Matcher:
    """All sentences of one language. Filled once, then only read."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._articles = grammar(language).words.articles
        self._around = Lexicon()
        self._around.add("filler", grammar(language).words.table["classes"]["filler"])
        self._root = _Node()

    def add(self, skill: OwnersSkill) -> Iterable[Problem]:
        """Returns what an earlier skill has already."""
        wording = skill.wordings.get(self._language)
        for sentence in wording.sentences if wording is not None else ():
            taken = None
            for parts in sentence.variants:
                taken = self._grow(skill, sentence, parts, wording.lists) or taken  # type: ignore[union-attr]
            if taken is not None and taken.skill is not None and taken.sentence is not None:
                yield Problem(
                    skill.file,
                    sentence.line,
                    f"{sentence.text!r} is also in {taken.skill.file} line {taken.sentence.line}, which comes first",
                    is_warning=True,
                )

    def _grow(self, skill: OwnersSkill, sentence: Sentence, parts: Parts, lists: Mapping[str, Words]) -> _Node | None:
        node = self._root
        for part in parts:
            if isinstance(part, str):
                node = node.next.setdefault(part, _Node())
            else:
                _, node = node.slots.setdefault((skill.name, part.name), (lists[part.name], _Node()))
        if node.skill is None:
            node.skill, node.sentence = skill, sentence
            return None
        return node if node.skill.name != skill.name else None

    def match(self, words: tuple[str, ...]) -> Match | None:
        """What was said, if it is one of the sentences: the one with the fewest words left to chance."""
        skips: dict[int, dict[int, int]] = {}  # from where to where, and what that costs
        for at, word in enumerate(words):
            if word in self._articles:
                skips[at] = {at + 1: 1}
        for start, end in self._around.hits(words).get("filler", ()):
            skips.setdefault(start, {})[end] = 0
        found = self._walk(self._root, words, 0, skips, {}, 0, 0)
        return min(found, key=lambda match: (match.free, -match.literal), default=None)

    def _walk(
        self,
        node: _Node,
        words: tuple[str, ...],
        at: int,
        skips: Mapping[int, Mapping[int, int]],
        slots: dict[str, str],
        free: int,
        literal: int,
    ) -> Iterator[Match]:
        if at == len(words) and node.skill is not None:
            yield Match(node.skill.name, slots, free, literal)
        for article in self._articles & node.next.keys():
            if at >= len(words) or words[at] != article:  # it was left out, but not at the end: "the lamp on"
                ahead = node.next[article]
                if ahead.skill is None:
                    yield from self._walk(ahead, words, at, skips, slots, free, literal)
        if at >= len(words):
            return
        if (below := node.next.get(words[at])) is not None:
            yield from self._walk(below, words, at + 1, skips, slots, free, literal + 1)
        for (_, name), (wanted, below) in node.slots.items():
            for end, value, loose in _read(wanted, words, at, self._language):
                yield from self._walk(below, words, end, skips, {**slots, name: value}, free + loose, literal)
        for end, cost in skips.get(at, {}).items():
            yield from self._walk(node, words, end, skips, slots, free + cost, literal)


def _read(wanted: Words, words: tuple[str, ...], at: int, language: Language) -> Iterator[tuple[int, str, int]]:
    """Where a slot may end that begins here, its value, and how many of its words may be anything."""
    if wanted.kind == "number":
        if (found := parse_number(words, at, language)) is not None and found[0].denominator == 1:
            yield found[1], str(int(found[0])), 0
    elif wanted.kind == "anything":
        for end in range(at + 1, min(len(words), at + MOST_FREE_WORDS) + 1):
            yield end, " ".join(words[at:end]), end - at
    else:
        for end in range(at + 1, len(words) + 1):
            if (value := wanted.values.get(words[at:end])) is not None:
                yield end, value, 0
            if end - at >= 6:
                break
