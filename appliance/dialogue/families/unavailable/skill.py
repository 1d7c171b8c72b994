"""What people ask for that needs the network or other devices: an honest answer, or the helper when it is on."""

from __future__ import annotations

from appliance.dialogue.family import Family
from appliance.dialogue.types import Ask, Context, Intent, Reply

_HELPERS = {"weather": ("weather",), "lights": ("home",), "heating": ("home",), "home": ("home",),
            "television": ("home",), "music": ("home",), "radio": ("home",), "knowledge": ("chat",),
            "translation": ("chat",)}
"""Topic to the helpers that may answer, the best first."""


def unavailable(intent: Intent, context: Context) -> Reply | Ask:
    topic = str(intent.slots.get("topic", ""))
    for helper in _HELPERS.get(topic, ()):
        if helper in context.helpers:
            return Ask(helper, intent.text, lambda answer: Reply(answer, context.language))
    name = f"unavailable.{topic}"
    return context.say(name if name in context.texts else "unavailable.other")


FAMILY = Family("unavailable", skills={"Unavailable": unavailable})
