"""Text to intent and slots: hassil templates, our own sentences first and Home Assistant's behind them.

hassil finds which sentence it is and which words fill its slots; the slots are then read by the readers of the families
("half past seven" to a Moment). A slot that cannot be read is no match, and the next sentence is tried. This is how
"what's seventeen times three" and "what's the date" can both begin with "what's {anything}".
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from hassil import Intents, recognize_all
from hassil.intents import SlotList, TextSlotList
from home_assistant_intents import get_intents

from appliance.dialogue.families import FAMILIES
from appliance.dialogue.family import Family, load_yaml
from appliance.dialogue.reading.normalisation import MAX_CHARACTERS, as_it_sounded, normalise, without_fillers
from appliance.dialogue.reading.readers import Reader, Slots
from appliance.dialogue.types import Intent
from appliance.language import LANGUAGES, Language

_REMEMBERED_SENTENCES = 512
_MAX_WORDS = 30
"""A command has fewer words; matching time grows with them."""
_MAX_CANDIDATES = 200
"""Readings of one sentence that are tried before it counts as not understood."""

# Sentences about rooms, floors, other players and delayed commands have no meaning here.
_FOREIGN_SLOTS = ("area", "floor", "command", "name_only")


class Understanding:
    """Turns words into an intent. Thread safe; no I/O after construction."""

    def __init__(self, families: Iterable[Family] = FAMILIES, languages: tuple[Language, ...] = LANGUAGES) -> None:
        families = tuple(families)
        self._grammars = {language: _Grammar(families, language) for language in languages}
        # hassil fills its own caches while matching, without a lock of its own.
        self._lock = threading.Lock()
        self._remembered = lru_cache(_REMEMBERED_SENTENCES)(self._recognize)

    def understand(self, text: str, language: Language) -> Intent:
        """What is meant; an Intent with the name "" if that is not known. Raises KeyError for a language not loaded."""
        words = normalise(text, language) if len(text) <= MAX_CHARACTERS else ""
        name, slots = self._remembered(words, language) if words else ("", {})
        if isinstance(slots.get("name"), str):
            slots = {**slots, "name": as_written(str(slots["name"]), text)}
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

    def __init__(self, families: tuple[Family, ...], language: Language) -> None:
        self._language = language
        self._readers: dict[str, Reader] = {}
        for family in families:
            for slot, reader in family.readers.items():
                if self._readers.setdefault(slot, reader) is not reader:
                    raise ValueError(f"{family.name} reads {slot!r} in another way than the families before it")
        self._own = Intents.from_dict(_own_sentences(families, language))
        self._base = Intents.from_dict(_base_sentences(families, language))
        # Named in sentences we do not use, but hassil insists on them.
        self._lists: dict[str, SlotList] = {name: TextSlotList.from_strings([]) for name in ("area", "floor", "name")}
        for sentence in _WARM_UP[language]:  # number words up to a hundred are spelled out on first use: 50 ms
            for intents in (self._own, self._base):
                for _ in self._candidates(sentence, intents):
                    pass

    def recognize(self, words: str) -> tuple[str, Slots] | None:
        for intents in (self._own, self._base):
            for name, entities in self._candidates(words, intents):
                slots = self._read(entities)
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

    def _read(self, entities: Slots) -> Slots | None:
        """The slots' values; None if one of them cannot be read."""
        slots: Slots = {}
        for name, value in entities.items():
            front, _, unit = name.rpartition("_")
            if unit in _SECONDS and front in ("", "start") and isinstance(value, (int, float)):
                # Home Assistant's timers
                key = "start_s" if front else "duration_s"
                so_far = slots.get(key, 0.0)
                slots[key] = (so_far if isinstance(so_far, float) else 0.0) + float(value) * _SECONDS[unit]
            elif name == "volume_level":
                slots["level"] = value
            elif name == "volume_step":
                step = value if isinstance(value, (int, float)) else {"up": 10, "down": -10}[str(value)]
                slots["up" if step > 0 else "down"] = abs(step)
            elif name in self._readers and isinstance(value, str):
                read = self._readers[name](value.strip(), self._language)
                if read is None:
                    return None
                slots.update(read)
            else:
                slots[name] = value
        return slots


_SECONDS = {"hours": 3600, "minutes": 60, "seconds": 1}
_WARM_UP: dict[Language, tuple[str, ...]] = {
    "en": ("set a timer for five minutes and ten seconds", "set volume to ten percent", "what is one plus one"),
    "de": ("stelle einen timer auf fünf minuten und zehn sekunden", "stelle die lautstärke auf zehn prozent",
           "was ist eins plus eins"),
}  # fmt: skip


def _own_sentences(families: Iterable[Family], language: Language) -> dict[str, Any]:
    common = files("appliance.dialogue").joinpath("languages", f"{language}.yaml").read_text(encoding="utf-8")
    intents: dict[str, Any] = {}
    for family in families:
        intents |= family.sentences(language).get("intents", {})
    slots = {"number"} | {slot for family in families for slot in family.readers}  # {number:level} is read as a level
    wildcards = {slot: {"wildcard": True} for slot in slots}
    return {"language": language, "lists": wildcards, **load_yaml(common), "intents": intents}


def _base_sentences(families: Iterable[Family], language: Language) -> dict[str, Any]:
    base = get_intents(language)
    if base is None:
        raise KeyError(f"home-assistant-intents has no sentences for {language!r}")
    kept = {}
    for name in sorted(name for family in families for name in family.skills if name in base["intents"]):
        data = [
            block
            for block in base["intents"][name]["data"]
            if not any(slot in block.get("metadata", {}).get("slot_combination", "") for slot in _FOREIGN_SLOTS)
            or "timer" in name.lower() and block["metadata"]["slot_combination"] == "name_only"
        ]
        kept[name] = {"data": data}
    return {**base, "intents": kept}


def as_written(name: str, text: str) -> str:
    """The name with the capitals it was typed with: German nouns have them."""
    start = text.lower().find(name)
    return text[start : start + len(name)] if start >= 0 else name
