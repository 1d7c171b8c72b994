"""What time it is, here and elsewhere, how far apart zones are, and how long until an hour."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from appliance.dialogue.family import Family
from appliance.dialogue.reading.moments import Moment
from appliance.dialogue.reading.spans import MOMENT
from appliance.dialogue.reading.zones import from_zones, zones
from appliance.dialogue.types import Context, Intent, Reply


def tell_time(intent: Intent, context: Context) -> Reply:
    zone = intent.slots.get("zone")
    if not isinstance(zone, str):
        return context.say("clock.now", time=context.now)
    there = context.now.astimezone(ZoneInfo(zone))
    days = (there.date() - context.now.date()).days
    name = {0: "clock.there", 1: "clock.there_tomorrow", -1: "clock.there_yesterday"}[days]
    return context.say(name, time=there, place=intent.slots.get("place", zone))


def tell_difference(intent: Intent, context: Context) -> Reply:
    zone, base = str(intent.slots.get("zone", "UTC")), intent.slots.get("from_zone")
    offset = _offset(context.now.astimezone(ZoneInfo(zone)))
    own = context.now.astimezone(ZoneInfo(base)) if isinstance(base, str) else context.now
    hours = Fraction(round(offset - _offset(own)), 3600)
    place = intent.slots.get("place", zone)
    than = "clock.than_there" if hours > 0 else "clock.behind_there"
    where = context.text(than, place=intent.slots.get("from_place")) if base else ""
    if not hours:
        return context.say("clock.same_time", place=place, where=where)
    return context.say("clock.ahead" if hours > 0 else "clock.behind", place=place, n=abs(hours), where=where)


def _offset(moment: datetime) -> float:
    offset = moment.utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


def tell_until(intent: Intent, context: Context) -> Reply:
    moment = intent.slots.get("moment")
    if not isinstance(moment, Moment):
        return context.say("clock.now", time=context.now)
    left = moment.resolve(context.now).timestamp() - context.now.timestamp()
    return context.say("clock.until", left=max(0.0, left))


FAMILY = Family(
    "clock",
    skills={"HassGetCurrentTime": tell_time, "TimeDifference": tell_difference, "TimeUntil": tell_until},
    carries=("zone",),
    readers={"zone": zones, "from_zone": from_zones, "moment": MOMENT},
)
