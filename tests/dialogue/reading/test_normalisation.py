"""One shape for what is typed and what is recognized."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.dialogue.reading.normalisation import normalise
from appliance.language import LANGUAGES, Language


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("What TIME is it?", "en", "what time is it"), ("Set a timer for 5min.", "en", "set a timer for 5 min"),
        ("what’s up", "en", "what's up"), ("'quoted'", "en", "quoted"), ("7pm", "en", "7 pm"), ("7 p.m.", "en", "7 pm"),
        ("6:30 a.m. tomorrow", "en", "6:30 am tomorrow"), ("1,234.5", "en", "1,234.5"),
        ("ten, twenty.", "en", "ten twenty"),
        ("twenty-five", "en", "twenty five"), ("10-minute timer", "en", "10 minute timer"), ("-5 + 3", "en", "-5 + 3"),
        ("5 – 3", "en", "5 - 3"), ("3rd", "en", "3 th"), ("50%", "en", "50 percent"), ("50 %", "de", "50 prozent"),
        ("20 °C", "de", "20 grad celsius"), ("20°", "en", "20 degrees"), ("km/h", "de", "km/h"),
        ("3×4÷2", "en", "3*4/2"),
        ("x²", "en", "x^2"), ("Dreiviertelstunde", "de", "dreiviertel stunde"), ("Größe", "de", "größe"),
        ("Gro\u0308ße", "de", "größe"), ("fünf\u00adzehn", "de", "fünfzehn"), ("24.12.", "de", "24.12"),
        ("🎉 hello 🎉", "en", "hello"), ("<b>time</b>", "en", "b time /b"), ("{x}[y]|z_w", "en", "x y z w"),
        ("", "en", ""), (" \t\n", "en", ""), ("?!…", "de", ""), ("+-*/", "en", ""),
    ],
)  # fmt: skip
def test_text_becomes_plain_words(text: str, language: Language, expected: str) -> None:
    assert normalise(text, language) == expected


@given(st.text(max_size=80), st.sampled_from(LANGUAGES))
def test_nothing_but_lower_case_words_is_left(text: str, language: Language) -> None:
    normal = normalise(text, language)
    assert normal == " ".join(normal.split())
    assert not set(normal) & set('{}[]|<>?!;"&#$@\\_~')


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("wie spät isses", "de", "wie spät ist es"), ("hab ich nen Timer", "de", "habe ich einen timer"),
        ("wieviel Uhr", "de", "wie viel uhr"), ("net so laut", "de", "nicht so laut"),
        ("gimme ten minutes", "en", "give me ten minutes"), ("the pizza's done", "en", "the pizza is done"),
        ("what o clock is it", "en", "what o'clock is it"), ("Pizzatimer", "de", "pizza timer"),
        ("Kurzzeitwecker", "de", "kurzzeitwecker"), ("Fünfminutentimer", "de", "fünf minuten timer"),
    ],
)  # fmt: skip
def test_what_people_say_becomes_what_is_written(text: str, language: Language, expected: str) -> None:
    assert normalise(text, language) == expected
