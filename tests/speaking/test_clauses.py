"""Where a reply is cut, and what is spelt out for the voice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.language import Language
from appliance.speaking.clauses import LONGEST_CLAUSE_CHARACTERS, clauses, speakable


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "It is ten past four.", ["It is ten past four."]),
        ("en", "Good morning! How are you?", ["Good morning!", "How are you?"]),
        ("en", "Dr. No lives at St. Mary. Really?", ["Dr. No lives at St. Mary.", "Really?"]),
        ("en", "It is 3.5 miles. That is 5,600 metres.", ["It is 3.5 miles.", "That is 5,600 metres."]),
        ("en", 'She said "stop." Then she left.', ['She said "stop."', "Then she left."]),
        ("en", "The answer is 12. Anything else?", ["The answer is 12.", "Anything else?"]),
        (
            "de",
            "Heute ist der 24. Dezember. Frohe Weihnachten!",
            ["Heute ist der vierundzwanzigste Dezember.", "Frohe Weihnachten!"],
        ),
        ("de", "Ich kann z. B. rechnen. Frag mich!", ["Ich kann z. B. rechnen.", "Frag mich!"]),
        ("de", "Das ist der 5. Versuch.", ["Das ist der 5. Versuch."]),
        ("en", "  spaces \t and\nlines ", ["spaces and lines"]),
    ],
)
def test_a_reply_is_cut_at_the_ends_of_its_sentences(language: Language, text: str, expected: list[str]) -> None:
    assert clauses(text, language) == expected


def test_only_the_first_clause_ends_at_a_comma() -> None:
    text = "I have set a timer for five minutes, and I will tell you. When it is done, you will hear a bell, too."
    assert clauses(text, "en") == [
        "I have set a timer for five minutes,",
        "and I will tell you.",
        "When it is done, you will hear a bell, too.",
    ]


def test_a_short_beginning_is_not_cut_off_at_its_comma() -> None:
    assert clauses("Yes, of course.", "en") == ["Yes, of course."]


def test_a_long_list_is_cut_at_its_commas() -> None:
    text = "I can do this. I can " + ", ".join(["count the sheep"] * 20) + "."
    assert all(len(clause) < 160 for clause in clauses(text, "en"))


@pytest.mark.parametrize("text", ["", "   ", "...", "?!", "🙂", "— … —"])
def test_a_text_without_words_has_no_clauses(text: str) -> None:
    assert clauses(text, "en") == []


@given(st.text(max_size=600), st.sampled_from(("en", "de")))
def test_no_clause_is_too_long_and_none_is_without_words(text: str, language: Language) -> None:
    for clause in clauses(text, language):
        assert any(character.isalnum() or character == "_" for character in clause)
        assert len(clause) <= LONGEST_CLAUSE_CHARACTERS


@given(st.lists(st.sampled_from(("well", "so,", "yes.", "Dr.", "no!", "3.", "and", "–")), max_size=80))
def test_no_word_is_lost(words: list[str]) -> None:
    said = " ".join(clauses(" ".join(words), "en")).split()
    assert [word for word in said if word.strip("–.")] == [word for word in words if word.strip("–.")]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "21 °C", "21 degrees Celsius"),
        ("en", "70°F outside", "70 degrees Fahrenheit outside"),
        ("de", "21,5 °C", "21,5 Grad Celsius"),
        ("de", "um 7:30 Uhr", "um 7 Uhr 30"),
        ("de", "um 17:05 Uhr", "um 17 Uhr 5"),
        ("de", "um 8:00 Uhr", "um 8 Uhr"),
        ("de", "der 3. Mai", "der dritte Mai"),
        ("de", "am 31. Januar", "am einunddreißigsten Januar"),
        ("en", "[[hɛ]] you", "[hɛ] you"),
        ("en", "one\x00two\x1bthree", "one two three"),
    ],
)
def test_what_the_voice_would_misread_is_spelt_out(language: Language, text: str, expected: str) -> None:
    assert speakable(text, language) == expected
