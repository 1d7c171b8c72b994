"""Louder, quieter, mute."""

from __future__ import annotations

from appliance.dialogue.family import Family
from appliance.dialogue.reading.numerals import parse_whole_number
from appliance.dialogue.reading.readers import one
from appliance.dialogue.saying.number_words import in_words
from appliance.dialogue.saying.spoken import reply
from appliance.dialogue.types import Context, Intent, Reply, SetVolume


def set_volume(intent: Intent, context: Context) -> Reply:
    wanted = _number(intent, "level")
    percent = max(0, min(100, wanted))
    if wanted != percent:
        return _changed(percent, context, en="One hundred percent is the most.", de="Hundert Prozent ist das Höchste.")
    return _changed(percent, context)


def change_volume(intent: Intent, context: Context) -> Reply:
    percent = context.volume + _number(intent, "up") - _number(intent, "down")
    if percent >= 100 and context.volume == 100:
        return reply(context, en="That's as loud as I get.", de="Lauter geht es nicht.")
    # "quieter" never silences altogether: that would look like a fault. "Mute" does.
    return _changed(max(5 if _number(intent, "down") else 0, min(100, percent)), context)


def unmute(intent: Intent, context: Context) -> Reply:
    return _changed(context.volume or context.volume_before_mute, context)


def tell_volume(intent: Intent, context: Context) -> Reply:
    return _said(context.volume, context)


def _number(intent: Intent, slot: str) -> int:
    value = intent.slots.get(slot, 0)
    return int(value) if isinstance(value, (int, float)) else 0


def _changed(percent: int, context: Context, en: str = "", de: str = "") -> Reply:
    said = reply(context, en, de) if en else _said(percent, context)
    return Reply(said.text, said.language, (SetVolume(percent),))


def _said(percent: int, context: Context) -> Reply:
    if percent == 0:
        return reply(context, en="Muted.", de="Stumm.")
    return reply(context, en=f"Volume {in_words(percent, 'en')} percent.",
                 de=f"Lautstärke {in_words(percent, 'de')} Prozent.")


FAMILY = Family(
    "volume",
    skills={
        "HassSetVolume": set_volume,
        "HassSetVolumeRelative": change_volume,
        "Unmute": unmute,
        "VolumeStatus": tell_volume,
    },
    readers={slot: one(slot, parse_whole_number) for slot in ("level", "up", "down")},
    actions=(SetVolume,),
)
