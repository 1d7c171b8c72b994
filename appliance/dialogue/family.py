"""A skill family: one folder below families/ with what it understands, answers, and says about itself.

    families/<name>/skill.py            the skills, pure functions, and FAMILY at the end
    families/<name>/sentences.en.yaml   what people say, what it must not take for its own, how it explains itself
    tests/dialogue/families/<name>/     mirrors it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from appliance.dialogue.reading.readers import Reader
from appliance.dialogue.types import Skill
from appliance.language import Language

Sentences = Mapping[str, Any]
"""One sentence file: intents (hassil's templates), not (phrases that belong to nobody or to others), help."""


@dataclass(frozen=True)
class Family:
    """What the understanding, the dialogue and the help must know of a family; nothing else is known of it."""

    name: str
    skills: Mapping[str, Skill]
    """Intent name to skill; every intent of the sentence files has its line."""
    readers: Mapping[str, Reader] = field(default_factory=dict)
    """Slot in a sentence to what reads it. The same slot may be read by several families, but in one way."""
    actions: tuple[type, ...] = ()
    """What its replies may change; somebody must have a performer for each."""
    folder: Path | None = None
    """Where its sentence files are, if not beside its skills."""

    def sentences(self, language: Language) -> Sentences:
        """The sentence file of one language; empty if the family does not speak it."""
        return _read(self.name, self.folder, language)

    def help(self, language: Language) -> Mapping[str, str]:
        """ "what": what it does, as part of a sentence; "example": a sentence to try; "more": when asked about it."""
        about: Mapping[str, str] = self.sentences(language).get("help", {})
        return about


@cache
def _read(name: str, folder: Path | None, language: Language) -> Sentences:
    place = folder or files("appliance.dialogue").joinpath("families", name)
    file = place.joinpath(f"sentences.{language}.yaml")
    if not file.is_file():
        return {}
    return load_yaml(file.read_text(encoding="utf-8"))


def load_yaml(text: str) -> dict[str, Any]:
    """YAML without anything executable; by C where PyYAML has it (ten times as fast)."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded: dict[str, Any] = yaml.load(text, loader)  # noqa: S506  a safe loader either way
    return loaded
