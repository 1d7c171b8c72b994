"""A model's graph is mapped, not copied; where it cannot be, it is read."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from appliance.hearing import mapped
from appliance.hearing.mapped import load_mapped
from appliance.hearing.vosk import load
from appliance.models.choose import find_recognizer
from appliance.models.graph import is_mappable
from tests.support.server import MODELS
from tests.support.speech import spoken_now

LIBC = Path("libc.so.6")


@pytest.fixture(scope="module")
def model() -> Path:
    choice = find_recognizer("en", MODELS)
    assert choice is not None and is_mappable(choice.path / "graph" / "HCLG.fst")
    return choice.path


def maps() -> int:
    return Path("/proc/self/maps").read_text().count("HCLG.fst")


def test_the_graph_is_mapped_and_hears_what_one_that_was_read_hears(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pcm, directory, before = spoken_now(["set a timer for five minutes"])[0], Path.cwd(), maps()
    said = []
    for own_directory in (True, False):
        monkeypatch.setattr(mapped, "_has_own_directory", lambda own=own_directory: own and unshared())
        loaded, recognizer = load(model)
        assert maps() - before == (2 if own_directory else 0), "its states and its arcs"
        assert Path.cwd() == directory
        said.append([recognizer.decode(pcm[i : i + 32_000], i + 32_000 >= len(pcm), False)[1] for i in (0, 32_000)])
        del loaded, recognizer
        before = maps()
    assert said[0] == said[1]


def unshared() -> bool:
    return bool(ctypes.CDLL(None).unshare(0x200) == 0)


def test_other_threads_keep_their_directory(model: Path, tmp_path: Path) -> None:
    (view := tmp_path / "view").mkdir()
    outside = Path.cwd()
    seen = load_mapped(LIBC, model / "graph" / "HCLG.fst", view, os.getcwd)
    assert seen == str(view) and Path.cwd() == outside
    assert (view / mapped.UNNAMED).resolve() == (model / "graph" / "HCLG.fst").resolve()


def test_a_graph_that_cannot_be_mapped_is_left_to_vosk(tmp_path: Path) -> None:
    (tmp_path / "HCLG.fst").write_bytes(b"another format")
    assert load_mapped(LIBC, tmp_path / "HCLG.fst", tmp_path, os.getcwd) == os.getcwd()
    assert not (tmp_path / mapped.UNNAMED).is_symlink()


def test_what_goes_wrong_while_loading_is_told(model: Path, tmp_path: Path) -> None:
    def fail() -> None:
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"):
        load_mapped(LIBC, model / "graph" / "HCLG.fst", tmp_path, fail)
