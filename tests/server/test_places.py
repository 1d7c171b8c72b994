"""Each paired place has its own name, language, volume and memory, on the real server; revocation ends what is open."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from appliance.state.database import Database
from appliance.state.tokens import TokenStore
from tests.support.caller import caller
from tests.support.server import ROOT, RunningServer, running_server


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def tokens(state: Path) -> dict[str, str]:
    with Database(state / "stimme.sqlite3") as database:
        store = TokenStore(database)
        return {name: store.add(name, "program")[0] for name in ("kitchen", "bedroom", "radio")}


@pytest.fixture(scope="module")
def server(state: Path, tokens: dict[str, str]) -> Iterator[RunningServer]:
    with running_server({"STIMME_STATE": str(state), "STIMME_PAIRING": "always"}) as server:
        yield server


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_who_was_not_paired_is_refused_even_here_if_told_so(server: RunningServer) -> None:
    for headers in ({}, bearer("wrong")):
        with pytest.raises(InvalidStatus) as refused:
            async with caller(server.url, additional_headers=headers):
                pass
        assert refused.value.response.status_code == 401


async def test_a_place_keeps_its_language_and_volume_and_nobody_elses(
    server: RunningServer, tokens: dict[str, str]
) -> None:
    async with caller(server.url, additional_headers=bearer(tokens["kitchen"])) as kitchen:
        assert (await kitchen.hello(language="de"))["volume"] == 70
        await kitchen.type("lautstärke auf dreißig prozent", language="de", until="answer")
    async with caller(server.url, additional_headers=bearer(tokens["bedroom"])) as bedroom:
        welcome = await bedroom.hello()
        assert (welcome["volume"], welcome["language"]) == (70, "en")
        said = (await bedroom.type("what did you hear", until="answer")).first("answer")["text"]
        assert "drei" not in said.lower() and "lautst" not in said.lower()
    async with caller(server.url, additional_headers=bearer(tokens["kitchen"])) as kitchen:
        welcome = await kitchen.hello()
        assert (welcome["volume"], welcome["language"]) == (30, "de")


async def test_a_session_comes_back_only_to_the_place_it_belongs_to(
    server: RunningServer, tokens: dict[str, str]
) -> None:
    async with caller(server.url, additional_headers=bearer(tokens["kitchen"])) as kitchen:
        secret = (await kitchen.hello(language="en"))["session"]
        await kitchen.type("what is seven times eight", until="answer")
    async with caller(server.url, additional_headers=bearer(tokens["bedroom"])) as bedroom:
        assert (await bedroom.hello(session=secret))["session"] != secret
        said = (await bedroom.type("what did you hear", until="answer")).first("answer")["text"]
        assert "seven" not in said.lower() and "56" not in said


async def test_revocation_by_the_command_line_ends_open_connections_at_once(
    server: RunningServer, state: Path, tokens: dict[str, str]
) -> None:
    async with caller(server.url, additional_headers=bearer(tokens["radio"])) as radio:
        await radio.hello()
        done = subprocess.run(  # noqa: ASYNC221 - nothing else goes on here
            [sys.executable, "-m", "appliance", "paired", "revoke", "radio"],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"STIMME_STATE": str(state), "PYTHONPATH": str(ROOT)},
        )
        assert "no more" in done.stdout
        assert (await radio.receive("error"))["code"] == "not_paired"
        with pytest.raises(ConnectionClosed):
            await radio.receive()
        assert radio.socket.close_code == 1008
    log = server.log.read_text()
    assert not any(token in log for token in tokens.values())
