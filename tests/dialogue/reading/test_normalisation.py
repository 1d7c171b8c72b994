"""One shape for what is typed and what is recognized."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.dialogue.reading.normalisation import normalise, without_fillers
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
    assert not set(normal) & set("{}[]|<>?!;\"&#$@\\_~")


@given(st.text(max_size=80), st.sampled_from(LANGUAGES))
def test_taking_off_fillers_only_takes_away(text: str, language: Language) -> None:
    words = normalise(text, language).split()
    rest = without_fillers(" ".join(words), language).split()
    iterator = iter(words)
    assert all(word in iterator for word in rest)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("please stop", "en", "stop"), ("could you please tell me the time", "en", "the time"),
        ("hey stimme what time is it please", "en", "what time is it"), ("the stop", "en", "stop"),
        ("kannst du bitte mal das licht", "de", "das licht"), ("stopp bitte", "de", "stopp"),
    ],
)  # fmt: skip
def test_fillers_are_taken_off(text: str, language: Language, expected: str) -> None:
    assert without_fillers(text, language) == expected
