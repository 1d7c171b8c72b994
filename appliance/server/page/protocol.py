"""A page's text messages → dataclasses, as docs/protocol.md writes them down. No I/O.

What goes the other way is encoding.py's; web/core/protocol.js is the mirror of both.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from appliance.errors import ProtocolError
from appliance.language import LANGUAGES, Language
from appliance.limits import (
    MAX_ID_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    MOST_TIMER_CHANGE_S,
    REPLY_RATES,
    REPLY_SPEEDS,
    WIRE_RATE,
)
from appliance.server.json_object import json_object
from appliance.server.page.messages import (
    NEEDS_SECONDS,
    Cancel,
    ChangeItem,
    ChangeTimer,
    Doing,
    Endpoint,
    Follow,
    Hello,
    Interrupt,
    Message,
    Ping,
    Set,
    ShowSettings,
    Start,
    Stop,
    Text,
)


def parse(text: str) -> Message:
    """A client's text message. Raises ProtocolError with one of the codes of docs/protocol.md."""
    try:
        fields = json_object(text)
    except ValueError as error:
        message, hint = f"This is {error}: {text[:60]!r}", 'Send one JSON object per text message, with a "type".'
        raise ProtocolError("bad_json", message, hint=hint) from None
    kind = fields.get("type")
    if not isinstance(kind, str) or kind not in _PARSERS:
        close = difflib.get_close_matches(str(kind)[:40], _PARSERS, 1)
        near = f' Did you mean "{close[0]}"?' if close else ""
        raise ProtocolError(
            "unknown_type", f"Unknown message type {kind!r:.80}.{near}", hint=f"Types: {', '.join(_PARSERS)}."
        )
    try:
        return _PARSERS[kind](fields)
    except ProtocolError as error:
        id = fields.get("id")
        error.id = id if isinstance(id, str) and len(id) <= MAX_ID_CHARACTERS else None
        raise


def _optional(fields: Mapping[str, Any], name: str, kind: type, words: str) -> Any:
    value = fields.get(name)
    if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        raise ProtocolError("bad_field", f"{name} is {value!r:.60}, expected {words}")
    return value


def _id(fields: Mapping[str, Any]) -> str | None:
    value: str | None = _optional(fields, "id", str, "text")
    if value is not None and len(value) > MAX_ID_CHARACTERS:
        raise ProtocolError("bad_field", f"id has {len(value)} characters, expected at most {MAX_ID_CHARACTERS}")
    return value or None


def _language(fields: Mapping[str, Any]) -> Language | None:
    value = fields.get("language")
    if value is not None and value not in LANGUAGES:
        raise ProtocolError("unknown_language", f"language is {value!r:.60}, expected one of {', '.join(LANGUAGES)}")
    return value


def _hello(fields: Mapping[str, Any]) -> Hello:
    rate = _optional(fields, "reply_rate", int, "a whole number of Hz")
    low, high = REPLY_RATES
    if rate is not None and not low <= rate <= high:
        raise ProtocolError("bad_field", f"reply_rate is {rate}, expected {low} to {high} Hz")
    session = _optional(fields, "session", str, "text")
    if session is not None and len(session) > MAX_ID_CHARACTERS:
        raise ProtocolError("bad_field", f"session has {len(session)} characters, expected at most {MAX_ID_CHARACTERS}")
    return Hello(_language(fields), rate, _optional(fields, "speak", bool, "true or false"), session)


def _start(fields: Mapping[str, Any]) -> Start:
    rate = _optional(fields, "sample_rate", int, "a whole number of Hz")
    if rate not in (None, WIRE_RATE):
        raise ProtocolError(
            "bad_sample_rate",
            f"sample_rate is {rate}, expected {WIRE_RATE} Hz",
            hint="Resample before sending, with a band-limited filter; the page's worklet does.",
        )
    endpoint: Endpoint = fields.get("endpoint") or "client"
    if endpoint not in get_args(Endpoint):
        raise ProtocolError("bad_field", f"endpoint is {endpoint!r:.60}, expected client or auto")
    lingers = _optional(fields, "lingers", bool, "true or false") or False
    return Start(_id(fields), _language(fields), endpoint, lingers)


def _text(fields: Mapping[str, Any]) -> Text:
    text = _optional(fields, "text", str, "text")
    if text is None:
        raise ProtocolError("bad_field", "text is missing, expected what was typed")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise ProtocolError("text_too_long", f"text has {len(text)} characters, expected at most {MAX_TEXT_CHARACTERS}")
    return Text(_id(fields), _language(fields), text)


def _change_timer(fields: Mapping[str, Any]) -> ChangeTimer:
    timer = _needed(fields, "timer", int, "the id of a timer")
    do: Doing = _one_of(fields, "do", get_args(Doing))
    seconds = fields.get("seconds", 0)
    if do in NEEDS_SECONDS and (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not 0 < abs(seconds) <= MOST_TIMER_CHANGE_S
        or (do == "snooze" and seconds < 0)
    ):
        raise ProtocolError("bad_field", f"seconds is {seconds!r:.60}, expected up to {MOST_TIMER_CHANGE_S}, not 0")
    return ChangeTimer(timer, do, float(seconds) if do in NEEDS_SECONDS else 0.0)


