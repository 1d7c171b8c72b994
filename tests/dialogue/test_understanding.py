"""Sentences to intents and slots, in both languages, against the reviewed tables beside this file."""

import threading
from pathlib import Path
from typing import NamedTuple

import pytest

from appliance.dialogue.families import FAMILIES
from appliance.dialogue.followups import Situation
from appliance.dialogue.types import Intent, Question
from appliance.dialogue.understanding import Understanding
from appliance.language import LANGUAGES, Language
from tests.dialogue.scene import NOW, TIMERS, context, replied, slots_text


class Phrase(NamedTuple):
    language: Language
    text: str
    intent: str
    slots: str
    reply: str


def phrases(language: Language) -> list[Phrase]:
    lines = (Path(__file__).parent / f"phrases.{language}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [
        Phrase(language, text, "" if intent == "-" else intent, slots, reply) for text, intent, slots, reply, *_ in rows
    ]


PHRASES = [phrase for language in LANGUAGES for phrase in phrases(language)]


def situation(language: Language) -> Situation:
    """What exists in the scene of the phrase tables."""
    named = [timer for timer in TIMERS[language] if timer.name]
    known = {
        kind: {timer.name.casefold(): timer.name for timer in named if timer.kind == kind}
        for kind in ("timer", "reminder")
    }
    return Situation(known, today=NOW.date())


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: f"{phrase.language}-{phrase.text}")
def test_a_phrase_means_and_is_answered_what_the_table_says(phrase: Phrase, understanding: Understanding) -> None:
    intent = understanding.understand(phrase.text, phrase.language, situation(phrase.language))
    assert (intent.name + ("?" if intent.doubt else ""), slots_text(intent.slots)) == (phrase.intent, phrase.slots)
    if not intent.doubt:
        reply = replied(intent, context(phrase.language))
        assert reply.text
        assert phrase.reply in (reply.text, "*")
        assert reply.language == phrase.language
        assert reply.understood == bool(phrase.intent)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_intent_of_the_sentences_has_a_skill(language: Language) -> None:
    for family in FAMILIES:
        assert set(family.sentences(language)["intents"]) == set(family.skills) - {""}, family.name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text",
    ["", "   ", "\n\t", "…", "🎉🎉", "?!", "<script>alert(1)</script>", "{area} [x] (y|z)", "\x00",
     "a" * 10_000, "1" * 400,
     "((((" * 100, "timer " * 80, "{duration}", "- - -", "\u202e", "ß", "%", "°",
     "what time is it" + " " * 600],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_nonsense_is_not_understood(text: str, language: Language, understanding: Understanding) -> None:
    intent = understanding.understand(text, language)
    assert (intent.name, intent.text) == ("", text)


def test_an_arithmetic_task_that_is_long_is_still_answered_or_refused(understanding: Understanding) -> None:
    assert understanding.understand("+".join("9" * 39), "en").name == "Calculate"
    assert understanding.understand("+".join("9" * 200), "en").name == ""


@pytest.mark.parametrize(
    ("polite", "language"),
    [
        ("please set a timer for five minutes", "en"),
        ("set a timer for five minutes please", "en"),
        ("hey stimme could you please set a timer for five minutes thank you", "en"),
        ("um set a timer for five minutes", "en"),
        ("i'd like you to set a timer for five minutes", "en"),
        ("SET A TIMER FOR FIVE MINUTES!!!", "en"),
        ("set a timer, for five minutes", "en"),
        ("stell mir bitte einen timer auf fünf minuten", "de"),
        ("hey stimme stell doch bitte mal einen timer auf fünf minuten danke", "de"),
        ("könntest du mir bitte einen timer auf fünf minuten stellen", "de"),
        ("Ähm, stell einen Timer auf fünf Minuten!", "de"),
    ],
)
def test_politeness_does_not_change_the_meaning(polite: str, language: Language, understanding: Understanding) -> None:
    intent = understanding.understand(polite, language)
    assert (intent.name, dict(intent.slots)) == ("HassStartTimer", {"duration_s": 300.0})


