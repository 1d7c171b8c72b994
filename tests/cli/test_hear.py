"""`stimme hear` on spoken commands and on recordings of people; the same through the WebSocket gives the same words."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.audio.pcm import RATE, read_wav, write_wav
from appliance.language import Language
from tests.support.caller import caller
from tests.support.server import MODELS, ROOT, RunningServer, running_server
from tests.support.speech import commands, recordings_of_people, spoken_now, word_errors

HIGHEST_WORD_ERROR_RATE = 0.06
"""Of the commands in the embedded voices; measured 0.01 to 0.02."""


def folder_of_commands(folder: Path, language: Language) -> Path:
    """The spoken commands as WAV files 00.wav …"""
    for number, pcm in enumerate(spoken_now(commands(language), language)):
        write_wav(folder / f"{number:02}.wav", pcm, RATE)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_commands(tmp_path_factory.mktemp("commands"), "en")


@pytest.fixture(scope="module")
def german_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_commands(tmp_path_factory.mktemp("befehle"), "de")


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


def stimme(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "STIMME_MODELS": str(MODELS),
        "STIMME_STATE": str(MODELS.parent / "test-state"),
    }
    return subprocess.run(
        [sys.executable, "-m", "appliance", *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env=environment,
    )


def heard(files: list[Path], language: Language = "en") -> list[str]:
    result = stimme("hear", "--json", "--language", language, *map(str, files))
    assert result.returncode == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["file"] for row in rows] == [str(file) for file in files]
    return [row["text"] for row in rows]


async def heard_through(server: RunningServer, recordings: list[bytes], language: Language = "en") -> list[str]:
    texts = []
    for pcm in recordings:
        async with caller(server.url) as person:  # one each: ten seconds at once are free, then the pace counts
            await person.hello(speak=False)
            texts.append((await person.say(pcm, language=language, pace=0, until="answer")).first("final")["text"])
    return texts


@pytest.mark.parametrize(("fixture", "language"), [("folder", "en"), ("german_folder", "de")])
def test_spoken_commands_are_heard_alike_from_files_and_through_the_websocket(
    fixture: str,
    language: Language,
    server: RunningServer,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    files, expected = sorted(request.getfixturevalue(fixture).glob("*.wav")), commands(language)
    assert len(files) >= 30
    texts = heard(files, language)
    errors, words = map(sum, zip(*map(word_errors, expected, texts), strict=True))
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{len(files)} spoken commands ({language}): word error rate {errors / words:.1%} "
            f"({errors} of {words} words)"
        )
    assert errors / words <= HIGHEST_WORD_ERROR_RATE
    assert asyncio.run(heard_through(server, [read_wav(file) for file in files], language)) == texts


def test_recordings_of_people_are_heard_alike_from_files_and_through_the_websocket(
    tmp_path: Path, server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings = recordings_of_people(tmp_path)
    assert len(recordings) >= 8, "the recordings are missing; `make setup-test` installs pocketsphinx-testdata"
    files = [recording.file for recording in recordings]
    texts = heard(files)
    scored = [word_errors(recording.text, text) for recording, text in zip(recordings, texts, strict=True)]
    with capsys.disabled():
        errors, words = map(sum, zip(*scored, strict=True))
        print(f"\n{len(files)} recordings of people, other domains: word error rate {errors / words:.1%}")  # noqa: T201
    assert asyncio.run(heard_through(server, [read_wav(file) for file in files])) == texts


def test_any_rate_and_stereo_are_heard(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "stereo.wav"
    subprocess.run(
        ["sox", str(folder / "00.wav"), "-r", "44100", "-c", "2", "-b", "24", str(file)], check=True, timeout=30
    )
    assert heard([file]) == [commands()[0]]


def test_partial_transcripts_and_times_are_printed(folder: Path) -> None:
    lines = stimme("hear", str(folder / "00.wav")).stdout.splitlines()
    assert lines[0].endswith("00.wav")
    assert any(line.endswith("…") for line in lines[1:-1])
    assert commands()[0] in lines[-1] and "ms after the last sample" in lines[-1]


def test_a_file_that_is_no_wav_is_named_and_the_others_are_heard(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF\x10\0\0\0nonsense")
    result = stimme("hear", "--json", str(broken), str(folder / "00.wav"), str(tmp_path / "none.wav"))
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 1
    assert "not a sound file" in rows[0]["error"]
    assert rows[1]["text"] == commands()[0]
    assert "no such file" in rows[2]["error"]


def test_ask_answers_and_says_by_exit_code_whether_it_understood() -> None:
    asked = stimme("ask", "--json", "what is two plus two")
    assert asked.returncode == 0 and "4" in json.loads(asked.stdout)["text"]
    german = stimme("ask", "--language", "de", "was ist zwei plus zwei")
    assert german.returncode == 0 and "4" in german.stdout
    assert stimme("ask", "colourless green ideas").returncode == 1


def test_say_writes_what_it_says(tmp_path: Path) -> None:
    file = tmp_path / "said.wav"
    assert stimme("say", "--rate", "16000", "--output", str(file), "what time is it").returncode == 0
    with wave.open(str(file)) as written:
        assert (written.getframerate(), written.getnchannels(), written.getsampwidth()) == (16_000, 1, 2)
    assert heard([file]) == ["what time is it"]


def test_models_and_settings_are_listed() -> None:
    models = [json.loads(line) for line in stimme("models", "list", "--json").stdout.splitlines()]
    assert {"vosk-model-small-en-us-0.15", "vosk-model-small-de-0.15", "de_DE-thorsten-medium"} <= {
        model["name"] for model in models
    }
    assert all(len(file["sha256"]) == 64 for model in models for file in model["files"])
    report = json.loads(stimme("check", "--json").stdout)
    assert {row["environment"] for row in report["settings"]} >= {"AUDIO_CHUNK_SIZE", "MAX_CONNECTIONS", "PING_TIMEOUT"}
