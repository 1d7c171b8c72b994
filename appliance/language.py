"""The languages that Stimme speaks. What differs by language stands in dialogue/languages and speaking/languages, or
in tables by code."""

Language = str
"""An ISO 639-1 code."""
LANGUAGES: tuple[Language, ...] = ("en", "de")
