"""About the turn itself: stop, never mind, repeat, what did you hear, and what was not understood."""

from __future__ import annotations

from appliance.dialogue.family import Family
from appliance.dialogue.reading.normalisation import MAX_CHARACTERS
from appliance.dialogue.saying.spoken import reply
from appliance.dialogue.types import Context, Intent, Reply, StopSpeaking

_MAX_QUOTED = 120


def stop(intent: Intent, context: Context) -> Reply:
    return reply(context, en="Okay.", de="Okay.", actions=[StopSpeaking()])


def never_mind(intent: Intent, context: Context) -> Reply:
    return reply(context, en="Okay, never mind.", de="Okay, schon gut.", actions=[StopSpeaking()])


def repeat(intent: Intent, context: Context) -> Reply:
    if not context.last_reply:
        return reply(context, en="I have not said anything yet.", de="Ich habe noch nichts gesagt.")
    return reply(context, en=context.last_reply, de=context.last_reply)


def what_heard(intent: Intent, context: Context) -> Reply:
    if not context.last_heard:
        return reply(context, en="I have not heard anything yet.", de="Ich habe noch nichts gehört.")
    heard = quoted(context.last_heard)
    return reply(context, en=f"I heard: {heard}", de=f"Ich habe gehört: {heard}")


def not_understood(intent: Intent, context: Context) -> Reply:
    """The honest answer: what was heard, and where to find help."""
    if len(intent.text) > MAX_CHARACTERS:
        said = reply(context, en="That was too long for me. Please say it in one short sentence.",
                     de="Das war mir zu lang. Bitte sag es in einem kurzen Satz.")
    elif not any(character.isalnum() for character in intent.text):
        said = reply(context, en="I did not hear anything.", de="Ich habe nichts gehört.")
    else:
        heard = quoted(intent.text)
        said = reply(context, en=f"I heard: {heard} I can't help with that. Say help to hear what I can do.",
                     de=f"Ich habe gehört: {heard} Das kann ich leider nicht. Sag Hilfe, dann hörst du, was ich kann.")
    return Reply(said.text, said.language, understood=False)


def quoted(text: str) -> str:
    """What somebody said as a sentence to say back: letters, digits and simple punctuation, not too long."""
    kept = [character if character.isalnum() or character in "'-,%°+*/" else " " for character in text]
    text = " ".join("".join(kept).split())
    return f"{text}." if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED].rsplit(" ", 1)[0] + " …"


FAMILY = Family(
    "turn",
    skills={
        "": not_understood,
        "StopSpeaking": stop,
        "HassNevermind": never_mind,
        "Repeat": repeat,
        "WhatHeard": what_heard,
    },
    actions=(StopSpeaking,),
)
