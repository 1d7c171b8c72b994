"""Several timers, and the edges of setting them."""

from datetime import UTC, datetime, timedelta

import pytest

from appliance.dialogue.actions import CancelTimer, SetTimer
from appliance.dialogue.announcing import announced
from appliance.dialogue.families.timer.skill import LONGEST_S, MOST, later
from appliance.dialogue.things import Timer
from appliance.dialogue.types import Intent, Reply
from appliance.language import Language
from appliance.state.clock import LocalZone
from tests.dialogue.scene import NOW, context, replied


def running(id: int, minutes: float, name: str = "", duration_min: float = 10) -> Timer:
    return Timer(id, "timer", name, NOW + timedelta(minutes=minutes), 60 * duration_min)


def ask(intent: str, *timers: Timer, language: Language = "en", **slots: object) -> Reply:
    # A timer of another kind, so that the scene's own are not used when none is given.
    alarm = Timer(99, "alarm", "", NOW + timedelta(hours=9), 0)
    return replied(Intent(intent, "", language, slots), context(language, *timers, alarm))


@pytest.mark.parametrize("intent", ["HassTimerStatus", "HassCancelTimer", "HassCancelAllTimers", "HassIncreaseTimer"])
def test_without_timers_they_say_so(intent: str) -> None:
    assert ask(intent, duration_s=60.0) == Reply("No timer is running.", "en")
    assert ask(intent, language="de", duration_s=60.0) == Reply("Es läuft kein Timer.", "de")


def test_several_are_listed_with_their_time_left() -> None:
    reply = ask("HassTimerStatus", running(1, 2, "egg"), running(2, 8.5))
    assert reply.text == (
        "You have two timers. "
        "The egg timer, two minutes left; the timer for ten minutes, eight minutes and thirty seconds left."
    )
    reply = ask("HassTimerStatus", running(1, 2, "Eier"), running(2, 8), language="de")
    assert reply.text == (
        "Es laufen zwei Timer. Der Eier-Timer, noch zwei Minuten; der Timer über zehn Minuten, noch acht Minuten."
    )


def test_which_one_to_cancel_is_asked() -> None:
    reply = ask("HassCancelTimer", running(1, 2, "egg"), running(2, 8, "pizza"))
    assert (reply.text, reply.actions, reply.asks) == ("Which one: the egg timer or the pizza timer?", (), True)
    reply = ask("HassCancelTimer", running(1, 2, "Eier"), running(2, 8), language="de")
    assert reply.text == "Welchen: den Eier-Timer oder den Timer über zehn Minuten?"


def test_of_two_alike_the_next_is_cancelled() -> None:
    assert ask("HassCancelTimer", running(1, 2), running(2, 8)).actions == (CancelTimer(1),)


def test_a_name_is_found_in_any_case_and_in_part() -> None:
    timers = running(1, 2, "Lasagne"), running(2, 8, "egg")
    assert ask("HassCancelTimer", *timers, name="lasagne").actions == (CancelTimer(1),)
    assert ask("HassCancelTimer", *timers, name="eggs").actions == (CancelTimer(2),)
    none = ask("HassCancelTimer", *timers, name="soup")
    assert (none.text, none.asks) == ("There is no soup timer. Which one: the Lasagne timer or the egg timer?", True)


def test_a_timer_is_found_by_its_length() -> None:
    timers = running(1, 2, "egg"), running(2, 8, "", 15)
    assert ask("HassCancelTimer", *timers, start_s=900.0).actions == (CancelTimer(2),)
    assert ask("HassCancelTimer", *timers, start_s=60.0).text == "There is no such timer."


def test_all_are_cancelled_but_no_alarm() -> None:
    timers = running(1, 2), running(2, 8), running(3, 9)
    assert ask("HassCancelAllTimers", *timers).actions == ()
    assert ask("HassCancelAllTimers", *timers).asks
    reply = ask("HassCancelAllTimers", *timers, confirmed=True)
    assert (reply.text, reply.actions) == ("Three timers cancelled.", (CancelTimer(1), CancelTimer(2), CancelTimer(3)))


def test_lengthening_replaces_the_timer_by_one_with_the_time_left() -> None:
    reply = ask("HassIncreaseTimer", running(1, 2, "egg"), duration_s=60.0)
    assert reply.actions == (CancelTimer(1), SetTimer("timer", NOW + timedelta(minutes=3), "egg", 180.0))


@pytest.mark.parametrize(("seconds", "accepted"), [(LONGEST_S, True), (LONGEST_S + 1, False), (1e15, False)])
def test_nothing_is_set_for_longer_than_a_year(seconds: float, accepted: bool) -> None:
    assert bool(ask("HassStartTimer", duration_s=seconds).actions) is accepted
    assert bool(ask("HassIncreaseTimer", running(1, 0), duration_s=seconds).actions) is accepted
    assert bool(ask("SetReminder", duration_s=seconds, name="x").actions) is accepted


def test_there_is_an_end_to_how_many_there_are() -> None:
    timers = [running(number, 5) for number in range(MOST - 1)]
    assert ask("HassStartTimer", *timers, duration_s=60.0).actions == ()
    assert ask("HassStartTimer", *timers[1:], duration_s=60.0).actions != ()


@pytest.mark.parametrize(
    ("kind", "name", "english", "german"),
    [
        ("timer", "pizza", "The pizza timer is done.", "Der Pizza-Timer ist abgelaufen."),
        ("timer", "", "The timer for ten minutes is done.", "Der Timer über zehn Minuten ist abgelaufen."),
        ("alarm", "", "This is your alarm.", "Hier ist dein Wecker."),
        ("reminder", "Anna", "Reminder: Anna.", "Erinnerung: Anna."),
        ("reminder", "", "This is your reminder.", "Hier ist deine Erinnerung."),
    ],
)
def test_what_is_said_when_it_rings(kind: str, name: str, english: str, german: str) -> None:
    timer = Timer(1, kind, name, NOW, 600)  # type: ignore[arg-type]
    assert announced(timer, NOW, "en") == english
    assert announced(timer, NOW, "de") == german


def test_seconds_pass_at_the_same_speed_when_the_clocks_change(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        before = datetime(2026, 3, 29, 1, 59, tzinfo=LocalZone())
        assert later(before, 120).strftime("%H:%M") == "03:01"
        assert later(before, 120).astimezone(UTC) - before.astimezone(UTC) == timedelta(seconds=120)
    finally:
        monkeypatch.undo()
        time.tzset()
