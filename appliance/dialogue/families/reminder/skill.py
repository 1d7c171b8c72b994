"""Reminders: something to say at a time of day or after a while, once or again and again."""

from __future__ import annotations

from dataclasses import replace

from appliance.dialogue.actions import Action, CancelTimer, SetTimer, StopSpeaking
from appliance.dialogue.choosing import CHOICE, chosen
from appliance.dialogue.families.alarm.skill import due_slot, of_kind, passed, ringing_time, when_again
from appliance.dialogue.families.timer.skill import duration_slot, refusal, rings
from appliance.dialogue.family import Family
from appliance.dialogue.reading.days import Day
from appliance.dialogue.reading.names import known
from appliance.dialogue.reading.repeats import Repeat, repeats
from appliance.dialogue.reading.spans import DAY, DURATION, MOMENT
from appliance.dialogue.reading.texts import text_of
from appliance.dialogue.things import Timer
from appliance.dialogue.types import Context, Intent, Question, Reply


def set_reminder(intent: Intent, context: Context) -> Reply:
    due = due_slot(intent, context)
    if due is None:
        return context.say("reminder.when", question=Question(intent, ("moment", "duration", "day")))
    name = str(intent.slots.get("name", ""))
    refused = refusal(context, due.timestamp() - context.now.timestamp()) or passed(due, context)
    if refused is not None:
        return refused
    if not name:
        return context.say("reminder.of_what", question=Question(intent, ("task",)))
    repeat = intent.slots.get("repeat")
    rule = repeat.rule if isinstance(repeat, Repeat) else ""
    action = SetTimer("reminder", due, name, duration_slot(intent), rule)
    return context.say("reminder.set", when=ringing_time(intent, due, context), what=name, actions=[action])


def reminder_status(intent: Intent, context: Context) -> Reply:
    reminders, day = of_kind("reminder", context), intent.slots.get("day")
    if isinstance(day, Day):
        reminders = [each for each in reminders if each.due.date() == day.resolve(context.now.date())]
    if not reminders:
        return context.say("reminder.none")
    each = [
        context.text(
            "reminder.each", what=item.name or context.text("reminder.something"), when=when_again(item, context)
        )
        for item in reminders
    ]
    return context.say("reminder.status", each="; ".join(each))


def cancel_reminder(intent: Intent, context: Context) -> Reply:
    """The reminder of what was said, or the only one."""
    reminders = of_kind("reminder", context)
    if not intent.slots.get("name") and rings("reminder", context):
        return context.say("reminder.okay", actions=[StopSpeaking()])
    found = _asked(reminders, intent, context)
    if not found and reminders:
        each = [item.name or context.text("reminder.something") for item in reminders]
        asked = Question(_unnamed(intent), ("known_task", "choice", "task"))
        return context.say("reminder.which_instead", each=each, question=asked)
    if not found:
        return context.say("reminder.none")
    if len(found) > 1:
        each = [item.name for item in found]
        return context.say("reminder.which", each=each, question=Question(intent, ("known_task", "choice", "task")))
    if intent.slots.get("unsure") and not intent.slots.get("confirmed"):
        return context.say("reminder.cancel_this", what=found[0].name, question=Question(intent))
    return context.say("reminder.cancelled", what=found[0].name, actions=[CancelTimer(found[0].id)])


def _unnamed(intent: Intent) -> Intent:
    return replace(intent, slots={slot: value for slot, value in intent.slots.items() if slot not in ("name", "day")})


def _asked(reminders: list[Timer], intent: Intent, context: Context) -> list[Timer]:
    name, day = str(intent.slots.get("name", "")).casefold(), intent.slots.get("day")
    if name:
        words = set(name.split())
        named = [(item, item.name.casefold()) for item in reminders]
        return [item for item, its in named if name in its or its and its in name] or [
            item for item, its in named if len(words & set(its.split())) >= 2 or words and words <= set(its.split())
        ]
    if isinstance(day, Day):
        return [each for each in reminders if each.due.date() == day.resolve(context.now.date())]
    if intent.slots.get("it") and (it := [each for each in reminders if each.id == context.it]):
        return it
    if "choice" in intent.slots:
        return chosen(reminders, intent.slots["choice"])
    return reminders[:1] if intent.slots.get("next") else reminders


def cancel_all_reminders(intent: Intent, context: Context) -> Reply:
    reminders = of_kind("reminder", context)
    silence: list[Action] = [StopSpeaking()] if rings("reminder", context) else []
    if not reminders:
        return context.say("reminder.none")
    if len(reminders) > 1 and not intent.slots.get("confirmed"):
        each = [item.name for item in reminders]
        return context.say(
            "reminder.cancel_all", n=len(reminders), each=each, actions=silence, question=Question(intent)
        )
    return context.say(
        "reminder.cancelled_all", n=len(reminders), actions=[*silence, *(CancelTimer(item.id) for item in reminders)]
    )


FAMILY = Family(
    "reminder",
    skills={
        "SetReminder": set_reminder,
        "ReminderStatus": reminder_status,
        "CancelReminder": cancel_reminder,
        "CancelAllReminders": cancel_all_reminders,
    },
    acts=frozenset({"SetReminder", "CancelReminder", "CancelAllReminders"}),
    changes=frozenset({"CancelReminder", "CancelAllReminders"}),
    readers={
        "moment": MOMENT,
        "duration": DURATION,
        "day": DAY,
        "repeat": repeats,
        "known_task": known("name", "reminder"),
        "choice": CHOICE,
    },
    open_readers={
        "task": text_of(
            "name",
            15,
            links=("reminder.link",),
            never=("reminder.remind", "reminder.tell"),
            needs_meaning=True,
            to_end=1.6,
            to_end_after={"moment": MOMENT, "duration": DURATION},
            first=("polite", "alternative"),
            last=("filler", "unfinished", "reminder.must"),
            unsure=("question", "aux", "changer", "pronoun", "asking", "quantifier"),
        )
    },
    corrects={"SetReminder": "SetReminder"},
    all_of={"CancelReminder": "CancelAllReminders"},
    thing="reminder.reminder",
    actions=(SetTimer, CancelTimer, StopSpeaking),
)
