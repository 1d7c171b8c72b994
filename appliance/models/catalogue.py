"""The recognizer models and voices that Stimme knows by name. Data only.

Sizes and SHA-256 are those of the publishers' files, as several independent projects pin them. What a model must
contain stands in whole.py, which one a language gets in choose.py.
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
    """What it is good for and how well it hears or speaks, in a sentence to show to people."""
    doubtful_below: float = 0.0
    """Mean confidence of a transcript below which it is better to ask than to act, tuned so that 2 % of what was heard
    right is asked about (bench/results/hearing.json); 0: not known."""
    speaker: Literal["", "female", "male"] = ""
    """Whose voice it is."""
    replaces: tuple[str, ...] = ()
    """Embedded models of earlier releases, whose unpacked files are of no use any more."""

    @property
    def size_bytes(self) -> int:
        """What a fetch transfers."""
        return sum(file.size_bytes for file in self.files)


EMBEDDED_VOICE = "en_US-joe-medium"
PICO_VOICES: dict[Language, str] = {"en": "en-US", "de": "de-DE"}
"""Pico's voice of each language; in the catalogue as "pico-de-DE"."""

_VOSK = "https://alphacephei.com/vosk/models"
_VOICES = "https://huggingface.co/rhasspy/piper-voices/resolve/v1.0.0"

CATALOGUE: tuple[Model, ...] = (  # of each kind and language, the better ones first
    Model(
        "vosk-model-small-en-us-0.15",
        "recognizer",
        "en",
        "Apache-2.0",
        (
            File(
                "vosk-model-small-en-us-0.15.zip",
                41_205_931,
                "30f26242c4eb449f948e42cb302dd7a686cb29a3423a8367f99ff41780942498",
            ),
        ),
        _VOSK,
        "any English, trained on many people: better than the embedded one with accents and far away",
    ),
    Model(
        "stimme-en-small-0.2",
        "recognizer",
        "en",
        "Apache-2.0",
        (
            File(
                "stimme-en-small-0.2.tar.xz",
                6_642_288,
                "83cfa7fcc6149a1eaa2270f0e169ba9f3accfa6c1f30efa543b5434f9aa3c83b",
            ),
            File(
                "stimme-en-small-0.2.HCLG.fst.xz",
                4_910_800,
                "2db9a1b24ef539477f1237214f81dc1b734ae33a685f34324c969c8d38547950",
            ),
        ),
        note="comes with Stimme: commands and lists, no dictation; 2.7 % of a new synthetic voice's words wrong, "
        "1.3 % of a person's times and dates",
        doubtful_below=0.63,
        replaces=("stimme-en-small-0.1",),
    ),
    Model(
        "vosk-model-small-de-0.15",
        "recognizer",
        "de",
        "Apache-2.0",
        (
            File(
                "vosk-model-small-de-0.15.zip",
                46_499_967,
                "b7e53c90b1f0a38456f4cd62b366ecd58803cd97cd42b06438e2c131713d5e43",
            ),
        ),
        _VOSK,
        "any German, trained on many people: better than the embedded one, which has heard none",
    ),
    Model(
        "stimme-de-small-0.1",
        "recognizer",
        "de",
        "GPL-3.0-or-later",
        (
            File(
                "stimme-de-small-0.1.tar.xz",
                6_462_236,
                "a7e3949027c4b5742efb675fe57fb6468aa55bacaf27cfb1afd69d0e346dd940",
            ),
            File(
                "stimme-de-small-0.1.HCLG.fst.xz",
                4_796_084,
                "45f753a627f839e3d7835d1a1865364fdaa46882386c1848d460a4cbee2f29d5",
            ),
        ),
        note="comes with Stimme: commands, no dictation; 1.3 % of a new synthetic voice's words wrong, "
        "no sentence spoken by a person could be tested",
        doubtful_below=0.51,
    ),
    Model(
        EMBEDDED_VOICE,
        "voice",
        "en",
        "CC0-1.0",
        (
            File(
                "en_US-joe-medium.onnx", 63_201_294, "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"
            ),
            File(
                "en_US-joe-medium.onnx.json", 4_794, "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33"
            ),
        ),
        note="comes with Stimme: a man's voice, sentences as a person would say them",
        speaker="male",
    ),
    Model(
        "de_DE-thorsten-medium",
        "voice",
        "de",
        "CC0-1.0",
        (
            File(
                "de_DE-thorsten-medium.onnx",
                63_201_294,
                "7e64762d8e5118bb578f2eea6207e1a35a8e0c30595010b666f983fc87bb7819",
            ),
            File(
                "de_DE-thorsten-medium.onnx.json",
                4_819,
                "974adee790533adb273a1ac88f49027d2a1b8f0f2cf4905954a4791e79264e85",
            ),
        ),
        f"{_VOICES}/de/de_DE/thorsten/medium",
        "a man's voice, sentences as a person would say them",
        speaker="male",
    ),
    Model(
        "pico-de-DE",
        "voice",
        "de",
        "Apache-2.0",
        (
            File("de-DE_ta.bin", 440_732, "df292826754713d5efb6c95d60582c17753e95856b4c735c3150db722b2c218a"),
            File("de-DE_gl0_sg.bin", 634_996, "39147b816d08bbbe64b23797804cf691a761ab73a7689ca9e2b6f87ace722654"),
        ),
        note="comes with Stimme: a woman's voice, clear and quick, a little tinny",
        speaker="female",
    ),
    Model(
        "pico-en-US",
        "voice",
        "en",
        "Apache-2.0",
        (
            File("en-US_ta.bin", 650_668, "3a2a4d23de2a44dbbff50f69dcb9486be53b6d0a871d77cdc35f45c3e25e82aa"),
            File("en-US_lh0_sg.bin", 777_396, "d6946526696d9eb085f7b23b1fbdf7a9986caca658b645e9eb73c6514fd4789d"),
        ),
        note="comes with Stimme: a woman's voice, clear and quick, a little tinny",
        speaker="female",
    ),
)


def by_name(name: str) -> Model | None:
    return next((model for model in CATALOGUE if model.name == name), None)


def of(kind: Kind, language: Language) -> tuple[Model, ...]:
    """The catalogue's models of a kind and language, the better ones first."""
    return tuple(model for model in CATALOGUE if model.kind == kind and model.language == language)
