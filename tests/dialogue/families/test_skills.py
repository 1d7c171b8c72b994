"""What the phrase tables leave open: chance, edges of volume, alarms that have passed, misuse."""

from dataclasses import replace
from datetime import timedelta

import pytest

from appliance.dialogue.actions import CancelTimer, SetVolume
from appliance.dialogue.families.joke.skill import FAMILY as JOKE
from appliance.dialogue.reading.days import Day
from appliance.dialogue.reading.measures import Quantity
from appliance.dialogue.reading.moments import Moment
from appliance.dialogue.reading.units import UNITS
from appliance.dialogue.things import Timer
from appliance.dialogue.types import Intent, Reply
from appliance.errors import SkillError
from appliance.language import LANGUAGES, Language
from tests.dialogue.scene import NOW, SKILLS, context, replied


def ask(intent: str, language: Language = "en", /, *, volume: int = 70, seed: int = 0, **slots: object) -> Reply:
    return replied(Intent(intent, "", language, slots), context(language, volume=volume, seed=seed))


def test_a_die_shows_every_face_and_no_other() -> None:
    faces = {ask("RollDice", seed=seed).text for seed in range(200)}
    assert faces == {f"You rolled a {face}." for face in "one two three four five six".split()}
    assert "Du hast eine Sechs gewürfelt." in {ask("RollDice", "de", seed=seed).text for seed in range(50)}


def test_several_dice_are_added_up() -> None:
    assert ask("RollDice", count=3, sides=6, seed=1).text == "Two, five and one. That makes eight."
    assert ask("RollDice", "de", count=3, sides=6, seed=1).text == "Zwei, fünf und eins. Das macht acht."


@pytest.mark.parametrize(("count", "sides"), [(0, 6), (11, 6), (1, 1), (1, 1001), (10**12, 10**12)])
def test_absurd_dice_are_declined(count: int, sides: int) -> None:
    assert ask("RollDice", count=count, sides=sides).text == "I roll one to ten dice with up to a thousand sides."


def test_a_coin_has_two_sides() -> None:
    assert {ask("FlipCoin", seed=seed).text for seed in range(20)} == {"Heads.", "Tails."}
    assert {ask("FlipCoin", "de", seed=seed).text for seed in range(20)} == {"Kopf.", "Zahl."}


def test_a_picked_number_lies_between_the_bounds_in_either_order() -> None:
    assert {ask("PickNumber", low=3, high=1, seed=seed).text for seed in range(50)} == {"One.", "Two.", "Three."}
    assert ask("PickNumber", "de", low=5000, high=5000).text == "5.000."


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_jokes_are_told_but_none_twice_in_a_row(language: Language) -> None:
    jokes = JOKE.sentences(language)["replies"]["jokes"]
    told = {ask("TellJoke", language, seed=seed).text for seed in range(300)}
    assert told == set(jokes)
    assert len(told) >= 12
    for joke in jokes:
        again = replied(Intent("TellJoke", "", language), replace(context(language), last_reply=joke))
        assert again.text != joke


@pytest.mark.parametrize(
    ("intent", "slots", "volume", "percent"),
    [
        ("HassSetVolume", {"level": 150}, 70, 100), ("HassSetVolume", {"level": 0}, 70, 0),
        ("HassSetVolumeRelative", {"up": 10}, 95, 100), ("HassSetVolumeRelative", {"down": 10}, 12, 5),
        ("HassSetVolumeRelative", {"down": 500}, 70, 5), ("HassSetVolumeRelative", {"up": 10}, 0, 10),
        ("Unmute", {}, 0, 60), ("Unmute", {}, 30, 30),
    ],
)  # fmt: skip
def test_volume_stays_between_its_ends(intent: str, slots: dict[str, int], volume: int, percent: int) -> None:
    assert ask(intent, volume=volume, **slots).actions == (SetVolume(percent),)


