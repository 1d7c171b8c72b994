"""Greetings, thanks, who are you, and questions about privacy."""

from __future__ import annotations

from appliance.dialogue.families.help.skill import explain
from appliance.dialogue.family import Family
from appliance.dialogue.types import Context, Intent, Reply


def greet(intent: Intent, context: Context) -> Reply:
    hour = context.now.hour
    part = intent.slots.get("part") or ("morning" if 4 <= hour < 11 else "evening" if hour >= 18 else "hello")
    return context.say(f"smalltalk.{part}")


def how_are_you(intent: Intent, context: Context) -> Reply:
    return context.say("smalltalk.how_are_you")


def thank(intent: Intent, context: Context) -> Reply:
    return context.say("smalltalk.welcome")


def say_goodbye(intent: Intent, context: Context) -> Reply:
    return context.say("smalltalk.night" if intent.slots.get("night") else "smalltalk.goodbye")


def introduce(intent: Intent, context: Context) -> Reply:
    return context.say("smalltalk.introduce")


def compliment(intent: Intent, context: Context) -> Reply:
    return context.say("smalltalk.compliment")


def insult(intent: Intent, context: Context) -> Reply:
    return context.say("smalltalk.insult")


def respond(intent: Intent, context: Context) -> Reply:
    topic = str(intent.slots.get("topic", ""))
    if topic == "commands":
        return explain(intent, context)
    name = f"smalltalk.about_{topic}"
    return context.say(name) if name in context.texts else greet(intent, context)


FAMILY = Family(
    "smalltalk",
    skills={
        "Greet": greet,
        "HowAreYou": how_are_you,
        "Thank": thank,
        "SayGoodbye": say_goodbye,
        "Introduce": introduce,
        "HassRespond": respond,
        "Compliment": compliment,
        "Insult": insult,
    },
)
