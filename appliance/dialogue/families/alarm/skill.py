"""Alarms: what rings at a time of day, once or again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from appliance.dialogue.actions import Action, CancelTimer, SetTimer, StopSpeaking
from appliance.dialogue.choosing import CHOICE, chosen
from appliance.dialogue.families.timer.skill import duration_slot, later, refusal, rings
from appliance.dialogue.family import Family
from appliance.dialogue.reading.days import Day
from appliance.dialogue.reading.moments import Moment
from appliance.dialogue.reading.repeats import Repeat, repeats
from appliance.dialogue.reading.spans import DAY, DURATION, WAKING
from appliance.dialogue.things import Kind, Timer
from appliance.dialogue.types import Context, Intent, Question, Reply
from appliance.dialogue.utterance import Span, Utterance
from appliance.errors import SkillError
from appliance.recurrence import following

SNOOZE_S = 540.0
"""Nine minutes, as alarm clocks have done since 1956."""
_PARTS = {"morning": 7, "noon": 12, "afternoon": 15, "evening": 19, "night": 22}


def set_alarm(intent: Intent, context: Context) -> Reply:
    due = due_slot(intent, context)
    if due is None:
        return context.say("alarm.when", question=Question(intent, ("wake_at", "duration")))
    refused = refusal(context, due.timestamp() - context.now.timestamp()) or passed(due, context)
    if refused is not None:
        return refused
    repeat = intent.slots.get("repeat")
    rule = repeat.rule if isinstance(repeat, Repeat) else ""
    action = SetTimer("alarm", due, "", duration_slot(intent), rule)
    return context.say("alarm.set", when=ringing_time(intent, due, context), actions=[action])


def alarm_status(intent: Intent, context: Context) -> Reply:
    alarms = _on_day(of_kind("alarm", context), intent, context)
    if not alarms:
        return context.say("alarm.none")
    each = [context.text("alarm.each", when=when_again(alarm, context)) for alarm in alarms]
    return context.say("alarm.status", n=len(alarms), each=[_lower(said) for said in each])


def cancel_alarm(intent: Intent, context: Context) -> Reply:
    """The alarm at the time that was said, or the only one."""
    alarms = of_kind("alarm", context)
    said = {"moment", "day", "repeat"} & set(intent.slots)
    if not said and context.ringing:  # a timer's sound is called an alarm as well
        rest = context.text("alarm.next", when=when_again(alarms[0], context)) if alarms else ""
        return context.say("alarm.off", next=rest, actions=[StopSpeaking()])
    found = _asked(alarms, intent, context)
    if not found and len(alarms) > 1:
        return _which(alarms, intent, context, "alarm.which_instead")
    if not found:
        return context.say("alarm.no_such" if alarms else "alarm.none")
    if len(found) > 1:
        return _which(found, intent, context)
    when = when_again(found[0], context)
    if intent.slots.get("unsure") and not intent.slots.get("confirmed"):
        return context.say("alarm.cancel_this", when=when, question=Question(intent))
    return context.say("alarm.cancelled", when=when, actions=[CancelTimer(found[0].id)])


def cancel_all_alarms(intent: Intent, context: Context) -> Reply:
    alarms = of_kind("alarm", context)
    silence: list[Action] = [StopSpeaking()] if context.ringing else []
    if not alarms:
        return context.say("alarm.off", next="", actions=silence) if silence else context.say("alarm.none")
    if len(alarms) > 1 and not intent.slots.get("confirmed"):
        each = [_lower(when_again(alarm, context)) for alarm in alarms]
        return context.say("alarm.cancel_all", n=len(alarms), each=each, actions=silence, question=Question(intent))
    return context.say(
        "alarm.cancelled_all", n=len(alarms), actions=[*silence, *(CancelTimer(alarm.id) for alarm in alarms)]
    )


def change_alarm(intent: Intent, context: Context) -> Reply:
    alarms = of_kind("alarm", context)
    old = intent.slots.get("from")
    found = [alarm for alarm in alarms if isinstance(old, Moment) and _at(alarm, old, context)] if old else alarms
    if intent.slots.get("it"):
        found = [alarm for alarm in alarms if alarm.id == context.it] or found
    found = _on_day(found, intent, context)
    if not found:
        return context.say("alarm.no_such" if alarms else "alarm.none")
    if len(found) > 1:
        return _which(found, intent, context)
    moment = intent.slots.get("moment")
    if not isinstance(moment, Moment):
        return context.say("alarm.to_when", question=Question(intent, ("wake_at",)))
    alarm = found[0]
    if moment.day is None:  # the same day at another hour
        day = Day("date", alarm.due.day, alarm.due.month, alarm.due.year)
        moment = replace(moment, day=day)
    due = moment.resolve(context.now)
    if (refused := passed(due, context)) is not None:
        return refused
    said = context.text("alarm.at", when=(due, context.now))
    return context.say(
        "alarm.set",
        when=_lower(said),
        actions=[CancelTimer(alarm.id), SetTimer("alarm", due, alarm.name, 0.0, alarm.repeat)],
    )


def skip_alarm(intent: Intent, context: Context) -> Reply:
    alarms = _on_day(of_kind("alarm", context), intent, context)
    if not alarms:
        return context.say("alarm.no_such")
    alarm = alarms[0]
    if not alarm.repeat:
        return context.say("alarm.cancelled", when=when_again(alarm, context), actions=[CancelTimer(alarm.id)])
    again = following(alarm.repeat, alarm.due, alarm.due + timedelta(minutes=1))
    said = context.text("alarm.at", when=(again, context.now))
    return context.say(
        "alarm.skipped",
        when=_lower(said),
        actions=[CancelTimer(alarm.id), SetTimer("alarm", again, alarm.name, 0.0, alarm.repeat)],
    )


def snooze(intent: Intent, context: Context) -> Reply:
    seconds = duration_slot(intent) or SNOOZE_S
    ringing = [timer for timer in context.ringing if timer.kind in ("alarm", "reminder")]
    name, kind = (ringing[0].name, ringing[0].kind) if ringing else ("", "alarm")
    return context.say(
        "alarm.snoozed",
        length=seconds,
        actions=[StopSpeaking(), SetTimer(kind, later(context.now, seconds), name, seconds)],
    )


def of_kind(kind: Kind, context: Context) -> list[Timer]:
    return [timer for timer in context.timers if timer.kind == kind]


def due_slot(intent: Intent, context: Context) -> datetime | None:
    """When it shall ring; None if no time was said. Raises SkillError for a day that does not exist."""
    if seconds := duration_slot(intent):
        return later(context.now, min(seconds, 10**9))
    moment, repeat = intent.slots.get("moment"), intent.slots.get("repeat")
    day = intent.slots.get("day")
    if isinstance(repeat, Repeat):
        if repeat.seconds:
            return repeat.first(0, 0, context.now)
        hour = _hour(moment, repeat)
        return None if hour is None else repeat.first(*hour, context.now)
    if not isinstance(moment, Moment):
        return None
    if isinstance(day, Day) and moment.day is None:
        moment = replace(moment, day=day)
    try:
        return moment.resolve(context.now)
    except (ValueError, OverflowError) as error:
        raise SkillError(context.text("date.no_such_day")) from error


def _hour(moment: object, repeat: Repeat) -> tuple[int, int] | None:
    if not isinstance(moment, Moment):
        return None
    part, hour = repeat.part, moment.hour
    if part and not moment.exact:
        return (hour % 12 + (0 if part == "morning" else 12), moment.minute)
    return replace(moment, waking=moment.waking or 6 <= hour <= 11).hours()[0], moment.minute


def ringing_time(intent: Intent, due: datetime, context: Context) -> str:
    """ "in ten minutes", "at seven o'clock tomorrow morning", "every Monday at seven o'clock"."""
    repeat = intent.slots.get("repeat")
    if isinstance(repeat, Repeat):
        return _lower(said_again(repeat.rule, due, context))
    if seconds := duration_slot(intent):
        return _lower(context.text("alarm.in", length=seconds))
    return _lower(context.text("alarm.at", when=(due, context.now)))


def when_again(timer: Timer, context: Context) -> str:
    """When it rings, and whether again and again."""
    if timer.repeat:
        return _lower(said_again(timer.repeat, timer.due, context))
    return _lower(context.text("alarm.at", when=(timer.due, context.now)))


def said_again(rule: str, due: datetime, context: Context) -> str:
    parts = dict(part.split("=") for part in rule.split(";"))
    if parts["FREQ"] == "SECONDLY":
        return context.text("alarm.every_so_long", length=float(parts["INTERVAL"]))
    if parts["FREQ"] == "DAILY":
        return context.text("alarm.daily", time=due)
    if parts["FREQ"] == "WEEKLY":
        days = parts["BYDAY"].split(",")
        name = {"MO,TU,WE,TH,FR": "alarm.weekdays", "SA,SU": "alarm.weekend"}.get(parts["BYDAY"])
        if name is None:
            name = "alarm.weekly_other" if "INTERVAL" in parts else "alarm.weekly"
        monday = context.now.date() - timedelta(days=context.now.weekday())
        numbers = [("MO", "TU", "WE", "TH", "FR", "SA", "SU").index(day) for day in days]
        each = [context.text("alarm.weekday", day=monday + timedelta(days=number)) for number in numbers]
        return context.text(name, time=due, days=each)
    return context.text("alarm.monthly" if parts["FREQ"] == "MONTHLY" else "alarm.yearly", time=due, day=due.date())


def passed(due: datetime, context: Context) -> Reply | None:
    return None if due > context.now else context.say("alarm.passed")


def _lower(said: str) -> str:
    return said[:1].lower() + said[1:]


def _at(alarm: Timer, moment: Moment, context: Context) -> bool:
    """Whether an alarm rings at that time of day, on a clock's face if no half of the day was said."""
    modulus = 24 if moment.exact else 12
    if (alarm.due.hour % modulus, alarm.due.minute) != (moment.hour % modulus, moment.minute):
        return False
    return moment.day is None or moment.day.resolve(context.now.date()) == alarm.due.date()


