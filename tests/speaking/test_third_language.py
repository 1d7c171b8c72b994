"""A third language speaks as soon as it says how it is read aloud: espeak-ng has a voice for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance import turns
from appliance.conversation import Conversation
from appliance.dialogue.types import Memory
from appliance.faculties import Faculties
from appliance.models.choose import find_recognizer, find_voice, find_voices
from appliance.speaking.clauses import clauses
from appliance.speaking.readout import read_out
from appliance.speaking.script import Script
from appliance.speaking.synthesizer import Synthesizer
from appliance.state.database import Database
from appliance.workers import Workers
from tests.support import esperanto
from tests.support.faculties import FakeSink, willing


@pytest.fixture
def workers() -> Iterator[Workers]:
    with_one = Workers(1, "voice")
    yield with_one
    with_one.close()


async def test_what_is_answered_in_a_third_language_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: Workers
) -> None:
    families = esperanto.learn(tmp_path, monkeypatch)
    choice = find_voice("eo", tmp_path)
    assert choice is not None and choice.name == "espeak-ng eo"
    mouth = Synthesizer({"eo": choice.path}, workers, tmp_path)
    await mouth.open()
    assert dict(mouth.names) == {"eo": "espeak-ng eo"}
    told: list[turns.Event] = []
    sink = FakeSink()
    with Database(None) as database:
        async with asyncio.TaskGroup() as tasks:
            faculties = Faculties(willing(), esperanto.mind(families, database), mouth)
            talk = Conversation(faculties, tasks, Memory(), sink)
            talk.begin(turns.Typed("1", "eo", "metu horloĝo dek minutoj"), told.append)
    assert [event.text for event in told if isinstance(event, turns.Answered)] == [
        "La horloĝo sonoros post dek minutoj."
    ]
    [ended] = [event for event in told if isinstance(event, turns.SpeechEnded)]
    assert 1.0 < ended.audio_s < 5.0 and not ended.interrupted
    assert "sound" in sink.heard and sink.heard[-1] == "drained"


async def test_its_numbers_signs_and_the_end_of_a_long_text_are_in_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    esperanto.learn(tmp_path, monkeypatch)
    assert clauses("Estas kafo, ktp. kaj pli. Jes.", "eo") == ["Estas kafo, ktp. kaj pli.", "Jes."]
    assert " ".join(read_out("Estas 21 km kaj 3,5.", "eo").split()) == "Estas dudek unu kilometroj kaj tri komo kvin."
    script = Script("Unu. Du. Tri.", "eo")
    said = []
    async for clause in script.clauses():
        said.append(clause)
        script.is_cut = True
    assert said == ["Unu.", "La resto mankas."]


def test_a_language_without_a_voice_of_its_own_does_not_hinder_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.models.choose.shutil", SimpleNamespace(which=lambda program: None))
    assert find_voice("eo", tmp_path) is None and find_voices("eo", tmp_path) == {}
    assert find_recognizer("eo", tmp_path) is None
