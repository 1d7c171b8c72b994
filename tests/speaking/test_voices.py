"""Piper's voices and espeak-ng's: what they say, and what is said when they cannot."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import ModelError
from appliance.speaking.voices import EspeakVoice, PiperVoice, load_voice
from tests.support.kit import voice_path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the embedded voice to be damaged, under a name that no checksum is known for."""
    path = tmp_path / "en_US-mine-medium.onnx"
    shutil.copy(voice_path(), path)
    shutil.copy(f"{voice_path()}.json", f"{path}.json")
    return path


def test_espeak_speaks_german(tmp_path: Path) -> None:
    program = shutil.which("espeak-ng")
    assert program
    voice = load_voice(Path(program), "de", tmp_path)
    (sound,) = voice.synthesize("Guten Morgen.")
    assert (voice.name, voice.rate) == ("espeak-ng de", 22_050)
    assert 0.5 < len(sound) / voice.rate < 3
    assert 0.05 < np.abs(sound).max() <= 1


def test_espeak_takes_text_and_not_options(tmp_path: Path) -> None:
    program = shutil.which("espeak-ng")
    assert program
    (sound,) = EspeakVoice(Path(program), "en").synthesize("--help")
    assert len(sound)


def test_an_espeak_that_fails_is_named() -> None:
    with pytest.raises(ModelError, match="/bin/false failed .*; install the package espeak-ng again"):
        list(EspeakVoice(Path("/bin/false"), "de").synthesize("Guten Morgen."))


def test_a_voice_without_its_settings_is_named(copy: Path, tmp_path: Path) -> None:
    Path(f"{copy}.json").unlink()
    with pytest.raises(ModelError, match=f"{copy}.json: missing or empty"):
        PiperVoice(copy, tmp_path / "cache")


def test_a_voice_with_broken_settings_is_named(copy: Path, tmp_path: Path) -> None:
    Path(f"{copy}.json").write_text('{"audio": {}}')
    with pytest.raises(ModelError, match=f"{copy}.json: not a Piper voice's settings .*; fetch it again"):
        PiperVoice(copy, tmp_path / "cache")


def test_a_voice_that_was_cut_off_is_named(copy: Path, tmp_path: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:100_000])
    with pytest.raises(ModelError, match=f"{copy}: this voice is damaged .*; fetch it again"):
        PiperVoice(copy, tmp_path / "cache")


def test_a_voice_that_is_not_the_published_one_is_refused(copy: Path, tmp_path: Path) -> None:
    forged = copy.rename(tmp_path / "en_US-joe-medium.onnx")
    Path(f"{copy}.json").rename(f"{forged}.json")
    with forged.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"forged")
    with pytest.raises(ModelError, match=f"{forged}: SHA-256 .*, expected 58afce03"):
        PiperVoice(forged, tmp_path / "cache")


def test_a_voice_that_reads_other_phonemes_is_refused(copy: Path, tmp_path: Path) -> None:
    settings = Path(f"{copy}.json")
    settings.write_text(settings.read_text().replace('"num_symbols"', '"phoneme_type": "pinyin", "num_symbols"'))
    with pytest.raises(ModelError, match=f"{copy}: its phonemes are not espeak-ng's"):
        PiperVoice(copy, tmp_path / "cache")


def test_a_clause_is_asked_of_espeak_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    voice = PiperVoice(voice_path(), tmp_path)
    assert sum(map(len, voice.synthesize("Good evening."))) > 5_000
    monkeypatch.setattr("appliance.speaking.voices.phoneme_ids", None)
    assert sum(map(len, voice.synthesize("Good evening."))) > 5_000