def test_louder_than_loudest_is_declined() -> None:
    assert ask("HassSetVolumeRelative", volume=100, up=10) == Reply("That's as loud as I get.", "en")
    assert ask("HassSetVolumeRelative", "de", volume=100, up=10) == Reply("Lauter geht es nicht.", "de")


@pytest.mark.parametrize("intent", ["SetAlarm", "SetReminder"])
def test_a_moment_that_has_passed_is_declined(intent: str) -> None:
    assert ask(intent, moment=Moment(9, 0, True, Day("offset", 0))) == Reply("That time has already passed.", "en")


@pytest.mark.parametrize("intent", ["SetAlarm", "SetReminder"])
def test_a_moment_too_far_away_is_declined(intent: str) -> None:
    reply = ask(intent, moment=Moment(9, 0, True, Day("date", 25, 12, 2027)))
    assert reply == Reply("That is too long. A year is the most.", "en")


def test_of_several_alarms_the_one_at_the_time_said_is_cancelled() -> None:
    alarms = [Timer(number, "alarm", "", NOW + timedelta(hours=number, minutes=-7), 0) for number in (3, 4, 16)]
    for moment, id in ((Moment(7, 0, True), 16), (Moment(6, 0, False), 3)):
        reply = replied(Intent("CancelAlarm", "", "en", {"moment": moment}), context("en", *alarms))
        assert reply.actions == (CancelTimer(id),)
    either = replied(Intent("CancelAlarm", "", "en", {"moment": Moment(7, 0, False)}), context("en", *alarms))
    assert either.asks and not either.actions


def test_several_alarms_are_listed() -> None:
    alarms = [Timer(number, "alarm", "", NOW + timedelta(hours=number, minutes=-7), 0) for number in (3, 16)]
    english = replied(Intent("AlarmStatus", "", "en"), context("en", *alarms)).text
    assert english == "Your alarms ring at six o'clock this evening and at seven o'clock tomorrow morning."
    german = replied(Intent("AlarmStatus", "", "de"), context("de", *alarms)).text
    assert german == "Deine Wecker klingeln heute um achtzehn Uhr und morgen um sieben Uhr."


@pytest.mark.parametrize("day", [Day("date", 30, 2), Day("offset", 10**12)])
def test_a_day_that_does_not_exist_is_a_spoken_error(day: Day) -> None:
    with pytest.raises(SkillError, match="There is no such day."):
        ask("CountDays", day=day)
    with pytest.raises(SkillError, match="Diesen Tag gibt es nicht."):
        ask("HassGetCurrentDate", "de", day=day)


@pytest.mark.parametrize(
    ("offset", "english", "german"),
    [(0, "That's today.", "Das ist heute."), (1, "One day.", "Noch ein Tag."),
     (-1, "That was one day ago.", "Das war vor einem Tag."),
     (-3, "That was three days ago.", "Das war vor drei Tagen.")],
)  # fmt: skip
def test_days_are_counted_both_ways(offset: int, english: str, german: str) -> None:
    assert ask("CountDays", day=Day("offset", offset)).text == english
    assert ask("CountDays", "de", day=Day("offset", offset)).text == german


def test_colder_than_cold_is_declined() -> None:
    reply = ask("Convert", quantity=Quantity(UNITS["K"].factor * -300, UNITS["°C"]), unit=UNITS["°F"])
    assert reply.text == "Nothing can be that cold."


@pytest.mark.parametrize("hour", range(24))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_greeting_fits_the_hour(hour: int, language: Language) -> None:
    now = NOW.replace(hour=hour)
    reply = replied(Intent("Greet", "", language), context(language, now=now)).text
    morning, evening = ("Good morning.", "Good evening.") if language == "en" else ("Guten Morgen.", "Guten Abend.")
    assert (reply == morning) is (4 <= hour < 11)
    assert (reply == evening) is (hour >= 18)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_skill_answers_without_slots_or_refuses_loudly(language: Language) -> None:
    for name in SKILLS:
        reply = replied(Intent(name, "what", language), context(language))
        assert reply.text[-1] in ".?!", (name, reply.text)
        assert reply.language == language
