"""What helpers say, made fit to be spoken: plain text of bounded length. It is never anything but spoken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MOST_CHARACTERS = 1500
"""Of one answer: a minute and a half of speech."""
MOST_CLAUSE = 240

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|$)", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_LINK = re.compile(r"\[([^\]]{1,200})\]\([^)]{0,500}\)")
_ADDRESS = re.compile(r"https?://\S+")
_MARKS = re.compile(r"[*_`#~|>]+|^\s*[-•]\s+", re.MULTILINE)
_END = re.compile(r"[.!?…:;](?=\s)|\n")


def spoken(text: str) -> str:
    """Without thoughts, tags, links, marks and control characters; one line, cut at a word."""
    text = _ADDRESS.sub("", _LINK.sub(r"\1", _TAG.sub(" ", _THOUGHT.sub(" ", text))))
    text = _MARKS.sub(" ", text)
    text = "".join(each if not unicodedata.category(each).startswith("C") else " " for each in text)
    text = " ".join(text.split())
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS].rsplit(" ", 1)[0] + " …"


class Clauses:
    """Cuts text that comes in pieces into clauses that can be spoken before the next has come."""

    def __init__(self) -> None:
        self._rest = ""
        self._said = 0

    @property
    def is_enough(self) -> bool:
        return self._said >= MOST_CHARACTERS

    def add(self, piece: str) -> Iterator[str]:
        """Clauses that are whole now."""
        self._rest += piece
        while not self.is_enough and (cut := self._cut()):
            clause, self._rest = spoken(self._rest[:cut]), self._rest[cut:]
            yield from self._counted(clause)

    def end(self) -> Iterator[str]:
        """What is left."""
        if not self.is_enough:
            yield from self._counted(spoken(self._rest))

    def _cut(self) -> int:
        """Where the first clause ends; 0 while it is not whole, or somebody is still thinking."""
        if "<think" in self._rest and "</think" not in self._rest:
            return 0
        begin = self._rest.rfind(">", 0, self._rest.find("</think") + 12) + 1 if "</think" in self._rest else 0
        if (found := _END.search(self._rest, begin)) is not None:
            return found.end()
        return self._rest.rfind(" ", 0, MOST_CLAUSE) + 1 if len(self._rest) > MOST_CLAUSE else 0

    def _counted(self, clause: str) -> Iterator[str]:
        if any(character.isalnum() for character in clause):
            self._said += len(clause)
            yield clause
