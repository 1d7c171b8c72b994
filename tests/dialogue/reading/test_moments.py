"""Times of day and days, in both languages."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.dialogue.reading.days import Day, parse_day
from appliance.dialogue.reading.moments import parse_moment
from appliance.dialogue.reading.normalisation import normalise
from appliance.language import LANGUAGES, Language
from tests.dialogue.said import clock

NOW = datetime(2026, 3, 3, 15, 7, tzinfo=UTC)  # a Tuesday
languages = st.sampled_from(LANGUAGES)


def resolved(text: str, language: Language, *, waking: bool = False) -> str:
    """The moment as "Wed 07:00"."""
    moment = parse_moment(normalise(text, language), language)
    assert moment is not None, text
    return replace(moment, waking=waking).resolve(NOW).strftime("%a %H:%M")


@given(st.integers(0, 23), st.integers(0, 59), languages)
def test_a_time_as_we_say_it_is_read_back(hour: int, minute: int, language: Language) -> None:
    moment = parse_moment(normalise(clock(NOW.replace(hour=hour, minute=minute), language), language), language)
    assert moment is not None
    face = 24 if moment.exact else 12
    assert (moment.hour % face, moment.minute) == (hour % face, minute)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seven", "Tue 19:00"), ("seven thirty", "Tue 19:30"), ("7:30 pm", "Tue 19:30"), ("7.30", "Tue 19:30"),
        ("07:30", "Wed 07:30"), ("18:30", "Tue 18:30"), ("half past seven", "Tue 19:30"),
        ("quarter to eight", "Tue 19:45"),
        ("a quarter past three", "Tue 15:15"), ("ten past six in the evening", "Tue 18:10"),
        ("twenty to nine", "Tue 20:40"),
        ("ten minutes to midnight", None), ("seven o'clock", "Tue 19:00"),
        ("seven o'clock in the morning", "Wed 07:00"),
        ("six oh five", "Tue 18:05"), ("tomorrow at seven", "Wed 07:00"), ("at seven tomorrow morning", "Wed 07:00"),
        ("tomorrow evening at eight", "Wed 20:00"), ("noon", "Wed 12:00"), ("midnight", "Wed 00:00"),
        ("tonight at nine", "Tue 21:00"),
        ("friday at six pm", "Fri 18:00"), ("on friday", None), ("tuesday at nine am", "Tue 09:00"),
        ("twelve thirty", "Wed 12:30"),
        ("twelve pm", "Wed 12:00"), ("twelve am", "Wed 00:00"), ("eleven at night", "Tue 23:00"),
        ("three at night", "Wed 03:00"),
        ("today at three", "Tue 15:00"), ("today at nine", "Tue 21:00"),
        ("eighteen thirty", "Tue 18:30"),
        ("the day after tomorrow at noon", "Thu 12:00"),
    ],
)  # fmt: skip
def test_english(text: str, expected: str | None) -> None:
    if expected is None:
        assert parse_moment(text, "en") is None
    elif text == "tuesday at nine am":
        moment = parse_moment(text, "en")
        assert moment is not None
        assert moment.resolve(NOW) == datetime(2026, 3, 10, 9, tzinfo=UTC)
    else:
        assert resolved(text, "en") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sieben Uhr", "Wed 07:00"), ("um sieben", "Tue 19:00"), ("halb acht", "Tue 19:30"),
        ("viertel nach drei", "Tue 15:15"),
        ("viertel vor acht", "Tue 19:45"), ("dreiviertel acht", "Tue 19:45"), ("viertel acht", "Tue 19:15"),
        ("6 Uhr 30", "Wed 06:30"), ("6.30 Uhr", "Wed 06:30"), ("18:30", "Tue 18:30"),
        ("sechs Uhr dreißig", "Wed 06:30"),
        ("fünf vor halb acht", "Tue 19:25"), ("fünf nach halb acht", "Tue 19:35"), ("zehn nach sechs", "Tue 18:10"),
        ("zwanzig Minuten vor neun", "Tue 20:40"), ("Mittag", "Wed 12:00"), ("Mitternacht", "Wed 00:00"),
        ("morgen um sieben", "Wed 07:00"), ("morgen früh um halb sieben", "Wed 06:30"),
        ("sieben Uhr abends", "Tue 19:00"),
        ("heute Abend um acht", "Tue 20:00"), ("am Freitag um 18 Uhr", "Fri 18:00"),
        ("übermorgen um neun Uhr", "Thu 09:00"),
        ("am Sonnabend um zehn Uhr", "Sat 10:00"), ("24 Uhr", "Wed 00:00"), ("ein Uhr", "Wed 01:00"),
        ("0 Uhr 5", "Wed 00:05"),
        ("halb eins", "Wed 12:30"), ("drei Uhr nachmittags", "Wed 15:00"), ("Viertel vor sieben morgens", "Wed 06:45"),
        ("drei Uhr nachts", "Wed 03:00"),
    ],
)  # fmt: skip
def test_german(text: str, expected: str) -> None:
    assert resolved(text, "de") == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [("seven", "en", "Wed 07:00"), ("half past six", "en", "Wed 06:30"), ("halb acht", "de", "Wed 07:30"),
     ("seven in the evening", "en", "Tue 19:00"), ("tomorrow at six", "en", "Wed 06:00"), ("one", "en", "Wed 01:00")],
)  # fmt: skip
def test_waking_up_is_in_the_morning(text: str, language: Language, expected: str) -> None:
    assert resolved(text, language, waking=True) == expected


def test_small_hours_of_a_named_day_are_the_afternoon_unless_for_waking() -> None:
    assert resolved("tomorrow at three", "en") == "Wed 15:00"
    assert resolved("tomorrow at three", "en", waking=True) == "Wed 03:00"
    assert resolved("morgen um halb eins", "de") == "Wed 12:30"


@pytest.mark.parametrize(
    ("text", "language"),
    [("", "en"), ("25:00", "en"), ("7:60", "en"), ("the pizza", "en"), ("half past", "en"), ("ninety", "en"),
     ("seven five", "en"), ("ninety past seven", "en"),
     ("25 uhr", "de"), ("sieben uhr sechzig", "de"), ("halb", "de"), ("viertel vor", "de"), ("uhr", "de"),
     ("morgen", "de")],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str, language: Language) -> None:
    assert parse_moment(normalise(text, language), language) is None


@given(st.text(max_size=50), languages)
def test_any_text_is_a_time_or_refused(text: str, language: Language) -> None:
    moment = parse_moment(normalise(text, language), language)
    assert moment is None or (0 <= moment.hour < 24 and 0 <= moment.minute < 60)


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 24 * 60 - 1), st.booleans())
def test_a_time_without_a_day_is_within_the_next_day(hour: int, minute: int, later: int, exact: bool) -> None:
    moment = parse_moment(f"{hour:02}:{minute:02}" if exact else f"{(hour - 1) % 12 + 1}:{minute:02}", "en")
    assert moment is not None
    now = NOW + timedelta(minutes=later)
    assert now < moment.resolve(now) <= now + timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("tomorrow", "en", "2026-03-04"), ("the day after tomorrow", "en", "2026-03-05"),
        ("yesterday", "en", "2026-03-02"),
        ("next friday", "en", "2026-03-06"), ("tuesday", "en", "2026-03-03"), ("christmas", "en", "2026-12-25"),
        ("christmas eve", "en", "2026-12-24"), ("new year's eve", "en", "2026-12-31"), ("easter", "en", "2026-04-05"),
        ("the third of march", "en", "2026-03-03"), ("march second", "en", "2027-03-02"),
        ("December 24th", "en", "2026-12-24"),
        ("march 3 2028", "en", "2028-03-03"), ("in five days", "en", "2026-03-08"),
        ("in two weeks", "en", "2026-03-17"),
        ("february 29", "en", "2028-02-29"),
        ("morgen", "de", "2026-03-04"), ("übermorgen", "de", "2026-03-05"), ("nächsten Freitag", "de", "2026-03-06"),
        ("Weihnachten", "de", "2026-12-25"), ("Heiligabend", "de", "2026-12-24"), ("Silvester", "de", "2026-12-31"),
        ("Ostern", "de", "2026-04-05"), ("dritten März", "de", "2026-03-03"), ("zum 1. Mai", "de", "2026-05-01"),
        ("24.12.", "de", "2026-12-24"), ("24.12.2027", "de", "2027-12-24"), ("24.12.27", "de", "2027-12-24"),
        ("in zwei Wochen", "de", "2026-03-17"),
        ("dritten dritten", "de", "2026-03-03"), ("24. Dezember 2030", "de", "2030-12-24"),
    ],
)  # fmt: skip
def test_days(text: str, language: Language, expected: str) -> None:
    day = parse_day(normalise(text, language), language)
    assert day is not None
    assert day.resolve(NOW.date()).isoformat() == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [("", "en"), ("february thirtieth", "en"), ("the thirty second of may", "en"), ("31.4.", "de"),
     ("30. Februar", "de"),
     ("in five minutes", "en"), ("the moon", "en"), ("1.13.", "de"), ("dezember", "de"), ("the", "en"),
     ("march 3 99999", "en")],
)  # fmt: skip
def test_days_that_do_not_exist_are_refused(text: str, language: Language) -> None:
    assert parse_day(normalise(text, language), language) is None


def test_a_leap_day_is_found_across_a_century_without_one() -> None:
    assert Day("date", 29, 2).resolve(date(2096, 3, 1)) == date(2104, 2, 29)


@pytest.mark.parametrize(
    ("year", "month", "day"),
    # U.S. Naval Observatory, "The Date of Easter"
    [
        (2024, 3, 31),
        (2025, 4, 20),
        (2026, 4, 5),
        (2027, 3, 28),
        (2038, 4, 25),
        (2008, 3, 23),
        (1981, 4, 19),
        (1954, 4, 18),
    ],
)
def test_easter(year: int, month: int, day: int) -> None:
    assert Day("easter", 0, 0, year).resolve(date(year, 1, 1)) == date(year, month, day)


@given(st.text(max_size=40), languages, st.dates())
def test_any_text_is_a_day_or_refused(text: str, language: Language, today: date) -> None:
    day = parse_day(normalise(text, language), language)
    if day is not None:
        try:
            assert isinstance(day.resolve(today), date)
        except (ValueError, OverflowError) as error:
            assert str(error)
