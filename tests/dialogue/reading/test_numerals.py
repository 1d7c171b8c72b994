"""Number words against Python's integers, and against the spelling rules of Unicode CLDR (unicode_rbnf) as oracle."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unicode_rbnf import RbnfEngine

from appliance.dialogue.reading.normalisation import normalise
from appliance.dialogue.reading.numerals import parse_digits, parse_number, parse_ordinal, parse_whole_number
from appliance.language import LANGUAGES, Language
from tests.dialogue.said import in_words, ordinal_in_words

CLDR = {language: RbnfEngine.for_language(language) for language in LANGUAGES}
languages = st.sampled_from(LANGUAGES)


def value(text: str, language: Language) -> Fraction | None:
    """The whole text as a number."""
    words = normalise(text, language).split()
    found = parse_number(words, 0, language)
    return found[0] if found and found[1] == len(words) else None


@given(st.integers(0, 999_999), languages)
def test_a_number_in_words_is_read_back(number: int, language: Language) -> None:
    assert parse_whole_number(normalise(in_words(number, language), language), language) == number


@given(st.integers(0, 999_999_999_999), languages)
def test_numbers_spelled_by_cldr_are_read(number: int, language: Language) -> None:
    assert value(CLDR[language].format_number(number).text, language) == number


@given(st.integers(0, 999_999), languages)
def test_our_words_are_cldrs_words(number: int, language: Language) -> None:
    cldr = CLDR[language].format_number(number).text
    assert in_words(number, language) == cldr.replace("\u00ad", "")


@given(st.integers(0, 10**12), languages)
def test_grouped_and_plain_digits_are_read(number: int, language: Language) -> None:
    grouped = f"{number:,}" if language == "en" else f"{number:,}".replace(",", ".")
    assert parse_digits(grouped, language) == parse_digits(str(number), language) == number


@given(st.lists(st.integers(0, 99), min_size=2, max_size=5), languages)
def test_numbers_in_a_row_are_never_run_together_by_a_word_between(numbers: list[int], language: Language) -> None:
    said = f" {'times' if language == 'en' else 'mal'} ".join(in_words(number, language) for number in numbers)
    words = normalise(said, language).split()
    position, read = 0, []
    while position < len(words):
        found = parse_number(words, position, language)
        assert found is not None
        read.append(found[0])
        position = found[1] + 1
    assert read == numbers


@given(st.text(max_size=40), languages)
def test_any_text_is_read_or_refused(text: str, language: Language) -> None:
    words = normalise(text, language).split()
    found = parse_number(words, 0, language)
    assert found is None or 0 < found[1] <= len(words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a hundred", 100), ("a hundred and five", 105), ("fifteen hundred", 1500), ("two million", 2_000_000),
        ("half", "1/2"), ("a half", "1/2"), ("a quarter", "1/4"), ("three quarters", "3/4"), ("two thirds", "2/3"),
        ("one and a half", "3/2"), ("two and three quarters", "11/4"), ("three point one four", "3.14"),
        ("zero point five", "1/2"), ("three point fourteen", "3.14"), ("two point oh five", "2.05"), ("1.5", "3/2"),
        ("1,234.5", "1234.5"), ("3,14", "3.14"), ("2 million", 2_000_000), ("twenty-five", 25),
    ],
)  # fmt: skip
def test_english(text: str, expected: str | int) -> None:
    assert value(text, "en") == Fraction(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fünfzehn", 15), ("fuenfzehn", 15), ("dreißig", 30), ("dreissig", 30), ("einundzwanzig", 21), ("zwo", 2),
        ("ein und zwanzig", 21), ("hundert", 100), ("einhundert", 100), ("hundertfünf", 105), ("hundertundfünf", 105),
        ("zwei hundert drei", 203), ("tausend", 1000), ("zweitausendsechsundzwanzig", 2026), ("eine million", 10**6),
        ("zwei millionen dreihunderttausend", 2_300_000), ("anderthalb", "3/2"), ("eineinhalb", "3/2"),
        ("ein einhalb", "3/2"), ("zweieinhalb", "5/2"), ("eine halbe", "1/2"), ("halb", "1/2"), ("ein viertel", "1/4"),
        ("dreiviertel", "3/4"), ("drei viertel", "3/4"), ("zwei drittel", "2/3"), ("drei komma eins vier", "3.14"),
        ("drei komma vierzehn", "3.14"), ("null komma null fünf", "0.05"), ("1,5", "3/2"), ("1.234,5", "1234.5"),
        ("1.5", "3/2"), ("1.000", 1000), ("einen", 1),
        ("eine million und fünf", 1_000_005), ("einhalb", "1/2"), ("neunzehnhundert fünfundachtzig", 1985),
        ("fünfzehnhundert", 1500), ("elfhundertelf", 1111),
    ],
)  # fmt: skip
def test_german(text: str, expected: str | int) -> None:
    assert value(text, "de") == Fraction(expected)


@pytest.mark.parametrize(
    ("text", "language"),
    [("twenty thirteen", "en"), ("hundred", "en"), ("one two", "en"), ("and five", "en"), ("point five", "en"),
     ("fünfzwanzig", "de"), ("undzwanzig", "de"), ("fünf drei", "de"), ("hundertund", "de"), ("pizza", "de"),
     ("three point pizza", "en"), ("drei komma pizza", "de"), ("eine million und pizza", "de"),
     ("1.2.3", "en"), ("12:30", "de"), ("٣", "en"), ("²", "de"), ("1" * 40, "en")],
)  # fmt: skip
def test_what_is_no_number_is_refused(text: str, language: Language) -> None:
    words = text.split()
    found = parse_number(words, 0, language)
    assert found is None or found[1] < len(words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_ordinals_of_a_month_are_read_back(language: Language) -> None:
    for number in range(1, 32):
        words = normalise(ordinal_in_words(number, language), language).split()
        assert parse_ordinal(words, 0, language) == (number, len(words))


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        ("3rd", "en", 3),
        ("twenty first", "en", 21),
        ("dritten", "de", 3),
        ("einunddreißigster", "de", 31),
        ("3.", "de", 3),
    ],
)
def test_typed_and_inflected_ordinals_are_read(text: str, language: Language, day: int) -> None:
    words = normalise(text, language).split()
    assert parse_ordinal(words, 0, language) == (day, len(words))


def test_numbers_beyond_words_stay_digits() -> None:
    assert in_words(1_000_000, "en") == "1,000,000"
    assert in_words(-1, "de") == "minus 1"
