"""Which day it is, and how long until one."""

from __future__ import annotations

from datetime import date

from appliance.dialogue.family import Family
from appliance.dialogue.reading.days import WEEKDAYS, Day
from appliance.dialogue.reading.readers import DAY
from appliance.dialogue.saying.number_words import in_words
from appliance.dialogue.saying.spoken import capitalised, day_name, reply
from appliance.dialogue.types import Context, Intent, Reply
from appliance.errors import SkillError


def tell_date(intent: Intent, context: Context) -> Reply:
    day = _resolved(intent, context)
    en, de = _lead(intent, day, context)
    said_de = day_name(day, "de", dative=de.endswith(" am"))
    return reply(context, en=f"{en} {day_name(day, 'en')}.", de=f"{de} {said_de}.")


def tell_weekday(intent: Intent, context: Context) -> Reply:
    day = _resolved(intent, context)
    en, de = _lead(intent, day, context)
    weekday = day.weekday()
    return reply(context, en=f"{en} {WEEKDAYS['en'][weekday]}.", de=f"{de} {WEEKDAYS['de'][weekday]}.")


def count_days(intent: Intent, context: Context) -> Reply:
    day = _resolved(intent, context)
    days = (day - context.now.date()).days
    if days == 0:
        return reply(context, en="That's today.", de="Das ist heute.")
    if days < 0:
        ago = abs(days)
        return reply(
            context,
            en=f"That was {in_words(ago, 'en')} {'day' if ago == 1 else 'days'} ago.",
            de=f"Das war vor {'einem Tag' if ago == 1 else in_words(ago, 'de') + ' Tagen'}.",
        )
    asked = intent.slots.get("day")
    name = asked.name if isinstance(asked, Day) else ""
    until_en, until_de = (f" until {name}", f" bis {name}") if name else ("", "")
    return reply(
        context,
        en=f"{capitalised(in_words(days, 'en'))} {'day' if days == 1 else 'days'}{until_en}.",
        de=f"Noch {'ein Tag' if days == 1 else in_words(days, 'de') + ' Tage'}{until_de}.",
    )


def _resolved(intent: Intent, context: Context) -> date:
    today = context.now.date()
    day = intent.slots.get("day")
    try:
        return day.resolve(today) if isinstance(day, Day) else today
    except (ValueError, OverflowError) as error:
        sentences = {"en": "There is no such day.", "de": "Diesen Tag gibt es nicht."}
        raise SkillError(sentences[context.language]) from error


def _lead(intent: Intent, day: date, context: Context) -> tuple[str, str]:
    """How the sentence begins: "Today is", "Christmas is on", "Das ist"."""
    asked = intent.slots.get("day")
    if isinstance(asked, Day) and asked.name:
        return f"{asked.name} is on", f"{asked.name} ist am"
    match (day - context.now.date()).days:
        case 0:
            return "Today is", "Heute ist"
        case 1:
            return "Tomorrow is", "Morgen ist"
        case -1:
            return "Yesterday was", "Gestern war"
        case _:
            return "That's", "Das ist"


FAMILY = Family(
    "date",
    skills={
        "HassGetCurrentDate": tell_date,
        "GetWeekday": tell_weekday,
        "CountDays": count_days,
    },
    readers={"day": DAY},
)
