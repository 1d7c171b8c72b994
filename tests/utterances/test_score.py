"""The scorer judges answers as README.md says: it must neither flatter nor be unfair."""

from datetime import datetime
from fractions import Fraction

import pytest

from appliance.dialogue.actions import Action, CancelTimer, SetTimer, StopSpeaking
from appliance.dialogue.types import Answer, Intent, Question, Reply
from appliance.dialogue.understanding import Understanding
from appliance.language import Language
from tests.utterances.canonical import moment_of, words
from tests.utterances.load import Expectation, Turn, Utterance
from tests.utterances.scene import NOW, answers
from tests.utterances.score import judge, results, table

DUE = NOW.replace(hour=18, minute=0)


def answer(name: str, text: str = "Okay.", *actions: Action, understood: bool = True, **slots: object) -> Answer:
    intent = Intent(name, "", "en", slots)
    question = Question(intent) if text.endswith("?") else None
    return Answer(Reply(text, "en", actions, understood, question), intent, 0, 0)


def turn(intent: str, *also: str, confirms: bool = False, **slots: str) -> Turn:
    return Turn("x", Expectation(intent, slots, confirms, frozenset(also)), 1)


TIMER = SetTimer("timer", DUE, "pizza", 600)


@pytest.mark.parametrize(
    ("expected", "given", "verdict"),
    [
        (turn("Help"), answer("Help"), "right"),
        (turn("Help"), answer("Greet"), "wrong answer"),
        (turn("Help"), answer("", understood=False), "declined"),
        (turn("Help", "Greet"), answer("Greet"), "right"),
        (turn("HassStartTimer", duration_s="600"), answer("HassStartTimer", "Set.", TIMER, duration_s=600.0), "right"),
        (turn("HassStartTimer", duration_s="300"), answer("HassStartTimer", "", TIMER, duration_s=600), "wrong action"),
        (turn("HassStartTimer"), answer("HassStartTimer", "Set.", TIMER, duration_s=600.0), "wrong action"),
        (turn("HassStartTimer", duration_s="600"), answer("HassStartTimer", "For how long?"), "declined"),
        (turn("HassStartTimer", duration_s="600"), answer("Yes", "Set.", TIMER), "right"),
        (turn("HassStartTimer", duration_s="600"), answer("Yes", "There is nothing to confirm."), "wrong answer"),
        (turn("HassCancelAllTimers", confirms=True), answer("HassCancelAllTimers", "Both?"), "right"),
        (turn("HassCancelAllTimers", confirms=True), answer("HassCancelAllTimers", "", CancelTimer(1)), "wrong action"),
        (turn("ask"), answer("HassStartTimer", "Set.", TIMER), "wrong action"),
        (turn("ask", "HassStartTimer"), answer("HassStartTimer", "Set.", TIMER), "wrong action"),
        (turn("ask", "HassStartTimer"), answer("HassStartTimer", "A year is the most."), "right"),
        (turn("ask"), answer("HassStartTimer", "For how long?"), "right"),
        (turn("Undo", "ask"), answer("", "I can't.", understood=False), "right"),
        (turn("decline"), answer("Greet", "Hello."), "wrong answer"),
        (turn("decline"), answer("", understood=False), "right"),
        (turn("StopSpeaking"), answer("StopSpeaking", "", StopSpeaking()), "right"),
        (turn("Calculate", result="33.3333"), answer("Calculate", result=Fraction(100, 3)), "right"),
        (turn("Calculate", result="33"), answer("Calculate", result=Fraction(100, 3)), "wrong answer"),
        (turn("AddToList", items="milk, two eggs"), answer("AddToList", items=["Two eggs", "the milk"]), "right"),
        (turn("AddToList", items="milk"), answer("AddToList", items=["milk", "eggs"]), "wrong answer"),
        (turn("CookingTime", food="eier"), answer("CookingTime", food="egg"), "right"),
        (turn("CookingTime", food="eier"), answer("CookingTime", food="rice"), "wrong answer"),
        (turn("AlarmStatus", day="sat"), answer("AlarmStatus"), "right"),
        (turn("ReadList", list="shopping"), answer("ReadList", list="Einkaufsliste"), "right"),
        (turn("ReadList", list="todo"), answer("ReadList", list="to do list"), "right"),
        (turn("ReadList", list="todo"), answer("ReadList", list="camping"), "wrong answer"),
        (turn("SetReminder", moment="18:00"), answer("SetReminder", "", SetTimer("reminder", DUE)), "right"),
        (turn("SetReminder", moment="19:00"), answer("SetReminder", "", SetTimer("reminder", DUE)), "wrong action"),
        (turn("HassSetVolumeRelative", up="*"), answer("HassSetVolumeRelative", up=10), "right"),
        (turn("HassSetVolumeRelative", up="*"), answer("HassSetVolumeRelative", down=10), "wrong answer"),
    ],
)
def test_an_answer_is_judged_by_what_it_means_and_does(expected: Turn, given: Answer, verdict: str) -> None:
    assert judge(expected, given)[0] == verdict


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("18:30", datetime(2026, 3, 3, 18, 30)), ("07:00", datetime(2026, 3, 4, 7)), ("+1 00:00", datetime(2026, 3, 4)),
        ("tue 07:00", datetime(2026, 3, 10, 7)), ("tue 16:00", datetime(2026, 3, 3, 16)),
        ("fri 18:00", datetime(2026, 3, 6, 18)), ("2026-03-24 09:00", datetime(2026, 3, 24, 9)),
        ("01-01 09:00", datetime(2027, 1, 1, 9)),
    ],
)  # fmt: skip
def test_a_moment_is_the_next_such_time(text: str, moment: datetime) -> None:
    assert moment_of(text, NOW) == moment


def test_words_lose_case_articles_and_punctuation_at_their_ends() -> None:
    assert words("Die Blumen gießen!") == words("blumen gießen") == "blumen giessen"
    assert words("to call the dentist") == "call the dentist"


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding()


@pytest.mark.parametrize("language", ["en", "de"])
async def test_the_scene_has_what_the_readme_says(language: Language, understanding: Understanding) -> None:
    asked = {"en": ["how much time is left", "what are my reminders", "which alarms are set"],
             "de": ["wie lange noch", "welche Erinnerungen habe ich", "welche Wecker sind gestellt"]}  # fmt: skip
    timers, reminders, alarms = (each.reply.text for each in await answers(understanding, language, asked[language]))
    assert "izza" in timers and ("four minutes" in timers or "vier Minuten" in timers)
    assert {"en": "dentist", "de": "Zahnarzt"}[language] in reminders
    assert {"en": "Saturday", "de": "Samstag"}[language] in alarms


async def test_a_conversation_is_played_through_the_dialogue_and_counted(understanding: Understanding) -> None:
    start = Turn("ten minute timer", Expectation("HassStartTimer", {"duration_s": "600"}), 1)
    thanks = Turn("thanks", Expectation("Thank"), 2)
    played = [Utterance("timer", "en", turns) for turns in ((start,), (start, thanks))]
    found = await results(understanding, played)
    assert [(each.verdict, each.follow_up) for each in found] == [("right", False), ("right", True)]
    assert "timer en" in table(found) and "100.0%" in table(found)
