"""How each language is read aloud. Nothing else in this room asks which language it is; it asks the reading."""

from __future__ import annotations

from appliance.language import Language
from appliance.speaking.languages.de import GERMAN
from appliance.speaking.languages.en import ENGLISH
from appliance.speaking.languages.reading import Reading

READINGS: dict[Language, Reading] = {reading.code: reading for reading in (ENGLISH, GERMAN)}


def reading(language: Language) -> Reading:
    """Raises KeyError for a language that is not spoken here."""
    return READINGS[language]
