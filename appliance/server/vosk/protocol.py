"""vosk-server's messages (websocket/asr_server.py of https://github.com/alphacep/vosk-server): a codec."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from appliance.errors import ProtocolError
from appliance.hearing.transcript import Final, Word

RATE = 8_000
"""vosk-server's own, for clients that send no config."""
MOST_PHRASES = 5_000
MOST_PHRASE_CHARACTERS = 200
MOST_ALTERNATIVES = 10


@dataclass(frozen=True)
class Settings:
    """What a connection has asked for."""

    rate: int = RATE
    words: bool = True
    alternatives: int = 0
    model: str = ""


@dataclass(frozen=True)
class End:
    """The sound is over: the rest of the transcript, then goodbye."""


@dataclass(frozen=True)
class Reset:
    """The rest of the transcript, and a new one begins."""


def parse(text: str, settings: Settings) -> Settings | End | Reset | None:
    """A text message; settings: those in force. None for what means nothing. Raises ProtocolError for bad values.

    Clients write `{"eof" : 1}` with and without the spaces; anything else that is no config is passed over.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError("bad_json", f"This is not JSON: {text[:60]!r}") from None
    if not isinstance(fields, dict):
        return None
    if "config" in fields:
        return _settings(fields["config"], settings)
    if "eof" in fields:
        return End()
    return Reset() if "reset" in fields else None


def _settings(config: Any, before: Settings) -> Settings:
    if not isinstance(config, dict):
        raise ProtocolError("bad_field", f"config is {config!r:.60}, expected an object")
    phrases = config.get("phrase_list")
    if phrases is not None and not (
        isinstance(phrases, list)
        and len(phrases) <= MOST_PHRASES
        and all(isinstance(phrase, str) and len(phrase) <= MOST_PHRASE_CHARACTERS for phrase in phrases)
    ):
        raise ProtocolError(
            "bad_field",
            f"phrase_list is {phrases!r:.60}, expected at most {MOST_PHRASES} texts of at most "
            f"{MOST_PHRASE_CHARACTERS} characters",
        )
    rate = config.get("sample_rate", before.rate)
    alternatives = config.get("max_alternatives", before.alternatives)
    for name, value in (("sample_rate", rate), ("max_alternatives", alternatives)):
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 1e6:
            raise ProtocolError("bad_field", f"{name} is {value!r:.60}, expected a number")
    model = config.get("model")
    return replace(
        before,
        rate=int(rate),
        words=bool(config.get("words", before.words)),
        alternatives=max(0, min(MOST_ALTERNATIVES, int(alternatives))),
        model=model if isinstance(model, str) else before.model,
    )


def partial(text: str) -> str:
    """What was heard so far."""
    return json.dumps({"partial": text}, ensure_ascii=False)


def result(final: Final, settings: Settings, offset_s: float) -> str:
    """An utterance's transcript. offset_s: when it began in this connection's sound; word times count from there."""
    words = [_word(word, offset_s) for word in final.words] if settings.words else []
    if settings.alternatives:
        one: dict[str, Any] = {"confidence": final.confidence, "text": final.text}
        return json.dumps({"alternatives": [one | ({"result": words} if words else {})]}, ensure_ascii=False)
    return json.dumps(({"result": words} if words else {}) | {"text": final.text}, ensure_ascii=False)


def _word(word: Word, offset_s: float) -> dict[str, Any]:
    return {
        "conf": word.confidence,
        "end": round(word.end_s + offset_s, 2),
        "start": round(word.start_s + offset_s, 2),
        "word": word.text,
    }
