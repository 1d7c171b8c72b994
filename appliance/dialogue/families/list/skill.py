"""Shopping list, to-do list, and lists of one's own: add, remove, read, clear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.dialogue.actions import Action, AddItems, RemoveItems, ReplaceList
from appliance.dialogue.choosing import CHOICE, CHOICE_CLASSES, chosen
from appliance.dialogue.family import Family
from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.names import known
from appliance.dialogue.reading.texts import text_of
from appliance.dialogue.types import Context, Intent, Question, Reply
from appliance.dialogue.utterance import Span, Utterance

SHARED = ("shopping", "todo")
"""The lists that are there from the beginning; others go by the names people gave them."""
_MANY = 12
"""More items are not read out one by one without asking."""


def add(intent: Intent, context: Context) -> Reply:
    items, name = _items(intent), _list(intent, context)
    if not items:
        return context.say("list.add_what", question=Question(intent, ("items",)))
    if name not in SHARED and name not in context.lists:
        return _no_such(name, context)
    there = {item.casefold() for item in context.lists.get(name, ())}
    new = [item for item in items if item.casefold() not in there]
    if not new:
        return context.say("list.there", items=items, n=len(items), **_both(name, context))
    return context.say("list.added", items=new, **_both(name, context), actions=[AddItems(name, tuple(new))])


def remove(intent: Intent, context: Context) -> Reply:
    return _take_off(intent, context, "removed")


def complete(intent: Intent, context: Context) -> Reply:
    return _take_off(intent, context, "done")


def _take_off(intent: Intent, context: Context, how: str) -> Reply:
    items, name = _items(intent), _list(intent, context)
    if not items and "choice" in intent.slots and ("list" in intent.slots or _read_out(context)):
        items = chosen(context.lists.get(name, ()), intent.slots["choice"])
    if not items:
        return context.say("list.remove_what", question=Question(intent, ("items",)))
    names = [name] if "list" in intent.slots else [name, *(other for other in context.lists if other != name)]
    for each in names:
        found = [there for item in items if (there := _match(item, context.lists.get(each, ()))) is not None]
        if found:
            return context.say(
                f"list.{how}", items=found, **_both(each, context), actions=[RemoveItems(each, tuple(found))]
            )
    return context.say("list.not_there", items=items, n=len(items), **_both(name, context))


def _read_out(context: Context) -> bool:
    """Whether a list was spoken of just before, so that "the first one" is one of its things."""
    return context.last is not None and context.last.name in FAMILY.skills


def read(intent: Intent, context: Context) -> Reply:
    name = _list(intent, context)
    if name not in SHARED and name not in context.lists:
        return _no_such(name, context)
    items = context.lists.get(name, ())
    if not items:
        return context.say("list.empty", **_both(name, context))
    if len(items) > _MANY and not intent.slots.get("all"):
        return context.say(
            "list.read_long", n=len(items), **_both(name, context), items=items[:_MANY], more=len(items) - _MANY
        )
    return context.say("list.read", n=len(items), items=items, **_both(name, context))


def is_on(intent: Intent, context: Context) -> Reply:
    name, items = _list(intent, context), _items(intent)
    found = [item for item in items if _match(item, context.lists.get(name, ())) is not None]
    if len(found) == len(items) and items:
        return context.say("list.is_on", items=found, n=len(found), **_both(name, context))
    missing = [item for item in items if item not in found]
    return context.say("list.is_not_on", items=missing or items, n=len(missing), **_both(name, context))


def count(intent: Intent, context: Context) -> Reply:
    name = _list(intent, context)
    return context.say("list.count", n=len(context.lists.get(name, ())), **_both(name, context))


def clear(intent: Intent, context: Context) -> Reply:
    name = _list(intent, context)
    items = context.lists.get(name, ())
    if not items:
        return context.say("list.empty", **_both(name, context))
    if not intent.slots.get("confirmed"):
        return context.say("list.clear", n=len(items), items=items, **_both(name, context), question=Question(intent))
    return context.say("list.cleared", **_both(name, context), actions=[ReplaceList(name, ())])


def create(intent: Intent, context: Context) -> Reply:
    name = str(intent.slots.get("list", ""))
    if not name:
        return context.say("list.call_it", question=Question(intent, ("list_name",)))
    if name in context.lists or name in SHARED:
        return context.say("list.exists", **_both(name, context))
    return context.say("list.created", **_both(name, context), actions=[ReplaceList(name, ())])


def delete(intent: Intent, context: Context) -> Reply:
    name = _list(intent, context)
    if name not in context.lists:
        return _no_such(name, context)
    if not intent.slots.get("confirmed"):
        return context.say("list.delete", n=len(context.lists[name]), **_both(name, context), question=Question(intent))
    gone: Action = ReplaceList(name, () if name in SHARED else None)
    return context.say("list.deleted", **_both(name, context), actions=[gone])


def list_all(intent: Intent, context: Context) -> Reply:
    names = dict.fromkeys((*SHARED, *context.lists))
    return context.say("list.all", lists=[_said(name, context, "") for name in names])


def _items(intent: Intent) -> list[str]:
    items = intent.slots.get("items", ())
    return [items] if isinstance(items, str) else [str(item) for item in items]  # type: ignore[attr-defined]


def _list(intent: Intent, context: Context) -> str:
    name = str(intent.slots.get("list", SHARED[0]))
    return next((known for known in (*SHARED, *context.lists) if known.casefold() == name.casefold()), name)


def _said(name: str, context: Context, case: str = "_dative") -> str:
    """ "the shopping list", as after "on"; case "": as the subject of a sentence."""
    said = context.text(f"list.{name}{case}") if name in SHARED else context.text(f"list.named{case}", name=name)
    return said[:1].lower() + said[1:]


def _both(name: str, context: Context) -> dict[str, Any]:
    """The list in either case, for the texts to choose from."""
    return {"list": _said(name, context), "list_subject": _said(name, context, "")}


def _match(item: str, items: tuple[str, ...]) -> str | None:
    """The item on a list that somebody means: the same word, its plural, or a part of it."""
    wanted = item.casefold()
    exact = [there for there in items if there.casefold() == wanted]
    close = [
        there
        for there in items
        if _stem(there) == _stem(item)
        or f" {wanted} " in f" {there.casefold()} "
        or _stem(item) in [_stem(word) for word in there.split()]
    ]
    return next(iter(exact or close), None)


def _stem(word: str) -> str:
    return word.casefold().removesuffix("s").removesuffix("n").removesuffix("e")


def _no_such(name: str, context: Context) -> Reply:
    return context.say("list.no_such", **_both(name, context))


def _items_in(utterance: Utterance, start: int, end: int) -> Span | None:
    """Some things, with "and" or commas between: one slot of several texts."""
    base = _TEXT(utterance, start, end)
    if base is None or _of_another_family(utterance, start, end):
        return None
    hits = utterance.hits
    goods = [(first, last) for first, last in hits.get("list.goods", ()) if start <= first and last <= end]
    whole = {at: last for at, last in sorted(goods) if last > at + 1}
    """Things of several words, by their first: "mac and cheese" is one."""
    ands = {at for first, last in hits.get("list.and", ()) for at in range(first, last)}
    ands -= {at for first, last in whole.items() for at in range(first, last)}
    if start in ands or end - 1 in ands or _vague(utterance, start, end):
        return None
    things: list[list[int]] = [[]]
    position = start
    while position < end:
        stop = whole.get(position, position + 1)
        if position in ands:
            things.append([])
        else:
            things[-1] += range(position, min(stop, end))
            if stop - 1 in utterance.commas:
                things.append([])
        position = stop
    singles = {first for first, last in goods}
    found = [item for thing in things for item in _apart(thing, singles, whole, utterance)]
    return Span(start, end, {"items": tuple(found)}, base.quality, open=True) if found else None


def _of_another_family(utterance: Utterance, start: int, end: int) -> bool:
    """Whether it is a thing of ours rather than one to buy, where nobody speaks of a list: "chuck a dice"."""
    hits = utterance.hits
    if any(start <= first and last <= end for first, last in hits.get("list.goods", ())):
        return False
    return "list.list" not in hits and any(
        first < end and last > start for name in _NOT_BOUGHT for first, last in hits.get(name, ())
    )


def _behind_the_list(utterance: Utterance, start: int, end: int) -> Span | None:
    """ "shopping list: onions": things named behind the list, with no word that says what to do."""
    lists = [stop for _, stop in utterance.hits.get("list.list", ())]
    return _items_in(utterance, start, end) if lists and start >= max(lists) else None


def _apart(thing: list[int], singles: set[int], whole: Mapping[int, int], utterance: Utterance) -> Iterator[str]:
    """ "milk eggs bread": each of them is something one buys; "tomato soup" is one."""
    small = grammar(utterance.language).words.articles | grammar(utterance.language).words.set("some_of")
    thing = [at for at in thing if not utterance.is_in("hesitation", at)]
    while thing and utterance.words[thing[0]] in small:
        thing = thing[1:]
    starts = [at for at in thing if not any(first < at < last for first, last in whole.items())]
    if len(starts) > 1 and all(at in singles for at in starts):
        for at in starts:
            yield utterance.text(at, whole.get(at, at + 1))
    elif thing:
        yield " ".join(utterance.words[at] for at in thing)


def _vague(utterance: Utterance, start: int, end: int) -> bool:
    """Whether nobody could buy it: "that thing", "something", "ten thousand things"."""
    return any(utterance.is_in("vague", at) for at in range(start, end))


def _goods(utterance: Utterance) -> Iterator[Span]:
    """Things that one buys, in a row."""
    singles = utterance.hits.get("list.goods", ())
    for start, _ in singles:
        end = start
        while (
            any(first <= end < last for first, last in singles)
            or utterance.is_in("list.and", end)
            and any(first == end + 1 for first, _ in singles)
        ):
            end += 1
        span = _items_in(utterance, start, end)
        if span is not None:
            yield span


def _known_list(utterance: Utterance) -> Iterator[Span]:
    """The name of a list that there is, with or without the word "list"."""
    yield from _KNOWN(utterance)


_NOT_BOUGHT = ("chance.dice", "chance.coin", "timer.timer", "alarm.alarm", "reminder.reminder", "joke.joke") + tuple(
    f"unavailable.topic_word={topic}" for topic in ("music", "radio", "lights", "television", "heating")
)
_TEXT = text_of(
    "items",
    14,
    never=("list.list", "question", "negation", "quantifier", "pronoun", "past", *CHOICE_CLASSES),
    quality=0.9,
    last=("filler", "unfinished", "preposition"),
    needs_meaning=True,
)
_KNOWN = known("list", "list")
_NAME = text_of("list", 3, never=("filler", "changer", "question", "list.create", "list.list", "function"), quality=1.0)

FAMILY = Family(
    "list",
    skills={
        "AddToList": add,
        "RemoveFromList": remove,
        "CompleteItem": complete,
        "ReadList": read,
        "IsOnList": is_on,
        "CountList": count,
        "ClearList": clear,
        "CreateList": create,
        "DeleteList": delete,
        "ListLists": list_all,
    },
    changes=frozenset({"RemoveFromList", "CompleteItem", "ClearList", "DeleteList"}),
    keeps=("list",),
    keeps_for=frozenset({"AddToList", "RemoveFromList", "CompleteItem", "ReadList", "IsOnList", "CountList"}),
    acts=frozenset({"AddToList", "RemoveFromList", "CompleteItem", "ClearList", "CreateList", "DeleteList"}),
    readers={"known_list": _known_list, "goods": _goods, "choice": CHOICE},
    open_readers={"items": _items_in, "items_behind": _behind_the_list, "list_name": _NAME},
    thing="list.list",
    actions=(AddItems, RemoveItems, ReplaceList),
)
