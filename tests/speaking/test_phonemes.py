"""The system's espeak-ng says what voices were trained on, with the punctuation that Piper gives them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from appliance.errors import ModelError
from appliance.language import LANGUAGES, Language
from appliance.speaking import phonemes
from appliance.speaking.phonemes import Espeak, espeak, parts, phoneme_ids
from tests.support.kit import phrases

VOICES: dict[Language, str] = {"en": "en-us", "de": "de"}
AWKWARD = [
    "Wait... what?!",
    "One – two — three.",
    "“Quoted.” Really?",
    "It's 3.5 degrees; isn't it: yes!",
    "(Well)",
    "7:30 – 8:15",
    "a - b",
    "Mr. Smith, e.g. this one.",
    "…",
    "Ende",
    "z. B. heute… oder morgen",
    "1.000,50 €",
]


@pytest.fixture(scope="module")
def bridge() -> Any:
    from piper import espeakbridge
    from piper.phonemize_espeak import EspeakPhonemizer

    EspeakPhonemizer()  # opens it
    return espeakbridge


@pytest.mark.parametrize("language", LANGUAGES)
def test_clauses_end_with_the_marks_that_piper_gives(bridge: Any, language: Language) -> None:
    bridge.set_voice(VOICES[language])
    for text in [*phrases(language), *AWKWARD]:
        expected = [mark for _, mark, _ in bridge.get_phonemes(text)]
        assert [mark for _, mark in espeak()._clauses(text, VOICES[language])] == expected, text


def test_a_sentence_is_spelt_in_code_points_with_its_mark() -> None:
    assert espeak().sentences("Hello, world. Yes?", "en-us") == [list("həlˈoʊ, wˈɜːld."), list("jˈɛs?")]


def test_words_of_another_language_leave_no_marks() -> None:
    assert "(" not in "".join(espeak().sentences("Timer", "de")[0])


def test_phonemes_become_ids_between_pads() -> None:
    ids = {"^": [1], "$": [2], "_": [0], "j": [5], "ɛ": [6, 7]}  # and no "s", "ˈ" or "."
    assert phoneme_ids("Yes.", "en-us", ids) == ((1, 0, 5, 0, 6, 7, 0, 2),)


@pytest.mark.parametrize("text", ["", " ", "\0", "\n\n"])
def test_nothing_to_say_is_nothing_or_silence(text: str) -> None:
    assert "".join(mark for sentence in espeak().sentences(text, "en-us") for mark in sentence).strip() == ""


def test_threads_do_not_mix_their_texts() -> None:
    texts = [(text, VOICES[language]) for language in LANGUAGES for text in phrases(language)[:20]]
    alone = [espeak().sentences(*text) for text in texts]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda text: espeak().sentences(*text), texts * 5)) == alone * 5


def test_an_unknown_voice_is_named() -> None:
    with pytest.raises(ModelError, match="espeak-ng has no voice 'xx-nowhere'"):
        espeak().sentences("Hello.", "xx-nowhere")


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phonemes, "LIBRARY", "libnone.so.9")
    with pytest.raises(ModelError, match="libnone.so.9 cannot be loaded .*; install the package libespeak-ng1"):
        Espeak()


def test_a_sentence_too_long_for_one_piece_is_cut_between_words() -> None:
    sentence = list("one two three four")
    assert ["".join(part) for part in parts(sentence, 9)] == ["one two ", "three ", "four"]
    assert list(parts(list("x" * 25), 10)) == [["x"] * 10, ["x"] * 10, ["x"] * 5]
    assert [one for part in parts(sentence, 5) for one in part] == sentence
