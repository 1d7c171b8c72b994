"""What people ask for that needs the network or other devices: an honest answer, or the helper when it is on."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.dialogue.families.helper.skill import heard, is_turned
from appliance.dialogue.families.unavailable.forecast import forecast
from appliance.dialogue.family import Family
from appliance.dialogue.reading.spans import DAY
from appliance.dialogue.reading.texts import text_of
from appliance.dialogue.types import Ask, Context, Intent, Question, Reply
from appliance.dialogue.utterance import Span, Utterance

_HELPERS = {
    "weather": ("weather", "chat"),
    "lights": ("home",),
    "heating": ("home",),
    "home": ("home",),
    "television": ("home",),
    "music": ("home",),
    "radio": ("home",),
    "knowledge": ("chat",),
    "translation": ("chat",),
}
"""Topic to the helpers that may answer, the best first."""
_ASKED_FIRST = ("home",)
"""Topics of doors, locks and machines: what may be dangerous is confirmed."""


def unavailable(intent: Intent, context: Context) -> Reply | Ask:
    topic = str(intent.slots.get("topic", ""))
    for helper in _HELPERS.get(topic, ()):
        if helper not in context.helpers:
            continue
        sure = bool(intent.slots.get("confirmed"))
        if helper == "home" and not sure and (topic in _ASKED_FIRST or is_turned(intent)):
            return context.say("helper.home_sure", what=intent.text, question=Question(intent))
        if helper == "weather":
            return Ask(helper, intent.text, lambda answer: forecast(answer, intent, context))
        return Ask(helper, intent.text, lambda answer: heard(answer, context))
    name = f"unavailable.{topic}"
    return context.say(name if name in context.texts else "unavailable.other")


_OPENS = "unavailable.opens="


def _opened(utterance: Utterance) -> Iterator[Span]:
    """Words with which such a request begins, and for the weather the day, which may stand among them: "regnet es
    morgen noch".
    """
    days = utterance.read("day", DAY)
    for name, hits in utterance.hits.items():
        if name.startswith(_OPENS):
            topic = name.removeprefix(_OPENS)
            slots = {"topic": topic, **(days[0].slots if days and topic == "weather" else {})}
            yield from (Span(start, end, slots) for start, end in hits)


def _rest(utterance: Utterance, start: int, end: int) -> Span | None:
    """All that follows words with which such a request begins: "play …", "how high is …", "translate …"."""
    if end < len(utterance.words):
        return None
    fillers = {at for first, last in utterance.hits.get("filler", ()) for at in range(first, last)}
    opens = [at for name, hits in utterance.hits.items() if name.startswith(_OPENS) for at in hits]
    begun = any(stop == start and fillers.issuperset(range(first)) for first, stop in opens)
    return Span(start, end, {"rest": utterance.text(start, end)}, 0.9, open=True) if begun else None


FAMILY = Family(
    "unavailable",
    skills={"Unavailable": unavailable},
    readers={"day": DAY, "opened": _opened},
    open_readers={"rest": _rest, "thing": text_of("thing", 6, unsure=())},
)
