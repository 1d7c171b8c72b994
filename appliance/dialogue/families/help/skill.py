"""What the assistant can do, in the words of its families."""

from __future__ import annotations

from appliance.dialogue.family import Family
from appliance.dialogue.types import Context, Intent, Reply

_EXAMPLES = ("timer", "list")
_NAMED = 9
"""So many families are named; nobody remembers more."""


def explain(intent: Intent, context: Context) -> Reply:
    about = context.help.get(str(intent.slots.get("topic")), {})
    if more := about.get("more") or about.get("example"):
        return context.say("help.topic", more=more)
    can = [family["what"] for family in context.help.values() if "what" in family][:_NAMED]
    first, second = (context.help.get(name, {}).get("example", "") for name in _EXAMPLES)
    return context.say("help.all", can=can, first=first, second=second)


def teach(intent: Intent, context: Context) -> Reply:
    return context.say("help.teach")


FAMILY = Family("help", skills={"Help": explain, "Teach": teach})
