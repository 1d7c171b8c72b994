"""Which day it is, how far one is away, and what calendars know besides."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from appliance.dialogue.family import Family
from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.days import Day
from appliance.dialogue.reading.spans import DAY, SpanReader, year
from appliance.dialogue.types import Context, Intent, Reply
from appliance.dialogue.utterance import Span, Utterance
from appliance.errors import SkillError


def tell_date(intent: Intent, context: Context) -> Reply:
    return _told("date", intent, context)


def tell_weekday(intent: Intent, context: Context) -> Reply:
    return _told("weekday", intent, context)


def _told(what: str, intent: Intent, context: Context) -> Reply:
    asked = intent.slots.get("day")
    day = _resolved(asked, context)
    if isinstance(asked, Day) and asked.name:
        return context.say(f"date.{what}_feast", feast=asked.name, day=day)
    days = (day - context.now.date()).days
    when = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days, "past" if days < 0 else "other")
    return context.say(f"date.{what}_{when}", day=day)


def count_days(intent: Intent, context: Context) -> Reply:
    asked = intent.slots.get("day")
    day = _resolved(asked, context)
    days = (day - context.now.date()).days
    if days == 0:
        return context.say("date.that_is_today")
    until = context.text("date.until", feast=asked.name) if isinstance(asked, Day) and asked.name else ""
    unit = str(intent.slots.get("unit", "d"))
    if days < 0:
        return context.say("date.ago", n=-days, amount=_amount(-days, "d", context, "dative"))
    if unit == "wk":
        weeks, rest = divmod(days, 7)
        more = context.text("date.and_days", amount=_amount(rest, "d", context)) if rest else ""
        return context.say("date.left", amount=_amount(weeks, "wk", context) + more, until=until)
    if unit == "mo":
        today = context.now.date()
        months = 12 * (day.year - today.year) + day.month - today.month - (day.day < today.day)
        return context.say("date.left_about", amount=_amount(months, "mo", context), until=until)
    return context.say("date.left", amount=_amount(days, "d", context), until=until)


def count_between(intent: Intent, context: Context) -> Reply:
    first, second = (_resolved(intent.slots.get(slot), context) for slot in ("from", "to"))
    days = abs((second - first).days)
    return context.say("date.between", amount=_amount(days, "d", context))


def tell_week(intent: Intent, context: Context) -> Reply:
    day = _resolved(intent.slots.get("day"), context)
    this = day.isocalendar()[:2] == context.now.date().isocalendar()[:2]
    return context.say("date.this_week" if this else "date.week", n=day.isocalendar().week)


def tell_leap(intent: Intent, context: Context) -> Reply:
    year = intent.slots.get("year")
    year = year if isinstance(year, int) else context.now.year
    if intent.slots.get("next"):
        year = next(each for each in range(context.now.year, context.now.year + 9) if isleap(each))
        return context.say("date.next_leap", year=year)
    return context.say("date.leap" if isleap(year) else "date.no_leap", year=year)


def tell_month(intent: Intent, context: Context) -> Reply:
    month = intent.slots.get("month")
    today = context.now.date()
    month = month if isinstance(month, int) else today.month
    year = today.year + (month < today.month)
    return context.say("date.month_has", month=date(year, month, 1), n=monthrange(year, month)[1])


def _amount(number: int, unit: str, context: Context, form: str = "words") -> str:
    return context.text("date.amount_dative" if form == "dative" else f"date.amount_{unit}", n=number)


def _resolved(day: object, context: Context) -> date:
    today = context.now.date()
    try:
        return day.resolve(today) if isinstance(day, Day) else today
    except (ValueError, OverflowError) as error:
        raise SkillError(context.text("date.no_such_day")) from error


def _end(slot: str, quality: float) -> SpanReader:
    def read(utterance: Utterance) -> Iterator[Span]:
        for span in DAY(utterance):
            yield Span(span.start, span.end, {slot: span.slots["day"]}, quality)

    return read


def _past(utterance: Utterance) -> Iterator[Span]:
    """The last such day."""
    for span in DAY(utterance):
        day = span.slots["day"]
        if isinstance(day, Day):
            yield Span(span.start, span.end, {"day": replace(day, past=True)})


def _months(utterance: Utterance) -> Iterator[Span]:
    months = grammar(utterance.language).words.months
    for at, word in enumerate(utterance.words):
        if word in months:
            yield Span(at, at + 1, {"month": months[word]})


FAMILY = Family(
    "date",
    keeps=("day",),
    keeps_for=frozenset({"HassGetCurrentDate", "GetWeekday", "GetWeekNumber", "CountDays"}),
    skills={
        "HassGetCurrentDate": tell_date,
        "GetWeekday": tell_weekday,
        "CountDays": count_days,
        "CountDaysBetween": count_between,
        "GetWeekNumber": tell_week,
        "IsLeapYear": tell_leap,
        "DaysInMonth": tell_month,
    },
    carries=("day",),
    readers={
        "day": DAY,
        "from": _end("from", 1.0),
        "to": _end("to", 0.99),
        "month": _months,
        "year": year,
        "past_day": _past,
    },
)
