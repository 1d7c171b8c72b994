"""All families. The order decides nothing but the order in which the help speaks of them."""

from __future__ import annotations

from appliance.dialogue.families.alarm.skill import FAMILY as ALARM
from appliance.dialogue.families.arithmetic.skill import FAMILY as ARITHMETIC
from appliance.dialogue.families.chance.skill import FAMILY as CHANCE
from appliance.dialogue.families.clock.skill import FAMILY as CLOCK
from appliance.dialogue.families.conversion.skill import FAMILY as CONVERSION
from appliance.dialogue.families.date.skill import FAMILY as DATE
from appliance.dialogue.families.help.skill import FAMILY as HELP
from appliance.dialogue.families.joke.skill import FAMILY as JOKE
from appliance.dialogue.families.reminder.skill import FAMILY as REMINDER
from appliance.dialogue.families.smalltalk.skill import FAMILY as SMALLTALK
from appliance.dialogue.families.timer.skill import FAMILY as TIMER
from appliance.dialogue.families.turn.skill import FAMILY as TURN
from appliance.dialogue.families.volume.skill import FAMILY as VOLUME
from appliance.dialogue.family import Family

FAMILIES: tuple[Family, ...] = (
    CLOCK, DATE, TIMER, ALARM, REMINDER, ARITHMETIC, CONVERSION, VOLUME, CHANCE, JOKE, TURN, SMALLTALK, HELP,
)  # fmt: skip
INTENTS = frozenset(intent for family in FAMILIES for intent in family.skills)
"""Every intent that somebody answers; "" is what was not understood."""
