"""A voice cut in two says what the whole one says, and a voice that cannot be cut still speaks."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from appliance.speaking import vits
from tests.support.kit import voice_path

SILENT = (0.0, 1.0, 0.0)  # no noise, so that two runs are alike
NATURAL = (0.667, 1.0, 0.8)
IDS = [1, 0] + [identity for phoneme in (20, 61, 33, 120, 14, 59, 24, 3, 31, 74) * 4 for identity in (phoneme, 0)] + [2]
SAMPLES_PER_FRAME = 256


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cuts")


@pytest.fixture(scope="module")
def halves(cache: Path) -> vits.CutVits:
    loaded = vits.load(voice_path(), cache, SAMPLES_PER_FRAME)
    assert isinstance(loaded, vits.CutVits)
    return loaded


@pytest.fixture
def uncuttable(tmp_path: Path) -> Path:
    """A network with a voice's inputs and no decoder to be found: its "sound" is its scales."""
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, None]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [3])]
    graph = helper.make_graph([helper.make_node("Identity", ["scales"], ["output"])], "voice", inputs, outputs)
    path = tmp_path / "en_US-odd-medium.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), str(path))
    return path


def test_windows_equal_the_decoder_in_one_piece(halves: vits.CutVits, monkeypatch: pytest.MonkeyPatch) -> None:
    latent = halves.encode(IDS, NATURAL, None)
    windows = list(halves.decode(latent))
    monkeypatch.setattr(vits, "FIRST_WINDOW_FRAMES", 10**6)
    (whole,) = halves.decode(latent)
    assert len(windows) >= 3
    assert [len(window) for window in windows[:2]] == [24 * SAMPLES_PER_FRAME, 48 * SAMPLES_PER_FRAME]
    np.testing.assert_allclose(np.concatenate(windows), whole, rtol=0, atol=1e-5)


def test_the_two_halves_equal_the_whole_voice(halves: vits.CutVits) -> None:
    (whole,) = vits.WholeVits(voice_path()).synthesize(IDS, SILENT, None)
    streamed = np.concatenate(list(halves.synthesize(IDS, SILENT, None)))
    np.testing.assert_allclose(streamed, whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 5, 23, 24, 25, 33, 34, 35, 82, 83, 300])
def test_every_length_comes_whole(halves: vits.CutVits, frames: int) -> None:
    latent = np.random.default_rng(frames).normal(size=(1, 192, frames)).astype(np.float32)
    assert sum(map(len, halves.decode(latent))) == frames * SAMPLES_PER_FRAME


def test_a_voice_is_cut_once(halves: vits.CutVits, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert vits.is_cut(voice_path(), cache)
    monkeypatch.setattr(vits, "CUT_TIMEOUT_S", 0)  # cutting again would fail
    assert isinstance(vits.load(voice_path(), cache, SAMPLES_PER_FRAME), vits.CutVits)


def test_a_changed_voice_is_cut_anew_and_the_old_halves_go(tmp_path: Path) -> None:
    voice, cache = tmp_path / voice_path().name, tmp_path / "cache"
    voice.write_bytes(voice_path().read_bytes())
    vits.load(voice, cache, SAMPLES_PER_FRAME)
    (before,) = cache.iterdir()
    with voice.open("ab") as file:
        file.write(b"\x0a\x00")  # an empty field more: protobuf allows it
    assert not vits.is_cut(voice, cache)
    assert isinstance(vits.load(voice, cache, SAMPLES_PER_FRAME), vits.CutVits)
    (after,) = cache.iterdir()
    assert after != before


def test_a_voice_that_cannot_be_cut_speaks_whole_clauses(
    uncuttable: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        whole = vits.load(uncuttable, tmp_path / "cache", SAMPLES_PER_FRAME)
    assert [list(piece) for piece in whole.synthesize(IDS, (0.5, 1.0, 0.25), None)] == [[0.5, 1.0, 0.25]]
    assert "en_US-odd-medium.onnx: cannot be cut for streaming" in caplog.text
    assert "no node /dec/conv_pre/Conv" in caplog.text


def test_a_failed_cut_leaves_nothing_behind(uncuttable: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    vits.load(uncuttable, cache, SAMPLES_PER_FRAME)
    assert list(cache.iterdir()) == []


def test_damaged_halves_are_not_the_end_of_a_voice(uncuttable: Path, tmp_path: Path) -> None:
    halves = tmp_path / "cache" / f"{uncuttable.stem}-{vits._key(uncuttable)}"
    halves.mkdir(parents=True)
    (halves / "encoder.onnx").write_bytes(b"half")
    assert isinstance(vits.load(uncuttable, tmp_path / "cache", SAMPLES_PER_FRAME), vits.WholeVits)
    assert not halves.exists()