@pytest.mark.parametrize(
    ("heard", "intent", "slots"),
    [
        ("how many feet are in to meters", "Convert", "quantity=2 m; unit=ft"), ("what did you here", "WhatHeard", ""),
        ("ten miles and kilometers", "Convert", "quantity=10 mi; unit=km"),
        ("what timers running", "HassTimerStatus", ""),
        ("how many degrees seventy fahrenheit", "Convert", "quantity=70 °F; unit=°"),
        ("time or status", "HassTimerStatus", ""),
        ("let me know and ten minutes", "HassStartTimer", "duration_s=600"), ("what can i asked", "Help", ""),
        ("said a timer for five minutes", "HassStartTimer", "duration_s=300"),
        ("set timer four five minutes", "HassStartTimer", "duration_s=300"),
        ("remind me tomorrow to take out the trash", "SetReminder", "day=offset 1; name=take out the trash"),
    ],
)  # fmt: skip
def test_what_the_embedded_recognizer_made_of_phrases(
    heard: str, intent: str, slots: str, understanding: Understanding
) -> None:
    understood = understanding.understand(heard, "en")
    assert (understood.name, slots_text(understood.slots)) == (intent, slots)


@pytest.mark.parametrize(
    ("text", "language", "intent", "slots"),
    [
        ("remind me to fetch the red box in two hours", "en", "SetReminder", "duration_s=7200; name=fetch the red box"),
        ("remind me to buy red wine and ham at 6", "en", "SetReminder", "moment=6:00?; name=buy red wine and ham"),
        ("reminder in thirty seconds look at the stove", "en", "SetReminder", "duration_s=30; name=look at the stove"),
        (
            "erinnere mich daran den netten mann von der bank anzurufen in zwei stunden",
            "de",
            "SetReminder",
            "duration_s=7200; name=den netten mann von der bank anzurufen",
        ),
        ("brauch ich morgen einen schirm", "de", "Unavailable", "day=offset 1; topic=weather"),
        ("wie wird das wetter übermorgen", "de", "Unavailable", "day=offset 2; topic=weather"),
        ("lautstärke um zehn hoch", "de", "HassSetVolumeRelative", "up=10"),
        ("dreh die lautstärke hoch auf zehn", "de", "HassSetVolume", "level=10"),
    ],
)
def test_a_value_is_not_swallowed_by_the_words_around_it(
    text: str, language: Language, intent: str, slots: str, understanding: Understanding
) -> None:
    understood = understanding.understand(text, language)
    assert (understood.name, slots_text(understood.slots)) == (intent, slots)


@pytest.mark.parametrize(("text", "intent"), [("danke", "Thank"), ("bitte", "Repeat"), ("hey", "Greet")])
def test_a_polite_word_alone_keeps_its_meaning(text: str, intent: str, understanding: Understanding) -> None:
    assert understanding.understand(text, "de").name == intent


@pytest.mark.parametrize(
    ("text", "language", "name"),
    [
        ("set a timer for the pizza for ten minutes", "en", "pizza"),
        ("stelle einen timer für den pizza auf zehn minuten", "de", "pizza"),
        ("Stelle einen Timer für die Nudeln auf zehn Minuten", "de", "Nudeln"),
    ],
)
def test_a_name_loses_its_article_and_keeps_its_capitals(
    text: str, language: Language, name: str, understanding: Understanding
) -> None:
    assert understanding.understand(text, language).slots["name"] == name


def test_the_words_stay_as_they_were_heard(understanding: Understanding) -> None:
    assert understanding.understand("What TIME is it?", "en").text == "What TIME is it?"


def test_a_remembered_sentence_is_the_same_again(understanding: Understanding) -> None:
    assert understanding.understand("timer ten minutes", "en") == understanding.understand("timer ten minutes", "en")


def test_the_language_decides_what_is_understood(understanding: Understanding) -> None:
    assert understanding.understand("wie spät ist es", "en").name == ""
    assert understanding.understand("what time is it", "de").name == ""


def test_threads_may_ask_at_once() -> None:
    understanding = Understanding(FAMILIES, ("en",))
    wanted = [phrase for phrase in PHRASES if phrase.language == "en"]
    wrong: list[str] = []

    def ask(offset: int) -> None:
        for phrase in wanted[offset:] + wanted[:offset]:
            if understanding.understand(phrase.text, "en", situation("en")).name != phrase.intent.strip("-?"):
                wrong.append(phrase.text)

    threads = [threading.Thread(target=ask, args=(offset,)) for offset in (0, 50, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(("language", "text"), [("en", "no forget it"), ("de", "nee vergiss es")])
def test_nobody_s_note_is_that_they_have_changed_their_mind(
    language: Language, text: str, understanding: Understanding
) -> None:
    asked = Situation(question=Question(Intent("TakeNote", "", language), ("text",)))
    assert understanding.understand(text, language, asked).name == "HassNevermind"
    assert understanding.understand("dinner at six", language, asked).slots["text"] == "dinner at six"
