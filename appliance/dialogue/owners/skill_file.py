"""One skill of an owner's: what its file says, checked. docs/skills.md tells owners what may stand in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from appliance.dialogue.owners.document import DocumentError, Item, read
from appliance.dialogue.owners.templates import Parts, Slot, TemplateError, variants
from appliance.dialogue.reading.normalisation import normalise
from appliance.language import LANGUAGES, Language

MOST_REPLY_CHARACTERS = 1000
SHARED = ("about", "call", "command", "confirm", "lists", "tests")
METHODS = ("GET", "POST", "PUT")

_NAMES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Problem:
    """Something to tell the owner. is_warning: the skill works all the same."""

    file: str
    line: int
    message: str
    is_warning: bool = False

    def __str__(self) -> str:
        return f"{self.file} line {self.line}: {'(only a warning) ' if self.is_warning else ''}{self.message}"


@dataclass(frozen=True)
class Words:
    """What a slot may be: words to the value they stand for; or a number; or anything."""

    values: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    kind: str = "words"


@dataclass(frozen=True)
class Sentence:
    text: str
    line: int
    variants: tuple[Parts, ...]


@dataclass(frozen=True)
class Wording:
    """A skill in one language."""

    sentences: tuple[Sentence, ...]
    replies: tuple[str, ...]
    failed: str
    """Said when the call or command did not work; "" for ours."""
    lists: Mapping[str, Words]


@dataclass(frozen=True)
class Call:
    """An HTTP request to a target that the owner named in the settings."""

    target: str
    method: str
    path: str
    body: object
    """As JSON has it; None for none."""
    take: str
    """Where in the answer, a JSON object, what is said stands: "state.temperature"; "" for all of it."""


@dataclass(frozen=True)
class Trial:
    """A test in the file. reply: what must be answered; "" for anything. is_other: the skill must leave it alone."""

    text: str
    language: Language
    line: int
    reply: str = ""
    is_other: bool = False


@dataclass(frozen=True)
class OwnersSkill:
    name: str
    file: str
    about: str
    wordings: Mapping[Language, Wording]
    call: Call | None
    command: str
    """Name of a command in the settings; "" for none."""
    confirm: bool
    trials: tuple[Trial, ...]


Protects = Callable[[Parts, Language], str]
"""Whether words are ours alone ("stop"), and why; "" if not."""


def read_skill(
    name: str, file: str, text: str, protects: Protects = lambda parts, language: ""
) -> tuple[OwnersSkill | None, tuple[Problem, ...]]:
    """The skill, or None and everything that is wrong with its file."""
    reader = _Reader(file, protects)
    try:
        skill = reader.skill(name, read(text))
    except DocumentError as error:
        reader.problem(error.line, str(error))
        skill = None
    return (None if reader.problems else skill), tuple(reader.problems)


class _Reader:
    """Collects all problems instead of stopping at the first."""

    def __init__(self, file: str, protects: Protects) -> None:
        self.problems: list[Problem] = []
        self._file, self._protects = file, protects

    def problem(self, line: int, message: str) -> None:
        self.problems.append(Problem(self._file, line, message))

    def skill(self, name: str, document: Item) -> OwnersSkill:
        top = self._names(document, (*LANGUAGES, *SHARED), "at the top")
        shared = self._lists(top.get("lists"), LANGUAGES[0]) if "lists" in top else {}
        spoken = [language for language in LANGUAGES if language in top]
        if not spoken:
            self.problem(document.line, f"no sentences: expected one of {', '.join(LANGUAGES)} at the top")
        wordings = {language: self._wording(top[language], language, top.get("lists")) for language in spoken}
        call = self._call(top["call"]) if "call" in top else None
        command = self._text(top["command"], "a command's name") if "command" in top else ""
        if call is not None and command:
            self.problem(top["command"].line, "a call and a command; expected one of them")
        self._check_names(top, wordings, call, shared)
        confirm = top["confirm"].plain() if "confirm" in top else False
        if not isinstance(confirm, bool):
            self.problem(top["confirm"].line, f"confirm is {confirm!r}, expected true or false")
        return OwnersSkill(
            name,
            self._file,
            self._text(top["about"], "a text") if "about" in top else "",
            wordings,
            call,
            command,
            confirm is True,
            tuple(self._trials(top.get("tests"))),
        )

    def _wording(self, item: Item, language: Language, shared: Item | None) -> Wording:
        fields = self._names(item, ("sentences", "replies", "failed", "lists"), f"below {language}")
        lists = {**self._lists(shared, language), **self._lists(fields.get("lists"), language)}
        sentences = tuple(
            filter(
                None,
                (self._sentence(each, language) for each in self._each(fields.get("sentences"), item, "sentences")),
            )
        )
        replies = []
        for each in self._each(fields.get("replies"), item, "replies"):
            text = self._text(each, "a reply")
            if len(text) > MOST_REPLY_CHARACTERS:
                self.problem(each.line, f"a reply of {len(text)} characters, expected at most {MOST_REPLY_CHARACTERS}")
            replies.append(text)
        for sentence in sentences:
            for slot in {part.name for parts in sentence.variants for part in parts if isinstance(part, Slot)}:
                if slot not in lists:
                    self.problem(
                        sentence.line,
                        f"{{{slot}}} has no list; below lists: expected {slot}: [words, …], "
                        f"{slot}: number or {slot}: anything",
                    )
        failed = self._text(fields["failed"], "a reply") if "failed" in fields else ""
        return Wording(sentences, tuple(replies), failed, lists)

    def _sentence(self, item: Item, language: Language) -> Sentence | None:
        text = self._text(item, "a sentence")
        try:
            found = variants(text, language)
        except TemplateError as error:
            self.problem(item.line, f"{text!r}: {error}")
            return None
        for parts in found:
            if why := self._protects(parts, language):
                self.problem(item.line, f"{text!r}: {why}")
                return None
        return Sentence(text, item.line, tuple(found))

    def _lists(self, item: Item | None, language: Language) -> dict[str, Words]:
        if item is None:
            return {}
        if not isinstance(item.value, dict):
            self.problem(item.line, "lists: expected name: [words, …]")
            return {}
        return {name: self._words(name, each, language) for name, each in item.value.items()}

    def _words(self, name: str, item: Item, language: Language) -> Words:
        if isinstance(item.value, str):
            if item.value not in ("number", "anything"):
                self.problem(item.line, f"{name} is {item.value!r}, expected a list of words, number or anything")
            return Words(kind=item.value)
        found: dict[tuple[str, ...], str] = {}
        entries = item.value.items() if isinstance(item.value, dict) else [("", each) for each in item.value]
        for value, each in entries:
            for one in each.value if isinstance(each.value, list) else [each]:
                said = self._text(one, "a word")
                words = tuple(normalise(said, language).split())
                if not words:
                    self.problem(one.line, f"{said!r} has no letters")
                found[words] = value or said
        return Words(found)

    def _call(self, item: Item) -> Call:
        fields = self._names(item, ("target", "method", "path", "body", "take"), "below call")
        if "target" not in fields:
            self.problem(item.line, "a call without target: expected the name of one in the settings (helpers.targets)")
        text = {
            name: self._text(fields[name], "a text") if name in fields else ""
            for name in ("target", "method", "path", "take")
        }
        body = fields["body"].plain() if "body" in fields else None
        method = text["method"].upper() or ("GET" if body is None else "POST")
        if method not in METHODS:
            self.problem(fields["method"].line, f"method {method!r}, expected {', '.join(METHODS)}")
        if text["path"] and not text["path"].startswith("/"):
            self.problem(fields["path"].line, f"path {text['path']!r}, expected one that begins with /")
        return Call(text["target"], method, text["path"] or "/", body, text["take"])

    def _check_names(
        self,
        top: Mapping[str, Item],
        wordings: Mapping[Language, Wording],
        call: Call | None,
        shared: Mapping[str, Words],
    ) -> None:
        """What is filled in must come from somewhere."""
        for language, wording in wordings.items():
            known = {
                part.name
                for sentence in wording.sentences
                for parts in sentence.variants
                for part in parts
                if isinstance(part, Slot)
            }
            answers = known | ({"answer"} if "call" in top or "command" in top else set())
            for reply in (*wording.replies, wording.failed):
                for name in set(_NAMES.findall(reply)) - answers:
                    self.problem(
                        top[language].line, f"the reply {reply!r} wants {{{name}}}, which no sentence of {language} has"
                    )
            if not wording.sentences and not self.problems:
                self.problem(top[language].line, f"no sentences below {language}")
            for name in set(_NAMES.findall(f"{call.path} {call.body}" if call else "")) - known:
                self.problem(top["call"].line, f"the call wants {{{name}}}, which no sentence of {language} has")

    def _trials(self, item: Item | None) -> Iterable[Trial]:
        for each in self._each(item, item, "tests") if item is not None else ():
            fields = self._names(each, (*LANGUAGES, "reply", "not"), "in a test")
            said = [language for language in LANGUAGES if language in fields]
            if len(said) != 1:
                self.problem(each.line, "a test says something in one language: expected {en: words, reply: words}")
                continue
            is_other = fields["not"].plain() if "not" in fields else False
            yield Trial(
                self._text(fields[said[0]], "words"),
                said[0],
                each.line,
                self._text(fields["reply"], "a reply") if "reply" in fields else "",
                is_other is True,
            )

    # Shapes

    def _names(self, item: Item, allowed: Iterable[str], where: str) -> dict[str, Item]:
        if not isinstance(item.value, dict):
            self.problem(item.line, f"expected names with a colon {where}: {', '.join(allowed)}")
            return {}
        for name, each in item.value.items():
            if name not in allowed:
                self.problem(each.line, f"{name!r} is not known {where}; expected {', '.join(allowed)}")
        return item.value

    def _each(self, item: Item | None, outer: Item | None, what: str) -> list[Item]:
        """A list; a single text counts as a list of one."""
        if item is None:
            assert outer is not None, "it is missing from something"
            self.problem(outer.line, f"{what} are missing")
            return []
        return item.value if isinstance(item.value, list) else [item]

    def _text(self, item: Item, what: str) -> str:
        if not isinstance(item.value, str):
            self.problem(item.line, f"expected {what}, found a list or names; a text with : or {{ in it needs quotes")
            return ""
        return item.value.strip()
