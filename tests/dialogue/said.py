"""How each language says values, as functions of the value and the language."""

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction

from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.measures import Quantity
from appliance.language import Language


def in_words(value: int, language: Language) -> str:
    return grammar(language).in_words(value)


def ordinal_in_words(value: int, language: Language) -> str:
    return grammar(language).ordinal(value)


def number(value: Fraction, language: Language, *, decimals: int = 2) -> str:
    return grammar(language).number(value, decimals)


def listed(items: Sequence[str], language: Language) -> str:
    return grammar(language).join(items)


def quantity(amount: Quantity, language: Language) -> str:
    return grammar(language).amount(amount.value, amount.unit.key)


def duration(seconds: float, language: Language) -> str:
    return grammar(language).duration(seconds)


def clock(moment: datetime, language: Language) -> str:
    return grammar(language).time(moment)


def when(moment: datetime, now: datetime, language: Language) -> str:
    return grammar(language).when(moment, now)


def day_name(day: date, language: Language, *, dative: bool = False) -> str:
    return grammar(language).day(day, "dative" if dative else "")
