"""How replies say numbers, durations, times and days."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.dialogue.reading.measures import Quantity
from appliance.dialogue.reading.numerals import parse_digits
from appliance.dialogue.reading.units import UNITS
from appliance.dialogue.saying.numbers import is_exact, rounded
from appliance.language import LANGUAGES, Language
from tests.dialogue.said import clock, day_name, duration, listed, number, quantity, when

NOW = datetime(2026, 3, 3, 15, 7, tzinfo=UTC)


@given(st.fractions(0, 10**12, max_denominator=10**6), st.sampled_from(LANGUAGES))
def test_a_number_is_said_rounded_and_read_back(value: Fraction, language: Language) -> None:
    said = parse_digits(number(value, language), language)
    assert said == rounded(value)
    assert abs(rounded(value) - value) <= abs(value) / 10
    assert is_exact(value) == (said == value)


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        ("0", "0", "0"), ("391", "391", "391"), ("1234567", "1,234,567", "1.234.567"), ("-5", "minus 5", "minus 5"),
        ("3.14159", "3.14", "3,14"), ("1000.5", "1,000.5", "1.000,5"), ("0.000123456", "0.000123", "0,000123"),
        ("2.999", "3", "3"), ("0.999", "0.999", "0,999"), ("0.9999", "1", "1"), ("0.05", "0.05", "0,05"),
        ("1e15", "1 times 10 to the power of 15", "1 mal 10 hoch 15"),
        ("-1.26e30", "minus 1.26 times 10 to the power of 30", "minus 1,26 mal 10 hoch 30"),
    ],
)  # fmt: skip
def test_numbers(value: str, english: str, german: str) -> None:
    assert number(Fraction(value), "en") == english
    assert number(Fraction(value), "de") == german


@pytest.mark.parametrize(
    ("seconds", "english", "german"),
    [
        (0, "zero seconds", "null Sekunden"), (1, "one second", "eine Sekunde"), (60, "one minute", "eine Minute"),
        (90, "one minute and thirty seconds", "eine Minute und dreißig Sekunden"), (59.6, "one minute", "eine Minute"),
        (3600, "one hour", "eine Stunde"), (3605, "one hour", "eine Stunde"), (5400, "one hour and thirty minutes",
         "eine Stunde und dreißig Minuten"), (86_400, "one day", "einen Tag"), (90_000, "one day and one hour",
         "einen Tag und eine Stunde"),
    ],
)  # fmt: skip
def test_durations(seconds: float, english: str, german: str) -> None:
    assert duration(seconds, "en") == english
    assert duration(seconds, "de") == german


@pytest.mark.parametrize(
    ("time", "english", "german"),
    [
        ("00:00", "midnight", "null Uhr"), ("00:05", "five past twelve", "null Uhr fünf"),
        ("01:00", "one o'clock", "ein Uhr"),
        ("03:01", "one minute past three", "drei Uhr eins"), ("03:07", "seven minutes past three", "drei Uhr sieben"),
        ("12:00", "noon", "zwölf Uhr"), ("12:30", "half past twelve", "zwölf Uhr dreißig"),
        ("15:15", "quarter past three",
         "fünfzehn Uhr fünfzehn"), ("15:45", "quarter to four", "fünfzehn Uhr fünfundvierzig"),
         ("12:40", "twenty to one",
         "zwölf Uhr vierzig"), ("23:59", "one minute to twelve", "dreiundzwanzig Uhr neunundfünfzig"),
        ("21:01", "one minute past nine", "einundzwanzig Uhr eins"),
    ],
)  # fmt: skip
def test_clock(time: str, english: str, german: str) -> None:
    moment = datetime.fromisoformat(f"2026-03-03T{time}:00+00:00")
    assert clock(moment, "en") == english
    assert clock(moment, "de") == german


@pytest.mark.parametrize(
    ("days", "hour", "english", "german"),
    [
        (0, 18, "six o'clock this evening", "heute um achtzehn Uhr"),
        (1, 7, "seven o'clock tomorrow morning", "morgen um sieben Uhr"),
        (1, 12, "noon tomorrow", "morgen um zwölf Uhr"),
        (2, 16, "four o'clock on Thursday afternoon", "übermorgen um sechzehn Uhr"),
        (5, 9, "nine o'clock on Sunday morning", "am Sonntag um neun Uhr"),
        (9, 9, "nine o'clock on March twelfth", "am zwölften März um neun Uhr"),
    ],
)  # fmt: skip
def test_moments_to_come(days: int, hour: int, english: str, german: str) -> None:
    moment = (NOW + timedelta(days=days)).replace(hour=hour, minute=0)
    assert when(moment, NOW, "en") == english
    assert when(moment, NOW, "de") == german


def test_days() -> None:
    assert day_name(date(2026, 3, 1), "en") == "Sunday, March first, 2026"
    assert day_name(date(2026, 5, 31), "de") == "Sonntag, der einunddreißigste Mai 2026"


@pytest.mark.parametrize(
    ("value", "unit", "english", "german"),
    [("1", "mi", "one mile", "eine Meile"), ("1", "lb", "one pound", "ein englisches Pfund"),
     ("1/2", "mi", "0.5 miles", "0,5 Meilen"),
     ("1.001", "m", "one meter", "ein Meter"), ("-3", "°C", "minus 3 degrees Celsius", "minus 3 Grad Celsius")],
)  # fmt: skip
def test_quantities(value: str, unit: str, english: str, german: str) -> None:
    amount = Quantity(Fraction(value), UNITS[unit])
    assert quantity(amount, "en") == english
    assert quantity(amount, "de") == german


def test_lists() -> None:
    assert listed(["a"], "en") == "a"
    assert listed(["a", "b", "c"], "en") == "a, b and c"
    assert listed(["a", "b"], "de") == "a und b"
