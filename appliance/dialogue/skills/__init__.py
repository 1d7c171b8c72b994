"""One intent family a file; a skill is pure: (intent, context) → Reply with actions as data. Who answers what."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.dialogue.skills import (
    alarm,
    arithmetic,
    chance,
    clock,
    conversion,
    help,
    joke,
    smalltalk,
    timer,
    turn,
    volume,
)
from appliance.dialogue.types import Skill

SKILLS: Mapping[str, Skill] = {
    "": turn.not_understood,
    "HassGetCurrentTime": clock.tell_time,
    "HassGetCurrentDate": clock.tell_date,
    "GetWeekday": clock.tell_weekday,
    "CountDays": clock.count_days,
    "HassStartTimer": timer.start,
    "HassTimerStatus": timer.status,
    "HassIncreaseTimer": timer.lengthen,
    "HassDecreaseTimer": timer.shorten,
    "HassCancelTimer": timer.cancel,
    "HassCancelAllTimers": timer.cancel_all,
    "SetAlarm": alarm.set_alarm,
    "AlarmStatus": alarm.alarm_status,
    "CancelAlarm": alarm.cancel_alarm,
    "CancelAllAlarms": alarm.cancel_all_alarms,
    "SetReminder": alarm.set_reminder,
    "ReminderStatus": alarm.reminder_status,
    "CancelReminder": alarm.cancel_reminder,
    "CancelAllReminders": alarm.cancel_all_reminders,
    "Calculate": arithmetic.calculate,
    "Convert": conversion.convert,
    "HassSetVolume": volume.set_volume,
    "HassSetVolumeRelative": volume.change_volume,
    "Unmute": volume.unmute,
    "VolumeStatus": volume.tell_volume,
    "StopSpeaking": turn.stop,
    "HassNevermind": turn.never_mind,
    "Repeat": turn.repeat,
    "WhatHeard": turn.what_heard,
    "Greet": smalltalk.greet,
    "HowAreYou": smalltalk.how_are_you,
    "Thank": smalltalk.thank,
    "SayGoodbye": smalltalk.say_goodbye,
    "Introduce": smalltalk.introduce,
    "HassRespond": smalltalk.respond,
    "Help": help.explain,
    "RollDice": chance.roll,
    "FlipCoin": chance.flip,
    "PickNumber": chance.pick_number,
    "TellJoke": joke.tell,
}
"""Intent name to skill; every intent of the sentence files has its line (a test compares them)."""
