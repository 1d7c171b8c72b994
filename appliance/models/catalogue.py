"""The recognizer models and voices that Stimme knows by name. Data only.

Sizes and SHA-256 are those of the publishers' files, as several independent projects pin them. What a model must
contain, and which one a language gets, stands in models.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from appliance.language import Language

Kind = Literal["recognizer", "voice"]


@dataclass(frozen=True)
class File:
    """A recognizer is one archive, a voice is two plain files."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Model:
    name: str
    kind: Kind
    language: Language
    licence: str
    files: tuple[File, ...]
    source: str = ""
    """URL of the directory that the files are in; "" for what comes with Stimme and is never fetched."""
    note: str = ""

    @property
    def size_bytes(self) -> int:
        """What a fetch transfers."""
        return sum(file.size_bytes for file in self.files)


EMBEDDED_RECOGNIZER = "stimme-en-small-0.1"
EMBEDDED_VOICE = "en_US-joe-medium"

_VOSK = "https://alphacephei.com/vosk/models"
_VOICES = "https://huggingface.co/rhasspy/piper-voices/resolve/v1.0.0"

CATALOGUE: tuple[Model, ...] = (  # of each kind and language, the better ones first
    Model(
        "vosk-model-small-en-us-0.15", "recognizer", "en", "Apache-2.0",
        (File("vosk-model-small-en-us-0.15.zip", 41_205_931,
              "30f26242c4eb449f948e42cb302dd7a686cb29a3423a8367f99ff41780942498"),),
        _VOSK, "general English",
    ),
    Model(
        EMBEDDED_RECOGNIZER, "recognizer", "en", "Apache-2.0",
        (File("stimme-en-small-0.1.tar.xz", 6_563_784,
              "1d24da0582fdee14be97ad18a411af25a90d724e40ea5818bef714ea630b239f"),
         File("stimme-en-small-0.1.HCLG.fst.xz", 4_675_432,
              "42ce990c837753681d762bae6c400bcfb1c6e8ed8c1559b87f3864e3f0b4a97e")),
        note="comes with Stimme: commands, no dictation",
    ),
    Model(
        "vosk-model-small-de-0.15", "recognizer", "de", "Apache-2.0",
        (File("vosk-model-small-de-0.15.zip", 46_499_967,
              "b7e53c90b1f0a38456f4cd62b366ecd58803cd97cd42b06438e2c131713d5e43"),),
        _VOSK, "general German",
    ),
    Model(
        EMBEDDED_VOICE, "voice", "en", "CC0-1.0",
        (File("en_US-joe-medium.onnx", 63_201_294,
              "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"),
         File("en_US-joe-medium.onnx.json", 4_794,
              "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33")),
        note="comes with Stimme",
    ),
    Model(
        "de_DE-thorsten-medium", "voice", "de", "CC0-1.0",
        (File("de_DE-thorsten-medium.onnx", 63_201_294,
              "7e64762d8e5118bb578f2eea6207e1a35a8e0c30595010b666f983fc87bb7819"),
         File("de_DE-thorsten-medium.onnx.json", 4_819,
              "974adee790533adb273a1ac88f49027d2a1b8f0f2cf4905954a4791e79264e85")),
        f"{_VOICES}/de/de_DE/thorsten/medium",
    ),
)


def by_name(name: str) -> Model | None:
    return next((model for model in CATALOGUE if model.name == name), None)


def of(kind: Kind, language: Language) -> tuple[Model, ...]:
    """The catalogue's models of a kind and language, the better ones first."""
    return tuple(model for model in CATALOGUE if model.kind == kind and model.language == language)
