"""Compares the slots of an answer with the canonical values of README.md, as leniently as a fair listener would."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from appliance.dialogue.types import Answer

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SMALL_WORDS = frozenset(
    "a an the my our your some to that about of is are"
    " der die das den dem des ein eine einen einem einer mein meine meinen meinem meiner unser unsere zu zum zur an ans"
    " am daran dass von vom ne nen muss soll".split()
)
_LISTS = {
    "shopping": "shopping shop grocery groceries einkauf einkaufs einkaufen einkaufszettel einkaufsliste".split(),
    "todo": "todo todos to-do aufgaben task tasks todoliste erledigungen chores".split(),
}
_FOODS = {
    "mehl": "flour", "zucker": "sugar", "milch": "milk", "honig": "honey", "salz": "salt", "reis": "rice",
    "haferflocken": "oat", "sahne": "cream", "fleisch": "meat", "ei": "egg", "eier": "egg", "kartoffeln": "potatoe",
    "nudeln": "pasta", "schwarzer tee": "black tea", "brokkoli": "broccoli", "karotten": "carrot",
}  # fmt: skip
"""A skill may name foods by one key for both languages."""
_STATUS = ("AlarmStatus", "ReminderStatus")
"""Who asks about Saturday is answered by all that is set as well."""
_SETS = ("HassStartTimer", "SetAlarm", "SetReminder")
_SET_BY_NOBODY = ("duration_s", "moment", "repeat")
"""With _SETS, a value of these that was not said is wrong; other slots may have a default."""


def differences(expected: Mapping[str, str], answer: Answer, now: datetime) -> list[str]:
    """What is not as expected, in words; empty if all is right."""
    found = []
    for slot, wanted in expected.items():
        got = _value(slot, answer)
        if got is None and slot == "day" and answer.intent.name in _STATUS:
            continue
        if slot == "name" and answer.intent.name == "CancelReminder" and _told_apart(wanted, str(got)):
            continue
        if got is None or wanted != "*" and not _same(slot, wanted, got, now):
            found.append(f"{slot}={got}, expected {wanted}")
    mine = _SET_BY_NOBODY if answer.intent.name in _SETS else ()
    unsaid = {slot: answer.intent.slots.get(slot) for slot in mine if slot not in expected}
    return found + [f"{slot}={value}, which nobody said" for slot, value in unsaid.items() if value not in (None, "")]


def _told_apart(wanted: str, got: str) -> bool:
    """Whether both name the same reminder, of which there are few: by its task or a part of it."""
    first, second = set(words(wanted).split()), set(words(got).split())
    return bool(first and second) and (first <= second or second <= first)


def _value(slot: str, answer: Answer) -> Any:
    """The slot, or what the answer sets: a skill may have worked out the moment that the words left open."""
    set_now = [action for action in answer.reply.actions if hasattr(action, "due")]
    if slot == "moment" and set_now:
        return set_now[0].due
    slots = answer.intent.slots
    if slot == "result":
        expression = slots.get("expression", slots.get("result"))
        return expression.evaluate() if hasattr(expression, "evaluate") else expression
    if slot not in slots:  # "yes" has no slots, but what it sets has
        return next((getattr(action, slot) for action in answer.reply.actions if hasattr(action, slot)), None)
    return slots[slot]


def _same(slot: str, wanted: str, got: Any, now: datetime) -> bool:
    if slot in ("moment", "at") or slot in ("from", "to") and re.fullmatch(r"(.* )?\d\d:\d\d", wanted):
        return _same_moment(wanted, got, now)
    if slot == "day":
        return _date(wanted, now.date()) == _resolved_day(got, now)
    if slot in ("from", "to") and re.search(r"-\d\d$", wanted):  # a span's year is the skill's matter
        day = _resolved_day(got, now)
        return day is not None and wanted.endswith(f"{day:%m-%d}")
    if slot == "quantity":
        value, _, unit = wanted.partition(" ")
        got_value, _, got_unit = str(got).partition(" ")
        return unit == got_unit and _same_number(value, got_value)
    if slot in ("items", "options"):
        parts = got if isinstance(got, (list, tuple, set, frozenset)) else str(got).split(",")
        return sorted(words(part) for part in wanted.split(",")) == sorted(words(str(part)) for part in parts)
    if slot in ("food", "ingredient"):
        return _food(wanted) == _food(str(got))
    if slot == "list":
        return _list_name(wanted) == _list_name(str(got))
    if re.fullmatch(r"-?\d+(\.\d+)?(/\d+)?", wanted):
        return _same_number(wanted, got)
    return words(wanted) == words(str(got))


def _same_number(wanted: str, got: Any) -> bool:
    try:
        value, target = Fraction(str(got)), Fraction(wanted)
    except (ValueError, ZeroDivisionError):
        return False
    return abs(value - target) <= abs(target) * Fraction(1, 1000)  # 1.33 for four thirds is fair


def words(text: str) -> str:
    """Without case, punctuation, and small words at the ends."""
    kept = re.sub(r"[^\w\s'-]", " ", unicodedata.normalize("NFC", text).casefold()).split()
    while kept and kept[0] in _SMALL_WORDS:
        kept = kept[1:]
    while kept and kept[-1] in _SMALL_WORDS:
        kept = kept[:-1]
    return " ".join(kept)


def _food(text: str) -> str:
    name = words(text)
    return _FOODS.get(name, name.removesuffix("s"))


def _list_name(text: str) -> str:
    """ "my to-do list" is todo, "Urlaubsliste" is urlaub: a compound's s and a plural's make no difference."""
    name = words(re.sub(r"\bto[- ]do", "todo", text.casefold()))
    name = re.sub(r"[- ]?(list|liste|zettel)$", "", name)
    return next((known for known, names in _LISTS.items() if name in names), name.removesuffix("s"))


def _same_moment(wanted: str, got: Any, now: datetime) -> bool:
    if hasattr(got, "resolve"):  # "the six thirty alarm": the skill finds it among those that are set
        moment = got.resolve(now)
        halves = (timedelta(0), timedelta(hours=12), timedelta(hours=-12))[: 1 if getattr(got, "exact", True) else 3]
        return any(_same_moment(wanted, moment + half, now) for half in halves)
    if isinstance(got, datetime):
        moment = got.replace(tzinfo=None) if got.tzinfo is None else got.astimezone(now.tzinfo).replace(tzinfo=None)
        return moment.replace(second=0, microsecond=0) == moment_of(wanted, now)
    return str(got)[:5] == wanted[-5:]  # quiet hours are times of day


def moment_of(text: str, now: datetime) -> datetime:
    """ "18:30" the next such time, "+1 07:00", "fri 18:00", "2026-03-24 09:00": local time without its zone."""
    day_text, _, clock = text.rpartition(" ")
    hour, minute = (int(part) for part in clock.split(":"))
    today = now.replace(tzinfo=None, second=0, microsecond=0)
    if day_text:
        day = _date(day_text, now.date())
        moment = datetime(day.year, day.month, day.day, hour, minute)
        return moment + timedelta(days=7) if moment <= today and day_text in _WEEKDAYS else moment
    moment = today.replace(hour=hour, minute=minute)
    return moment if moment > today else moment + timedelta(days=1)


def _date(text: str, today: date) -> date:
    if text in _WEEKDAYS:
        return today + timedelta(days=(_WEEKDAYS.index(text) - today.weekday()) % 7)
    if text.startswith(("+", "-")) or text == "0":
        return today + timedelta(days=int(text))
    if len(text) == 5:
        day = date.fromisoformat(f"{today.year}-{text}")
        return day if day >= today else day.replace(year=today.year + 1)
    return date.fromisoformat(text)


def _resolved_day(got: Any, now: datetime) -> date | None:
    if hasattr(got, "resolve"):
        got = got.resolve(now.date())
    if isinstance(got, datetime):
        return got.date()
    return got if isinstance(got, date) else None
