"""The languages of the dialogue. Nothing else asks which language it is; it asks the language."""

from __future__ import annotations

from appliance.dialogue.languages.de import GERMAN
from appliance.dialogue.languages.en import ENGLISH
from appliance.dialogue.languages.grammar import Grammar
from appliance.language import Language

GRAMMARS: dict[Language, Grammar] = {grammar.code: grammar for grammar in (ENGLISH, GERMAN)}


def grammar(language: Language) -> Grammar:
    """Raises KeyError for a language that is not spoken here."""
    return GRAMMARS[language]
