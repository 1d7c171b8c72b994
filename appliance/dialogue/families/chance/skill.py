"""Dice, coins and random numbers. Chance comes from the context."""

from __future__ import annotations

from fractions import Fraction

from appliance.dialogue.family import Family
from appliance.dialogue.reading.numerals import parse_whole_number
from appliance.dialogue.reading.readers import one
from appliance.dialogue.saying.number_words import in_words
from appliance.dialogue.saying.spoken import capitalised, listed, number, reply
from appliance.dialogue.types import Context, Intent, Reply

_MOST_DICE = 10
_MOST_SIDES = 1000


def roll(intent: Intent, context: Context) -> Reply:
    count, sides = _number(intent, "count", 1), _number(intent, "sides", 6)
    if not 1 <= count <= _MOST_DICE or not 2 <= sides <= _MOST_SIDES:
        return reply(context, en="I roll one to ten dice with up to a thousand sides.",
                     de="Ich werfe ein bis zehn Würfel mit bis zu tausend Seiten.")
    rolled = [context.random.randint(1, sides) for _ in range(count)]
    en, de = ([in_words(each, language) for each in rolled] for language in ("en", "de"))
    if count == 1:
        article = "an" if en[0].startswith(("eight", "eleven")) else "a"
        return reply(context, en=f"You rolled {article} {en[0]}.", de=f"Du hast eine {capitalised(de[0])} gewürfelt.")
    total = sum(rolled)
    return reply(context, en=f"{capitalised(listed(en, 'en'))}. That makes {in_words(total, 'en')}.",
                 de=f"{capitalised(listed(de, 'de'))}. Das macht {in_words(total, 'de')}.")


def flip(intent: Intent, context: Context) -> Reply:
    heads = context.random.random() < 0.5
    return reply(context, en="Heads." if heads else "Tails.", de="Kopf." if heads else "Zahl.")


def pick_number(intent: Intent, context: Context) -> Reply:
    low, high = sorted((_number(intent, "low", 1), _number(intent, "high", 100)))
    picked = context.random.randint(low, high)
    if picked >= 1000:
        return reply(context, en=f"{number(Fraction(picked), 'en')}.", de=f"{number(Fraction(picked), 'de')}.")
    return reply(context, en=f"{capitalised(in_words(picked, 'en'))}.", de=f"{capitalised(in_words(picked, 'de'))}.")


def _number(intent: Intent, slot: str, otherwise: int) -> int:
    value = intent.slots.get(slot, otherwise)
    return value if isinstance(value, int) else otherwise


FAMILY = Family(
    "chance",
    skills={
        "RollDice": roll,
        "FlipCoin": flip,
        "PickNumber": pick_number,
    },
    readers={slot: one(slot, parse_whole_number) for slot in ("count", "sides", "low", "high")},
)
