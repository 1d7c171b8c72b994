"""Reads the utterance files beside this one; README.md says what they look like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import yaml

from appliance.language import LANGUAGES, Language

HERE = Path(__file__).parent
NEGATIVE = ("ask", "decline")
"""Expectations with which nothing may be done."""
ROUNDS = "round"
"""Beginning of the names of files that were tried once before anybody read them, and then learnt from."""


class FileError(ValueError):
    """An utterance file is not as README.md says; the message begins with file and line."""


@dataclass(frozen=True)
class Expectation:
    """What has to come of one turn."""

    intent: str
    """An intent's name, "ask" or "decline"."""
    slots: Mapping[str, str] = field(default_factory=dict)
    """Canonical values as README.md lists them."""
    confirms: bool = False
    """The intent is understood, and must be confirmed before anything happens."""
    also: frozenset[str] = frozenset()
    """Intents that are right as well, with whatever slots."""

    @property
    def negative(self) -> bool:
        return self.intent in NEGATIVE


@dataclass(frozen=True)
class Turn:
    text: str
    expectation: Expectation
    line: int


@dataclass(frozen=True)
class Utterance:
    """One thing said, or a sequence of turns in one conversation."""

    family: str
    language: Language
    turns: tuple[Turn, ...]

    @property
    def text(self) -> str:
        return " | ".join(turn.text for turn in self.turns)

    @property
    def held_out(self) -> bool:
        """Which half it belongs to: the rule in README.md."""
        if self.family.startswith(ROUNDS):
            return False
        return sha256(f"{self.language}:{self.text.lower()}".encode()).digest()[0] % 2 == 1

    @property
    def counted(self) -> tuple[Turn, ...]:
        """The turns that count: of a sequence those after the first, which sets the stage."""
        return self.turns[1:] or self.turns


def utterances(language: Language | None = None, family: str = "") -> list[Utterance]:
    """All of them, or those of a language and a family, in the order of the files."""
    return [
        utterance
        for path in sorted(HERE.glob("*.yaml"))
        for utterance in read(path)
        if language in (None, utterance.language) and family in ("", utterance.family)
    ]


def read(path: Path) -> list[Utterance]:
    """One file. Raises FileError."""
    family, _, language = path.stem.rpartition(".")
    known = next((each for each in LANGUAGES if each == language), None)
    if not family or known is None:
        raise FileError(f"{path.name}: expected FAMILY.LANGUAGE.yaml with a language of {', '.join(LANGUAGES)}")
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    return [Utterance(family, known, turns) for turns in _File(path.name).sections(root)]


class _File:
    """Walks YAML's nodes, not values: every scalar stays the string that was written, and has a line."""

    def __init__(self, name: str) -> None:
        self._name = name

    def sections(self, root: yaml.Node | None) -> Iterator[tuple[Turn, ...]]:
        seen = set()
        for key, value in self._pairs(root):
            name = self._string(key)
            if name in seen:
                raise self._error(key, f"{name!r} stands here for the second time")
            seen.add(name)
            for node in self._items(value):
                if name == "sequences":
                    turns = tuple(self._turn(each, None) for each in self._items(node))
                    if len(turns) < 2:
                        raise self._error(node, "a sequence has two turns or more")
                    yield turns
                else:
                    yield (self._turn(node, name),)

    def _turn(self, node: yaml.Node, intent: str | None) -> Turn:
        """intent: of the section; None in a sequence, where each turn says its own."""
        if isinstance(node, yaml.ScalarNode):
            text, said = self._string(node), ""
        else:
            ((key, value),) = self._pairs(node, at_most=1)
            text, said = self._string(key), self._string(value)
        text, _, also = text.partition(" | ")
        said, _, more = said.partition("| ")
        if intent is None:
            intent, _, said = said.partition(" ")
        if not intent or not text.strip():
            raise self._error(node, "expected a text and what is meant by it")
        name = intent.removesuffix("?")
        slots = self._slots(node, said)
        if slots and name in NEGATIVE:
            raise self._error(node, f"{name!r} has no slots")
        expectation = Expectation(name, slots, intent.endswith("?"), frozenset(f"{also} {more}".split()))
        return Turn(text.strip(), expectation, node.start_mark.line + 1)

    def _slots(self, node: yaml.Node, text: str) -> dict[str, str]:
        slots: dict[str, str] = {}
        for part in filter(None, (part.strip() for part in text.split("; "))):
            name, equals, value = part.partition("=")
            if not equals or not value or not name.isidentifier() or name in slots:
                raise self._error(node, f"{part!r} is no slot: expected name=value, each name once")
            slots[name] = value
        return slots

    def _pairs(self, node: yaml.Node | None, at_most: int | None = None) -> list[tuple[yaml.Node, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode) or at_most is not None and len(node.value) > at_most:
            raise self._error(node, "expected text: slots" if at_most else "expected intents with their utterances")
        return list(node.value)

    def _items(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, "expected a list")
        return list(node.value)

    def _string(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "expected a text")
        return str(node.value)

    def _error(self, node: yaml.Node | None, what: str) -> FileError:
        return FileError(f"{self._name}:{node.start_mark.line + 1 if node else 1}: {what}")
