"""What time it is."""

from __future__ import annotations

from appliance.dialogue.family import Family
from appliance.dialogue.saying.spoken import clock, reply
from appliance.dialogue.types import Context, Intent, Reply


def tell_time(intent: Intent, context: Context) -> Reply:
    return reply(context, en=f"It's {clock(context.now, 'en')}.", de=f"Es ist {clock(context.now, 'de')}.")


FAMILY = Family(
    "clock",
    skills={
        "HassGetCurrentTime": tell_time,
    },
)
