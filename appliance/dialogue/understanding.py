"""Text to intent and slots: hassil templates, our own sentences first and Home Assistant's behind them.

hassil finds which sentence it is and which words fill its slots; the slots are then read by the parsers in SLOTS
("half past seven" to a Moment). A slot that cannot be read is no match, and the next sentence is tried. This is how
"what's seventeen times three" and "what's the date" can both begin with "what's {anything}".
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml
from hassil import Intents, recognize_all
from hassil.intents import SlotList, TextSlotList
from home_assistant_intents import get_intents

from appliance.dialogue.arithmetic import parse_expression
from appliance.dialogue.days import parse_day
from appliance.dialogue.measures import parse_duration, parse_duration_at, parse_quantity
from appliance.dialogue.moments import parse_moment
from appliance.dialogue.normalisation import MAX_CHARACTERS, as_it_sounded, normalise, without_fillers
from appliance.dialogue.numerals import parse_number, parse_whole_number
from appliance.dialogue.types import Intent
from appliance.dialogue.units import parse_unit, parse_unit_at
from appliance.language import Language

Slots = dict[str, object]

_REMEMBERED_SENTENCES = 512
_MAX_WORDS = 30
"""A command has fewer words; matching time grows with them."""
_MAX_CANDIDATES = 200
"""Readings of one sentence that are tried before it counts as not understood."""

# Intents of Home Assistant that a skill of ours answers; the rest (lights, locks, …) is not loaded.
_BASE_INTENTS = (
    "HassGetCurrentTime", "HassGetCurrentDate", "HassStartTimer", "HassCancelTimer", "HassCancelAllTimers",
    "HassTimerStatus", "HassIncreaseTimer", "HassDecreaseTimer", "HassSetVolume", "HassSetVolumeRelative",
    "HassNevermind", "HassRespond",
)  # fmt: skip
# Sentences about rooms, floors, other players and delayed commands have no meaning here.
_FOREIGN_SLOTS = ("area", "floor", "command", "name_only")


class Understanding:
    """Turns words into an intent. Thread safe; no I/O after construction."""

    def __init__(self, languages: tuple[Language, ...] = ("en", "de")) -> None:
        self._grammars = {language: _Grammar(language) for language in languages}
        # hassil fills its own caches while matching, without a lock of its own.
        self._lock = threading.Lock()
        self._remembered = lru_cache(_REMEMBERED_SENTENCES)(self._recognize)

    def understand(self, text: str, language: Language) -> Intent:
        """What is meant; an Intent with the name "" if that is not known. Raises KeyError for a language not loaded."""
        words = normalise(text, language) if len(text) <= MAX_CHARACTERS else ""
        name, slots = self._remembered(words, language) if words else ("", {})
        if isinstance(slots.get("name"), str):
            slots = {**slots, "name": _as_written(str(slots["name"]), text)}
        return Intent(name, text, language, slots)

    def _recognize(self, words: str, language: Language) -> tuple[str, Mapping[str, object]]:
        grammar = self._grammars[language]
        if len(words.split()) > _MAX_WORDS:
            return "", {}
        shorter = without_fillers(words, language)
        readings = dict.fromkeys((words, shorter, as_it_sounded(shorter, language)))  # in this order, each once
        with self._lock:
            found = (grammar.recognize(reading) for reading in readings if reading)
            return next((intent for intent in found if intent is not None), ("", {}))


class _Grammar:
    """The sentences of one language."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._own = Intents.from_dict(_own_sentences(language))
        self._base = Intents.from_dict(_base_sentences(language))
        # Named in sentences we do not use, but hassil insists on them.
        self._lists: dict[str, SlotList] = {name: TextSlotList.from_strings([]) for name in ("area", "floor", "name")}
        for sentence in _WARM_UP[language]:  # number words up to a hundred are spelled out on first use: 50 ms
            for intents in (self._own, self._base):
                for _ in self._candidates(sentence, intents):
                    pass

    def recognize(self, words: str) -> tuple[str, Slots] | None:
        for intents in (self._own, self._base):
            for name, entities in self._candidates(words, intents):
                slots = _read_slots(entities, self._language)
                if slots is not None:
                    return name, slots
        return None

    def _candidates(self, words: str, intents: Intents) -> Iterator[tuple[str, Slots]]:
        results = recognize_all(
            words, intents, slot_lists=self._lists, language=self._language, intent_context={"area": "here"}
        )
        for _, result in zip(range(_MAX_CANDIDATES), results, strict=False):
            entities: Slots = {entity.name: entity.value for entity in result.entities_list}
            entities.pop("area", None)
            if result.intent.name == "HassRespond":
                entities.setdefault("topic", result.response)
            yield result.intent.name, entities


_WARM_UP: dict[Language, tuple[str, ...]] = {
    "en": ("set a timer for five minutes and ten seconds", "set volume to ten percent", "what is one plus one"),
    "de": ("stelle einen timer auf fünf minuten und zehn sekunden", "stelle die lautstärke auf zehn prozent",
           "was ist eins plus eins"),
}  # fmt: skip


