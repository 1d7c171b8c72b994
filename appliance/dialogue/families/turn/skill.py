"""About the turn itself: stop, never mind, repeat, undo, what did you hear, and what was not understood."""

from __future__ import annotations

from appliance.dialogue.actions import StopSpeaking
from appliance.dialogue.families.helper.skill import is_turned
from appliance.dialogue.family import Family
from appliance.dialogue.reading.normalisation import MAX_CHARACTERS
from appliance.dialogue.types import Ask, Context, Intent, Question, Reply

_MAX_QUOTED = 120


def stop(intent: Intent, context: Context) -> Reply:
    return context.say("turn.okay", actions=[StopSpeaking()])


def never_mind(intent: Intent, context: Context) -> Reply:
    return context.say("turn.never_mind", actions=[StopSpeaking()])


def agree(intent: Intent, context: Context) -> Reply:
    return context.say("turn.agreed")


def refuse(intent: Intent, context: Context) -> Reply:
    return context.say("turn.not_done" if intent.slots.get("asked") else "turn.okay")


def repeat(intent: Intent, context: Context) -> Reply:
    if not context.last_reply:
        return context.say("turn.said_nothing")
    return Reply(context.last_reply, context.language, question=context.question)


def what_heard(intent: Intent, context: Context) -> Reply:
    if not context.last_heard:
        return context.say("turn.heard_nothing")
    return context.say("turn.heard", words=quoted(context.last_heard))


def undo(intent: Intent, context: Context) -> Reply:
    if context.undo is None:
        return context.say("turn.nothing_to_undo")
    if not context.undo:
        return context.say("turn.cannot_undo")
    return context.say("turn.undone", actions=context.undo)


def not_understood(intent: Intent, context: Context) -> Reply | Ask:
    """The honest answer: what was heard and where to find help, said once; then shorter."""
    if len(intent.text) > MAX_CHARACTERS:
        return context.say("turn.too_long", understood=False)
    if not any(character.isalnum() for character in intent.text):
        return context.say("turn.silence", understood=False)
    return elsewhere(context.fallbacks, intent, context)


def elsewhere(helpers: tuple[str, ...], intent: Intent, context: Context) -> Reply | Ask:
    """What helpers say to what nobody here understood, one after the other; at last the honest answer."""
    if helpers:
        first, *others = helpers
        if first == "home" and is_turned(intent) and not intent.slots.get("confirmed"):
            return context.say("helper.home_sure", what=quoted(intent.text).rstrip("."), question=Question(intent))
        return Ask(
            first,
            intent.text,
            lambda answer: Reply(answer, context.language) if answer else elsewhere(tuple(others), intent, context),
        )
    name = ("first", "second", "third")[min(context.refusals, 2)]
    return context.say(f"turn.refused_{name}", words=quoted(intent.text), understood=False)


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
        "Undo": undo,
        "Yes": agree,
        "No": refuse,
    },
    acts=frozenset({"Undo"}),
    actions=(StopSpeaking,),
)
