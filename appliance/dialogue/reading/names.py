"""Names in open slots: words that nobody else understands, where a name can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from appliance.dialogue.frames import OpenReader, Reader
from appliance.dialogue.languages import grammar
from appliance.dialogue.utterance import Span, Utterance

MAX_NAME_WORDS, _MAX_NAME_CHARACTERS = 4, 40
_NEVER = ("filler", "question", "changer", "function", "pronoun")


def stripped(utterance: Utterance, start: int, end: int) -> int:
    """Where a name begins behind its articles: "den pizza" is "pizza"."""
    articles = grammar(utterance.language).words.articles
    while start < end - 1 and utterance.words[start] in articles:
        start += 1
    return start


def plain(utterance: Utterance, start: int, end: int, never: Iterable[str] = _NEVER) -> bool:
    """Whether no word between is one that belongs to the sentence rather than to a name: not, or, the, when, ten."""
    for name in never:
        if any(first < end and last > start for first, last in utterance.hits.get(name, ())):
            return False
    rules = grammar(utterance.language)
    return not any(
        rules.number_at([word], 0) or word in rules.words.units or word in rules.words.minus or word[0].isdigit()
        for word in utterance.words[start:end]
    )


def name_of(slot: str, thing: str, naming: Iterable[str], own: Iterable[str] = ()) -> OpenReader:
    """A reader of names: sure before the thing ("pizza timer") or behind a word that names ("called pizza").

    thing, naming: classes of words. own: classes whose words are never part of the name.
    """
    never, naming = (*_NEVER, thing, *own), tuple(naming)

    def read(utterance: Utterance, start: int, end: int) -> Span | None:
        begin = stripped(utterance, start, end)
        if end - begin > MAX_NAME_WORDS or not plain(utterance, begin, end, never):
            return None
        name = utterance.text(begin, end)
        if len(name) > _MAX_NAME_CHARACTERS:
            return None
        before = any(stop == start for each in naming for _, stop in utterance.hits.get(each, ()))
        behind = any(at == end for at, _ in utterance.hits.get(thing, ()))
        return Span(start, end, {slot: name}, 1.0 if before or behind else 0.6, open=True)

    return read


def known(slot: str, kind: str) -> Reader:
    """A reader of names that exist now: of timers that run, of lists that there are."""

    def read(utterance: Utterance) -> Iterator[Span]:
        for said, meant in utterance.known.get(kind, {}).items():
            parts = said.split()
            for start in range(len(utterance.words) - len(parts) + 1):
                if list(utterance.words[start : start + len(parts)]) == parts:
                    yield Span(start, start + len(parts), {slot: meant})

    return read
