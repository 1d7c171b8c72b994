"""All families. The order decides nothing but the order in which the help speaks of them."""

from __future__ import annotations

from appliance.dialogue.families.alarm.skill import FAMILY as ALARM
from appliance.dialogue.families.announce.skill import FAMILY as ANNOUNCE
from appliance.dialogue.families.arithmetic.skill import FAMILY as ARITHMETIC
from appliance.dialogue.families.chance.skill import FAMILY as CHANCE
from appliance.dialogue.families.clock.skill import FAMILY as CLOCK
from appliance.dialogue.families.conversion.skill import FAMILY as CONVERSION
from appliance.dialogue.families.cooking.skill import FAMILY as COOKING
from appliance.dialogue.families.date.skill import FAMILY as DATE
from appliance.dialogue.families.help.skill import FAMILY as HELP
from appliance.dialogue.families.helper.skill import FAMILY as HELPER
from appliance.dialogue.families.joke.skill import FAMILY as JOKE
from appliance.dialogue.families.list.skill import FAMILY as LIST
from appliance.dialogue.families.note.skill import FAMILY as NOTE
from appliance.dialogue.families.reminder.skill import FAMILY as REMINDER
from appliance.dialogue.families.sky.skill import FAMILY as SKY
from appliance.dialogue.families.smalltalk.skill import FAMILY as SMALLTALK
from appliance.dialogue.families.spelling.skill import FAMILY as SPELLING
from appliance.dialogue.families.stopwatch.skill import FAMILY as STOPWATCH
from appliance.dialogue.families.system.skill import FAMILY as SYSTEM
from appliance.dialogue.families.timer.skill import FAMILY as TIMER
from appliance.dialogue.families.turn.skill import FAMILY as TURN
from appliance.dialogue.families.unavailable.skill import FAMILY as UNAVAILABLE
from appliance.dialogue.families.voice.skill import FAMILY as VOICE
from appliance.dialogue.families.volume.skill import FAMILY as VOLUME
from appliance.dialogue.family import Family

FAMILIES: tuple[Family, ...] = (
    CLOCK, DATE, TIMER, ALARM, REMINDER, STOPWATCH, LIST, NOTE, ARITHMETIC, CONVERSION, COOKING, VOLUME, VOICE, CHANCE,
    SPELLING, JOKE, SKY, ANNOUNCE, SYSTEM, TURN, SMALLTALK, HELP, HELPER, UNAVAILABLE,
)  # fmt: skip
