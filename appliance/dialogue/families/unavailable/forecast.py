"""A forecast in words. `answer` is what helpers/weather.py gives: now and days, as JSON."""

from __future__ import annotations

import json
from datetime import timedelta

from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.days import Day
from appliance.dialogue.types import Context, Intent, Reply

_SKIES = (
    (0, "clear"),
    (2, "fair"),
    (3, "cloudy"),
    (48, "fog"),
    (57, "drizzle"),
    (67, "rain"),
    (77, "snow"),
    (82, "showers"),
    (86, "snow"),
    (99, "storm"),
)
"""WMO's code table 4677 as Open-Meteo uses it: up to which code it is called so."""


def forecast(answer: str, intent: Intent, context: Context) -> Reply:
    """What it will be on the day that was spoken of; now and today if none was."""
    found = json.loads(answer)
    ahead = _days_ahead(intent, context)
    if not 0 <= ahead < len(found["days"]):
        return context.say("unavailable.no_forecast")
    day = found["days"][ahead]
    values = {
        "sky": _sky(day["code"], context),
        "low": _signed(day["low_c"], context),
        "high": _degrees(day["high_c"], context),
        "rain": day["rain_percent"],
        "when": context.now.date() + timedelta(days=ahead),
    }
    if ahead == 0:
        return context.say(
            "unavailable.today",
            now=_sky(found["now"]["code"], context),
            temperature=_degrees(found["now"]["temperature_c"], context),
            **values,
        )
    return context.say("unavailable.tomorrow" if ahead == 1 else "unavailable.that_day", **values)


def _days_ahead(intent: Intent, context: Context) -> int:
    day, today = intent.slots.get("day"), context.now.date()
    try:
        return (day.resolve(today) - today).days if isinstance(day, Day) else 0
    except (ValueError, OverflowError):
        return -1


def _sky(code: int, context: Context) -> str:
    name = next((name for most, name in _SKIES if code <= most), "storm")
    return context.text(f"unavailable.sky_{name}")


def _degrees(celsius: int, context: Context) -> str:
    """ "minus one degree"."""
    return context.text("unavailable.degrees", n=abs(celsius), sign=_sign(celsius, context))


def _signed(celsius: int, context: Context) -> str:
    return f"{_sign(celsius, context)} {grammar(context.language).in_words(abs(celsius))}".strip()


def _sign(celsius: int, context: Context) -> str:
    return str(grammar(context.language).words["minus"][0]) if celsius < 0 else ""
