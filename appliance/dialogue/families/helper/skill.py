"""Helpers that somebody asks for by name, and what is said when one does not answer."""

from __future__ import annotations

from appliance.dialogue.family import Family
from appliance.dialogue.reading.texts import text_of
from appliance.dialogue.types import Ask, Context, Intent, Question, Reply


def ask_helper(intent: Intent, context: Context) -> Reply | Ask:
    helper, question = str(intent.slots.get("helper", "chat")), str(intent.slots.get("question", ""))
    if helper not in context.helpers:
        return context.say(f"helper.off_{helper}")
    if not question:
        return context.say("helper.what", question=Question(intent, ("question",)))
    return Ask(helper, question, lambda answer: heard(answer, context))


def heard(answer: str, context: Context) -> Reply:
    """What a helper said, as a reply; it is only ever spoken."""
    return Reply(answer, context.language) if answer else context.say("helper.nothing", understood=False)


FAMILY = Family(
    "helper",
    skills={"AskHelper": ask_helper},
    open_readers={"question": text_of("question", 30, links=("helper.link",), unsure=(), first=("filler",),
                                      last=("filler",), ahead=("helper.ask",))},
)
