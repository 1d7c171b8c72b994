"""Sun, moon, seasons and holidays, computed here (astral, holidays): nobody is asked."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from math import cos, pi
from typing import Any
from zoneinfo import ZoneInfo

from astral import LocationInfo
from astral.moon import phase
from astral.sun import sun

from appliance.dialogue.family import Family
from appliance.dialogue.reading.days import Day
from appliance.dialogue.reading.spans import DAY
from appliance.dialogue.types import Context, Intent, Reply

_PHASES = (
    "new",
    "waxing_crescent",
    "first_quarter",
    "waxing_gibbous",
    "full",
    "waning_gibbous",
    "last_quarter",
    "waning_crescent",
)
_MONTH_DAYS = 28.0
"""astral counts a moon's month as 28."""
_SEASONS = {"spring": 0, "summer": 1, "autumn": 2, "winter": 3}


def sun_time(intent: Intent, context: Context) -> Reply:
    event = str(intent.slots.get("event", "sunset"))
    day = _day(intent, context)
    times = _sun(day, context)
    if times is None:
        return context.say("sky.no_sun")
    moment = times[event]
    past = moment < context.now
    said_day = "day" in intent.slots and day != context.now.date()
    if said_day:
        name = "tomorrow" if (day - context.now.date()).days == 1 else "other"
        return context.say(f"sky.{event}_{name}", time=moment, day=day)
    return context.say(f"sky.{event}_{'was' if past else 'is'}", time=moment)


def day_length(intent: Intent, context: Context) -> Reply:
    times = _sun(_day(intent, context), context)
    if times is None:
        return context.say("sky.no_sun")
    return context.say("sky.day_length", length=60.0 * round((times["sunset"] - times["sunrise"]).total_seconds() / 60))


def moon_phase(intent: Intent, context: Context) -> Reply:
    wanted = intent.slots.get("phase")
    if wanted in ("full", "new"):
        day = _next_moon(str(wanted), context.now.date())
        return context.say(f"sky.next_{wanted}", day=day, n=(day - context.now.date()).days)
    age = phase(_day(intent, context))
    name = _PHASES[int((age / _MONTH_DAYS * 8 + 0.5) % 8)]
    lit = round(50 * (1 - cos(2 * pi * age / _MONTH_DAYS)))
    return context.say("sky.moon", phase=context.text(f"sky.moon_{name}"), n=lit)


def _next_moon(wanted: str, today: date) -> date:
    target = 14.0 if wanted == "full" else 0.0

    def off(day: date) -> float:
        return abs((phase(day) - target + _MONTH_DAYS / 2) % _MONTH_DAYS - _MONTH_DAYS / 2)

    days = [today + timedelta(days=ahead) for ahead in range(31)]
    return min(days, key=off)


def is_holiday(intent: Intent, context: Context) -> Reply:
    day = _day(intent, context)
    name = _holidays(context, day.year).get(day)
    when = "today" if day == context.now.date() else "other"
    if name is None:
        return context.say(f"sky.no_holiday_{when}", day=day)
    return context.say(f"sky.holiday_{when}", day=day, name=name)


def next_holiday(intent: Intent, context: Context) -> Reply:
    today = context.now.date()
    found = {**_holidays(context, today.year), **_holidays(context, today.year + 1)}
    day = min(each for each in found if each > today)
    return context.say("sky.next_holiday", name=found[day], day=day, n=(day - today).days)


def clock_change(intent: Intent, context: Context) -> Reply:
    now, zone = context.now, context.now.tzinfo
    if zone is None:
        return context.say("sky.no_change")
    for ahead in range(1, 400):
        before = (now + timedelta(days=ahead - 1)).replace(hour=12)
        after = (now + timedelta(days=ahead)).replace(hour=12)
        first, second = before.utcoffset(), after.utcoffset()
        if first != second and first is not None and second is not None:
            return context.say("sky.clocks_forward" if second > first else "sky.clocks_back", day=after.date())
    return context.say("sky.no_change")


def season_start(intent: Intent, context: Context) -> Reply:
    season = str(intent.slots.get("season", "spring"))
    today = context.now.date()
    starts = [_equinox(year, _SEASONS.get(season, 0)) for year in (today.year, today.year + 1)]
    day = next(each for each in starts if each >= today)
    return context.say(f"sky.{season}", day=day)


def _equinox(year: int, quarter: int) -> date:
    """Day of the equinox or solstice: Meeus' mean formulae of 2000, right to about a quarter of an hour till 2100."""
    start = (2451623.80984, 2451716.56767, 2451810.21715, 2451900.05952)[quarter]
    length = (365242.37404, 365241.62603, 365242.01767, 365242.74049)[quarter]
    julian = start + length * (year - 2000) / 1000
    return (datetime(2000, 1, 1, 12) + timedelta(days=julian - 2451545.0)).date()


def _day(intent: Intent, context: Context) -> date:
    day = intent.slots.get("day")
    today = context.now.date()
    try:
        return day.resolve(today) if isinstance(day, Day) else today
    except (ValueError, OverflowError):
        return today


def _sun(day: date, context: Context) -> dict[str, datetime] | None:
    """None where the sun does not rise or set that day."""
    latitude, longitude = context.device.place
    zone = context.now.tzinfo or ZoneInfo("UTC")
    try:
        return sun(LocationInfo(latitude=latitude, longitude=longitude).observer, date=day, tzinfo=zone)
    except ValueError:
        return None


def _holidays(context: Context, year: int) -> dict[date, str]:
    return _of_region(context.device.region, year, context.language)


@lru_cache(16)
def _of_region(region: str, year: int, language: str) -> dict[date, str]:
    import holidays  # 8 MB, when somebody asks for the first time

    country, _, subdivision = region.partition("-")
    try:
        found: Any = holidays.country_holidays(country, subdiv=subdivision or None, years=year, language=language)
    except (NotImplementedError, KeyError, ValueError):
        found = holidays.country_holidays(country, years=year)
    return dict(found)


FAMILY = Family(
    "sky",
    skills={
        "SunTime": sun_time,
        "DayLength": day_length,
        "MoonPhase": moon_phase,
        "IsHoliday": is_holiday,
        "NextHoliday": next_holiday,
        "ClockChange": clock_change,
        "SeasonStart": season_start,
    },
    readers={"day": DAY},
    about_device=True,
    carries=("day",),
)
