"""Starting where little is given: no home, no name, a system service's two directories, damaged derived files."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.state import answer, kinds
from tests.support.caller import caller
from tests.support.server import MODELS, ROOT, RunningServer, running_server

NOBODY = 54_321
"""A user that no table of users knows."""

NO_HOME: Mapping[str, str | None] = {
    name: None for name in ("HOME", "USER", "LOGNAME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
}


def talk(server: RunningServer) -> None:
    """Somebody asks aloud and sets a timer."""

    async def go() -> None:
        async with caller(server.url) as person:
            assert (await person.type("what is two plus two")).audio
            assert await answer(person, "set a timer for ten minutes") == "Timer set for ten minutes."

    asyncio.run(go())
    assert "Traceback" not in server.log.read_text()


def test_it_runs_as_a_service_with_nothing_but_its_two_directories(tmp_path: Path) -> None:
    directories = {"STATE_DIRECTORY": tmp_path / "state", "CACHE_DIRECTORY": tmp_path / "cache"}
    for directory in directories.values():
        directory.mkdir()
    settings = {
        **NO_HOME,
        "STIMME_STATE": None,
        "STIMME_MODELS": None,
        **{name: str(directory) for name, directory in directories.items()},
    }
    with running_server(settings, prefix=["unshare", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]) as server:
        talk(server)
    assert kinds(tmp_path / "state") == ["timer"]
    assert (tmp_path / "state" / "models" / "stimme-en-small-0.2").is_dir()


def test_it_starts_without_a_home_and_without_any_directory(tmp_path: Path) -> None:
    settings = {**NO_HOME, "HOME": "/nonexistent", "STIMME_STATE": None, "STIMME_MODELS": None, "TMPDIR": str(tmp_path)}
    with running_server(settings, prefix=["unshare", "--map-root-user"]) as server:
        talk(server)


def test_derived_files_that_are_damaged_are_made_again(tmp_path: Path) -> None:
    models, cache = tmp_path / "models", tmp_path / "cache"
    recognizer = models / "stimme-en-small-0.2"
    settings = {"STIMME_MODELS": str(models), "XDG_CACHE_HOME": str(cache)}
    shutil.copytree(MODELS / "stimme-en-small-0.2", recognizer)
    with running_server(settings) as server:
        talk(server)
    derived = [path for path in cache.rglob("*") if path.is_file() and path.stat().st_size > 1_000_000]
    assert derived
    for path in (recognizer / "graph" / "HCLG.fst", *derived):
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
    (recognizer / "stimme-contents.json").write_text("[")
    sizes = {path: path.stat().st_size for path in derived}
    with running_server(settings) as server:
        talk(server)
    assert (recognizer / "graph" / "HCLG.fst").stat().st_size == (
        MODELS / "stimme-en-small-0.2" / "graph" / "HCLG.fst"
    ).stat().st_size
    assert all(path.stat().st_size > size for path, size in sizes.items())


@pytest.mark.parametrize("question", [["models", "list"], ["models", "path", "stimme-en-small-0.2"], ["check"]])
def test_a_question_writes_nothing(question: list[str], tmp_path: Path) -> None:
    environment = os.environ | {
        "HOME": str(tmp_path),
        "STIMME_STATE": str(tmp_path / "state"),
        "STIMME_MODELS": str(tmp_path / "models"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run(
        [sys.executable, "-m", "appliance", *question], env=environment, cwd=tmp_path, check=True, capture_output=True
    )
    assert list(tmp_path.iterdir()) == []
