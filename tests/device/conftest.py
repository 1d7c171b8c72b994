"""The assistant's faculties, once for all tests in this folder."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from appliance import config
from appliance.app import Assistant, awake
from tests.support.server import MODELS
from tests.support.speech import spoken_now


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def assistant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Assistant]:
    settings = config.load(
        environment={"STIMME_STATE": str(tmp_path_factory.mktemp("state")), "STIMME_MODELS": str(MODELS)}
    )
    async with awake(settings) as assistant:
        yield assistant


@pytest.fixture(scope="session")
def timer_request() -> bytes:
    """ "Set a timer for five minutes", spoken: the reply to it is short, and recognized word for word."""
    return spoken_now(["set a timer for five minutes"])[0]
