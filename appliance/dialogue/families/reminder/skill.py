"""Reminders: something to say at a time of day, or after a while."""

from __future__ import annotations

from appliance.dialogue.families.alarm.skill import due_slot, of_kind, passed, ringing_time
from appliance.dialogue.families.timer.skill import duration_slot, refusal, rings
from appliance.dialogue.family import Family
from appliance.dialogue.reading.readers import read_task, read_task_and_moment
from appliance.dialogue.saying.spoken import capitalised, reply, when
from appliance.dialogue.types import Action, CancelTimer, Context, Intent, Reply, SetTimer, StopSpeaking


def set_reminder(intent: Intent, context: Context) -> Reply:
    seconds, due = duration_slot(intent), due_slot(intent, context)
    name = str(intent.slots.get("name", ""))
    if due is None:
        return reply(
            context,
            en="When? Say, for example, remind me in ten minutes to call Anna.",
            de="Wann? Sag zum Beispiel: Erinnere mich in zehn Minuten an die Wäsche.",
        )
    refused = refusal(context, due.timestamp() - context.now.timestamp()) or passed(due, context)
    if refused is not None:
        return refused
    en, de = ringing_time(seconds, due, context)
    what_en = f": {name}" if name else ""
    link = str(intent.slots.get("link", "")).replace("daran", "daran,", 1)  # "an", "ans", "daran, … zu", "daran, dass"
    what_de = f" {link} {name}" if name and link else what_en
    return reply(context, en=f"Okay, I'll remind you {en}{what_en}.", de=f"Okay, ich erinnere dich {de}{what_de}.",
                 actions=[SetTimer("reminder", due, name, seconds)])


def reminder_status(intent: Intent, context: Context) -> Reply:
    reminders = of_kind("reminder", context)
    if not reminders:
        return reply(context, en="You have no reminders.", de="Du hast keine Erinnerungen.")
    en = "; ".join(f"{item.name or 'reminder'}, at {when(item.due, context.now, 'en')}" for item in reminders)
    de = "; ".join(f"{item.name or 'Erinnerung'}, {when(item.due, context.now, 'de')}" for item in reminders)
    return reply(context, en=f"{capitalised(en)}.", de=f"{capitalised(de)}.")


def cancel_reminder(intent: Intent, context: Context) -> Reply:
    """The reminder of what was said, or the next one."""
    name = str(intent.slots.get("name", "")).casefold()
    named = [(item, item.name.casefold()) for item in of_kind("reminder", context)]
    reminders = [item for item, its_name in named if name in its_name or its_name and its_name in name]
    if not name and rings("reminder", context):
        return reply(context, en="Okay.", de="Okay.", actions=[StopSpeaking()])
    if not reminders:
        return reply(context, en="There is no such reminder.", de="So eine Erinnerung gibt es nicht.")
    what = reminders[0].name
    return reply(context, en=f"Reminder cancelled{f': {what}' if what else ''}.",
                 de=f"Erinnerung gelöscht{f': {what}' if what else ''}.", actions=[CancelTimer(reminders[0].id)])


def cancel_all_reminders(intent: Intent, context: Context) -> Reply:
    silence: list[Action] = [StopSpeaking()] if rings("reminder", context) else []
    actions = [*silence, *(CancelTimer(reminder.id) for reminder in of_kind("reminder", context))]
    if not actions:
        return reply(context, en="You have no reminders.", de="Du hast keine Erinnerungen.")
    return reply(context, en="All reminders cancelled.", de="Alle Erinnerungen gelöscht.", actions=actions)


FAMILY = Family(
    "reminder",
    skills={
        "SetReminder": set_reminder,
        "ReminderStatus": reminder_status,
        "CancelReminder": cancel_reminder,
        "CancelAllReminders": cancel_all_reminders,
    },
    readers={"task": read_task, "task_and_moment": read_task_and_moment},
    actions=(SetTimer, CancelTimer, StopSpeaking),
)
