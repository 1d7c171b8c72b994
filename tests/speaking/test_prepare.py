"""A voice's weights are made once, made again when they are damaged, and a voice of another kind is said plainly."""

from __future__ import annotations

import logging
import random
import shutil
import sys
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from appliance.errors import ModelError
from appliance.speaking import prepare
from appliance.speaking.onnx_file import read
from appliance.speaking.prepare import load_network, prepare_voice
from appliance.speaking.published import PublishedVits
from appliance.speaking.vits import Vits
from appliance.speaking.weights import OtherShape
from tests.support.kit import voice_path

IDS = (1, 0, 20, 0, 61, 0, 33, 0, 120, 0, 14, 0, 2)
SILENT = (0.0, 1.0, 0.0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    prepare_voice(voice_path(), folder)
    return folder


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A network with a voice's inputs and another inside: its "sound" is its scales."""
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, None]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [3])]
    graph = helper.make_graph([helper.make_node("Identity", ["scales"], ["output"])], "voice", inputs, outputs)
    path = tmp_path / "en_US-odd-high.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), str(path))
    Path(f"{path}.json").write_text("{}")
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The embedded voice under a name that no checksum is known for."""
    path = tmp_path / "en_US-mine-medium.onnx"
    shutil.copy(voice_path(), path)
    shutil.copy(f"{voice_path()}.json", f"{path}.json")
    return path


def test_weights_are_made_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "TIMEOUT_S", 0)  # making them again would fail
    assert prepare_voice(voice_path(), cache) == next(cache.glob("*.vits"))
    assert isinstance(load_network(voice_path(), cache), Vits)


def test_weights_beside_the_voice_are_used_first(copy: Path, tmp_path: Path) -> None:
    made = prepare_voice(copy, copy.parent)
    assert made.parent == copy.parent
    assert prepare_voice(copy, tmp_path / "cache") == made
    assert not (tmp_path / "cache").exists()


def test_a_changed_voice_is_prepared_anew_and_the_old_weights_go(copy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    before = prepare_voice(copy, cache)
    (cache / "en_US-mine-medium-0123456789abcdef").mkdir()  # as an earlier release kept them
    with copy.open("ab") as file:
        file.write(b"\x0a\x00")  # an empty field more: protobuf allows it
    after = prepare_voice(copy, cache)
    assert after != before
    assert list(cache.iterdir()) == [after]


@pytest.mark.parametrize("size", [0, 100, 20_000_000])
def test_damaged_weights_are_made_again(
    cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    whole = next(cache.glob("*.vits"))
    damaged = tmp_path / whole.name
    damaged.write_bytes(whole.read_bytes()[:size])
    with caplog.at_level(logging.WARNING):
        assert isinstance(load_network(voice_path(), tmp_path), Vits)
    assert f"{damaged}: " in caplog.text and f"it is made again from {voice_path()}" in caplog.text
    assert damaged.read_bytes() == whole.read_bytes()


def test_damaged_weights_that_cannot_be_replaced_are_passed_by(cache: Path, tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    (prepared / next(cache.glob("*.vits")).name).write_bytes(b"half")
    for _ in range(2):
        assert isinstance(load_network(voice_path(), cache, [prepared]), Vits)


def test_a_voice_of_another_shape_is_spoken_by_onnxruntime(odd: Path, tmp_path: Path) -> None:
    network = load_network(odd, tmp_path / "cache")
    assert isinstance(network, PublishedVits)
    assert [list(piece) for piece in network.synthesize(IDS, (0.5, 1.0, 0.25), None)] == [[0.5, 1.0, 0.25]]
    assert not (tmp_path / "cache").exists()


def test_a_voice_of_another_shape_without_onnxruntime_says_what_to_install(
    odd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"needs onnxruntime, which is not installed; pip install 'stimme\[onnx\]'"):
        load_network(odd, tmp_path / "cache")


def test_onnxruntime_speaks_the_embedded_voice_too() -> None:
    (samples,) = PublishedVits(voice_path()).synthesize(IDS, SILENT, None)
    assert len(samples) % 256 == 0 and len(samples) > 0


def test_a_processor_without_avx2_leaves_the_work_to_onnxruntime_if_it_is_there(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "is_slow", lambda _: True)
    assert isinstance(load_network(voice_path(), cache), PublishedVits)
    monkeypatch.setattr(prepare, "is_installed", lambda: False)
    assert isinstance(load_network(voice_path(), cache), Vits)


def test_a_voice_with_several_speakers_is_of_another_shape(odd: Path, tmp_path: Path) -> None:
    model = onnx.load(str(odd))
    model.graph.input.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
    onnx.save(model, str(odd))
    with pytest.raises(OtherShape, match="it speaks with several voices"):
        prepare_voice(odd, tmp_path / "cache")


@pytest.mark.parametrize("content", [b"not a voice", b"\x00" * 5000, b"\xff" * 5000])
def test_a_foreign_file_is_named(odd: Path, tmp_path: Path, content: bytes) -> None:
    odd.write_bytes(content)
    with pytest.raises(ModelError, match=f"{odd}: this voice is damaged .*; fetch it again"):
        load_network(odd, tmp_path / "cache")


def test_a_cache_that_cannot_be_written_keeps_nobody_from_speaking(
    copy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    with caplog.at_level(logging.WARNING):
        network = load_network(copy, blocked)
    assert sum(map(len, network.synthesize(IDS, SILENT, None))) > 0
    assert f"cannot be kept in {blocked}" in caplog.text


def test_no_garbage_makes_the_reader_fail_otherwise_than_by_saying_so(odd: Path) -> None:
    dice, whole = random.Random(11), odd.read_bytes()
    refused = 0
    for _ in range(3000):
        content = bytearray(whole)
        for _ in range(dice.randrange(1, 6)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        try:
            read(memoryview(content[: dice.randrange(len(content) + 1)]))
        except ValueError:
            refused += 1
    assert refused > 1000
