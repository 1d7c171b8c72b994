"""How replies are spoken: language, voice, speed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from appliance.dialogue.actions import SetSpeech
from appliance.dialogue.family import Family
from appliance.dialogue.reading.names import known
from appliance.dialogue.reading.numerals import parse_number
from appliance.dialogue.types import Context, Intent, Question, Reply
from appliance.dialogue.utterance import Span, Utterance

SLOWEST, FASTEST = 0.5, 3.0
_STEP = 0.25


def set_language(intent: Intent, context: Context) -> Reply:
    language = str(intent.slots.get("language", ""))
    if f"voice.now_{language}" not in context.texts:
        return context.say("voice.which_language", question=Question(intent, ("speech",)))
    said = context.say(f"voice.now_{language}", actions=[SetSpeech(language=language)])
    return replace(said, language=language)


def set_voice(intent: Intent, context: Context) -> Reply:
    voice = str(intent.slots.get("voice", ""))
    voices, now = context.device.voices, context.device.voice
    if not voice and len(voices) > 1:
        return context.say("voice.which_voice", each=_named(voices), question=Question(intent, ("known_voice",)))
    if voice in ("female", "male"):
        fitting = [name for name in voices if context.device.speakers.get(name) == voice]
    elif voice == "next":
        fitting = [*voices[voices.index(now) + 1 :], *voices[: voices.index(now)]] if now in voices else list(voices)
    else:
        fitting = [name for name in voices if name == voice]
    if not fitting:
        return context.say("voice.no_such", each=_named(voices), n=len(voices))
    return context.say("voice.voice_set", actions=[SetSpeech(voice=fitting[0])])


def list_voices(intent: Intent, context: Context) -> Reply:
    voices = context.device.voices
    return context.say("voice.voices", each=_named(voices or ("Stimme",)), n=max(1, len(voices)))


def _named(voices: Iterable[str]) -> tuple[str, ...]:
    return tuple(voice.capitalize() for voice in voices)


def set_speed(intent: Intent, context: Context) -> Reply:
    speed = intent.slots.get("speed")
    if not isinstance(speed, (int, float, Fraction)):
        return context.say("voice.how_fast", question=Question(intent, ("speed",)))
    return _set(float(speed), context)


def change_speed(intent: Intent, context: Context) -> Reply:
    step = _STEP if intent.slots.get("direction") == "faster" else -_STEP
    return _set(context.device.speed + step, context)


def _set(speed: float, context: Context) -> Reply:
    if not SLOWEST / 2 < speed < 2 * FASTEST:  # nobody means ten times as fast
        return context.say("voice.how_fast", question=Question(Intent("SetSpeed", "", context.language), ("speed",)))
    kept = max(SLOWEST, min(FASTEST, speed))
    if kept != speed:
        return context.say("voice.fastest" if speed > kept else "voice.slowest", actions=[SetSpeech(speed=kept)])
    return context.say(
        "voice.normal" if kept == 1 else "voice.speed",
        speed=Fraction(str(round(kept, 2))),
        actions=[SetSpeech(speed=kept)],
    )


def _speeds(utterance: Utterance) -> Iterator[Span]:
    """ "one and a half times", "150 percent", "double": 1 is normal."""
    for start in range(len(utterance.words)):
        found = parse_number(utterance.words, start, utterance.language)
        if found is not None and found[0] > 0:
            value = found[0] / 100 if found[0] >= 20 else found[0]
            yield Span(start, found[1], {"speed": value})


FAMILY = Family(
    "voice",
    skills={
        "SetLanguage": set_language,
        "SetVoice": set_voice,
        "ListVoices": list_voices,
        "SetSpeed": set_speed,
        "SetSpeedRelative": change_speed,
    },
    acts=frozenset({"SetLanguage", "SetVoice", "SetSpeed", "SetSpeedRelative"}),
    more_of={"SetSpeedRelative": ("SetSpeedRelative", {}, {})},
    readers={"speed": _speeds, "known_voice": known("voice", "voice")},
    actions=(SetSpeech,),
    about_device=True,
)
