"""One real server and one person speaking, shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.caller import Caller, caller
from tests.support.server import RunningServer, running_server
from tests.support.speech import spoken_now


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture
async def person(server: RunningServer) -> AsyncIterator[Caller]:
    async with caller(server.url) as person:
        yield person


@pytest.fixture(scope="session")
def question() -> bytes:
    """Someone asking "what is seven times eight", s16le at 16 kHz."""
    return spoken_now(["what is seven times eight"])[0]
