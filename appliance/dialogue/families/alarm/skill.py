"""Alarms: what rings at a time of day."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from appliance.dialogue.families.timer.skill import duration_slot, later, refusal
from appliance.dialogue.family import Family
from appliance.dialogue.reading.moments import Moment
from appliance.dialogue.reading.readers import DURATION, MOMENT
from appliance.dialogue.saying.spoken import duration, listed, reply, when
from appliance.dialogue.types import Action, CancelTimer, Context, Intent, Reply, SetTimer, StopSpeaking, Timer

Kind = Literal["alarm", "reminder"]


def set_alarm(intent: Intent, context: Context) -> Reply:
    seconds, due = duration_slot(intent), due_slot(intent, context)
    if due is None:
        return reply(
            context,
            en="For what time? Say, for example, wake me at seven.",
            de="Für wann? Sag zum Beispiel: Weck mich um sieben.",
        )
    refused = refusal(context, due.timestamp() - context.now.timestamp()) or passed(due, context)
    if refused is not None:
        return refused
    en, de = ringing_time(seconds, due, context)
    return reply(context, en=f"Okay, your alarm rings {en}.", de=f"Okay, der Wecker klingelt {de}.",
                 actions=[SetTimer("alarm", due, "", seconds)])


def alarm_status(intent: Intent, context: Context) -> Reply:
    alarms = of_kind("alarm", context)
    if not alarms:
        return reply(context, en="No alarm is set.", de="Es ist kein Wecker gestellt.")
    en = listed([when(alarm.due, context.now, "en") for alarm in alarms], "en")
    de = listed([when(alarm.due, context.now, "de") for alarm in alarms], "de")
    many = len(alarms) > 1
    return reply(context, en=f"Your {'alarms ring' if many else 'alarm rings'} at {en}.",
                 de=f"{'Deine Wecker klingeln' if many else 'Dein Wecker klingelt'} {de}.")


def cancel_alarm(intent: Intent, context: Context) -> Reply:
    """The alarm at the time that was said, or the next one."""
    alarms = of_kind("alarm", context)
    moment = intent.slots.get("moment")
    if moment is None and context.ringing:  # a timer's sound is called an alarm as well
        next_en = f" The next one rings at {when(alarms[0].due, context.now, 'en')}." if alarms else ""
        next_de = f" Der nächste klingelt {when(alarms[0].due, context.now, 'de')}." if alarms else ""
        return reply(context, en=f"Okay, the alarm is off.{next_en}", de=f"Okay, der Wecker ist aus.{next_de}",
                     actions=[StopSpeaking()])
    if isinstance(moment, Moment):
        face = {(moment.hour % 12, moment.minute)} if not moment.exact else {(moment.hour, moment.minute)}
        modulus = 24 if moment.exact else 12
        alarms = [alarm for alarm in alarms if (alarm.due.hour % modulus, alarm.due.minute) in face]
    if not alarms:
        return reply(context, en="There is no such alarm.", de="So einen Wecker gibt es nicht.")
    at_en, at_de = when(alarms[0].due, context.now, "en"), when(alarms[0].due, context.now, "de")
    return reply(context, en=f"Okay, no alarm at {at_en}.", de=f"Okay, kein Wecker {at_de}.",
                 actions=[CancelTimer(alarms[0].id)])


def cancel_all_alarms(intent: Intent, context: Context) -> Reply:
    silence: list[Action] = [StopSpeaking()] if context.ringing else []
    actions = [*silence, *(CancelTimer(alarm.id) for alarm in of_kind("alarm", context))]
    if not actions:
        return reply(context, en="No alarm is set.", de="Es ist kein Wecker gestellt.")
    return reply(context, en="All alarms cancelled.", de="Alle Wecker gelöscht.", actions=actions)


def of_kind(kind: Kind, context: Context) -> list[Timer]:
    return [timer for timer in context.timers if timer.kind == kind]


def due_slot(intent: Intent, context: Context) -> datetime | None:
    """When it shall ring; None if no time was said."""
    if seconds := duration_slot(intent):
        return later(context.now, min(seconds, 10**9))
    moment = intent.slots.get("moment")
    if not isinstance(moment, Moment):
        return None
    return moment.resolve(context.now, waking=bool(intent.slots.get("waking")))


def ringing_time(seconds: float, due: datetime, context: Context) -> tuple[str, str]:
    """ "in ten minutes" or "at seven o'clock tomorrow morning", in both languages."""
    if seconds:
        return f"in {duration(seconds, 'en')}", f"in {_dative(duration(seconds, 'de'))}"
    return f"at {when(due, context.now, 'en')}", when(due, context.now, "de")


def passed(due: datetime, context: Context) -> Reply | None:
    if due > context.now:
        return None
    return reply(context, en="That time has already passed.", de="Dieser Zeitpunkt ist schon vorbei.")


def _dative(duration_de: str) -> str:
    """ "eine Minute" to "einer Minute", "zwei Tage" to "zwei Tagen"."""
    words = {"eine": "einer", "einen": "einem", "Tage": "Tagen"}
    return " ".join(words.get(word, word) for word in duration_de.split())


FAMILY = Family(
    "alarm",
    skills={
        "SetAlarm": set_alarm,
        "AlarmStatus": alarm_status,
        "CancelAlarm": cancel_alarm,
        "CancelAllAlarms": cancel_all_alarms,
    },
    readers={"moment": MOMENT, "duration": DURATION},
    actions=(SetTimer, CancelTimer, StopSpeaking),
)
