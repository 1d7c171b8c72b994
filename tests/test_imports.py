"""Imports point downward (docs/decisions.md), and a third-party name lives in one file."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "appliance").rglob("*.py"))

MAY_IMPORT = {  # first match wins: room of the importing file → rooms it may use
    "appliance/app.py": {"appliance"}, "appliance/cli.py": {"appliance"}, "appliance/commands.py": {"appliance"},
    "appliance/check.py": {"appliance"}, "appliance/__main__.py": {"appliance"},
    "appliance/server/": {"appliance.server", "appliance.conversation", "appliance.turns", "appliance.config",
                          "appliance.errors", "appliance.audio.pcm", "appliance.audio.utterance",
                          "appliance.dialogue.types"},
    "appliance/audio/pcm.py": {"appliance.errors"},
    "appliance/audio/utterance.py": {"appliance.audio.pcm"},
    "appliance/audio/": {"appliance.audio", "appliance.conversation", "appliance.turns", "appliance.config",
                         "appliance.errors", "appliance.dialogue.types", "appliance.speech.transcript"},
    "appliance/conversation.py": {"appliance.turns", "appliance.audio.pcm", "appliance.dialogue.types",
                                  "appliance.errors", "appliance.speech.transcript"},
    "appliance/turns.py": {"appliance.audio.pcm", "appliance.dialogue.types"},
    "appliance/config.py": {"appliance.errors", "appliance.dialogue.types"},
    "appliance/errors.py": set(),
    "appliance/dialogue/skills/": {"appliance.dialogue", "appliance.errors"},
    "appliance/dialogue/": {"appliance.dialogue", "appliance.errors"},
    "appliance/speech/": {"appliance.speech", "appliance.config", "appliance.errors", "appliance.audio.pcm",
                          "appliance.dialogue.types"},
    "appliance/": {"appliance"},
}
ONE_FILE = {
    "vosk": "speech/recognizer.py", "piper": "speech/", "sounddevice": "audio/device.py", "websockets": "server/",
    "uvloop": "app.py", "hassil": "dialogue/understanding.py", "prometheus_client": "server/metrics.py",
    "evdev": "audio/", "gpiozero": "audio/",
}


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.relative_to(ROOT).as_posix())
def test_imports_point_downward(file: Path) -> None:
    path = file.relative_to(ROOT).as_posix()
    allowed = next(rooms for prefix, rooms in MAY_IMPORT.items() if path.startswith(prefix))
    for name in imported(file):
        if name.split(".")[0] == "appliance" and name not in ("appliance", "appliance.__version__"):
            top = {name, name.rpartition(".")[0]} | {room for room in allowed if name.startswith(room + ".")}
            package = any(room.startswith(name + ".") for room in allowed)  # `from appliance import turns`
            assert package or top & allowed, f"{path} imports {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.relative_to(ROOT).as_posix())
def test_a_third_party_name_lives_in_one_place(file: Path) -> None:
    path = file.relative_to(ROOT / "appliance").as_posix()
    for name in imported(file):
        home = ONE_FILE.get(name.split(".")[0], path)
        assert path.startswith(home), f"{path} imports {name}, which belongs to {home}"
