"""`stimme models prepare`: afterwards nothing is unpacked or made at a start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.server import ROOT


def stimme(home: Path, models: Path, *arguments: str) -> str:
    """Run it as a user who has nothing yet."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(home),
        "STIMME_MODELS": str(models),
        "STIMME_STATE": str(home / "state"),
    }
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "appliance", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env=environment,
        cwd=home,
    ).stdout


def files(folder: Path) -> dict[str, int]:
    return {str(file.relative_to(folder)): file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


def test_what_was_prepared_is_used_as_it_lies(tmp_path: Path) -> None:
    models, home = tmp_path / "models", tmp_path / "home"
    home.mkdir()
    said = stimme(home, models, "models", "prepare", str(models))
    assert "de recognizer stimme-de-small-0.1" in said and "en voice      en_US-joe-medium" in said
    assert {path.name for path in models.iterdir()} == {"stimme-de-small-0.1", "stimme-en-small-0.2", "voices"}
    before = files(models)
    assert any(name.startswith("voices/en_US-joe-medium-") for name in before)
    for language, text in (("en", "good morning"), ("de", "guten morgen")):
        stimme(home, models, "say", "--language", language, "--output", str(tmp_path / "said.wav"), text)
        assert text in stimme(home, models, "hear", "--language", language, str(tmp_path / "said.wav"))
    assert files(models) == before
    assert [name for name in files(home) if not name.startswith("state/")] == []


def test_the_list_says_what_each_is_good_for(tmp_path: Path) -> None:
    listed = stimme(tmp_path, tmp_path / "models", "models", "list")
    assert "no sentence spoken by a person could be tested" in listed
    assert "a little tinny" in listed and "better than the embedded one" in listed
