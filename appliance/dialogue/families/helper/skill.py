"""Helpers that somebody asks for by name, and what is said when one does not answer."""

from __future__ import annotations

from functools import cache

from appliance.dialogue.family import Family
from appliance.dialogue.languages import grammar
from appliance.dialogue.patterns import Lexicon
from appliance.dialogue.reading.normalisation import normalise
from appliance.dialogue.reading.texts import verbatim
from appliance.dialogue.types import Ask, Context, Intent, Question, Reply
from appliance.language import Language


def ask_helper(intent: Intent, context: Context) -> Reply | Ask:
    helper, question = str(intent.slots.get("helper", "chat")), str(intent.slots.get("question", ""))
    if helper not in context.helpers:
        return context.say(f"helper.off_{helper}")
    if not question:
        return context.say("helper.what", question=Question(intent, ("question",)))
    return Ask(helper, question, lambda answer: heard(answer, context))


def is_turned(intent: Intent) -> bool:
    """Whether a word in it may turn its meaning ("not", "or", "unless"): nobody else acts upon it unasked."""
    words = normalise(intent.text, intent.language).split()
    return "changer" in _changers(intent.language).hits(words)


@cache
def _changers(language: Language) -> Lexicon:
    lexicon = Lexicon()
    lexicon.add("changer", grammar(language).words.table["classes"]["changer"])
    return lexicon


def heard(answer: str, context: Context) -> Reply:
    """What a helper said, as a reply; it is only ever spoken."""
    return Reply(answer, context.language) if answer else context.say("helper.nothing", understood=False)


FAMILY = Family(
    "helper",
    skills={"AskHelper": ask_helper},
    acts=frozenset({"AskHelper"}),
    open_readers={
        "question": verbatim("question", ("helper.ask",), ("helper.link", "helper.asked=home", "helper.asked=chat"))
    },
)