def _change_item(fields: Mapping[str, Any]) -> ChangeItem:
    texts = [" ".join(_needed(fields, name, str, "text").split()) for name in ("list", "item")]
    for name, text in zip(("list", "item"), texts, strict=True):
        if not 0 < len(text) <= MAX_TEXT_CHARACTERS:
            raise ProtocolError("bad_field", f"{name} has {len(text)} characters, expected 1 to {MAX_TEXT_CHARACTERS}")
    return ChangeItem(texts[0], texts[1], _one_of(fields, "do", ("add", "remove")))


def _set(fields: Mapping[str, Any]) -> Set:
    wanted = {name: check(fields, name) for name, check in _SETTINGS.items() if name in fields}
    if not wanted:
        raise ProtocolError("bad_field", f"nothing to set, expected some of {', '.join(_SETTINGS)}")
    return Set(wanted)


def _between(low: float, high: float, kind: type) -> Callable[[Mapping[str, Any], str], Any]:
    def check(fields: Mapping[str, Any], name: str) -> Any:
        value = fields[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ProtocolError("bad_field", f"{name} is {value!r:.60}, expected {low:g} to {high:g}")
        return kind(value)

    return check


def _short(fields: Mapping[str, Any], name: str) -> str:
    value: str = _needed(fields, name, str, "text")
    if len(value) > MAX_ID_CHARACTERS:
        raise ProtocolError("bad_field", f"{name} has {len(value)} characters, expected at most {MAX_ID_CHARACTERS}")
    return value


def _hours(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields[name]
    if value is False or value is None:
        return ()
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not all(isinstance(clock, str) and _CLOCK.fullmatch(clock) for clock in value)
        or value[0] == value[1]
    ):
        raise ProtocolError(
            "bad_field", f'{name} is {value!r:.60}, expected two different times like ["22:00", "07:00"], or false'
        )
    return tuple(value)


def _wake_words(fields: Mapping[str, Any], name: str) -> list[str]:
    value = fields[name]
    if (
        not isinstance(value, list)
        or len(value) > 3
        or not all(isinstance(word, str) and len(word) <= MAX_ID_CHARACTERS for word in value)
    ):
        raise ProtocolError("bad_field", f"{name} is {value!r:.60}, expected a list of at most 3 words")
    return value


def _lesson(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = fields[name]
    if not isinstance(value, dict):
        raise ProtocolError("bad_field", f'{name} is {value!r:.60}, expected {{"phrase": …, "reply": …}}')
    texts = {part: " ".join(_needed(value, part, str, "text").split()) for part in MOST_TAUGHT}
    for part, most in MOST_TAUGHT.items():
        if not 0 < len(texts[part]) <= most:
            raise ProtocolError("bad_field", f"{part} has {len(texts[part])} characters, expected 1 to {most}")
    return {**texts, "instead": bool(_optional(value, "instead", bool, "true or false"))}


MOST_TAUGHT = {"phrase": 120, "reply": 400}
"""Characters of what is taught, as by voice (dialogue/owners/sentences.en.yaml)."""
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_SETTINGS: dict[str, Callable[[Mapping[str, Any], str], Any]] = {
    "volume": _between(0, 100, int),
    "speed": _between(*REPLY_SPEEDS, float),
    "voice": _short,
    "name": _short,
    "quiet": _hours,
    "fetch": _short,
    "teach": _lesson,
    "forget": _short,
    "wake_words": _wake_words,
    "wrong_wake": _between(1, 1e9, int),
}


def _needed(fields: Mapping[str, Any], name: str, kind: type, words: str) -> Any:
    value = _optional(fields, name, kind, words)
    if value is None:
        raise ProtocolError("bad_field", f"{name} is missing, expected {words}")
    return value


def _one_of(fields: Mapping[str, Any], name: str, known: tuple[str, ...]) -> Any:
    value = fields.get(name)
    if value not in known:
        raise ProtocolError("bad_field", f"{name} is {value!r:.60}, expected one of {', '.join(known)}")
    return value


_PARSERS: dict[str, Callable[[Mapping[str, Any]], Message]] = {
    "hello": _hello,
    "start": _start,
    "stop": lambda fields: Stop(_id(fields)),
    "cancel": lambda fields: Cancel(_id(fields)),
    "text": _text,
    "interrupt": lambda fields: Interrupt(),
    "ping": lambda fields: Ping(fields.get("timestamp")),
    "follow": lambda fields: Follow(),
    "settings": lambda fields: ShowSettings(),
    "set": _set,
    "timer": _change_timer,
    "item": _change_item,
}
