"""How numbers, durations, times and days are said in a reply: natural to hear, and to read on the page.

Times and durations are words, because voices stumble over "3:07" ("three zero seven"); results of calculations are
digits, because "three hundred ninety one point six" is hard to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction

from appliance.dialogue.reading.days import MONTHS, WEEKDAYS
from appliance.dialogue.reading.measures import Quantity
from appliance.dialogue.saying.number_words import in_words, ordinal_in_words
from appliance.dialogue.types import Action, Context, Reply
from appliance.language import Language


def reply(context: Context, en: str, de: str, actions: Sequence[Action] = ()) -> Reply:
    """A reply in the language of the conversation; both languages stand beside each other in the skill."""
    return Reply(en if context.language == "en" else de, context.language, tuple(actions))


def listed(items: Sequence[str], language: Language) -> str:
    """ "a, b and c"."""
    *front, last = items
    return f"{', '.join(front)} {'and' if language == 'en' else 'und'} {last}" if front else last


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


# Numbers

_TOO_LONG_TO_SAY = 10**15


def number(value: Fraction, language: Language, *, decimals: int = 2) -> str:
    """Digits as the language groups them, rounded: "1,234.5", "1.234,5", "minus 3".

    Below one, `decimals` counts the digits after the leading zeros, so that 0.00012 does not become 0.
    """
    sign = "minus " if value < 0 else ""
    value = abs(value)
    if value >= _TOO_LONG_TO_SAY:
        return sign + _scientific(value, language)
    value = rounded(value, decimals)
    whole, rest = divmod(value, 1)
    text = f"{int(whole):,}"
    if rest:
        text += f"{float(rest):.{_places(rest) + 2}f}".rstrip("0")[1:]
    return sign + (text if language == "en" else text.translate(str.maketrans(",.", ".,")))


def rounded(value: Fraction, decimals: int = 2) -> Fraction:
    """The value that `number` says."""
    places = decimals if abs(value) >= 1 or not value else decimals + _places(abs(value))
    return round(value, places)


def _places(value: Fraction) -> int:
    """How many zeros follow the decimal point of a value below one."""
    places = 0
    while 0 < value < Fraction(1, 10) and places < 12:
        value *= 10
        places += 1
    return places + 1 if value else 0


def _scientific(value: Fraction, language: Language) -> str:
    exponent = len(str(value.numerator // value.denominator)) - 1
    mantissa = number(value / 10**exponent, language)
    times = "times 10 to the power of" if language == "en" else "mal 10 hoch"
    return f"{mantissa} {times} {exponent}"


def is_exact(value: Fraction, decimals: int = 2) -> bool:
    """Whether `number` says the value without rounding."""
    return abs(value) < _TOO_LONG_TO_SAY and rounded(value, decimals) == value


def quantity(amount: Quantity, language: Language) -> str:
    """ "10 miles", "one mile", "eine Meile"."""
    value = rounded(amount.value)
    name = amount.unit.name(language, plural=value != 1)
    if value != 1:
        return f"{number(amount.value, language)} {name}"
    if language == "en":
        return f"one {name}"
    feminine = name.split()[0].endswith("e")  # Meile, Tonne, Unze, Stunde; not Meter, Pfund, Grad
    return f"{'eine' if feminine else 'ein'} {name}"


# Durations

_UNITS: dict[Language, tuple[tuple[int, str, str], ...]] = {
    "en": ((86_400, "one day", "days"), (3600, "one hour", "hours"), (60, "one minute", "minutes"),
           (1, "one second", "seconds")),
    "de": ((86_400, "einen Tag", "Tage"), (3600, "eine Stunde", "Stunden"), (60, "eine Minute", "Minuten"),
           (1, "eine Sekunde", "Sekunden")),
}  # fmt: skip


def duration(seconds: float, language: Language) -> str:
    """The two largest parts in words: "one hour and five minutes", "zwei Minuten und zehn Sekunden"."""
    rest = round(seconds)
    parts: list[str] = []
    for size, one, many in _UNITS[language]:
        count, remaining = divmod(rest, size)
        if count and len(parts) < 2:
            parts.append(one if count == 1 else f"{in_words(count, language)} {many}")
            rest = remaining
        elif parts:
            break
    return listed(parts, language) if parts else f"{in_words(0, language)} {_UNITS[language][-1][2]}"


# Times of day


def clock(moment: datetime, language: Language) -> str:
    """ "seven minutes past three", "half past three", "fünfzehn Uhr sieben"."""
    hour, minute = moment.hour, moment.minute
    if language == "de":
        hours = "ein" if hour == 1 else in_words(hour, "de")
        return f"{hours} Uhr {in_words(minute, 'de')}" if minute else f"{hours} Uhr"
    if minute == 0:
        return {0: "midnight", 12: "noon"}.get(hour) or f"{in_words(hour % 12, 'en')} o'clock"
    past = minute <= 30
    minutes = minute if past else 60 - minute
    face_hour = in_words(((hour if past else hour + 1) - 1) % 12 + 1, "en")
    if minutes in (15, 30):
        said = "quarter" if minutes == 15 else "half"
    else:
        said = in_words(minutes, "en") + ("" if minutes % 5 == 0 else " minute" if minutes == 1 else " minutes")
    return f"{said} {'past' if past else 'to'} {face_hour}"


def when(moment: datetime, now: datetime, language: Language) -> str:
    """A moment to come: "half past six tomorrow morning", "morgen um sechs Uhr dreißig"."""
    days = (moment.date() - now.date()).days
    time = clock(moment, language)
    if language == "de":
        weekday = f"am {WEEKDAYS['de'][moment.weekday()]}"
        day = {0: "heute", 1: "morgen", 2: "übermorgen"}.get(days) or (
            weekday if days < 7 else f"am {ordinal_in_words(moment.day, 'de')}n {MONTHS['de'][moment.month - 1]}")
        return f"{day} um {time}"
    part = "morning" if moment.hour < 12 else "afternoon" if moment.hour < 18 else "evening"
    if days == 0:
        return f"{time} this {part}" if time not in ("noon", "midnight") else f"{time} today"
    if time in ("noon", "midnight"):
        part = ""
    day = "tomorrow" if days == 1 else f"on {WEEKDAYS['en'][moment.weekday()]}"
    if days >= 7:
        return f"{time} on {MONTHS['en'][moment.month - 1]} {ordinal_in_words(moment.day, 'en')}"
    return f"{time} {day} {part}".rstrip()


def day_name(day: date, language: Language, *, dative: bool = False) -> str:
    """ "Tuesday, March third, 2026", "Dienstag, der dritte März 2026"; dative: "Dienstag, dem dritten …"."""
    weekday, month = WEEKDAYS[language][day.weekday()], MONTHS[language][day.month - 1]
    ordinal = ordinal_in_words(day.day, language)
    if language == "en":
        return f"{weekday}, {month} {ordinal}, {day.year}"
    return f"{weekday}, {f'dem {ordinal}n' if dative else f'der {ordinal}'} {month} {day.year}"
