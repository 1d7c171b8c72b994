"""The recognizers that come with Stimme are whole, unpacked once, and made anew when damaged."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zlib
from pathlib import Path

import pytest

from appliance.errors import ModelError
from appliance.models import embedded
from appliance.models.catalogue import CATALOGUE, Model, by_name
from appliance.models.embedded import embedded_recognizer, unpack
from appliance.models.graph import is_mappable
from appliance.models.whole import check_recognizer

EMBEDDED = [model for model in CATALOGUE if model.kind == "recognizer" and not model.source]


@pytest.fixture
def model() -> Model:
    model = by_name("stimme-en-small-0.2")
    assert model is not None
    return model


def find(model: Model, folder: Path) -> Path:
    return embedded_recognizer(model, folder / "models", folder / "prepared")


@pytest.mark.parametrize("model", EMBEDDED, ids=lambda model: model.name)
def test_every_embedded_recognizer_unpacks_and_comes_with_its_card(model: Model, tmp_path: Path) -> None:
    path = unpack(model, tmp_path)
    check_recognizer(path)
    assert (path / "graph" / "HCLG.fst").stat().st_size > 20e6
    card = (Path(embedded.__file__).parent / "embedded" / f"{model.name}.md").read_text(encoding="utf-8")
    assert "**Licence**" in card and "**Limits**" in card


def test_it_is_unpacked_once(model: Model, tmp_path: Path) -> None:
    first = find(model, tmp_path)
    before = (first / "am" / "final.mdl").stat().st_mtime_ns
    assert find(model, tmp_path) == first == tmp_path / "models" / model.name
    assert (first / "am" / "final.mdl").stat().st_mtime_ns == before
    assert [path.name for path in (tmp_path / "models").iterdir()] == [first.name]


def test_a_prepared_one_is_used_where_it_lies(model: Model, tmp_path: Path) -> None:
    prepared = unpack(model, tmp_path / "prepared")
    assert find(model, tmp_path) == prepared
    assert not (tmp_path / "models").exists()


def test_a_damaged_one_is_unpacked_again(model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = find(model, tmp_path)
    graph = path / "graph" / "HCLG.fst"
    whole = graph.read_bytes()
    graph.write_bytes(whole[:1000])
    assert find(model, tmp_path) == path
    assert graph.read_bytes() == whole
    assert f"{graph}: 1000 bytes, expected {len(whole)}" in caplog.text


def test_one_with_a_flipped_bit_is_unpacked_again(
    model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = find(model, tmp_path)
    acoustics = path / "am" / "final.mdl"
    whole = acoustics.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x10
    acoustics.write_bytes(flipped)
    assert find(model, tmp_path) == path
    assert acoustics.read_bytes() == whole
    assert f"{acoustics}: damaged, CRC-32 " in caplog.text


def unaligned(graph: Path) -> bytes:
    """Make a graph what earlier releases unpacked; returns it as it was."""
    now = graph.read_bytes()
    before = bytearray(now)
    before[29:33] = bytes(4)  # its flags
    graph.write_bytes(before)
    put_list = graph.parents[1] / "stimme-checksums.json"
    put_list.write_text(json.dumps(json.loads(put_list.read_text()) | {"graph/HCLG.fst": zlib.crc32(before)}))
    return now


def test_a_graph_that_cannot_be_mapped_is_unpacked_again(model: Model, tmp_path: Path) -> None:
    graph = find(model, tmp_path) / "graph" / "HCLG.fst"
    now = unaligned(graph)
    find(model, tmp_path)
    assert graph.read_bytes() == now and is_mappable(graph)


def test_a_graph_that_cannot_be_mapped_will_do_where_nothing_can_be_unpacked(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = find(model, tmp_path)
    unaligned(path / "graph" / "HCLG.fst")

    def full(*_: object) -> None:
        raise ModelError("no space left")

    monkeypatch.setattr(embedded, "unpack", full)
    assert find(model, tmp_path) == path


def test_files_of_an_earlier_release_are_removed(model: Model, tmp_path: Path) -> None:
    old = tmp_path / "models" / "stimme-en-small-0.1"
    shutil.copytree(Path(embedded.__file__).parent / "embedded", old)
    keep = tmp_path / "models" / "my-own"
    keep.mkdir()
    find(model, tmp_path)
    assert not old.exists() and keep.exists()


def test_they_are_removed_too_where_the_new_one_was_prepared_elsewhere(model: Model, tmp_path: Path) -> None:
    unpack(model, tmp_path / "prepared")
    old = tmp_path / "models" / "stimme-en-small-0.1"
    old.mkdir(parents=True)
    embedded_recognizer(model, tmp_path / "models", tmp_path / "prepared", unpacking=False)
    assert old.exists(), "it was only asked where it would be"
    find(model, tmp_path)
    assert not old.exists()


def test_a_forged_archive_is_refused(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "package"
    (package / "embedded").mkdir(parents=True)
    (package / "embedded" / model.files[0].name).write_bytes(b"forged")
    monkeypatch.setattr(embedded, "files", lambda _: package)
    with pytest.raises(ModelError, match="SHA-256 .*, expected 83cfa7fc.*; install Stimme again"):
        find(model, tmp_path)
    assert not (tmp_path / "models").exists()


def test_a_models_directory_that_cannot_be_written_is_no_reason_not_to_hear(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spare = tmp_path / f"stimme-{os.getuid()}"
    for _ in range(2):
        assert find(model, tmp_path / "file") == spare / model.name
    assert f"{tmp_path}/file/models: cannot unpack the embedded recognizer" in caplog.text
    assert spare.stat().st_mode & 0o077 == 0


def test_a_temporary_directory_that_others_may_write_is_not_trusted(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(embedded, "MEMORY", tmp_path)
    (tmp_path / f"stimme-{os.getuid()}").mkdir(mode=0o777)
    (tmp_path / f"stimme-{os.getuid()}").chmod(0o777)
    with pytest.raises(ModelError, match=f"{tmp_path}/file/models: cannot unpack the embedded recognizer"):
        find(model, tmp_path / "file")
