"""Pico's voice: sound in pieces, for several at once, and whatever the text."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import ModelError
from appliance.models.choose import find_voice
from appliance.speaking import pico
from appliance.speaking.pico import PicoError, PicoVoice, plain
from appliance.speaking.vits import Samples
from appliance.speaking.voices import Voice, load_voice

SENTENCE = "Der Timer für die Kartoffeln läuft noch zwölf Minuten, und danach klingelt der für die Pizza."


@pytest.fixture(scope="module")
def path() -> Path:
    choice = find_voice("de", Path("/nonexistent"), "pico")
    assert choice is not None
    return choice.path


class Other:
    """What speaks when Pico cannot."""

    name, rate = "other", 32_000

    def __init__(self) -> None:
        self.asked: list[str] = []

    def synthesize(self, clause: str, speed: float = 1.0) -> Iterator[Samples]:
        self.asked.append(clause)
        yield np.full(32_000, 0.5, np.float32)


@pytest.fixture
def other() -> Other:
    return Other()


@pytest.fixture
def voice(path: Path, other: Voice) -> PicoVoice:
    return PicoVoice(path, "de", other)


def whole(voice: Voice, clause: str) -> Samples:
    return np.concatenate([np.empty(0, np.float32), *voice.synthesize(clause)])


def process(voice: PicoVoice) -> int:
    """Its process id."""
    return voice._process._running[0].pid


def test_a_clause_comes_in_pieces_the_first_of_them_short(voice: PicoVoice, other: Other) -> None:
    pieces = list(voice.synthesize(SENTENCE))
    assert len(pieces) >= 10 and len(pieces[0]) / voice.rate < 0.2
    assert 4 < sum(map(len, pieces)) / voice.rate < 10
    sound = np.concatenate(pieces)
    assert 0.1 < np.abs(sound).max() < 1, "nothing is clipped"
    assert not other.asked
    assert (voice.name, voice.rate) == ("pico-de-DE", 16_000)


def test_it_says_the_same_however_clauses_are_interleaved_or_left(voice: PicoVoice) -> None:
    alone = {text: whole(voice, text) for text in (SENTENCE, "Guten Morgen.", "Es ist halb acht.")}
    dice = random.Random(3)
    for _ in range(20):
        under_way = [(text, voice.synthesize(text), list[Samples]()) for text in dice.choices(list(alone), k=4)]
        left = under_way.pop()[1]
        next(left)
        left.close()  # type: ignore[attr-defined]
        unfinished = list(under_way)
        while unfinished:
            text, steps, heard = one = dice.choice(unfinished)
            try:
                heard.append(next(steps))
            except StopIteration:
                unfinished.remove(one)
        for text, _, heard in under_way:
            np.testing.assert_allclose(np.concatenate(heard), alone[text], atol=0.02)


@pytest.mark.parametrize("clause", ["你好。", "Привет!", "x" * 300, "a" * 40 + " und mehr"], ids=lambda text: text[:5])
def test_what_pico_does_not_have_is_said_by_the_other_voice(voice: PicoVoice, other: Other, clause: str) -> None:
    assert len(whole(voice, clause)) == voice.rate  # one second, at Pico's own rate
    assert other.asked == [clause]


def test_marks_tags_and_control_characters_do_not_reach_it() -> None:
    assert plain('<speed level="500">Hallo</speed> & \x07tschüss\N{ZERO WIDTH SPACE} 😀!', "de") == (
        "speed level gleich fünfhundert Hallo durch speed und tschüss !"
    )


def test_a_process_that_uses_up_its_processor_time_is_replaced(
    voice: PicoVoice, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pico, "plain", lambda clause, language: clause)
    hanging = "ß" * 200 + "日本語テスト" + "<."
    assert len(whole(voice, hanging)) == voice.rate
    assert other.asked == [hanging]
    assert len(whole(voice, SENTENCE)) > voice.rate
    assert other.asked == [hanging]


def test_a_process_that_dies_or_stalls_is_replaced(
    voice: PicoVoice, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = whole(voice, SENTENCE)
    os.kill(process(voice), 9)
    while voice._process._running[0].poll() is None:
        time.sleep(0.01)
    np.testing.assert_allclose(whole(voice, SENTENCE), expected, atol=0.02)
    steps = voice.synthesize(SENTENCE)
    next(steps)
    os.kill(process(voice), 9)
    list(steps)  # ends early, and is not begun again
    assert not other.asked
    monkeypatch.setattr(pico, "TIMEOUT_S", 0.1)
    os.kill(process(voice), 19) if voice._process._running else None
    whole(voice, "Guten Morgen.")
    monkeypatch.undo()
    np.testing.assert_allclose(whole(voice, SENTENCE), expected, atol=0.02)


def test_without_another_voice_the_clause_fails_and_the_next_one_works(path: Path) -> None:
    voice = PicoVoice(path, "de", None)
    with pytest.raises(ModelError, match="pico-de-DE cannot say this clause; with the package espeak-ng"):
        whole(voice, "你好。")
    assert len(whole(voice, "Guten Morgen."))


def test_its_process_ends_with_it(path: Path) -> None:
    voice = PicoVoice(path, "de", None)
    whole(voice, "Guten Morgen.")
    number = process(voice)
    del voice
    assert not Path(f"/proc/{number}").exists()


def test_half_a_voice_is_named(tmp_path: Path) -> None:
    (tmp_path / "de-DE_ta.bin").write_bytes(b"x")
    with pytest.raises(ModelError, match=f"{tmp_path}/de-DE_ta.bin: Pico is not whole; install .* py-nanotts again"):
        load_voice(tmp_path / "de-DE_ta.bin", "de", tmp_path)


def test_a_damaged_voice_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    for name in ("de-DE_ta.bin", "de-DE_gl0_sg.bin"):
        (tmp_path / name).write_bytes(b"nonsense" * 1000)
    voice = PicoVoice(tmp_path / "de-DE_ta.bin", "de", None)
    with pytest.raises(PicoError, match="its process ended with code 1"):
        list(voice._process.speak("Hallo."))
