"""Free text in open slots: tasks, notes, items. Kept as it was said, without what only leads up to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from appliance.dialogue.frames import OpenReader, Reader
from appliance.dialogue.languages import grammar
from appliance.dialogue.utterance import Span, Utterance

_NOT_FIRST = ("filler", "alternative", "preposition")
_NOT_LAST = ("filler", "unfinished")
"""A task may end with "off" or "out"."""
_FIRST_WORDS_OF_SENTENCES = ("question", "aux", "do", "changer", "pronoun", "asking")
_MEANINGFUL = 0.9


def text_of(
    slot: str,
    longest: int,
    *,
    links: Iterable[str] = (),
    never: Iterable[str] = (),
    quality: float = 1.0,
    ahead: Iterable[str] = (),
    unsure: Iterable[str] = _FIRST_WORDS_OF_SENTENCES,
    first: Iterable[str] = _NOT_FIRST,
    last: Iterable[str] = _NOT_LAST,
    needs_meaning: bool = False,
    to_end: float = 1.0,
    to_end_after: Mapping[str, Reader] | None = None,
) -> OpenReader:
    """A reader of free text of up to `longest` words.

    links: classes of words that lead up to it and do not belong to it ("to", "that i should"); right behind one
    of them it is certain. never: classes whose words are never part of it. ahead: classes that it must stand behind.
    unsure: classes of words with which it does not begin unless right behind a link. first, last: with which it does
    not begin and not end. needs_meaning: grammar alone ("du musst") is none, unless right behind a link. to_end: by how
    much more it is worth at the end of the sentence, if one of the slots to_end_after stands before it; else a long
    text would swallow the one that is still to come: "remind me to fetch the red parcel in two hours".
    """
    unsure, first, last = tuple(unsure), tuple(first), tuple(last)
    link_classes, never_classes, ahead_classes = tuple(links), tuple(never), tuple(ahead)

    def at_end(utterance: Utterance, start: int, end: int) -> bool:
        return end == len(utterance.words) and any(
            span.end <= start for slot, reader in (to_end_after or {}).items() for span in utterance.read(slot, reader)
        )

    def read(utterance: Utterance, start: int, end: int) -> Span | None:
        hits = utterance.hits
        if end - start > longest or _at_edge(utterance, start, first) or _at_edge(utterance, end - 1, last):
            return None
        if any(utterance.is_in(name, start) for name in link_classes) and end - start > 1:
            return None
        if any(at < end and stop > start for name in never_classes for at, stop in hits.get(name, ())):
            return None
        behind = any(stop == start for name in link_classes for _, stop in hits.get(name, ()))
        if ahead_classes and not any(stop <= start for name in ahead_classes for _, stop in hits.get(name, ())):
            return None
        if not behind and unsure and _at_edge(utterance, start, unsure):
            return None
        if needs_meaning and not behind and not _means_something(utterance, start, end):
            return None
        if start == end - 1 and utterance.words[start] in grammar(utterance.language).words.articles:
            return None
        sure = behind or not link_classes
        worth = (quality if sure else 0.8 * quality) * (to_end if at_end(utterance, start, end) else 1.0)
        return Span(start, end, {slot: utterance.text(start, end)}, worth, open=True)

    return read


def verbatim(
    slot: str, behind: Iterable[str], inside: Iterable[str] = (), *, tail: str = "", free: Iterable[str] = ()
) -> OpenReader:
    """A reader of what is to be written down or said word for word: all that follows, whatever it is.

    behind: classes of words right behind which it begins; the first of them must open the utterance, else somebody only
    talks about a note. inside: classes whose words may stand between. tail: a class of words, or the beginning of such
    names, that may follow it: the room. free: classes right behind which it may say anything, conditions too ("that");
    if there are none, it always may. In an answer to a question it is the whole utterance.
    """
    openers, links, free_behind = tuple(behind), tuple(inside), tuple(free)

    def read(utterance: Utterance, start: int, end: int) -> Span | None:
        hits, length = utterance.hits, len(utterance.words)
        begun = [at for name in openers for at in hits.get(name, ()) if _opens(utterance, at[0])]
        if begun:
            ends = {stop for _, stop in begun}
            ends |= {stop for name in hits if name in links or tail and name.startswith(tail) for _, stop in hits[name]}
            if start not in ends or start < min(stop for _, stop in begun):
                return None
        elif start > 0:
            return None
        if end < length and not (
            tail
            and any(at >= end and stop == length for name in hits if name.startswith(tail) for at, stop in hits[name])
        ):
            return None
        if _vague(utterance, start, end) or any(at == start for at, _ in hits.get("condition", ())):
            return None
        freely = not free_behind or any(stop == start for name in free_behind for _, stop in hits.get(name, ()))
        return Span(start, end, {slot: utterance.text(start, end)}, 1.0, open=True, verbatim=freely)

    return read


def _opens(utterance: Utterance, at: int) -> bool:
    """Whether nothing but fillers stands before."""
    costs = utterance.costs or ()
    return not any(costs[:at])


def _vague(utterance: Utterance, start: int, end: int) -> bool:
    """Whether the words only point at something: "something", "that thing", "it"."""
    if end - start == 1 and utterance.words[start] in grammar(utterance.language).words.articles:
        return True
    return all(
        any(utterance.is_in(name, at) for name in ("vague", "pronoun", "function", "filler"))
        for at in range(start, end)
    ) and any(utterance.is_in(name, at) for name in ("vague", "pronoun") for at in range(start, end))


def _means_something(utterance: Utterance, start: int, end: int) -> bool:
    units = grammar(utterance.language).words.units
    return utterance.costs is None or any(
        utterance.costs[at] >= _MEANINGFUL and utterance.words[at] not in units for at in range(start, end)
    )


def _at_edge(utterance: Utterance, at: int, names: Iterable[str]) -> bool:
    return any(utterance.is_in(name, at) for name in names)
