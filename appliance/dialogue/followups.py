"""What an utterance means after what was said before: answers to a question, "and in Celsius?", "no, make it ten"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from appliance.dialogue.family import Family
from appliance.dialogue.frames import Reading
from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.moments import Moment
from appliance.dialogue.sentences import Sentences
from appliance.dialogue.types import Intent, Question
from appliance.dialogue.utterance import Slots, Span, Utterance

_EXCLUSIVE = (("duration_s", "moment", "day"), ("name", "start_s", "it", "other"))
"""Slots of which a new one replaces the others."""
_COMPLETE = 0.74
"""So much of an utterance without a verb of its own must be explained."""


@dataclass(frozen=True)
class Situation:
    """What an utterance may refer to."""

    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Names that exist, by kind: {"timer": {"pizza": "pizza"}}."""
    question: Question | None = None
    """What the dialogue asked in the turn before and waits to hear."""
    last: Intent | None = None
    """The last intent that was understood, not too long ago."""
    today: date | None = None
    things: tuple[Mapping[str, object], ...] = ()
    """What there is several of and can be told apart, as slots: {"name": "pizza"}, {"start_s": 1800.0}."""
    ringing: bool = False
    """Whether something rings, or rang a moment ago."""


def answered(sentences: Sentences, utterance: Utterance, question: Question) -> Intent | None:
    """What an answer to a question means; None if it is not one."""
    language = utterance.language
    if not question.wants:
        if _says(utterance, "refuse"):
            return Intent("No", "", language, {"asked": question.intent.name})
        if _says(utterance, "agree"):
            return question.intent.having(confirmed=True)
        return None
    if "turn.never_mind" in utterance.hits and _says(utterance, "turn.never_mind", "refuse"):
        return Intent("HassNevermind", "", language)
    if (everything := sentences.all_of.get(question.intent.name)) and _says(utterance, "all"):
        return Intent(everything, "", language, {"confirmed": True} if "known" in question.wants else {})
    reading = _loose(sentences, utterance, question.intent.name, question.wants)
    if reading is None or changes(reading, utterance):
        return None
    return question.intent.having(**_merged(question.intent.slots, reading.slots))


def followed(
    sentences: Sentences, utterance: Utterance, situation: Situation, *, pointing: bool = False
) -> Intent | None:
    """What an utterance means after another one; None if it says nothing about it.

    pointing: it means something by itself; only a "that" in it may stand for what was said before.
    """
    last = situation.last
    if last is None:
        return None
    family = sentences.family_of.get(last.name)
    if family is None:
        return None
    if pointing:
        return _about_it(sentences, utterance, last, family)
    correction = family.corrects.get(last.name, "" if last.name in family.acts else last.name)
    if _begins(utterance, "rather") and correction:
        reading = _loose(sentences, utterance, correction, (), lead="rather", values=True)
        if reading is not None and reading.slots and not changes(reading, utterance, "rather"):
            return _next(correction, reading, last, keep=correction == last.name, it=True, carries=family.carries)
    about = _about_it(sentences, utterance, last, family)
    if about is not None and about.name != last.name and not _begins(utterance, "also"):
        return about
    if _begins(utterance, "also") or last.name not in family.acts:
        reading = _loose(sentences, utterance, last.name, (), lead="also")
        if reading is not None and reading.slots and not changes(reading, utterance, "also"):
            return _next(last.name, reading, last, keep=last.name not in family.acts or _only_when(reading))
    if about is not None:
        return about
    if last.name in family.more_of:
        intent_of_it, more, less = family.more_of[last.name]
        for name, slots in (("more_of_it", more), ("less_of_it", less)):
            if _says(utterance, name):
                return Intent(intent_of_it, "", utterance.language, slots or last.slots)
    if _says(utterance, "again"):
        return replace(last, text="", doubt="")
    if _says(utterance, "the_other") and family.thing:
        others = [thing for thing in situation.things if not set(thing.items()) & set(last.slots.items())]
        one = others[0] if len(others) == 1 else {"other": True}
        return replace(last, slots={**_without(last.slots, ("name", "start_s", "it")), **one}, text="", doubt="")
    return None


def gone_on(sentences: Sentences, utterance: Utterance, last: Intent) -> Intent | None:
    """ "and times two": what only this family can make of it, whatever else it may mean."""
    family = sentences.family_of.get(last.name)
    return family.go_on(utterance, last) if family is not None and family.go_on is not None else None


