"""The Realtime API's events: what a client sends, taken apart; what a session is, as the API words it. A codec."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from appliance.errors import ProtocolError
from appliance.limits import REPLY_RATES
from appliance.server.json_object import json_object
from appliance.server.openai.refusals import Refused

RATE = 24_000
"""Samples a second unless a client says otherwise; pcm16, mono."""
SILENCE_MS, PREFIX_MS = 500, 300
"""The API's own defaults: what ends an utterance, and what is heard from before it."""


@dataclass(frozen=True)
class Settings:
    """A session's, as far as they mean anything here."""

    kind: Literal["realtime", "transcription"]
    model: str = "stimme"
    rate: int = RATE
    transcribes: bool = True
    language: str = ""
    vad: str = "server_vad"
    """"" for none: the client says when an utterance is over."""
    silence_ms: int = SILENCE_MS
    prefix_ms: int = PREFIX_MS
    answers: bool = True
    """An utterance that ends by itself is answered by itself."""
    interrupts: bool = True
    voice: str = ""


def new(kind: str) -> str:
    """A name for an item, a response, an event."""
    return f"{kind}_{secrets.token_hex(8)}"


def encode(type: str, /, **fields: Any) -> str:
    """A server's event."""
    return json.dumps({"type": type, "event_id": new("event"), **fields}, ensure_ascii=False)


def error(failure: ProtocolError, event_id: object) -> str:
    """What went wrong, and with which of the client's events."""
    return encode(
        "error",
        error={
            "type": "invalid_request_error",
            "code": failure.code,
            "message": f"{failure} {failure.hint}".strip(),
            "param": failure.param if isinstance(failure, Refused) else None,
            "event_id": event_id if isinstance(event_id, str) else None,
        },
    )


def parse(text: str) -> dict[str, Any]:
    """A client's event. Raises ProtocolError for what is none."""
    try:
        fields = json_object(text)
    except ValueError as error:
        raise ProtocolError("bad_json", f"This is {error}: {text[:60]!r}") from None
    if not isinstance(fields.get("type"), str):
        raise ProtocolError("bad_json", f"This is no event with a type: {text[:60]!r}")
    return fields


def audio(fields: Mapping[str, Any]) -> bytes:
    """The sound of input_audio_buffer.append."""
    try:
        return base64.b64decode(fields.get("audio", ""), validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Refused("bad_field", "audio is no base64.", "audio") from None


def text(fields: Mapping[str, Any]) -> str:
    """What a user's item of conversation.item.create says; "" for items of other kinds."""
    item = _table(fields, "item")
    if item.get("type") != "message" or item.get("role") != "user":
        return ""
    content = item.get("content")
    parts = content if isinstance(content, list) else []
    return " ".join(str(part.get("text") or part.get("transcript") or "") for part in parts if isinstance(part, dict))


def updated(settings: Settings, fields: Mapping[str, Any]) -> Settings:
    """The settings after session.update, in today's shape or in the beta's. Raises ProtocolError."""
    session = _table(fields, "session")
    sound = _table(_table(session, "audio"), "input")
    output = _table(_table(session, "audio"), "output")
    kind = session.get("type", settings.kind)
    if kind not in ("realtime", "transcription"):
        raise Refused("bad_field", f"type is {kind!r:.40}, expected realtime or transcription", "session.type")
    settings = replace(settings, kind=kind, rate=_rate(session, sound, settings.rate))
    for place, name in ((sound, "transcription"), (session, "input_audio_transcription")):
        if name in place:
            wanted = _table(place, name)
            settings = replace(
                settings,
                transcribes=place[name] is not None,
                language=str(wanted.get("language") or ""),
                model=str(wanted.get("model") or settings.model),
            )
    for place in (sound, session):
        if "turn_detection" in place:
            settings = _turns(settings, place["turn_detection"] and _table(place, "turn_detection"))
    voice = output.get("voice", session.get("voice", settings.voice))
    return replace(settings, voice=voice if isinstance(voice, str) else settings.voice)


def shown(id: str, settings: Settings) -> dict[str, Any]:
    """The session as the API shows it."""
    form = {"type": "audio/pcm", "rate": settings.rate}
    is_conversation = settings.kind == "realtime"
    turns = {
        "type": settings.vad,
        "threshold": 0.5,
        "prefix_padding_ms": settings.prefix_ms,
        "silence_duration_ms": settings.silence_ms,
    }
    if is_conversation:
        turns |= {"create_response": settings.answers, "interrupt_response": settings.interrupts}
    transcription = {"model": settings.model, "language": settings.language or None}
    sound = {
        "input": {
            "format": form,
            "noise_reduction": None,
            "transcription": transcription if settings.transcribes else None,
            "turn_detection": turns if settings.vad else None,
        }
    }
    if not is_conversation:
        return {"id": id, "object": "realtime.transcription_session", "type": settings.kind, "audio": sound}
    return {
        "id": id,
        "object": "realtime.session",
        "type": settings.kind,
        "model": settings.model,
        "tools": [],
        "tool_choice": "none",
        "output_modalities": ["audio"],
        "audio": sound | {"output": {"format": form, "voice": settings.voice or "stimme", "speed": 1.0}},
    }


def _turns(settings: Settings, wanted: Mapping[str, Any] | None) -> Settings:
    if not wanted:
        return replace(settings, vad="")
    kind = wanted.get("type", "server_vad")
    if kind not in ("server_vad", "semantic_vad"):
        raise Refused("bad_field", f"turn_detection.type is {kind!r:.40}, expected server_vad", "turn_detection")
    return replace(
        settings,
        vad=kind,
        silence_ms=_milliseconds(wanted, "silence_duration_ms", SILENCE_MS),
        prefix_ms=_milliseconds(wanted, "prefix_padding_ms", PREFIX_MS),
        answers=wanted.get("create_response") is not False,
        interrupts=wanted.get("interrupt_response") is not False,
    )


def _rate(session: Mapping[str, Any], sound: Mapping[str, Any], before: int) -> int:
    form = _table(sound, "format")
    kind = form.get("type") or session.get("input_audio_format") or "audio/pcm"
    if kind not in ("audio/pcm", "pcm16"):
        raise Refused("bad_field", f"sound of the kind {kind!r:.40} is not understood here, only audio/pcm", "format")
    rate = form.get("rate", before)
    lowest, highest = REPLY_RATES
    if isinstance(rate, bool) or not isinstance(rate, int) or not lowest <= rate <= highest:
        raise Refused("bad_field", f"rate is {rate!r:.40}, expected {lowest} to {highest}", "format.rate")
    return rate


def _milliseconds(fields: Mapping[str, Any], name: str, default: int) -> int:
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10_000:
        raise Refused("bad_field", f"{name} is {value!r:.40}, expected 0 to 10000", name)
    return round(value)


def _table(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    if value is not None and not isinstance(value, dict):
        raise Refused("bad_field", f"{name} is {value!r:.40}, expected an object", name)
    return value or {}
