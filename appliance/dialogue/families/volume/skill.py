"""Louder, quieter, mute; quiet hours; and the microphone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from appliance.dialogue.actions import Keep, MuteMicrophone, SetVolume, UnmuteMicrophone
from appliance.dialogue.families.timer.skill import duration_slot
from appliance.dialogue.family import Family
from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.moments import Moment
from appliance.dialogue.reading.numerals import parse_number
from appliance.dialogue.reading.spans import DURATION, MOMENT, SpanReader
from appliance.dialogue.types import Context, Intent, Question, Reply
from appliance.dialogue.utterance import Span, Utterance

_STEP = 10


def set_volume(intent: Intent, context: Context) -> Reply:
    if "level" not in intent.slots:
        return context.say("volume.how_loud", question=Question(intent, ("level",)))
    wanted = _number(intent, "level")
    percent = max(0, min(100, wanted))
    if wanted > 100:
        return context.say("volume.most", actions=[SetVolume(percent)])
    return _changed(percent, context)


def change_volume(intent: Intent, context: Context) -> Reply:
    up, down = _number(intent, "up"), _number(intent, "down")
    percent = context.volume + up - down
    if percent >= 100 and context.volume == 100:
        return context.say("volume.no_louder")
    # "quieter" never silences altogether: that would look like a fault. "Mute" does.
    return _changed(max(5 if down else 0, min(100, percent)), context)


def unmute(intent: Intent, context: Context) -> Reply:
    return _changed(context.volume or context.volume_before_mute, context)


def tell_volume(intent: Intent, context: Context) -> Reply:
    return context.say("volume.muted" if context.volume == 0 else "volume.is", n=context.volume)


def set_quiet_hours(intent: Intent, context: Context) -> Reply:
    begin, end = intent.slots.get("from"), intent.slots.get("to")
    if not isinstance(begin, Moment) or not isinstance(end, Moment):
        return context.say("volume.quiet_when", question=Question(intent, ("quiet_from", "quiet_to")))
    hours = (_clock(begin, evening=True), _clock(end, evening=False))
    return context.say(
        "volume.quiet_set",
        begin=_at(hours[0], context),
        end=_at(hours[1], context),
        actions=[Keep("quiet", [f"{hour:02}:{minute:02}" for hour, minute in hours])],
    )


def end_quiet_hours(intent: Intent, context: Context) -> Reply:
    if not context.kept.get("quiet"):
        return context.say("volume.no_quiet")
    return context.say("volume.quiet_ended", actions=[Keep("quiet", None)])


def quiet_status(intent: Intent, context: Context) -> Reply:
    quiet = context.kept.get("quiet")
    if not quiet:
        return context.say("volume.no_quiet")
    begin, end = (tuple(int(part) for part in clock.split(":")) for clock in quiet)
    return context.say("volume.quiet_are", begin=_at(begin, context), end=_at(end, context))


def mute_microphone(intent: Intent, context: Context) -> Reply:
    if MuteMicrophone not in context.can:
        return context.say("turn.not_here")
    seconds = duration_slot(intent)
    if seconds:
        return context.say("volume.deaf_for", length=seconds, actions=[MuteMicrophone(seconds)])
    return context.say("volume.deaf", actions=[MuteMicrophone()])


def unmute_microphone(intent: Intent, context: Context) -> Reply:
    if UnmuteMicrophone not in context.can:
        return context.say("turn.not_here")
    return context.say("volume.listening", actions=[UnmuteMicrophone()])


def _clock(moment: Moment, *, evening: bool) -> tuple[int, int]:
    """Quiet hours begin in the evening and end in the morning, if nobody said otherwise."""
    if moment.exact:
        return moment.hour % 24, moment.minute
    late = evening and moment.hour % 12 >= 6
    return moment.hour % 12 + (12 if late else 0), moment.minute


def _at(clock: tuple[int, ...], context: Context) -> object:
    return context.now.replace(hour=clock[0], minute=clock[1])


def _number(intent: Intent, slot: str) -> int:
    value = intent.slots.get(slot, 0)
    return int(value) if isinstance(value, (int, float, Fraction)) else 0


def _changed(percent: int, context: Context) -> Reply:
    return context.say("volume.muted" if percent == 0 else "volume.is", n=percent, actions=[SetVolume(percent)])


def _level(slot: str) -> SpanReader:
    """A number, with or without "percent"; a fraction of the whole ("half", "three quarters")."""

    def read(utterance: Utterance) -> Iterator[Span]:
        percent = grammar(utterance.language).words.set("percent")
        for start in range(len(utterance.words)):
            found = parse_number(utterance.words, start, utterance.language)
            if found is None:
                continue
            value, end = found
            if value.denominator > 1 and value < 1:
                value *= 100
            if end < len(utterance.words) and utterance.words[end] in percent:
                end += 1
            if value.denominator == 1:
                yield Span(start, end, {slot: int(value)})

    return read


def _end(slot: str, quality: float) -> SpanReader:
    def read(utterance: Utterance) -> Iterator[Span]:
        spans = list(MOMENT(utterance))
        for at, _ in utterance.hits.get("volume.between", ()):  # "from ten to seven" is not ten minutes to seven
            spans += MOMENT(replace(utterance, words=utterance.words[:at], spans={}, costs=None))
        for span in spans:
            moment = span.slots["moment"]
            if isinstance(moment, Moment) and not moment.exact:
                hour, minute = _clock(moment, evening=slot == "from")
                moment = Moment(hour, minute, True, moment.day)
            yield Span(span.start, span.end, {slot: moment}, quality)

    return read


FAMILY = Family(
    "volume",
    skills={
        "HassSetVolume": set_volume,
        "HassSetVolumeRelative": change_volume,
        "Unmute": unmute,
        "VolumeStatus": tell_volume,
        "SetQuietHours": set_quiet_hours,
        "EndQuietHours": end_quiet_hours,
        "QuietHoursStatus": quiet_status,
        "MuteMicrophone": mute_microphone,
        "UnmuteMicrophone": unmute_microphone,
    },
    acts=frozenset(
        {
            "HassSetVolume",
            "HassSetVolumeRelative",
            "Unmute",
            "SetQuietHours",
            "EndQuietHours",
            "MuteMicrophone",
            "UnmuteMicrophone",
        }
    ),
    readers={
        "level": _level("level"),
        "up": _level("up"),
        "down": _level("down"),
        "duration": DURATION,
        "quiet_from": _end("from", 0.99),
        "quiet_to": _end("to", 1.0),
    },
    more_of={
        "HassSetVolumeRelative": ("HassSetVolumeRelative", {}, {}),
        **{
            name: ("HassSetVolumeRelative", {"up": _STEP}, {"down": _STEP})
            for name in ("HassSetVolume", "Unmute", "VolumeStatus")
        },
    },
    corrects={"HassSetVolume": "HassSetVolume", "HassSetVolumeRelative": "HassSetVolume"},
    actions=(SetVolume, Keep),
)
