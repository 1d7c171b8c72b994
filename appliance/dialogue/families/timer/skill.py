"""Timers: set, ask, lengthen, shorten, change, pause, cancel; and what is said when one rings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from appliance.dialogue.actions import Action, CancelTimer, PauseTimer, ResumeTimer, SetTimer, StopSpeaking
from appliance.dialogue.choosing import CHOICE, chosen
from appliance.dialogue.family import Family
from appliance.dialogue.reading.measures import parse_duration_at
from appliance.dialogue.reading.moments import Moment
from appliance.dialogue.reading.names import known, name_of
from appliance.dialogue.reading.numerals import parse_number
from appliance.dialogue.reading.spans import DURATION, MOMENT, START
from appliance.dialogue.things import Timer
from appliance.dialogue.types import Context, Intent, Question, Reply
from appliance.dialogue.utterance import Span, Utterance

LONGEST_S = 366 * 86_400
MOST = 20
"""Timers, alarms and reminders together. More is a mistake or mischief, and nobody wants to hear the list."""


def start(intent: Intent, context: Context) -> Reply:
    seconds = duration_slot(intent)
    moment = intent.slots.get("moment")
    if isinstance(moment, Moment):
        seconds = moment.resolve(context.now).timestamp() - context.now.timestamp()
    if not seconds:
        return context.say("timer.how_long", question=Question(intent, ("duration",)))
    refused = refusal(context, seconds)
    if refused is not None:
        return refused
    name = str(intent.slots.get("name", ""))
    action = SetTimer("timer", later(context.now, seconds), name, seconds)
    return context.say("timer.set_named" if name else "timer.set", name=name, length=seconds, actions=[action])


def status(intent: Intent, context: Context) -> Reply:
    running = _running(context)
    asked = matching(running, intent, context)
    if not asked:
        return _none(intent, context, running)
    if len(asked) == 1:
        timer = asked[0]
        left = left_s(timer, context)
        if timer.paused_s is not None:
            return context.say("timer.left_paused", what=described(timer, context), left=left)
        return context.say("timer.left_named" if timer.name else "timer.left", name=timer.name, left=left)
    each = [
        context.text(
            "timer.left_each" if timer.paused_s is None else "timer.paused_each",
            what=described(timer, context),
            left=left_s(timer, context),
        )
        for timer in asked
    ]
    return context.say("timer.left_many", n=len(asked), each="; ".join(each))


def cancel(intent: Intent, context: Context) -> Reply:
    running = _running(context)
    if matching(rings("timer", context), intent, context):
        if not running:
            return context.say("timer.off", actions=[StopSpeaking()])
        return context.say(
            "timer.off_rest",
            what=described(running[0], context),
            left=left_s(running[0], context),
            actions=[StopSpeaking()],
        )
    asked = matching(running, intent, context)
    if not asked:
        return _none(intent, context, running)
    if not _alike(asked, context):
        return which_one(asked, intent, context)
    name = asked[0].name
    return context.say(
        "timer.cancelled_named" if name else "timer.cancelled", name=name, actions=[CancelTimer(asked[0].id)]
    )


def cancel_all(intent: Intent, context: Context) -> Reply:
    running = _running(context)
    silence: list[Action] = [StopSpeaking()] if rings("timer", context) else []
    if not running:
        return context.say("timer.off", actions=silence) if silence else _none(intent, context, running)
    if len(running) > 1 and not intent.slots.get("confirmed"):
        each = [described(timer, context, "object") for timer in running]
        return context.say("timer.cancel_all", n=len(running), each=each, actions=silence, question=Question(intent))
    return context.say(
        "timer.cancelled_all", n=len(running), actions=[*silence, *(CancelTimer(timer.id) for timer in running)]
    )


def lengthen(intent: Intent, context: Context) -> Reply:
    return _change(intent, context, lambda left: left + duration_slot(intent))


def shorten(intent: Intent, context: Context) -> Reply:
    return _change(intent, context, lambda left: left - duration_slot(intent))


def change(intent: Intent, context: Context) -> Reply:
    return _change(intent, context, lambda left: duration_slot(intent))


def _change(intent: Intent, context: Context, new: object) -> Reply:
    timer = _meant(intent, context)
    if isinstance(timer, Reply):
        return timer
    if not duration_slot(intent):
        return context.say("timer.by_how_much", question=Question(intent, ("duration",)))
    left = new(left_s(timer, context))  # type: ignore[operator]
    if left < 1:
        return context.say("timer.too_little")
    if left > LONGEST_S:
        return context.say("timer.too_long")
    changed = SetTimer("timer", later(context.now, left), timer.name, left)
    return context.say(
        "timer.now_left_named" if timer.name else "timer.now_left",
        name=timer.name,
        left=left,
        actions=[CancelTimer(timer.id), changed],
    )


def pause(intent: Intent, context: Context) -> Reply:
    timer = _meant(intent, context)
    if isinstance(timer, Reply):
        return timer
    if timer.paused_s is not None:
        return context.say("timer.paused_already")
    return context.say("timer.paused", left=left_s(timer, context), actions=[PauseTimer(timer.id)])


def resume(intent: Intent, context: Context) -> Reply:
    paused = [timer for timer in _running(context) if timer.paused_s is not None]
    timer = _meant(intent, context, paused or None)
    if isinstance(timer, Reply):
        return timer
    if timer.paused_s is None:
        return context.say("timer.runs_already")
    return context.say("timer.resumed", left=left_s(timer, context), actions=[ResumeTimer(timer.id)])


def restart(intent: Intent, context: Context) -> Reply:
    timer = _meant(intent, context)
    if isinstance(timer, Reply):
        return timer
    again = SetTimer("timer", later(context.now, timer.duration_s), timer.name, timer.duration_s)
    return context.say("timer.restarted", length=timer.duration_s, actions=[CancelTimer(timer.id), again])


def rename(intent: Intent, context: Context) -> Reply:
    timer = _meant(intent, context)
    if isinstance(timer, Reply):
        return timer
    name = str(intent.slots.get("to", ""))
    if not name:
        return context.say("timer.rename_to", question=Question(intent, ("to",)))
    renamed = SetTimer("timer", timer.due, name, timer.duration_s)
    return context.say("timer.renamed", name=name, actions=[CancelTimer(timer.id), renamed])


def _meant(intent: Intent, context: Context, among: list[Timer] | None = None) -> Timer | Reply:
    """The timer that is meant, or what to say if there is none or more than one."""
    running = _running(context) if among is None else among
    asked = matching(running, intent, context)
    if not asked:
        return _none(intent, context, running)
    return asked[0] if _alike(asked, context) else which_one(asked, intent, context)


def _running(context: Context) -> list[Timer]:
    return [timer for timer in context.timers if timer.kind == "timer"]


def rings(kind: str, context: Context) -> list[Timer]:
    """Those of a kind that ring, or rang a moment ago: whoever says "stop" means these, not what is set for later."""
    return [timer for timer in context.ringing if timer.kind == kind]


def described(timer: Timer, context: Context, case: str = "") -> str:
    """ "the pizza timer", "the timer for ten minutes", "der Pizza-Timer"; case "object": "den Pizza-Timer"."""
    name = f"timer.the_{'named' if timer.name else 'long'}{'_object' if case else ''}"
    said = context.text(name, name=timer.name, length=timer.duration_s)
    return said[:1].lower() + said[1:]


def duration_slot(intent: Intent) -> float:
    seconds = intent.slots.get("duration_s", 0.0)
    return float(seconds) if isinstance(seconds, (int, float)) else 0.0


def later(now: datetime, seconds: float) -> datetime:
    """now + seconds as they really pass: by way of UTC, because clocks change."""
    return (now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(now.tzinfo)


def left_s(timer: Timer, context: Context) -> float:
    if timer.paused_s is not None:
        return timer.paused_s
    return max(0.0, timer.due.timestamp() - context.now.timestamp())


def matching(timers: list[Timer], intent: Intent, context: Context) -> list[Timer]:
    """Those with the name or the length that was said, or the one spoken of before; all of them if nothing was said."""
    name, start_s = str(intent.slots.get("name", "")).casefold(), intent.slots.get("start_s")
    if name:
        named = [(timer, timer.name.casefold()) for timer in timers if timer.name]
        same = [timer for timer, its_name in named if its_name == name]
        return same or [timer for timer, its_name in named if its_name in name or name in its_name]
    if isinstance(start_s, (int, float)):
        return [timer for timer in timers if timer.duration_s == start_s]
    if choice := intent.slots.get("choice"):
        if choice == "last":
            return [max(timers, key=lambda timer: timer.id)] if timers else []
        return chosen(timers, choice, lambda timer: timer.duration_s, lambda timer: timer.due.timestamp())
    if intent.slots.get("it") and (it := [timer for timer in timers if timer.id == context.it]):
        return it
    if intent.slots.get("other"):
        return [timer for timer in timers if timer.id != context.it] or timers
    return timers


def _alike(timers: list[Timer], context: Context) -> bool:
    """Whether nobody could tell them apart by their description; then the next one is meant."""
    return len({described(timer, context) for timer in timers}) == 1


def refusal(context: Context, seconds: float) -> Reply | None:
    """Why a timer cannot be set; None if it can."""
    if len(context.timers) >= MOST:
        return context.say("timer.too_many", n=MOST)
    return context.say("timer.too_long") if seconds > LONGEST_S else None


def which_one(timers: list[Timer], intent: Intent, context: Context) -> Reply:
    each = [described(timer, context, "object") for timer in timers]
    return context.say("timer.which", each=each, question=Question(intent, ("known", "start", "choice")))


def _none(intent: Intent, context: Context, running: list[Timer]) -> Reply:
    name = str(intent.slots.get("name", ""))
    if running and name:
        each = [described(timer, context, "object") for timer in running]
        none = context.text("timer.none_named", name=name)
        without = replace(intent, slots={slot: value for slot, value in intent.slots.items() if slot != "name"})
        if len(running) == 1:
            this = {"name": running[0].name} if running[0].name else {"start_s": running[0].duration_s}
            return context.say("timer.this_instead", none=none, what=each[0], question=Question(without.having(**this)))
        return context.say(
            "timer.which_instead", none=none, each=each, question=Question(without, ("known", "start", "choice"))
        )
    return context.say("timer.none_such" if running else "timer.none")


def _more(utterance: Utterance) -> Iterator[Span]:
    """ "ten more minutes", "noch zehn Minuten", "zehn Minuten mehr": a duration with "more" inside or beside it."""
    words = utterance.words
    more = [at for at in range(len(words)) if utterance.is_in("timer.more", at)]
    for at in more:
        for start in range(max(0, at - 3), at):
            without = [*words[start:at], *words[at + 1 :]]
            found = parse_duration_at(without, 0, utterance.language)
            if found is not None and found[1] > at - start:
                yield Span(start, start + found[1] + 1, {"duration_s": found[0]})


def _loose_duration(utterance: Utterance) -> Iterator[Span]:
    """A duration, or a bare number of minutes."""
    spans = list(DURATION(utterance))
    yield from spans
    taken = {at for span in spans for at in range(span.start, span.end)}
    for start in range(len(utterance.words)):
        found = parse_number(utterance.words, start, utterance.language)
        if found is not None and start not in taken and found[0] > 1:
            yield Span(start, found[1], {"duration_s": float(found[0] * 60)}, 0.9)


def _until(utterance: Utterance) -> Iterator[Span]:
    """A moment behind "until"; without that word only one that cannot be a number of minutes: "half past six"."""
    behind = {stop for _, stop in utterance.hits.get("timer.until", ())}
    for span in MOMENT(utterance):
        moment = span.slots["moment"]
        inside = any(utterance.is_in("timer.until", at) for at in range(span.start, span.end))
        if span.start in behind or inside or isinstance(moment, Moment) and moment.minute:
            yield span


def _add_duration(utterance: Utterance) -> Iterator[Span]:
    """A duration to add; never the one that tells a timer from another ("the thirty minute timer")."""
    timers = {start for start, _ in utterance.hits.get("timer.timer", ())}
    for span in _loose_duration(utterance):
        if span.end not in timers:
            yield span


_NAME = name_of("name", "timer.timer", ("timer.for", "timer.call"))

FAMILY = Family(
    "timer",
    skills={
        "HassStartTimer": start,
        "HassTimerStatus": status,
        "HassIncreaseTimer": lengthen,
        "HassDecreaseTimer": shorten,
        "ChangeTimer": change,
        "HassCancelTimer": cancel,
        "HassCancelAllTimers": cancel_all,
        "HassPauseTimer": pause,
        "HassUnpauseTimer": resume,
        "RestartTimer": restart,
        "RenameTimer": rename,
    },
    acts=frozenset(
        {
            "HassStartTimer",
            "HassIncreaseTimer",
            "HassDecreaseTimer",
            "ChangeTimer",
            "HassCancelTimer",
            "HassCancelAllTimers",
            "HassPauseTimer",
            "HassUnpauseTimer",
            "RestartTimer",
            "RenameTimer",
        }
    ),
    changes=frozenset(
        {
            "HassIncreaseTimer",
            "HassDecreaseTimer",
            "ChangeTimer",
            "HassCancelTimer",
            "HassCancelAllTimers",
            "RestartTimer",
            "RenameTimer",
        }
    ),
    readers={
        "duration": DURATION,
        "start": START,
        "moment": MOMENT,
        "known": known("name", "timer"),
        "until": _until,
        "more_duration": _more,
        "add_duration": _add_duration,
        "choice": CHOICE,
    },
    open_readers={"name": _NAME, "to": name_of("to", "timer.timer", ("timer.to", "timer.rename"))},
    loose_readers={"duration": _loose_duration},
    corrects={"HassStartTimer": "ChangeTimer"},
    all_of={"HassCancelTimer": "HassCancelAllTimers"},
    thing="timer.timer",
    keeps=("name", "start_s"),
    keeps_for=frozenset(
        {"HassIncreaseTimer", "HassDecreaseTimer", "ChangeTimer", "HassPauseTimer", "HassUnpauseTimer"}
    ),
    thing_is_told=True,
    actions=(SetTimer, CancelTimer, StopSpeaking),
)