def _own_sentences(language: Language) -> dict[str, Any]:
    text = files("appliance.dialogue").joinpath("sentences", f"{language}.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    sentences: dict[str, Any] = yaml.load(text, loader)  # noqa: S506  a safe loader, the C one where it exists
    return sentences


def _base_sentences(language: Language) -> dict[str, Any]:
    base = get_intents(language)
    if base is None:
        raise KeyError(f"home-assistant-intents has no sentences for {language!r}")
    kept = {}
    for name in _BASE_INTENTS:
        data = [
            block
            for block in base["intents"][name]["data"]
            if not any(slot in block.get("metadata", {}).get("slot_combination", "") for slot in _FOREIGN_SLOTS)
            or "timer" in name.lower() and block["metadata"]["slot_combination"] == "name_only"
        ]
        kept[name] = {"data": data}
    return {**base, "intents": kept}


# Slots

_ARTICLES: dict[Language, frozenset[str]] = {
    "en": frozenset("the a an my our for".split()),
    "de": frozenset("der die das den dem des ein eine einen einem einer mein meine meinen meinem für".split()),
}
_NOT_IN_NAMES: dict[Language, frozenset[str]] = {
    "en": frozenset(
        "timer timers alarm minute minutes second seconds hour hours set cancel all the pause minus".split()),
    "de": frozenset(
        "timer wecker minute minuten sekunde sekunden stunde stunden alle minus stellen starten setzen".split()),
}
_POLITE = frozenset("please thanks bitte danke".split())
_MAX_NAME_WORDS, _MAX_NAME_CHARACTERS = 4, 40
_MAX_TASK_WORDS = 15


def _name(text: str, language: Language) -> str | None:
    """What a timer is called, without its article: "den pizza" is "pizza"."""
    words = text.split()
    while words and words[0] in _ARTICLES[language]:
        words = words[1:]
    if not 1 <= len(words) <= _MAX_NAME_WORDS or len(text) > _MAX_NAME_CHARACTERS:
        return None
    if not (_NOT_IN_NAMES[language] | _POLITE).isdisjoint(words):
        return None
    if any(parse_number([word], 0, language) for word in words):
        return None  # "timer for ten" is no timer called "ten"
    return " ".join(words)


def _as_written(name: str, text: str) -> str:
    """The name with the capitals it was typed with: German nouns have them."""
    start = text.lower().find(name)
    return text[start : start + len(name)] if start >= 0 else name


def _read_name(text: str, language: Language) -> Slots | None:
    name = _name(text, language)
    return {"name": name} if name else None


def _read_task(text: str, language: Language) -> Slots | None:
    words = text.split()
    if not 1 <= len(words) <= _MAX_TASK_WORDS or words[-1] in _POLITE:
        return None  # "… at six please" is read again without "please"
    return {"name": " ".join(words)}


def _read_named_duration(text: str, language: Language) -> Slots | None:
    """ "ten minute pizza", "die pizza 10 minuten": a duration before or behind a name."""
    words = text.split()
    for start in range(len(words)):
        found = parse_duration_at(words, start, language)
        if found is not None and (start == 0 or found[1] == len(words)):
            name = _name(" ".join(words[:start] + words[found[1] :]), language)
            return {"duration_s": found[0], "name": name} if name else None
    return None


def _read_task_and_moment(text: str, language: Language) -> Slots | None:
    """ "call mum tomorrow at six", "tomorrow to call mum": the longest time at one end, the rest is the task."""
    words = text.split()
    for split in range(1, len(words)):
        if (moment := parse_moment(" ".join(words[split:]), language)) is not None:
            return {"name": " ".join(words[:split]), "moment": moment}
    for split in range(len(words) - 1, 0, -1):
        if (moment := parse_moment(" ".join(words[:split]), language)) is not None:
            return {"name": " ".join(words[split:]), "moment": moment}
    return None


def _read_unit_and_quantity(text: str, language: Language) -> Slots | None:
    """ "meter eine meile", as in "wie viele Meter eine Meile hat"."""
    words = text.split()
    found = parse_unit_at(words, 0, language)
    quantity = parse_quantity(" ".join(words[found[1] :]), language) if found else None
    return {"unit": found[0], "quantity": quantity} if found and quantity else None


def _one(slot: str, parse: Callable[[str, Language], object | None]) -> Callable[[str, Language], Slots | None]:
    def read(text: str, language: Language) -> Slots | None:
        value = parse(text, language)
        return None if value is None else {slot: value}

    return read


SLOTS: dict[str, Callable[[str, Language], Slots | None]] = {
    "duration": _one("duration_s", parse_duration),
    "start": _one("start_s", parse_duration),
    "named_duration": _read_named_duration,
    "timer_name": _read_name,
    "name": _read_name,
    "task": _read_task,
    "task_and_moment": _read_task_and_moment,
    "moment": _one("moment", parse_moment),
    "day": _one("day", parse_day),
    "expression": _one("expression", parse_expression),
    "quantity": _one("quantity", parse_quantity),
    "unit": _one("unit", parse_unit),
    "unit_and_quantity": _read_unit_and_quantity,
    **{slot: _one(slot, parse_whole_number) for slot in ("level", "up", "down", "count", "sides", "low", "high")},
}
"""Slot in a sentence to what reads it. Numbers and flags that a sentence file fixes itself pass unread."""

_SECONDS = {"hours": 3600, "minutes": 60, "seconds": 1}


def _read_slots(entities: Slots, language: Language) -> Slots | None:
    """The slots' values; None if one of them cannot be read."""
    slots: Slots = {}
    for name, value in entities.items():
        front, _, unit = name.rpartition("_")
        if unit in _SECONDS and front in ("", "start") and isinstance(value, (int, float)):  # Home Assistant's timers
            key = "start_s" if front else "duration_s"
            so_far = slots.get(key, 0.0)
            slots[key] = (so_far if isinstance(so_far, float) else 0.0) + float(value) * _SECONDS[unit]
        elif name == "volume_level":
            slots["level"] = value
        elif name == "volume_step":
            step = value if isinstance(value, (int, float)) else {"up": 10, "down": -10}[str(value)]
            slots["up" if step > 0 else "down"] = abs(step)
        elif name in SLOTS and isinstance(value, str):
            read = SLOTS[name](value.strip(), language)
            if read is None:
                return None
            slots.update(read)
        else:
            slots[name] = value
    return slots