def stopped(sentences: Sentences, utterance: Utterance, situation: Situation, alone: Intent) -> Intent:
    """ "stop", "pause it" and "cancel that" mean what was begun just before, if that can be stopped."""
    last = situation.last
    family = sentences.family_of.get(last.name) if last is not None else None
    if family is None or last is None or situation.ringing or not (family.again or last.name in family.acts):
        return alone
    anew = family.again and "pronoun" not in utterance.hits  # "again", not "say that again"
    if (alone.name != "Repeat" or anew) and _says(utterance, "again"):
        return replace(last, text="", doubt="")  # "the same again"
    if alone.name == "StopSpeaking" and family.stops:
        return Intent(family.stops, "", utterance.language)
    if alone.name not in ("StopSpeaking", "HassNevermind") or "pronoun" not in utterance.hits:
        return alone
    found = _about_it(sentences, utterance, last, family)
    if found is None or alone.name == "StopSpeaking" and found.name in family.changes:
        return alone  # "stop it" silences; it deletes nothing
    return found


def _next(
    intent: str, reading: Reading, last: Intent, *, keep: bool, it: bool = False, carries: Iterable[str] = ()
) -> Intent:
    slots = _merged(last.slots, reading.slots) if keep else dict(reading.slots)
    if it and not keep:
        slots = {**{slot: last.slots[slot] for slot in ("name", "start_s", *carries) if slot in last.slots}, **slots}
        slots["it"] = True
    return Intent(intent, "", last.language, slots)


def _only_when(reading: Reading) -> bool:
    """Whether only another day is said, so that all else stays: "and on Friday too"."""
    return set(reading.slots) <= {"day", "repeat"}


def _about_it(sentences: Sentences, utterance: Utterance, last: Intent, family: Family) -> Intent | None:
    """ "pause it", "cancel that", "carry on", "how many days is that": what was spoken of is meant, by a pronoun or by
    no word at all."""
    pronouns, thing = utterance.hits.get("pronoun", []), family.thing
    it = replace(utterance, spans={}, costs=None)
    it.__dict__["hits"] = {**utterance.hits, thing: [*utterance.hits.get(thing, ()), *pronouns]}
    carried = {slot: last.slots[slot] for slot in family.carries if slot in last.slots}
    for slot, value in carried.items():
        own = list(sentences.matcher.readers[slot](utterance))
        it.spans[slot] = [*own, *(Span(start, end, {slot: value}, 0.9) for start, end in pronouns)]
    readings = []
    for frame in sentences.candidates(it, without=thing):
        if frame.intent == last.name and frame.acts and not frame.changes or ("start", True) in frame.slots:
            continue  # it is there already, and is not told by its length
        if thing in frame.required and len(frame.required) > 1:
            slots = tuple(each for each in frame.slots if each[0] != "start")
            required, optional = frame.required - {thing}, frame.optional | {thing}
            implied = replace(frame, required=required, optional=optional, slots=slots)
        elif pronouns and any(slot in carried for slot, _ in frame.slots):
            implied = frame
        else:
            continue
        if (found := sentences.matcher.match(implied, it)) is not None:
            readings.append(found)
    reading = max(readings, key=lambda each: each.rank, default=None)
    if reading is None or reading.confidence < _COMPLETE or changes(reading, utterance):
        return None
    if not pronouns and "name" in reading.slots and "name" in _names(sentences, reading, opened=True):
        return None  # "tell me a joke" after a timer is no timer called joke
    if thing not in reading.frame.required | reading.frame.optional:
        return Intent(reading.frame.intent, "", utterance.language, reading.slots)
    same = {slot: last.slots[slot] for slot in ("name", "start_s") if slot in last.slots}
    own_name = {"name", "start_s"} & set(reading.slots)
    return Intent(
        reading.frame.intent, "", utterance.language, {**({} if own_name else same), **reading.slots, "it": True}
    )


