"""Phrases and the classes they belong to, found in an utterance by one walk along a tree of words.

A pattern is words with `(a|b)` for alternatives and `[x]` for what may be missing: "how (much|many) [of it]",
"timer[s]", "stell(e|st|en)".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_TOKEN = re.compile(r"[()\[\]|]|[^\s()\[\]|]+")
_ENDINGS = re.compile(r"([\w']+)(?:\[([\w']+)\]|\(([\w'|]+)\))")
_MAX_WORDS = 12

Hits = dict[str, list[tuple[int, int]]]
"""Class to the places where one of its phrases stands: first word, and the word behind the last."""


class PatternError(ValueError):
    """A pattern cannot be read; says which and why."""


class _Node:
    """There are tens of thousands, most of them leaves: what a node does not have takes no memory."""

    __slots__ = ("classes", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Node] | None = None
        self.classes: frozenset[str] = frozenset()

    def behind(self, word: str) -> _Node:
        """The node behind a word, made if need be."""
        if self.next is None:
            self.next = {}
        return self.next.setdefault(word, _Node())


class Lexicon:
    """All phrases of a language. Filled once, then only read: threads may share it."""

    def __init__(self) -> None:
        self._root = _Node()
        self.classes: set[str] = set()
        self.words: set[str] = set()
        """Every word of every phrase: what need not be repaired."""
        self.transparent: frozenset[str] = frozenset()
        """Words that may stand inside of any phrase without changing it: "starte dich bitte mal neu"."""
        self._alone: dict[str, set[str]] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}  # each set of classes once, for all nodes

    def add(self, name: str, patterns: str | Iterable[str]) -> None:
        """patterns: a list, or one text with commas between them. Raises PatternError."""
        self.classes.add(name)
        for pattern in apart(patterns) if isinstance(patterns, str) else patterns:
            spelled_out = _ENDINGS.sub(_endings, str(pattern).lower())
            tokens = _TOKEN.findall(spelled_out)
            if " " not in str(pattern).strip():
                self._alone.setdefault(name, set()).update(token for token in tokens if token not in "()[]|")
            ends, rest = self._alternatives({self._root}, tokens, 0, str(pattern))
            if rest != len(tokens):
                raise PatternError(f"{pattern!r}: {tokens[rest]!r} closes nothing")
            for node in ends - {self._root}:
                classes = node.classes | {name}
                node.classes = self._sets.setdefault(classes, classes)

    def _alternatives(
        self, starts: set[_Node], tokens: Sequence[str], position: int, pattern: str
    ) -> tuple[set[_Node], int]:
        ends: set[_Node] = set()
        nodes = starts
        while position < len(tokens):
            token = tokens[position]
            if token in (")", "]"):
                break
            position += 1
            if token == "|":
                ends |= nodes
                nodes = starts
            elif token in ("(", "["):
                inner, position = self._alternatives(nodes, tokens, position, pattern)
                closing = ")" if token == "(" else "]"
                if position >= len(tokens) or tokens[position] != closing:
                    raise PatternError(f"{pattern!r}: {token!r} is never closed by {closing!r}")
                nodes = inner | nodes if token == "[" else inner
                position += 1
            else:
                self.words.add(token)
                nodes = {node.behind(token) for node in nodes}
        return ends | nodes, position

    def words_of(self, classes: Iterable[str]) -> set[str]:
        """The words that belong to one of the classes by themselves, not only as a part of a phrase."""
        return {word for name in classes for word in self._alone.get(name, ())}

    def hits(self, words: Sequence[str]) -> Hits:
        found: Hits = {}
        for start in range(len(words)):
            node = self._root
            for end in range(start, min(len(words), start + _MAX_WORDS)):
                further = node.next.get(words[end]) if node.next is not None else None
                if further is None and end > start and words[end] in self.transparent:
                    continue
                if further is None:
                    break
                node = further
                for name in node.classes:
                    found.setdefault(name, []).append((start, end + 1))
        return found


def _endings(match: re.Match[str]) -> str:
    """ "timer[s]" as "(timer|timers)"."""
    endings = ["", match[2]] if match[2] else match[3].split("|")
    return f"({'|'.join(match[1] + ending for ending in endings)})"


def apart(patterns: str) -> list[str]:
    """ "timer[s], (egg|tea) timer" as single patterns."""
    return [part.strip() for part in patterns.split(",") if part.strip()]