def _on_day(alarms: list[Timer], intent: Intent, context: Context) -> list[Timer]:
    day = intent.slots.get("day")
    if not isinstance(day, Day):
        return alarms
    return [alarm for alarm in alarms if alarm.due.date() == day.resolve(context.now.date())]


def _asked(alarms: list[Timer], intent: Intent, context: Context) -> list[Timer]:
    moment, repeat = intent.slots.get("moment"), intent.slots.get("repeat")
    if isinstance(moment, Moment):
        alarms = [alarm for alarm in alarms if _at(alarm, moment, context)]
    if isinstance(repeat, Repeat):
        recurring = [alarm for alarm in alarms if alarm.repeat]
        alarms = [alarm for alarm in recurring if alarm.repeat == repeat.rule] or recurring
    if intent.slots.get("next"):
        return alarms[:1]
    if "choice" in intent.slots:
        return chosen(alarms, intent.slots["choice"])
    if intent.slots.get("it") and (it := [alarm for alarm in alarms if alarm.id == context.it]):
        return it
    return _on_day(alarms, intent, context)


def _which(alarms: list[Timer], intent: Intent, context: Context, text: str = "alarm.which") -> Reply:
    each = [_lower(when_again(alarm, context)) for alarm in alarms]
    return context.say(text, each=each, question=Question(intent, ("wake_at", "day", "choice")))