def _loose(
    sentences: Sentences,
    utterance: Utterance,
    intent: str,
    wants: Iterable[str],
    *,
    lead: str = "",
    values: bool = False,
) -> Reading | None:
    """The best reading by the intent's frames, whose words need not be there. values: rather one without free text."""
    costs = list(sentences.costs(utterance))
    ends = [end for start, end in utterance.hits.get(lead, ()) if start == 0]
    free = replace(utterance, spans={}, costs=None)
    for at in range(max(ends, default=0)):
        costs[at] = 0.0
    for name in ("function", "pronoun"):
        for start, end in utterance.hits.get(name, ()):
            costs[start:end] = [0.05] * (end - start)
    object.__setattr__(free, "costs", costs)
    wanted = set(wants)
    readings = []
    for frame in sentences.frames.get(intent, ()):
        optional = tuple((slot, False) for slot, _ in frame.slots)
        opened = tuple((slot, False) for slot, _ in frame.open)
        said = all(name in utterance.hits for name in frame.required)
        loose = replace(frame, slots=optional, open=opened, fixed=frame.fixed if said else {})
        reading = sentences.loose_matcher.match(loose, free, loose=True)
        if reading is not None and reading.slots and reading.confidence >= _COMPLETE:
            readings.append(reading)
    if wanted:
        readings = [each for each in readings if wanted & _names(sentences, each)] or readings
    if values:
        readings = [each for each in readings if not each.swallowed] or readings
    return max(readings, key=lambda each: (each.confidence, each.gain, -each.swallowed), default=None)


def _names(sentences: Sentences, reading: Reading, *, opened: bool = False) -> set[str]:
    """Of the slots that a reading's frame has. opened: only of those that take any words."""
    slots = reading.frame.open if opened else (*reading.frame.slots, *reading.frame.open)
    return {slot.rpartition(".")[2] for slot, _ in slots}


def _merged(before: Mapping[str, object], new: Mapping[str, object]) -> Slots:
    if "day" in new and "moment" not in new and isinstance(moment := before.get("moment"), Moment):
        return {**_without(before, ("repeat",)), "moment": replace(moment, day=None), **new}
    moment, earlier = new.get("moment"), before.get("moment")
    if isinstance(moment, Moment) and moment.day is None:  # "no, at ten": on the same day
        day = before.get("day") or (earlier.day if isinstance(earlier, Moment) else None)
        if day is not None and "day" not in new:
            return {**_without(before, ("duration_s", "moment")), **new, "day": day}
    replaced = [slot for group in _EXCLUSIVE if set(group) & set(new) for slot in group]
    return {**_without(before, replaced), **new}


def _without(slots: Mapping[str, object], names: Iterable[str]) -> Slots:
    return {slot: value for slot, value in slots.items() if slot not in names}


def _begins(utterance: Utterance, name: str) -> bool:
    fillers = {at for start, end in utterance.hits.get("filler", ()) for at in range(start, end)}
    first = next((at for at in range(len(utterance.words)) if at not in fillers), 0)
    return any(start <= first < end or start == 0 for start, end in utterance.hits.get(name, ()))


def _says(utterance: Utterance, *names: str) -> bool:
    """Whether the utterance is nothing but phrases of the classes, and fillers."""
    covered = [False] * len(utterance.words)
    for start, end in (hit for name in names for hit in utterance.hits.get(name, ())):
        covered[start:end] = [True] * (end - start)
    if not any(covered):
        return False
    for start, end in utterance.hits.get("filler", ()):
        covered[start:end] = [True] * (end - start)
    return all(covered)


def changes(reading: Reading, utterance: Utterance, lead: str = "") -> bool:
    """Whether something is left over that turns the meaning. lead: a class whose words may begin the utterance."""
    leads = {at for start, end in utterance.hits.get(lead, ()) for at in range(start, end)}
    return any(
        not reading.explains(start, end) and not leads.issuperset(range(start, end))
        for start, end in utterance.hits.get("changer", ())
    )


def corrected(sentences: Sentences, utterance: Utterance) -> Utterance:
    """ "for five minutes, I mean six minutes": without what the speaker took back; else as it was."""
    words = utterance.words
    for start, end in utterance.hits.get("rather", ()):
        if start == 0 or end == len(words) or words[end] in grammar(utterance.language).words.set("of_a"):
            continue  # "ten instead of nine" takes nothing back
        for slot in ("duration", "moment", "day", "number", "quantity", "unit", "level"):
            reader = sentences.matcher.readers.get(slot)
            spans = list(reader(utterance)) if reader else []
            behind = [span for span in spans if end <= span.start <= end + 1]
            before = [span for span in spans if start - 1 <= span.end <= start]
            if behind and before:
                kept = (*words[: min(span.start for span in before)], *words[min(span.start for span in behind) :])
                return replace(utterance, words=kept, spans={}, costs=None)
    return utterance
