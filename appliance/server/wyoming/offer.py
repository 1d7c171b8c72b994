"""What is offered over Wyoming, as `info` says it. Home Assistant asks every half minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from appliance import __version__
from appliance.faculties import Faculties
from appliance.language import LANGUAGES, Language
from appliance.server.wyoming.codec import encode

STIMME = {"name": "Stimme", "url": ""}


def info(faculties: Faculties, wake_words: Mapping[str, str]) -> bytes:
    """The event. wake_words: how each is said, by its name.

    Never a satellite: Home Assistant would take nothing else from this address then.
    """
    ears, mouth = faculties.ears, faculties.mouth
    spoken = [language for language in LANGUAGES if language in ears.languages]
    return encode(
        "info",
        {
            "asr": [
                _entry(
                    "stimme",
                    "Stimme hears",
                    LANGUAGES,
                    models=[
                        _entry(ears.names.get(language, language), f"Recognizer for {language}", [language])
                        for language in spoken
                    ],
                )
                | {
                    "supports_transcript_streaming": True,
                    "requires_external_vad": False,
                    "prefers_auto_gain_enabled": False,
                    "prefers_noise_reduction_enabled": False,
                }
            ]
            if spoken
            else [],
            "tts": [
                _entry(
                    "stimme",
                    "Stimme speaks",
                    LANGUAGES,
                    voices=[
                        _entry(name, name, [language]) | {"speakers": None} for language, name in _voices(mouth.names)
                    ],
                )
                | {"supports_synthesize_streaming": True}
            ]
            if mouth.languages
            else [],
            "handle": [
                _entry(
                    "stimme",
                    "Stimme understands",
                    LANGUAGES,
                    models=[_entry("stimme", "Stimme's own skills", LANGUAGES)],
                )
                | {"supports_handled_streaming": True, "supports_home_control": False}
            ],
            "wake": [
                _entry(
                    "stimme",
                    "Stimme wakes",
                    LANGUAGES,
                    models=[_entry(name, phrase, ["en"]) | {"phrase": phrase} for name, phrase in wake_words.items()],
                )
            ]
            if wake_words
            else [],
            "intent": [],
            "mic": [],
            "snd": [],
        },
    )


def voice_language(voices: Mapping[Language, str], name: str) -> Language | None:
    """Whose voice is called so."""
    return next((language for language, known in _voices(voices) if known == name), None)


def _voices(voices: Mapping[Language, str]) -> list[tuple[Language, str]]:
    return [(language, voices[language]) for language in LANGUAGES if language in voices]


def _entry(name: str, description: str, languages: Sequence[str], **parts: Any) -> dict[str, Any]:
    of_its_own = {"languages": list(languages)} if not parts else {}
    return {
        "name": name,
        "description": description,
        "installed": True,
        "version": __version__,
        "attribution": STIMME,
        **of_its_own,
        **parts,
    }
