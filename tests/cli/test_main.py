"""The `stimme` command: what a person sees who mistypes, has odd files, or no room on the disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from appliance.audio.pcm import RATE, read_wav, write_wav
from appliance.cli.main import main
from tests.support.server import MODELS, ROOT


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STIMME_MODELS", str(MODELS))
    monkeypatch.setenv("STIMME_STATE", str(tmp_path / "state"))


def test_help_shows_what_a_person_types(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["run", "--help"])
    assert exit.value.code == 0
    assert "--host ADDRESS" in capsys.readouterr().out


@pytest.mark.parametrize("rate", ["0", "-5", "96000", "fast"])
def test_an_impossible_rate_is_wrong_usage(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["say", "hello", f"--rate={rate}"])
    assert exit.value.code == 2
    assert f"'{rate}': expected a whole number of Hz from 8000 to 48000" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "nowhere" / "x.wav"
    assert main(["say", "hello", "--output", str(file)]) == 1
    assert capsys.readouterr().err == f"stimme: {file}: No such file or directory\n"


def test_a_state_directory_that_cannot_be_made_is_one_line_and_no_reason_not_to_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STIMME_STATE", str(tmp_path / "file" / "state"))
    assert main(["ask", "hello"]) == 0
    file = tmp_path / "file" / "state" / "stimme.sqlite3"
    assert [record.message for record in caplog.records] == [
        f"{file} cannot be used (Not a directory): what is asked for now does not survive a restart"
    ]


def test_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "appliance", "models", "path"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            check=False,
        )
    assert (result.returncode, result.stderr) == (1, "stimme: output: No space left on device\n")


def test_a_file_whose_name_is_not_utf8_is_heard_and_named(tmp_path: Path) -> None:
    file = os.fsencode(tmp_path) + b"/b\xfcro.wav"
    write_wav(os.fsdecode(file), bytes(RATE), RATE)
    for options in ([], ["--json"]):
        result = subprocess.run(
            [sys.executable, "-m", "appliance", "hear", *options, file],
            capture_output=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert (result.returncode, result.stderr) == (0, b"")
    assert os.fsencode(json.loads(result.stdout)["file"]) == file


def test_samples_that_are_no_numbers_are_silence(tmp_path: Path) -> None:
    samples = np.array([0.5, np.nan, -0.5, np.inf], np.float32)
    soundfile.write(tmp_path / "odd.wav", samples, RATE, "FLOAT")
    assert np.frombuffer(read_wav(tmp_path / "odd.wav"), "<i2").tolist() == [16384, 0, -16384, 32767]
