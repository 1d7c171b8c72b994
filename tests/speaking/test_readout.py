"""What is written with digits and signs, as it is said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.language import LANGUAGES, Language
from appliance.speaking.languages import reading
from appliance.speaking.readout import read_out

SAID: dict[Language, list[tuple[str, str]]] = {
    "de": [
        ("17 mal 23 ist 391.", "siebzehn mal dreiundzwanzig ist dreihunderteinundneunzig."),
        ("Es ist 15:07 Uhr.", "Es ist fünfzehn Uhr sieben."),
        ("12:30 bis 13:00 Uhr", "zwölf Uhr dreißig bis dreizehn Uhr"),
        ("1:05", "ein Uhr fünf"),
        ("3,5 km bei 21 °", "drei Komma fünf Kilometer bei einundzwanzig Grad"),
        ("50 %, 12 km/h", "fünfzig Prozent, zwölf Kilometer pro Stunde"),
        ("0,05", "null Komma null fünf"),
        ("1.234,5", "eintausend zweihundert vierunddreißig Komma fünf"),
        ("im Jahr 1985 und 2026", "im Jahr neunzehnhundertfünfundachtzig und zweitausendsechsundzwanzig"),
        ("1 Kilometer, 1 Uhr", "ein Kilometer, ein Uhr"),
        ("-5 Grad", "minus fünf Grad"),
        ("007", "null null sieben"),
        ("192.168.0.17", "eins neun zwei Punkt eins sechs acht Punkt null Punkt eins sieben"),
        ("A4 & Co.", "A vier und Co."),
        ("2 + 2 = 4", "zwei plus zwei gleich vier"),
    ],
    "en": [
        ("17 times 23 is 391.", "seventeen times twenty-three is three hundred ninety-one."),
        ("It is 3:07, then 15:00.", "It is three oh seven, then fifteen o'clock."),
        ("1,234.5 km", "one thousand two hundred thirty-four point five kilometers"),
        ("in 1985, in 1905, in 1900", "in nineteen eighty-five, in nineteen oh five, in nineteen hundred"),
        ("1 mile, 5 lb", "one mile, five pounds"),
        ("-3.25", "minus three point two five"),
    ],
}


@pytest.mark.parametrize(
    ("language", "written", "said"), [(language, *row) for language, rows in SAID.items() for row in rows]
)
def test_what_is_written_is_said(language: Language, written: str, said: str) -> None:
    assert read_out(written, language) == said


@given(st.text(max_size=80), st.sampled_from(LANGUAGES))
def test_nothing_is_left_that_a_voice_could_guess_at(text: str, language: Language) -> None:
    assert not re.search(r"[0-9%+=×÷/&°€$£@]", read_out(text, language))


@given(st.integers(0, 10**15 - 1))
def test_a_german_number_has_no_word_that_is_too_long_for_pico(number: int) -> None:
    assert max(map(len, reading("de").in_words(number).split())) < 40
