"""Quantities, durations and units."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.measures import Quantity, parse_duration_at, parse_quantity_at
from appliance.dialogue.reading.normalisation import normalise
from appliance.dialogue.reading.units import UNITS, parse_unit_at
from appliance.language import LANGUAGES, Language
from tests.dialogue.said import duration

T = TypeVar("T")
languages = st.sampled_from(LANGUAGES)


def whole(
    parse_at: Callable[[Sequence[str], int, Language], tuple[T, int] | None], text: str, language: Language
) -> T | None:
    """What the text is, if it is that from its first word to its last."""
    words = text.split()
    found = parse_at(words, 0, language)
    return found[0] if found is not None and found[1] == len(words) else None


@given(st.integers(1, 30 * 86_400), languages)
def test_a_duration_as_we_say_it_is_read_back_as_what_was_said(seconds: int, language: Language) -> None:
    said = normalise(duration(seconds, language), language)
    read = whole(parse_duration_at, said.lower(), language)
    assert read is not None
    assert abs(read - seconds) < (1 if seconds < 3600 else 60 if seconds < 86_400 else 3600)


@pytest.mark.parametrize(
    ("text", "language", "seconds"),
    [
        ("five minutes", "en", 300), ("5 min", "en", 300), ("1 h 30 min", "en", 5400), ("ninety seconds", "en", 90),
        ("half an hour", "en", 1800), ("an hour and a half", "en", 5400), ("one and a half hours", "en", 5400),
        ("a quarter of an hour", "en", 900), ("three quarters of an hour", "en", 2700), ("a minute", "en", 60),
        ("two minutes and thirty seconds", "en", 150), ("five minutes thirty", "en", 330), ("2.5 hours", "en", 9000),
        ("one day", "en", 86_400), ("two hours fifteen minutes and ten seconds", "en", 8110),
        ("fünf minuten", "de", 300), ("5 Min.", "de", 300), ("eine halbe Stunde", "de", 1800),
        ("1,5 Stunden", "de", 5400),
        ("anderthalb stunden", "de", 5400), ("eineinhalb stunden", "de", 5400), ("zweieinhalb minuten", "de", 150),
        ("eine Viertelstunde", "de", 900), ("eine Dreiviertelstunde", "de", 2700), ("drei viertel stunden", "de", 2700),
        ("eine stunde und zwanzig minuten", "de", 4800), ("zwei minuten dreißig", "de", 150),
        ("einer Minute", "de", 60), ("zwei Tagen", "de", 172_800),
    ],
)  # fmt: skip
def test_durations(text: str, language: Language, seconds: float) -> None:
    assert whole(parse_duration_at, normalise(text, language), language) == seconds


@pytest.mark.parametrize(
    ("text", "language"),
    [("", "en"), ("five", "en"), ("five miles", "en"), ("minutes", "en"), ("zero minutes", "en"),
     ("five minutes pizza", "en"),
     ("ten seconds and five minutes", "en"), ("five minutes and", "en"), ("fünf", "de"), ("eine pizza", "de")],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text: str, language: Language) -> None:
    assert whole(parse_duration_at, text, language) is None


@given(st.text(max_size=50), languages)
def test_any_text_is_a_duration_or_refused(text: str, language: Language) -> None:
    seconds = whole(parse_duration_at, normalise(text, language), language)
    assert seconds is None or seconds > 0


@pytest.mark.parametrize(
    ("text", "language", "value", "unit"),
    [
        ("ten miles", "en", 10, "mi"), ("a mile", "en", 1, "mi"), ("half a mile", "en", "1/2", "mi"),
        ("6 foot", "en", 6, "ft"), ("the 2 miles", "en", 2, "mi"),
        ("minus ten degrees celsius", "en", -10, "°C"), ("-10 °C", "en", -10, "°C"), ("72 Fahrenheit", "en", 72, "°F"),
        ("70 degrees", "en", 70, "°"), ("100 km/h", "en", 100, "km/h"), ("sixty miles per hour", "en", 60, "mph"),
        ("a pound", "en", 1, "lb"), ("3 fluid ounces", "en", 3, "floz"), ("two and a half cups", "en", "5/2", "cup"),
        ("zehn Meilen", "de", 10, "mi"), ("einem Pfund", "de", 1, "pfund"), ("zwei Füße", "de", 2, "ft"),
        ("minus fünf Grad", "de", -5, "°"), ("100 Stundenkilometer", "de", 100, "km/h"), ("drei EL", "de", 3, "tbsp"),
        ("anderthalb Liter", "de", "3/2", "l"), ("fünf englische Pfund", "de", 5, "lb"),
        ("20 Grad Celsius", "de", 20, "°C"),
    ],
)  # fmt: skip
def test_quantities(text: str, language: Language, value: int | str, unit: str) -> None:
    assert whole(parse_quantity_at, normalise(text, language), language) == Quantity(Fraction(value), UNITS[unit])


@pytest.mark.parametrize(
    ("amount", "from_unit", "to_unit", "expected"),
    [
        # BIPM, NIST Special Publication 811, appendix B.8
        (1, "mi", "km", "1.609344"), (1, "in", "cm", "2.54"), (1, "lb", "kg", "0.45359237"),
        (1, "gal", "l", "3.785411784"),
        (1, "oz", "g", "28.349523125"), (1, "kn", "km/h", "1.852"), (1, "mph", "m/s", "0.44704"),
        (100, "°C", "°F", "212"),
        (-40, "°F", "°C", "-40"), (0, "K", "°C", "-273.15"), (1, "yd", "ft", "3"), (1, "cup", "tbsp", "16"),
        (1, "st", "lb", "14"), (1, "d", "min", "1440"), (1, "floz", "ml", "29.5735295625"), (1, "nmi", "m", "1852"),
    ],
)  # fmt: skip
def test_factors_are_the_defined_ones(amount: int, from_unit: str, to_unit: str, expected: str) -> None:
    assert Quantity(Fraction(amount), UNITS[from_unit]).to(UNITS[to_unit]).value == Fraction(expected)


@given(st.fractions(-(10**6), 10**6), st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)))
def test_converting_there_and_back_changes_nothing(value: Fraction, first: str, second: str) -> None:
    amount = Quantity(value, UNITS[first])
    if UNITS[first].dimension == UNITS[second].dimension:
        assert amount.to(UNITS[second]).to(UNITS[first]) == amount
    else:
        with pytest.raises(ValueError, match="measures"):
            amount.to(UNITS[second])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_unit_is_found_by_each_of_its_names(language: Language) -> None:
    shared = {"k"}  # kelvin before kilometres
    for unit in UNITS.values():
        for name in (word for word, key in grammar(language).words.units.items() if key == unit.key):
            if name.lower() not in shared:
                assert whole(parse_unit_at, name.lower(), language) == unit, name
