"""Dice, coins, random numbers, and choosing for somebody. Chance comes from the context."""

from __future__ import annotations

from fractions import Fraction

from appliance.dialogue.family import Family
from appliance.dialogue.languages import grammar
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
    """Two things or more with "or" between them; with "and" behind a word that asks to choose."""
    hits = utterance.hits
    asked = "chance.choose" in hits
    splitting = ("chance.or", "list.and") if asked and "chance.or" not in hits else ("chance.or",)
    ors = {at for name in splitting for first, last in hits.get(name, ()) for at in range(first, last)}
    base = _TEXT(utterance, start, end)
    if base is None or start in ors or end - 1 in ors:
        return None
    if not asked and end - start < len(utterance.words) - _fillers(utterance):
        return None
    things: list[list[int]] = [[]]
    for at in range(start, end):
        if at in ors:
            things.append([])
        else:
            things[-1].append(at)
            if at in utterance.commas:
                things.append([])
    things = _even([thing for thing in things if thing], listed="list.and" in splitting)
    if len(things) < 2 or not all(_plain(thing, utterance, asked=asked) for thing in things):
        return None
    return Span(start, end, {"options": tuple(" ".join(utterance.words[at] for at in thing) for thing in things)}, 1.0)


def _even(things: list[list[int]], *, listed: bool) -> list[list[int]]:
    """ "red blue and green" are three; in "who does the dishes tom or lisa" the last words before "or" are one."""
    if len(things) < 2:
        return things
    length = len(things[-1])
    first = things[0]
    if len(first) > 2 * length and not listed:
        return [first[-length:], *things[1:]]
    if length == 1 and len(things) == 2 and 2 <= len(first) <= 5 and listed:
        return [*([at] for at in first), things[-1]]
    return things


def _plain(thing: list[int], utterance: Utterance, *, asked: bool) -> bool:
    """Whether it is a thing rather than something to do; unless one is asked to choose, also short and no number."""
    commands = {
        at
        for name, hits in utterance.hits.items()
        if name.startswith(_COMMANDS)
        for first, last in hits
        for at in range(first, last)
    }
    rules = grammar(utterance.language)
    words = [utterance.words[at] for at in thing]
    if commands & set(thing) or any(word in rules.words.units for word in words):
        return False
    if asked:
        return True
    verbs = {
        at
        for name in ("question", "aux", "do")
        for first, last in utterance.hits.get(name, ())
        for at in range(first, last)
    }
    return (
        len(thing) <= _MOST_WORDS
        and not verbs & set(thing)
        and not any(
            word not in rules.words.articles and (word[0].isdigit() or rules.number_at([word], 0)) for word in words
        )
    )


def _fillers(utterance: Utterance) -> int:
    return len(
        {
            at
            for name in ("filler", "chance.of")
            for first, last in utterance.hits.get(name, ())
            for at in range(first, last)
        }
    )


_MOST_WORDS = 3
"""A thing to choose has no more, if nothing but "or" says that somebody wants to choose."""
_COMMANDS = (
    "negation_only",
    "timer.timer",
    "timer.cancel",
    "alarm.alarm",
    "alarm.wake",
    "stopwatch.stopwatch",
    "list.list",
    "volume.louder",
    "volume.quieter",
    "voice.faster",
    "voice.slower",
    "voice.speech",
    "spelling.spell",
    "reminder.remind",
    "sky.sun",
    "joke.joke",
)
"""Beginnings of the names of classes: who says such a word does not want to choose between things."""
_TEXT = text_of("options", 14, unsure=("question", "asking"), last=("filler",))

FAMILY = Family(
    "chance",
    again=True,
    skills={"RollDice": roll, "FlipCoin": flip, "PickNumber": pick_number, "PickOne": pick_one},
    readers={slot: whole_number(slot) for slot in ("count", "sides", "low", "high")},
    open_readers={"options": _options},
)
