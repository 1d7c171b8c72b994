"""What is said on its own: when something rings, and when it rang with nobody there."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from appliance.dialogue.dialogue import replies
from appliance.dialogue.families import FAMILIES
from appliance.dialogue.families.timer.skill import described
from appliance.dialogue.saying.replies import Replies
from appliance.dialogue.things import Timer
from appliance.dialogue.types import Context
from appliance.language import Language


@cache
def _texts(language: Language) -> Replies:
    return replies(FAMILIES, language)


def announced(timer: Timer, now: datetime, language: Language) -> str:
    """What is said when it rings."""
    context = Context(language, now, _texts(language))
    if timer.kind == "timer":
        return context.say("timer.done", what=described(timer, context)).text
    if timer.kind == "reminder" and timer.name:
        return context.say("reminder.now", what=timer.name).text
    return context.say("reminder.now_unnamed" if timer.kind == "reminder" else "alarm.now").text


def missed(timer: Timer, now: datetime, language: Language) -> str:
    """What is said to whoever comes first, when it rang with nobody there."""
    context = Context(language, now, _texts(language))
    when = context.text("alarm.at", when=(timer.due, now))
    if timer.kind == "timer":
        return context.say("timer.missed", what=described(timer, context), when=when).text
    return context.say(f"{timer.kind}.missed", what=timer.name or context.text("reminder.something"), when=when).text
