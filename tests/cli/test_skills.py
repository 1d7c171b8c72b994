"""`stimme skills`."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.cli.main import main

GOOD = """
en:
  sentences: [set a timer, hello fridge]
  replies: [Done.]
call: {target: fridge}
tests: [{en: hello fridge, reply: Done.}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STIMME_SKILLS", str(tmp_path))
    return tmp_path


def test_good_files_pass_and_conflicts_are_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "fridge.yaml"
    file.write_text(GOOD)
    assert main(["skills", "check", str(file)]) == 1
    assert "line 1: the target 'fridge' is not in the settings; expected NAME=http" in capsys.readouterr().out
    monkeypatch.setenv("STIMME_TARGETS", "fridge=http://192.168.1.30")
    assert main(["skills", "check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{file} line 3: (only a warning) 'set a timer' means HassStartTimer without this skill; yours comes first",
        f"{file}: 2 sentences, 1 tests went well",
    ]
    assert main(["skills", "list"]) == 0
    assert capsys.readouterr().out.split() == ["fridge", "en", "2", "sentences"]


def test_mistakes_and_failing_tests_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.yaml").write_text("en: {sentences: hi fridge, replies: x}\ntests: [{en: hi fridge, reply: y}]")
    (folder / "b.yaml").write_text("en: {sentences: hi}")
    assert main(["skills", "check"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{folder}/a.yaml line 2: 'hi fridge' is answered 'x', expected 'y'",
        f"{folder}/b.yaml line 1: replies are missing",
    ]
    assert main(["skills", "list"]) == 1
    assert "b.yaml line 1: replies are missing" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["skills", "check", str(folder / "none.yaml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
