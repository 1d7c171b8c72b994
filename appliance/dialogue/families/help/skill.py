"""What the assistant can do, in the words of its families."""

from __future__ import annotations

from appliance.dialogue.family import Family
from appliance.dialogue.saying.spoken import listed, reply
from appliance.dialogue.types import Context, Intent, Reply

_EXAMPLES = ("timer", "conversion")


def explain(intent: Intent, context: Context) -> Reply:
    about = context.help.get(str(intent.slots.get("topic")), {})
    if more := about.get("more") or about.get("example"):
        return reply(context, en=more, de=more)
    can = listed([family["what"] for family in context.help.values() if "what" in family], context.language)
    first, second = (context.help.get(name, {}).get("example", "") for name in _EXAMPLES)
    return reply(context, en=f"I can {can}. Try: {first} Or: {second}",
                 de=f"Ich {can}. Versuch es mit: {first} Oder: {second}")


FAMILY = Family("help", skills={"Help": explain})