def _from(utterance: Utterance) -> Iterator[Span]:
    """The time of the alarm that is to be changed."""
    for span in WAKING(utterance):
        yield Span(span.start, span.end, {"from": span.slots["moment"]}, 0.99)


FAMILY = Family(
    "alarm",
    skills={
        "SetAlarm": set_alarm,
        "AlarmStatus": alarm_status,
        "CancelAlarm": cancel_alarm,
        "CancelAllAlarms": cancel_all_alarms,
        "ChangeAlarm": change_alarm,
        "SkipAlarm": skip_alarm,
        "Snooze": snooze,
    },
    acts=frozenset({"SetAlarm", "CancelAlarm", "CancelAllAlarms", "ChangeAlarm", "SkipAlarm", "Snooze"}),
    changes=frozenset({"CancelAlarm", "CancelAllAlarms", "ChangeAlarm", "SkipAlarm"}),
    readers={"wake_at": WAKING, "duration": DURATION, "day": DAY, "repeat": repeats, "old": _from, "choice": CHOICE},
    corrects={"SetAlarm": "ChangeAlarm", "AlarmStatus": "ChangeAlarm"},
    all_of={"CancelAlarm": "CancelAllAlarms"},
    carries=("day",),
    thing="alarm.alarm",
    actions=(SetTimer, CancelTimer, StopSpeaking),
)
__all__ = ["FAMILY", "due_slot", "of_kind", "passed", "ringing_time", "rings", "when_again"]
