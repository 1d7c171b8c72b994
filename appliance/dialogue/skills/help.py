"""What the assistant can do."""

from __future__ import annotations

from appliance.dialogue.spoken import reply
from appliance.dialogue.types import Context, Intent, Reply


def explain(intent: Intent, context: Context) -> Reply:
    match intent.slots.get("topic"):
        case "timer":
            return reply(
                context,
                en="Say: set a timer for five minutes. Or: pizza timer for ten minutes. Then: how much time is left?",
                de="Sag: Stelle einen Timer auf fünf Minuten. Oder: Pizza-Timer zehn Minuten. Dann: Wie lange noch?",
            )
        case "alarm":
            return reply(
                context,
                en="Say: wake me at seven. Or: set an alarm for half past six tomorrow.",
                de="Sag: Weck mich um sieben. Oder: Stell den Wecker auf halb sieben.",
            )
        case _:
            return reply(
                context,
                en="I can tell you the time and the date, set timers, alarms and reminders, calculate, convert units, "
                "change the volume, roll dice, flip a coin and tell jokes. "
                "Try: set a timer for five minutes. Or: how many feet are in two meters?",
                de="Ich sage dir die Uhrzeit und das Datum, stelle Timer, Wecker und Erinnerungen, rechne, "
                "wandle Einheiten um, ändere die Lautstärke, würfle, werfe eine Münze und erzähle Witze. "
                "Versuch es mit: Stelle einen Timer auf fünf Minuten. Oder: Wie viel sind zehn Meilen in Kilometern?",
            )
