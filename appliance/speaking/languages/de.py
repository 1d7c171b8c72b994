"""How German is read aloud."""

from __future__ import annotations

import re
from functools import partial

from appliance.speaking.languages.reading import Reading, plain_words

LONG_WORD = 30
"""Numbers longer than this are spelt in several words."""

_words = partial(plain_words, language="de")

_CARRIES = re.compile(r"(?<=tausend)(?=.)|(?<=hundert)(?=.)")
_MONTHS = "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
_DAY = re.compile(rf"\b(der )?([1-9]|[12]\d|3[01])\. ?(?=(?:{_MONTHS})\b)", re.IGNORECASE)
_ORDINALS = (
    "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte dreizehnte vierzehnte "
    "fünfzehnte sechzehnte siebzehnte achtzehnte neunzehnte zwanzigste einundzwanzigste zweiundzwanzigste "
    "dreiundzwanzigste vierundzwanzigste fünfundzwanzigste sechsundzwanzigste siebenundzwanzigste "
    "achtundzwanzigste neunundzwanzigste dreißigste einunddreißigste"
).split()
_MISREAD = (
    # What espeak-ng 1.51 and 1.52 read wrongly: "°C" as a degree and two letters, "7:30 Uhr" as two o'clocks.
    (r"\s*°\s*C\b", " Grad Celsius"),
    (r"\s*°\s*F\b", " Grad Fahrenheit"),
    (r"\b(\d{1,2}):00 Uhr", r"\1 Uhr"),
    (r"\b(\d{1,2}):0?(\d{1,2}) Uhr", r"\1 Uhr \2"),
)


def _clock(hour: int, minute: int) -> str:
    """ "siebzehn Uhr fünf", "ein Uhr"."""
    said = f"{'ein' if hour == 1 else _words(hour)} Uhr"
    return f"{said} {_words(minute)}" if minute else said


def _year(century: int, rest: int) -> str:
    """ "neunzehnhundertfünfundachtzig"."""
    return f"{_words(century)}hundert{_words(rest) if rest else ''}"


def _rewritten(text: str) -> str:
    """… and an ordinal's full stop as the end of a sentence."""
    for pattern, spoken in _MISREAD:
        text = re.sub(pattern, spoken, text)
    return _DAY.sub(_day, text)


def _day(match: re.Match[str]) -> str:
    """ "der 3. Mai" is "der dritte Mai", and after am, den, vom, zum or dem it is "dritten"."""
    article, ordinal = match[1] or "", _ORDINALS[int(match[2]) - 1]
    return f"{article}{ordinal}{'' if article else 'n'} "


GERMAN = Reading(
    code="de", group=".", point=",", decimal="Komma", dot="Punkt", minus="minus", one="ein",
    signs={
        "%": " Prozent ", "+": " plus ", "=": " gleich ", "×": " mal ", "÷": " geteilt durch ", "/": " durch ",
        "&": " und ", "°": " Grad ", "€": " Euro ", "$": " Dollar ", "£": " Pfund ", "@": " ät ",
    },
    units={
        "km/h": "Kilometer pro Stunde", "km": "Kilometer", "cm": "Zentimeter", "mm": "Millimeter", "m": "Meter",
        "kg": "Kilogramm", "g": "Gramm", "mg": "Milligramm", "ml": "Milliliter", "cl": "Zentiliter", "l": "Liter",
        "h": "Stunden", "min": "Minuten", "s": "Sekunden", "KB": "Kilobyte", "MB": "Megabyte", "GB": "Gigabyte",
    },
    abbreviations=frozenset("dr. nr. st. ca. bzw. z.b. d.h. u.a. usw. evtl. inkl. str.".split()),
    clock=_clock, year=_year, rewritten=_rewritten,
    greeting="Guten Morgen, es ist halb acht, und draußen scheint die Sonne.", left_out="Den Rest lasse ich weg.",
    spelt=lambda words: _CARRIES.sub(" ", words) if len(words) > LONG_WORD else words,
    is_ordinal=lambda word: word[:-1].isdigit(),
)  # fmt: skip
