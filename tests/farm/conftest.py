"""One redis-server for all tests of a folder; each test begins with it empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.farm.link import BlockingLink
from tests.support.farm import RedisServer, redis_server


@pytest.fixture(scope="session")
def redis_of_session() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(redis_of_session: RedisServer) -> RedisServer:
    link = BlockingLink(redis_of_session.address, "empty")
    link.call("FLUSHALL")
    link.close()
    return redis_of_session
