"""Reply texts of the sentence files, filled in.

    "Timer set for {length:duration}."          a value and its form; forms are those of FORMS and of the language
    {one: "Timer cancelled.", other: "{n:words} timers cancelled."}     by the plural category of the value n
    ["Heads it is.", "Heads."]                  one of them, by chance

The first letter of what comes out is a capital one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from random import Random
from string import Formatter
from typing import Any

from appliance.dialogue.languages.grammar import Grammar
from appliance.dialogue.reading.measures import Quantity
from appliance.dialogue.saying.numbers import rounded
from appliance.dialogue.saying.texts import capitalised

Text = str | Mapping[str, Any] | Sequence[Any]
"""A text, texts by plural category, or texts to choose from."""


class Replies:
    """The texts of one language by name ("timer.set"), and how values are said in it."""

    def __init__(self, texts: Mapping[str, Text], grammar: Grammar) -> None:
        self._texts, self._formatter = texts, _Formatter(grammar)
        self.grammar = grammar

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def values(self, name: str) -> frozenset[str]:
        """The values that a text needs; that of a number's plural and of alternatives is not looked into."""
        text = self._texts[name]
        return (
            frozenset(field for _, field, _, _ in Formatter().parse(text) if field)
            if isinstance(text, str)
            else (frozenset())
        )

    def text(self, name: str, random: Random, avoid: str = "", /, **values: object) -> str:
        """A part of a reply, as it stands. Raises KeyError for a name or a value that is missing.

        avoid: what was said last and is not chosen again.
        """
        text = self._texts[name]
        while not isinstance(text, str):
            if isinstance(text, Mapping):
                number = values["n"]
                category = self.grammar.plural(float(number)) if isinstance(number, (int, float, Fraction)) else "other"
                text = text.get(f"={number}") or text.get(category) or text["other"]
            else:
                choices = [choice for choice in text if choice != avoid] or list(text)
                text = random.choice(choices)
        return self._formatter.vformat(text, (), values)

    def sentence(self, name: str, random: Random, avoid: str = "", /, **values: object) -> str:
        """A whole reply: single blanks, and a capital at the beginning."""
        said = self.text(name, random, avoid, **values)
        return capitalised(" ".join(said.split()).replace(" .", "."))


def _quantity(value: object, grammar: Grammar) -> str:
    if not isinstance(value, Quantity):
        raise TypeError(f"{value!r} is no quantity")
    return grammar.amount(value.value, value.unit.key)


FORMS: Mapping[str, Callable[[Any, Grammar], str]] = {
    "words": lambda value, grammar: grammar.in_words(int(value)),
    "ordinal": lambda value, grammar: grammar.ordinal(int(value)),
    "number": lambda value, grammar: grammar.number(Fraction(value)),
    "number4": lambda value, grammar: grammar.number(Fraction(value), 4),
    "duration": lambda value, grammar: grammar.duration(float(value)),
    "time": lambda value, grammar: grammar.time(value),
    "day": lambda value, grammar: grammar.day(value),
    "list": lambda value, grammar: grammar.join([str(item) for item in value]),
    "either": lambda value, grammar: grammar.join([str(item) for item in value], "or"),
    "quantity": _quantity,
    "about": lambda value, grammar: "" if rounded(Fraction(value)) == value else grammar.words["about"],
    "day_of_month": lambda value, grammar: grammar.ordinal(value.day),
    "cap": lambda value, grammar: capitalised(str(value)),
    "lower": lambda value, grammar: str(value)[:1].lower() + str(value)[1:],
}
"""What may stand behind the colon: how a value is said. "duration dative" hands "dative" to the language."""


class _Formatter(Formatter):
    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._own = grammar.forms()

    def format_field(self, value: Any, format_spec: str) -> str:
        form, _, more = format_spec.partition(" ")
        if not form:
            return str(value)
        if form in self._own:
            return str(self._own[form](value))
        if more and form == "duration":
            return self._grammar.duration(float(value), more)
        if more and form == "day" and isinstance(value, date):
            return self._grammar.day(value, more)
        if more and form == "amount" and isinstance(value, (int, float, Fraction)):
            unit, _, case = more.partition(" ")
            return self._grammar.amount(Fraction(value), unit, case)
        if form == "month" and isinstance(value, date):
            return self._grammar.day(value, "month")
        if form == "when":
            return self._grammar.when(*value)
        if form == "day" and isinstance(value, datetime):
            value = value.date()
        return FORMS[form](value, self._grammar)
