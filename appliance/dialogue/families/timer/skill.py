"""Timers: set, ask, lengthen, shorten, cancel; and what is said when one rings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from appliance.dialogue.family import Family
from appliance.dialogue.reading.readers import DURATION, NAME, START, read_named_duration
from appliance.dialogue.saying.number_words import in_words
from appliance.dialogue.saying.spoken import capitalised, duration, listed, reply, when
from appliance.dialogue.types import Action, CancelTimer, Context, Intent, Reply, SetTimer, StopSpeaking, Timer
from appliance.language import Language

LONGEST_S = 366 * 86_400
MOST = 20
"""Timers, alarms and reminders together. More is a mistake or mischief, and nobody wants to hear the list."""


def start(intent: Intent, context: Context) -> Reply:
    seconds = duration_slot(intent)
    if not seconds:
        return reply(
            context,
            en="For how long? Say, for example, set a timer for five minutes.",
            de="Wie lange? Sag zum Beispiel: Stelle einen Timer auf fünf Minuten.",
        )
    refused = refusal(context, seconds)
    if refused is not None:
        return refused
    name = str(intent.slots.get("name", ""))
    action = SetTimer("timer", later(context.now, seconds), name, seconds)
    en, de = duration(seconds, "en"), duration(seconds, "de")
    return reply(
        context,
        en=f"{capitalised(name)} timer set for {en}." if name else f"Timer set for {en}.",
        de=f"{_compound(name)} auf {de} gestellt." if name else f"Timer auf {de} gestellt.",
        actions=[action],
    )


def status(intent: Intent, context: Context) -> Reply:
    running = [timer for timer in context.timers if timer.kind == "timer"]
    asked = matching(running, intent)
    if not asked:
        return _none(intent, context, running)
    lefts = [left_s(timer, context) for timer in asked]
    if len(asked) == 1:
        en, de = duration(lefts[0], "en"), duration(lefts[0], "de")
        name = asked[0].name
        return reply(
            context,
            en=f"The {name} timer has {en} left." if name else f"{capitalised(en)} left.",
            de=f"Der {_compound(name)} läuft noch {de}." if name else f"Noch {de}.",
        )
    each = list(zip(asked, lefts, strict=True))
    en_each = [f"{described(timer, 'en')}, {duration(left, 'en')} left" for timer, left in each]
    de_each = [f"{described(timer, 'de')}, noch {duration(left, 'de')}" for timer, left in each]
    return reply(
        context,
        en=f"You have {in_words(len(asked), 'en')} timers. {capitalised('; '.join(en_each))}.",
        de=f"Es laufen {in_words(len(asked), 'de')} Timer. {capitalised('; '.join(de_each))}.",
    )


def cancel(intent: Intent, context: Context) -> Reply:
    running = [timer for timer in context.timers if timer.kind == "timer"]
    if matching(rings("timer", context), intent):
        rest_en, rest_de = "", ""
        if running:
            left = left_s(running[0], context)
            rest_en = f" {capitalised(described(running[0], 'en'))} has {duration(left, 'en')} left."
            rest_de = f" {capitalised(described(running[0], 'de'))} läuft noch {duration(left, 'de')}."
        return reply(
            context, en=f"Okay, it's off.{rest_en}", de=f"Okay, er ist aus.{rest_de}", actions=[StopSpeaking()])
    asked = matching(running, intent)
    if not asked:
        return _none(intent, context, running)
    if not _alike(asked):
        return which_one(asked, context)
    name = asked[0].name
    return reply(
        context,
        en=f"{capitalised(name)} timer cancelled." if name else "Timer cancelled.",
        de=f"{_compound(name)} abgebrochen." if name else "Timer abgebrochen.",
        actions=[CancelTimer(asked[0].id)],
    )


def cancel_all(intent: Intent, context: Context) -> Reply:
    running = [timer for timer in context.timers if timer.kind == "timer"]
    silence: list[Action] = [StopSpeaking()] if rings("timer", context) else []
    if silence and not running:
        return reply(context, en="Okay, it's off.", de="Okay, er ist aus.", actions=silence)
    if not running:
        return _none(intent, context, running)
    many = len(running) > 1
    return reply(
        context,
        en=f"{capitalised(in_words(len(running), 'en'))} timers cancelled." if many else "Timer cancelled.",
        de=f"{capitalised(in_words(len(running), 'de'))} Timer abgebrochen." if many else "Timer abgebrochen.",
        actions=[*silence, *(CancelTimer(timer.id) for timer in running)],
    )


def lengthen(intent: Intent, context: Context) -> Reply:
    return _change(intent, context, duration_slot(intent))


def shorten(intent: Intent, context: Context) -> Reply:
    return _change(intent, context, -duration_slot(intent))


def _change(intent: Intent, context: Context, by_s: float) -> Reply:
    running = [timer for timer in context.timers if timer.kind == "timer"]
    asked = matching(running, intent)
    if not asked:
        return _none(intent, context, running)
    if not _alike(asked):
        return which_one(asked, context)
    timer = asked[0]
    left = left_s(timer, context) + by_s
    if left < 1:
        return reply(context, en="There is less time left than that.", de="So viel Zeit ist nicht mehr übrig.")
    if left > LONGEST_S:
        return too_long(context)
    changed = SetTimer("timer", later(context.now, left), timer.name, left)
    return reply(context, en=f"Okay, {duration(left, 'en')} left.", de=f"Okay, noch {duration(left, 'de')}.",
                 actions=[CancelTimer(timer.id), changed])


def announcement(timer: Timer, language: Language) -> str:
    """What is said when it rings."""
    if timer.kind == "reminder" and timer.name:
        return f"Reminder: {timer.name}." if language == "en" else f"Erinnerung: {timer.name}."
    if timer.kind == "reminder":
        return "This is your reminder." if language == "en" else "Hier ist deine Erinnerung."
    if timer.kind == "alarm":
        return "This is your alarm." if language == "en" else "Hier ist dein Wecker."
    what = described(timer, language)
    return f"{capitalised(what)} is done." if language == "en" else f"{capitalised(what)} ist abgelaufen."


def missed(timer: Timer, now: datetime, language: Language) -> str:
    """What is said to whoever comes first, when it rang with nobody there."""
    at = when(timer.due, now, language)
    if timer.kind == "alarm":
        return f"Your alarm rang at {at}." if language == "en" else f"Dein Wecker hat geklingelt, {at}."
    said = announcement(timer, language)
    return f"You missed this at {at}. {said}" if language == "en" else f"Das hast du verpasst, {at}. {said}"


def rings(kind: str, context: Context) -> list[Timer]:
    """Those of a kind that ring, or rang a moment ago: whoever says "stop" means these, not what is set for later."""
    return [timer for timer in context.ringing if timer.kind == kind]


def described(timer: Timer, language: Language) -> str:
    """ "the pizza timer", "the timer for ten minutes", "der Pizza-Timer"."""
    if timer.name:
        return f"the {timer.name} timer" if language == "en" else f"der {_compound(timer.name)}"
    length = duration(timer.duration_s, language)
    return f"the timer for {length}" if language == "en" else f"der Timer über {length}"


def _compound(name: str) -> str:
    return f"{capitalised(name)}-Timer"


def duration_slot(intent: Intent) -> float:
    seconds = intent.slots.get("duration_s", 0.0)
    return float(seconds) if isinstance(seconds, (int, float)) else 0.0


def later(now: datetime, seconds: float) -> datetime:
    """now + seconds as they really pass: by way of UTC, because clocks change."""
    return (now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(now.tzinfo)


def left_s(timer: Timer, context: Context) -> float:
    return max(0.0, timer.due.timestamp() - context.now.timestamp())


def matching(timers: list[Timer], intent: Intent) -> list[Timer]:
    """Those with the name or the length that was said; all of them if neither was."""
    name, start_s = str(intent.slots.get("name", "")).casefold(), intent.slots.get("start_s")
    if name:
        named = [(timer, timer.name.casefold()) for timer in timers if timer.name]
        same = [timer for timer, its_name in named if its_name == name]
        return same or [timer for timer, its_name in named if its_name in name or name in its_name]
    if isinstance(start_s, (int, float)):
        return [timer for timer in timers if timer.duration_s == start_s]
    return timers


def _alike(timers: list[Timer]) -> bool:
    """Whether nobody could tell them apart by their description; then the next one is meant."""
    return len({described(timer, "en") for timer in timers}) == 1


def refusal(context: Context, seconds: float) -> Reply | None:
    """Why a timer cannot be set; None if it can."""
    if len(context.timers) >= MOST:
        most_en, most_de = in_words(MOST, "en"), in_words(MOST, "de")
        return reply(
            context,
            en=f"You already have {most_en} timers and alarms. Cancel one first.",
            de=f"Es laufen schon {most_de} Timer und Wecker. Brich erst einen ab.",
        )
    return too_long(context) if seconds > LONGEST_S else None


def too_long(context: Context) -> Reply:
    return reply(context, en="That is too long. A year is the most.",
                 de="Das ist zu lang. Höchstens ein Jahr geht.")


def which_one(timers: list[Timer], context: Context) -> Reply:
    return reply(
        context,
        en=f"Which one? There is {listed([described(timer, 'en') for timer in timers], 'en')}.",
        de=f"Welchen? Es gibt {listed([described(timer, 'de').replace('der ', 'den ', 1) for timer in timers], 'de')}.",
    )


def _none(intent: Intent, context: Context, running: list[Timer]) -> Reply:
    name = str(intent.slots.get("name", ""))
    if not running or not name:
        en = "There is no such timer." if running else "No timer is running."
        de = "So einen Timer gibt es nicht." if running else "Es läuft kein Timer."
        return reply(context, en=en, de=de)
    return reply(context, en=f"There is no {name} timer.", de=f"Es gibt keinen {_compound(name)}.")


FAMILY = Family(
    "timer",
    skills={
        "HassStartTimer": start,
        "HassTimerStatus": status,
        "HassIncreaseTimer": lengthen,
        "HassDecreaseTimer": shorten,
        "HassCancelTimer": cancel,
        "HassCancelAllTimers": cancel_all,
    },
    readers={
        "duration": DURATION, "start": START, "named_duration": read_named_duration, "timer_name": NAME, "name": NAME,
    },
    actions=(SetTimer, CancelTimer, StopSpeaking),
)
