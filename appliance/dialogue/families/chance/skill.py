"""Dice, coins, random numbers, and choosing for somebody. Chance comes from the context."""

from __future__ import annotations

from fractions import Fraction

from appliance.dialogue.family import Family
from appliance.dialogue.reading.spans import whole_number
from appliance.dialogue.reading.texts import text_of
from appliance.dialogue.types import Context, Intent, Question, Reply
from appliance.dialogue.utterance import Span, Utterance

_MOST_DICE, _MOST_COINS = 10, 10
_MOST_SIDES = 1000


def roll(intent: Intent, context: Context) -> Reply:
    count, sides = _number(intent, "count", 1), _number(intent, "sides", 6)
    if not 1 <= count <= _MOST_DICE or not 2 <= sides <= _MOST_SIDES:
        return context.say("chance.absurd_dice")
    rolled = [context.random.randint(1, sides) for _ in range(count)]
    if count == 1:
        return context.say("chance.rolled", n=rolled[0])
    each = [context.text("chance.number", n=number).lower() for number in rolled]
    return context.say("chance.rolled_many", each=each, n=sum(rolled))


def flip(intent: Intent, context: Context) -> Reply:
    count = _number(intent, "count", 1)
    if not 1 <= count <= _MOST_COINS:
        return context.say("chance.absurd_coins")
    heads = sum(context.random.random() < 0.5 for _ in range(count))
    if count == 1:
        return context.say("chance.heads" if heads else "chance.tails")
    return context.say("chance.coins", heads=heads, tails=count - heads)


def pick_number(intent: Intent, context: Context) -> Reply:
    low, high = sorted((_number(intent, "low", 1), _number(intent, "high", 100)))
    picked = context.random.randint(low, high)
    return context.say("chance.digits" if picked >= 1000 else "chance.picked", n=picked, value=Fraction(picked))


def pick_one(intent: Intent, context: Context) -> Reply:
    options = intent.slots.get("options", ())
    if not isinstance(options, tuple) or len(options) < 2:
        return context.say("chance.which", question=Question(intent, ("options",)))
    return context.say("chance.chosen", option=context.random.choice(options))


def _number(intent: Intent, slot: str, otherwise: int) -> int:
    value = intent.slots.get(slot, otherwise)
    return value if isinstance(value, int) else otherwise


def _options(utterance: Utterance, start: int, end: int) -> Span | None:
    """Two things or more with "or" between them."""
    base = _TEXT(utterance, start, end)
    if base is None:
        return None
    ors = {at for first, last in utterance.hits.get("chance.or", ()) for at in range(first, last)}
    if start in ors or end - 1 in ors:
        return None
    things: list[list[str]] = [[]]
    for at in range(start, end):
        if at in ors:
            things.append([])
        else:
            things[-1].append(utterance.words[at])
            if at in utterance.commas:
                things.append([])
    options = tuple(" ".join(thing) for thing in things if thing)
    return Span(start, end, {"options": options}, 1.0) if len(options) > 1 else None


_TEXT = text_of("options", 14, unsure=(), last=("filler",))

FAMILY = Family(
    "chance",
    skills={"RollDice": roll, "FlipCoin": flip, "PickNumber": pick_number, "PickOne": pick_one},
    readers={slot: whole_number(slot) for slot in ("count", "sides", "low", "high")},
    open_readers={"options": _options},
)
