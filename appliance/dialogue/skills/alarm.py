"""Alarms and reminders: what rings at a time of day, or after a while with something to say."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from appliance.dialogue.moments import Moment
from appliance.dialogue.skills.timer import duration_slot, later, refusal
from appliance.dialogue.spoken import capitalised, duration, listed, reply, when
from appliance.dialogue.types import CancelTimer, Context, Intent, Reply, SetTimer, Timer

Kind = Literal["alarm", "reminder"]


def set_alarm(intent: Intent, context: Context) -> Reply:
    seconds, due = duration_slot(intent), _due(intent, context)
    if due is None:
        return reply(
            context,
            en="For what time? Say, for example, wake me at seven.",
            de="Für wann? Sag zum Beispiel: Weck mich um sieben.",
        )
    refused = refusal(context, due.timestamp() - context.now.timestamp()) or _passed(due, context)
    if refused is not None:
        return refused
    en, de = _when(seconds, due, context)
    return reply(context, en=f"Okay, your alarm rings {en}.", de=f"Okay, der Wecker klingelt {de}.",
                 actions=[SetTimer("alarm", due, "", seconds)])


def set_reminder(intent: Intent, context: Context) -> Reply:
    seconds, due = duration_slot(intent), _due(intent, context)
    name = str(intent.slots.get("name", ""))
    if due is None:
        return reply(
            context,
            en="When? Say, for example, remind me in ten minutes to call Anna.",
            de="Wann? Sag zum Beispiel: Erinnere mich in zehn Minuten an die Wäsche.",
        )
    refused = refusal(context, due.timestamp() - context.now.timestamp()) or _passed(due, context)
    if refused is not None:
        return refused
    en, de = _when(seconds, due, context)
    what_en = f": {name}" if name else ""
    link = str(intent.slots.get("link", "")).replace("daran", "daran,", 1)  # "an", "ans", "daran, … zu", "daran, dass"
    what_de = f" {link} {name}" if name and link else what_en
    return reply(context, en=f"Okay, I'll remind you {en}{what_en}.", de=f"Okay, ich erinnere dich {de}{what_de}.",
                 actions=[SetTimer("reminder", due, name, seconds)])


def alarm_status(intent: Intent, context: Context) -> Reply:
    alarms = _of_kind("alarm", context)
    if not alarms:
        return reply(context, en="No alarm is set.", de="Es ist kein Wecker gestellt.")
    en = listed([when(alarm.due, context.now, "en") for alarm in alarms], "en")
    de = listed([when(alarm.due, context.now, "de") for alarm in alarms], "de")
    many = len(alarms) > 1
    return reply(context, en=f"Your {'alarms ring' if many else 'alarm rings'} at {en}.",
                 de=f"{'Deine Wecker klingeln' if many else 'Dein Wecker klingelt'} {de}.")


def reminder_status(intent: Intent, context: Context) -> Reply:
    reminders = _of_kind("reminder", context)
    if not reminders:
        return reply(context, en="You have no reminders.", de="Du hast keine Erinnerungen.")
    en = "; ".join(f"{item.name or 'reminder'}, at {when(item.due, context.now, 'en')}" for item in reminders)
    de = "; ".join(f"{item.name or 'Erinnerung'}, {when(item.due, context.now, 'de')}" for item in reminders)
    return reply(context, en=f"{capitalised(en)}.", de=f"{capitalised(de)}.")


def cancel_alarm(intent: Intent, context: Context) -> Reply:
    """The alarm at the time that was said, or the next one."""
    alarms = _of_kind("alarm", context)
    moment = intent.slots.get("moment")
    if isinstance(moment, Moment):
        face = {(moment.hour % 12, moment.minute)} if not moment.exact else {(moment.hour, moment.minute)}
        modulus = 24 if moment.exact else 12
        alarms = [alarm for alarm in alarms if (alarm.due.hour % modulus, alarm.due.minute) in face]
    if not alarms:
        return reply(context, en="There is no such alarm.", de="So einen Wecker gibt es nicht.")
    at_en, at_de = when(alarms[0].due, context.now, "en"), when(alarms[0].due, context.now, "de")
    return reply(context, en=f"Okay, no alarm at {at_en}.", de=f"Okay, kein Wecker {at_de}.",
                 actions=[CancelTimer(alarms[0].id)])


def cancel_reminder(intent: Intent, context: Context) -> Reply:
    """The reminder of what was said, or the next one."""
    name = str(intent.slots.get("name", "")).casefold()
    named = [(item, item.name.casefold()) for item in _of_kind("reminder", context)]
    reminders = [item for item, its_name in named if name in its_name or its_name and its_name in name]
    if not reminders:
        return reply(context, en="There is no such reminder.", de="So eine Erinnerung gibt es nicht.")
    what = reminders[0].name
    return reply(context, en=f"Reminder cancelled{f': {what}' if what else ''}.",
                 de=f"Erinnerung gelöscht{f': {what}' if what else ''}.", actions=[CancelTimer(reminders[0].id)])


def cancel_all_alarms(intent: Intent, context: Context) -> Reply:
    actions = [CancelTimer(alarm.id) for alarm in _of_kind("alarm", context)]
    if not actions:
        return reply(context, en="No alarm is set.", de="Es ist kein Wecker gestellt.")
    return reply(context, en="All alarms cancelled.", de="Alle Wecker gelöscht.", actions=actions)


def cancel_all_reminders(intent: Intent, context: Context) -> Reply:
    actions = [CancelTimer(reminder.id) for reminder in _of_kind("reminder", context)]
    if not actions:
        return reply(context, en="You have no reminders.", de="Du hast keine Erinnerungen.")
    return reply(context, en="All reminders cancelled.", de="Alle Erinnerungen gelöscht.", actions=actions)


def _of_kind(kind: Kind, context: Context) -> list[Timer]:
    return [timer for timer in context.timers if timer.kind == kind]


def _due(intent: Intent, context: Context) -> datetime | None:
    """When it shall ring; None if no time was said."""
    if seconds := duration_slot(intent):
        return later(context.now, min(seconds, 10**9))
    moment = intent.slots.get("moment")
    if not isinstance(moment, Moment):
        return None
    return moment.resolve(context.now, waking=bool(intent.slots.get("waking")))


def _when(seconds: float, due: datetime, context: Context) -> tuple[str, str]:
    """ "in ten minutes" or "at seven o'clock tomorrow morning", in both languages."""
    if seconds:
        return f"in {duration(seconds, 'en')}", f"in {_dative(duration(seconds, 'de'))}"
    return f"at {when(due, context.now, 'en')}", when(due, context.now, "de")


def _passed(due: datetime, context: Context) -> Reply | None:
    if due > context.now:
        return None
    return reply(context, en="That time has already passed.", de="Dieser Zeitpunkt ist schon vorbei.")


def _dative(duration_de: str) -> str:
    """ "eine Minute" to "einer Minute", "zwei Tage" to "zwei Tagen"."""
    words = {"eine": "einer", "einen": "einem", "Tage": "Tagen"}
    return " ".join(words.get(word, word) for word in duration_de.split())
