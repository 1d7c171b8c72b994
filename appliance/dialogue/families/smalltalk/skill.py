"""Greetings, thanks, who are you, and questions about privacy."""

from __future__ import annotations

from appliance.dialogue.families.help.skill import explain
from appliance.dialogue.family import Family
from appliance.dialogue.saying.spoken import reply
from appliance.dialogue.types import Context, Intent, Reply


def greet(intent: Intent, context: Context) -> Reply:
    hour = context.now.hour
    part = intent.slots.get("part") or ("morning" if 4 <= hour < 11 else "evening" if hour >= 18 else "")
    match part:
        case "morning":
            return reply(context, en="Good morning.", de="Guten Morgen.")
        case "afternoon":
            return reply(context, en="Good afternoon.", de="Guten Tag.")
        case "evening":
            return reply(context, en="Good evening.", de="Guten Abend.")
        case _:
            return reply(context, en="Hello.", de="Hallo.")


def how_are_you(intent: Intent, context: Context) -> Reply:
    return reply(context, en="I'm fine, thank you. How can I help?", de="Mir geht es gut, danke. Was kann ich tun?")


def thank(intent: Intent, context: Context) -> Reply:
    return reply(context, en="You're welcome.", de="Gern geschehen.")


def say_goodbye(intent: Intent, context: Context) -> Reply:
    if intent.slots.get("night"):
        return reply(context, en="Good night. Sleep well.", de="Gute Nacht. Schlaf gut.")
    return reply(context, en="Goodbye.", de="Auf Wiedersehen.")


def introduce(intent: Intent, context: Context) -> Reply:
    # The German name is spelled so that an English voice says it well enough, and reads the same on the page.
    return reply(
        context,
        en="I am Stimme, the voice assistant in this house. Everything you say stays on this device.",
        de="Ich bin Stimme, der Sprachassistent in diesem Haus. Alles, was du sagst, bleibt auf diesem Gerät.",
    )


def respond(intent: Intent, context: Context) -> Reply:
    match intent.slots.get("topic"):
        case "listening":
            return reply(context, en="I only listen while you talk to me. Nothing is recorded.",
                         de="Ich höre nur zu, wenn du mit mir sprichst. Nichts wird aufgenommen.")
        case "data":
            return reply(context, en="Your words stay on this device. I need no internet.",
                         de="Deine Worte bleiben auf diesem Gerät. Ich brauche kein Internet.")
        case "creator":
            return reply(context, en="I was made by people who like open software.",
                         de="Mich haben Leute gebaut, die freie Software mögen.")
        case "languages":
            return reply(context, en="I speak English and German.", de="Ich spreche Deutsch und Englisch.")
        case "commands":
            return explain(intent, context)
        case _:
            return greet(intent, context)


FAMILY = Family(
    "smalltalk",
    skills={
        "Greet": greet,
        "HowAreYou": how_are_you,
        "Thank": thank,
        "SayGoodbye": say_goodbye,
        "Introduce": introduce,
        "HassRespond": respond,
    },
)
